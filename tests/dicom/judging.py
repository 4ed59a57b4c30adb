"""What an output is held against: its original, and what was planted there.

Every judge returns sentences; none means that it has nothing to say against the output. They read captures by
`reading` and `rereading` alone and know nothing of the engine.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
from pydicom.tag import Tag
from pydicom.valuerep import VALIDATORS

from tests.dicom.canaries import Scanner
from tests.dicom.planting import Kind, Oracle
from tests.dicom.reading import Stream, connections_in, pieces_of, records_of
from tests.dicom.rereading import Association, Element, Message, associations_in

_STANDARD: Final = b"1.2.840.10008."
_IDENTIFYING_COMMANDS: Final = {0x00000600, 0x00001000, 0x00001001, 0x00001030, 0x00000902, 0x00000003}
"""Move Destination, SOP Instance UIDs, Move Originator, Error Comment, Requested SOP Class UID (it may be private)."""
_AFFECTED_INSTANCE: Final = 0x00001000
_SOP_INSTANCE: Final = (0x00080018,)
_STORE: Final = 0x0001
_PIXELS: Final = ((0x7FE00008,), (0x7FE00009,), (0x7FE00010,))
_DATES: Final = {"DA", "TM", "DT"}
_TEXTS: Final = {"PN", "LO", "SH", "ST", "LT", "UT", "UI", "AE", "DA", "DT", "UC", "CS"}
_SINGLE: Final = {"ST", "LT", "UT"}
"""Text in which a backslash is a character."""
_SAYS_NOTHING: Final = re.compile(rb"[\s\0.^=\\0-]*|19000101(\d{6})?[\s\0.\d+]*")
_TABLE: Final = {
    int(tag[0]) << 16 | int(tag[1])
    for name, rows in vars(dicomfields_2026c).items()
    if name.isupper() and isinstance(rows, list)
    for tag in rows
    if len(tag) == 2
}
"""Tags of Table E.1-1; repeating groups, whose masks have more numbers, are left to the scan."""


def framing(original: bytes, output: bytes, *, times: bool = True) -> list[str]:
    """Hold a file's packets against those of the original: count, lengths, times, TCP headers, agreeing copies."""
    found = [] if len(original) == len(output) else [f"the file has {len(output)} bytes, not {len(original)}"]
    old, new = records_of(original), records_of(output)
    if [(one.link_type, len(one.data)) for one in old] != [(one.link_type, len(one.data)) for one in new]:
        return [*found, "packets differ in count, link type or length"]
    if times and [one.said for one in old] != [one.said for one in new]:
        found.append("packets differ in time or original length")
    headers = [
        [(one.flow, one.sequence, one.flags, len(one.payload), one.packet) for one in pieces_of(records)]
        for records in (old, new)
    ]
    if headers[0] != headers[1]:
        found.append("TCP segments differ in ends, sequence, flags or length")
    found += [f"copies disagree at {one.conflicts[:3]} of {one.flow}" for one in _streams(output) if one.conflicts]
    return found


def _streams(data: bytes) -> Iterator[Stream]:
    for connection in connections_in(data):
        yield from connection


def structure(original: bytes, output: bytes) -> list[str]:
    """Hold what was said against the original: PDUs, messages, commands, tags, VRs, lengths."""
    found: list[str] = []
    pairs = zip_longest(associations_in(original), associations_in(output))
    for number, (old, new) in enumerate(pairs, start=1):
        if old is None or new is None:
            found.append(f"association {number} stands in one of both only")
        else:
            found += [f"association {number}: {sentence}" for sentence in _compare(old, new)]
    return found


def _compare(old: Association, new: Association) -> Iterator[str]:
    if old.pdus != new.pdus or old.rest != new.rest:
        yield "PDUs differ"
    if list(map(_negotiated, old.decoded)) != list(map(_negotiated, new.decoded)):
        yield "presentation contexts differ"
    if len(old.messages) != len(new.messages):
        yield f"{len(new.messages)} messages, not {len(old.messages)}"
        return
    for number, (before, after) in enumerate(zip(old.messages, new.messages, strict=True), start=1):
        for sentence in _compare_messages(before, after):
            yield f"message {number}: {sentence}"


def _negotiated(one: Any) -> list[Any]:
    return [
        (each.context_id, getattr(each, "abstract_syntax", None), each.transfer_syntax)
        for each in one.presentation_context
    ]


def _compare_messages(old: Message, new: Message) -> Iterator[str]:
    if (old.syntax, old.from_client, len(old.data)) != (new.syntax, new.from_client, len(new.data)):
        yield "syntax, side or length differ"
    if [(int(one.tag), one.VR) for one in old.command] != [(int(one.tag), one.VR) for one in new.command]:
        yield "commands differ in their elements"
        return
    for one in old.command:
        if int(one.tag) not in _IDENTIFYING_COMMANDS and one.value != new.command[one.tag].value:
            yield f"{one.keyword} of the command differs"
    before, after = old.elements, new.elements
    if before != after:
        pairs = zip_longest(before, after)
        yield f"elements differ, first {next(pair for pair in pairs if pair[0] != pair[1])}"


def leaks(output: bytes, oracle: Oracle, *, dates_stay: bool = False) -> list[str]:
    """Search an output for what was planted, in every encoding."""
    without = frozenset({Kind.DATE}) if dates_stay else frozenset[Kind]()
    return [
        f"{hit.place}: {hit.text} ({hit.form}, {hit.where})" for hit in Scanner(oracle, without=without).find(output)
    ]


def unchanged(original: bytes, output: bytes, *, dates_stay: bool = False) -> list[str]:
    """Return elements of Table E.1-1, names and private elements whose values stay and say something."""
    found = []
    for old, new in _messages(original, output):
        for before, after in zip(old.elements, new.elements, strict=False):
            same = before.value == after.value and not _SAYS_NOTHING.fullmatch(before.value)
            if same and identifies(before) and not (dates_stay and before.vr in _DATES):
                path = ".".join(f"{one:08X}" for one in before.path[::2])
                found.append(f"{path} {before.vr} is as it was")
    return found


def identifies(element: Element) -> bool:
    """Tell whether an element is a name, private, or a text that Table E.1-1 names; a private creator is none."""
    tag = Tag(element.path[-1])
    if element.value.startswith(_STANDARD) and element.vr == "UI":
        return False
    is_text = element.vr in _TEXTS
    is_private = bool(tag.is_private) and not tag.is_private_creator
    return element.vr == "PN" or (is_private and len(element.value) > 1) or (is_text and int(tag) in _TABLE)


def _messages(original: bytes, output: bytes) -> Iterator[tuple[Message, Message]]:
    for old, new in zip(associations_in(original), associations_in(output), strict=False):
        yield from zip(old.messages, new.messages, strict=False)


def pixels(output: bytes) -> list[str]:
    """Return the messages whose pixel data is not all zero; item headers of encapsulated data count as nothing."""
    return [
        f"pixels of {message.syntax} show"
        for association in associations_in(output)
        for message in association.messages
        for element in message.elements
        if element.path in _PIXELS and any(_without_items(element.value))
    ]


def _without_items(value: bytes) -> bytes:
    out, at = b"", 0
    while value[at : at + 4] == b"\xfe\xff\x00\xe0":
        length = int.from_bytes(value[at + 4 : at + 8], "little")
        out += value[at + 8 : at + 8 + length] if at else b""
        at += 8 + length
    return out if at else value


def validity(original: bytes, output: bytes) -> list[str]:
    """Return elements whose value is none of their VR, while it was in the original."""
    return [
        f"{before.path[-1]:08X} is no {after.vr}"
        for old, new in _messages(original, output)
        for before, after in zip(old.elements, new.elements, strict=False)
        if before.value != after.value and _is_valid(before) and not _is_valid(after)
    ]


def _is_valid(element: Element) -> bool:
    if element.vr not in _TEXTS or not element.value.isascii() or b"\x1b" in element.value:
        return True
    text = element.value.decode().rstrip("\0 ")
    values = [text] if element.vr in _SINGLE else text.split("\\")
    validator = VALIDATORS.get(element.vr)
    return validator is None or all(validator(element.vr, one.strip())[0] for one in values)  # type: ignore[no-untyped-call]


def consistency(pairs: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Hold several captures against each other: one pseudonym for each value, no pseudonym for two.

    What was blanked, since its sequence had to go, has none.
    """
    maps: dict[str, dict[bytes, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    found = []
    for original, output in pairs:
        for old, new in _messages(original, output):
            for kind, before, after in _identities(old, new):
                if after.strip(b"\0 "):
                    maps[kind][before].add(after)
            found += _agrees(new)
    for kind, mapped in maps.items():
        back: dict[bytes, set[bytes]] = defaultdict(set)
        for value, pseudonyms in mapped.items():
            found += [f"{kind} has {len(pseudonyms)} pseudonyms for one value"] if len(pseudonyms) > 1 else []
            for one in pseudonyms:
                back[one].add(value)
        found += [f"{kind}: {len(values)} values share a pseudonym" for values in back.values() if len(values) > 1]
    return found


def _identities(old: Message, new: Message) -> Iterator[tuple[str, bytes, bytes]]:
    for before, after in zip(old.elements, new.elements, strict=False):
        tag = before.path[-1]
        if before.vr == "UI" and not before.value.startswith(_STANDARD) and tag >> 16 != 0x0099:
            for one, other in zip(before.value.split(b"\\"), after.value.split(b"\\"), strict=False):
                yield "UID", one.rstrip(b"\0 "), other.rstrip(b"\0 ")
        elif tag in (0x00100020, 0x00080050) and before.value.strip():
            yield f"{tag:08X}", before.value.strip(), after.value.strip()


def _agrees(message: Message) -> list[str]:
    """Return a complaint about a command that stores another instance than its data set is."""
    if message.command.get("CommandField") != _STORE:
        return []
    named = str(message.command[_AFFECTED_INSTANCE].value)
    inside = [bytes(one.value).rstrip(b"\0 ").decode() for one in message.elements if one.path == _SOP_INSTANCE]
    return [] if inside == [named] else ["a command stores another instance than its data set is"]


def judge(original: Path, output: Path, oracle: Oracle) -> list[str]:
    """Return all that can be said against an output of a capture that was read whole."""
    old, new = original.read_bytes(), output.read_bytes()
    found = framing(old, new) + structure(old, new) + leaks(new, oracle)
    return found + unchanged(old, new) + validity(old, new) + pixels(new) + consistency([(old, new)])
