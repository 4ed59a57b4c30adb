"""Data sets for the policy: written by pydicom, laid out in rows by a small reader of our own."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gql_server.domain.dicom import DicomParameters
from gql_server.engine.dicom.elements import (
    ELEMENT_COLUMNS,
    FRAGMENT,
    KIND,
    LENGTH,
    OFFSET_TABLE,
    OUTSIDE,
    SEQUENCE,
    VALUE,
    vr_number,
)
from gql_server.engine.dicom.policy import Policy

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010


@dataclass
class Held:
    """A data set with its rows; what is outside is in a dictionary by row."""

    values: npt.NDArray[np.uint8]
    elements: npt.NDArray[np.int64]
    outside: dict[int, bytearray] = field(default_factory=dict)

    def fill_outside(self, row: int, byte: int) -> int:
        count = len(self.outside[row])
        self.outside[row][:] = bytes([byte]) * count
        return count

    def read_outside(self, row: int, at: int, count: int) -> bytes:
        return bytes(self.outside[row][at : at + count])

    def write_outside(self, row: int, at: int, data: bytes) -> None:
        self.outside[row][at : at + len(data)] = data

    def put_outside(self, row: int) -> None:
        """Take a row's value out of `values`, as the reader does with long ones."""
        at, length = int(self.elements[row, 2]), int(self.elements[row, LENGTH])
        self.outside[row] = bytearray(self.values[at : at + length].tobytes())
        self.values = np.delete(self.values, slice(at, at + length))
        self.elements[self.elements[:, 2] > at, 2] -= length
        self.elements[row, KIND] = OUTSIDE


class Reader:
    """Rows of a well-formed data set."""

    def __init__(self, raw: bytes, *, implicit: bool, little: bool = True) -> None:
        self.raw, self.implicit = raw, implicit
        self.order = "little" if little else "big"
        self.rows: list[list[int]] = []

    def number(self, at: int, count: int) -> int:
        return int.from_bytes(self.raw[at : at + count], self.order)  # type: ignore[arg-type]

    def tag(self, at: int) -> int:
        return self.number(at, 2) << 16 | self.number(at + 2, 2)

    def elements(self, at: int, end: int, parent: int, depth: int) -> int:
        while at < end and self.tag(at) not in {0xFFFEE00D, 0xFFFEE0DD}:
            at = self.element(at, parent, depth)
        return at

    def head(self, at: int, tag: int) -> tuple[str, int, int]:
        if self.implicit:
            vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
            vr = "LO" if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF else vr.partition(" or ")[0]
            return "UL" if not tag & 0xFFFF else vr, self.number(at + 4, 4), at + 8
        vr = self.raw[at + 4 : at + 6].decode()
        return (vr, self.number(at + 8, 4), at + 12) if vr in LONG else (vr, self.number(at + 6, 2), at + 8)

    def element(self, at: int, parent: int, depth: int) -> int:
        tag = self.tag(at)
        vr, length, at = self.head(at, tag)
        if tag == PIXELS and length == UNDEFINED:
            return self.fragments(at, vr, parent, depth)
        row = len(self.rows)
        kind = SEQUENCE if vr == "SQ" else VALUE
        self.rows.append([tag, vr_number(vr), at, length, depth, parent, -1, kind])
        if vr != "SQ":
            return at + length
        end = self.items(at, len(self.raw) if length == UNDEFINED else at + length, row, depth + 1)
        self.rows[row][LENGTH] = end - at - 8 * (length == UNDEFINED)
        return end

    def items(self, at: int, end: int, row: int, depth: int) -> int:
        while at < end:
            tag, length = self.tag(at), self.number(at + 4, 4)
            at += 8
            if tag == 0xFFFEE0DD:
                return at
            stop = self.elements(at, len(self.raw) if length == UNDEFINED else at + length, row, depth)
            at = stop + 8 * (length == UNDEFINED)
        return at

    def fragments(self, at: int, vr: str, parent: int, depth: int) -> int:
        kind = OFFSET_TABLE
        while self.tag(at) != 0xFFFEE0DD:
            length = self.number(at + 4, 4)
            self.rows.append([PIXELS, vr_number(vr), at + 8, length, depth, parent, -1, kind])
            at, kind = at + 8 + length, FRAGMENT
        return at + 8


def read(raw: bytes, *, implicit: bool = False, little: bool = True) -> Held:
    reader = Reader(raw, implicit=implicit, little=little)
    reader.elements(0, len(raw), -1, 0)
    rows = np.array(reader.rows, np.int64).reshape(-1, ELEMENT_COLUMNS)
    return Held(np.frombuffer(raw, np.uint8).copy(), rows)


def written(dataset: Dataset, *, implicit: bool = False, little: bool = True) -> bytes:
    """Write a data set as it travels in a message."""
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = implicit, little
    write_dataset(out, dataset)
    return out.getvalue()


def parsed(raw: bytes, *, implicit: bool = False, little: bool = True) -> Dataset:
    """Read what travels in a message with pydicom."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = (
        ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    )
    whole = DicomBytesIO()
    whole.is_implicit_VR, whole.is_little_endian = False, True
    write_dataset(whole, meta)
    head = whole.getvalue()
    group = b"\x02\x00\x00\x00UL\x04\x00" + len(head).to_bytes(4, "little")
    return dcmread(BytesIO(bytes(128) + b"DICM" + group + head + raw))


def data_set(**attributes: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def policy(*, key: bytes = KEY, **options: Any) -> Policy:
    return Policy(DicomParameters(**options), key)


def deidentified(dataset: Dataset, *, by: Policy | None = None, command: bool = False, **options: Any) -> Dataset:
    """De-identify a data set and read it again; its length stays."""
    implicit = command
    raw = written(dataset, implicit=implicit)
    held = read(raw, implicit=implicit)
    (by or policy(**options)).apply(held, association=1, command=command)
    assert len(held.values) == len(raw)
    return parsed(held.values.tobytes(), implicit=implicit)
