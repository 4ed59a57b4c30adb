"""DICOM read a second time: PDUs by pynetdicom, data sets by pydicom."""

import io
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydicom import config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pynetdicom import pdu

from tests.dicom.datasets import DEFLATED
from tests.dicom.reading import Stream, connections_in

_IMPLICIT: Final = "1.2.840.10008.1.2"
_BIG: Final = "1.2.840.10008.1.2.2"
_NO_DATA_SET: Final = 0x0101
_PDUS: Final = {
    1: pdu.A_ASSOCIATE_RQ,
    2: pdu.A_ASSOCIATE_AC,
    3: pdu.A_ASSOCIATE_RJ,
    4: pdu.P_DATA_TF,
    5: pdu.A_RELEASE_RQ,
    6: pdu.A_RELEASE_RP,
    7: pdu.A_ABORT_RQ,
}

_UNDECODABLE: Final = 0
"""Stands for the type of a PDU that pynetdicom does not decode."""

ElementPath = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """One data element, wherever it stands."""

    path: ElementPath
    """Tags and numbers of items, by turns."""
    vr: str
    length: int
    """As written; of a sequence, the number of items."""
    value: Any = field(compare=False, repr=False)


@dataclass(slots=True, kw_only=True)
class Message:
    """One DIMSE message."""

    from_client: bool
    command: Dataset
    syntax: str
    """Transfer syntax that was negotiated; empty where that is not known."""
    data: bytes = b""
    """The data set, inflated if need be."""

    @property
    def elements(self) -> list[Element]:
        """Every element of the data set."""
        return list(elements_of(decoded(self.data, self.syntax))) if self.data else []


@dataclass(slots=True, kw_only=True)
class Association:
    """What was read of one connection."""

    pdus: list[tuple[bool, int, int]] = field(default_factory=list)
    """Whether from the client, type, length."""
    decoded: list[Any] = field(default_factory=list)
    """Association PDUs, as pynetdicom decodes them."""
    messages: list[Message] = field(default_factory=list)
    rest: int = 0
    """Bytes behind the last whole PDU."""


def decoded(data: bytes, syntax: str) -> Dataset:
    """Read a data set without preamble."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_dataset(io.BytesIO(data), syntax == _IMPLICIT, syntax != _BIG)


def elements_of(data: Dataset, path: ElementPath = ()) -> Iterator[Element]:
    """Yield every element at every depth, with its length as written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config.settings.reading_validation_mode = config.IGNORE
        for tag in sorted(data.keys()):
            raw = data.get_item(tag)
            value = raw.value if isinstance(raw, RawDataElement) else None
            element = data[tag]
            here = (*path, int(tag))
            if element.VR == "SQ":
                yield Element(here, "SQ", len(element.value), b"")
                for number, item in enumerate(element.value):
                    yield from elements_of(item, (*here, number))
            else:
                length = len(value) if isinstance(value, bytes) else 0
                yield Element(here, element.VR, length, value if isinstance(value, bytes) else b"")


def reread(connection: tuple[Stream, Stream]) -> Association:
    """Read both sides of a connection as far as their PDUs go on without a hole."""
    client, server = sorted(connection, key=lambda one: one.data[:1] != b"\x01")
    found = Association()
    fragments: dict[bool, list[Any]] = {True: [], False: []}
    for from_client, stream in ((True, client), (False, server)):
        whole, at = stream.whole, 0
        while at + 6 <= len(whole) and whole[at] in _PDUS:
            length = int.from_bytes(whole[at + 2 : at + 6], "big")
            if at + 6 + length > len(whole):
                break
            one = _pdu(whole[at : at + 6 + length])
            if one is None:
                found.pdus.append((from_client, _UNDECODABLE, length))
                at += 6 + length
                continue
            found.pdus.append((from_client, whole[at], length))
            if whole[at] == 4:
                fragments[from_client] += one.presentation_data_value_items
            elif whole[at] in (1, 2):
                found.decoded.append(one)
            at += 6 + length
        found.rest += len(stream.data) - at
    syntaxes = _syntaxes(found.decoded)
    for from_client, items in fragments.items():
        found.messages += _messages(items, syntaxes, from_client=from_client)
    return found


def _syntaxes(associations: list[Any]) -> dict[int, str]:
    return {
        int(context.context_id or 0): str(context.transfer_syntax)
        for one in associations
        if isinstance(one, pdu.A_ASSOCIATE_AC)
        for context in one.presentation_context
        if context.result == 0
    }


def _messages(items: list[Any], syntaxes: dict[int, str], *, from_client: bool) -> Iterator[Message]:
    command, data = b"", b""
    for item in items:
        flags, body = item.presentation_data_value[0], item.presentation_data_value[1:]
        if flags & 1:
            command += body
        else:
            data += body
        if not flags & 2:
            continue
        read = _command(command)
        if flags & 1 and read.get("CommandDataSetType") != _NO_DATA_SET:
            continue
        syntax = syntaxes.get(item.presentation_context_id, "")
        whole = inflated(data) if syntax == DEFLATED else data
        yield Message(from_client=from_client, command=read, syntax=syntax, data=whole)
        command = data = b""


def _pdu(data: bytes) -> Any:
    """Decode a PDU; of damaged ones nothing is read."""
    one = _PDUS[data[0]]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            one.decode(data)
        except Exception:  # noqa: BLE001  # pynetdicom raises anything
            return None
    return one


def _command(data: bytes) -> Dataset:
    """Read a command set; of damaged ones nothing is read."""
    try:
        return decoded(data, _IMPLICIT)
    except Exception:  # noqa: BLE001  # pydicom raises anything
        return Dataset()


def inflated(data: bytes) -> bytes:
    """Inflate a data set as far as it goes (PS3.5 §A.5)."""
    unpacker, out = zlib.decompressobj(-zlib.MAX_WBITS), []
    for at in range(len(data)):
        try:
            out.append(unpacker.decompress(data[at : at + 1]))
        except zlib.error:
            break
    return b"".join(out)


def associations_in(data: bytes) -> list[Association]:
    """Read all associations of a capture file; connections without a PDU have none."""
    return [one for one in map(reread, connections_in(data)) if one.pdus]


def commands_of(sent: bytes) -> Iterator[tuple[int, bool]]:
    """Yield, for each fragment of a P-DATA PDU, the command that it holds or 0, and whether a message ends with it."""
    if sent[0] != 4:
        return
    one = pdu.P_DATA_TF()
    one.decode(sent)
    for item in one.presentation_data_value_items:
        value = item.presentation_data_value or b"\0"
        flags, body = value[0], value[1:]
        if flags == 3:
            command = decoded(body, _IMPLICIT)
            yield int(command.CommandField), command.CommandDataSetType == _NO_DATA_SET
        else:
            yield 0, flags == 2
