"""Data sets walked by the kernels, without a stream around them."""

import struct

import numpy as np

from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import dictionary_for
from gql_server.engine.verify.dicom_judge import StreamJudge
from gql_server.engine.verify.dicom_values import ValueJudge

_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC")


def element(tag: int, vr: bytes, value: bytes, *, length: int | None = None) -> bytes:
    """Return an element in explicit VR little endian."""
    size = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    return head + (struct.pack("<HI", 0, size) if vr in _LONG else struct.pack("<H", size)) + value


def item(content: bytes, *, endless: bool = False) -> bytes:
    """Return an item of a sequence."""
    head = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF if endless else len(content))
    return head + content + (struct.pack("<HHI", 0xFFFE, 0xE00D, 0) if endless else b"")


def walked(
    was: bytes, now: bytes, *, syntax: int = d.EXPLICIT, **fields: object
) -> tuple[StreamJudge, list[list[int]]]:
    """Walk a data set in both files; return the judge with its counts, and the rows it was shown."""
    assert len(was) == len(now)
    expected = DicomExpectation(**fields)  # type: ignore[arg-type]  # as a test names them
    dictionary = dictionary_for(expected)
    judge = StreamJudge(expected, dictionary, ValueJudge(expected))
    s = judge.state
    s[d.SYNTAX], s[d.SET_HAVE] = syntax, len(was)
    buffers = (np.frombuffer(was, np.uint8).copy(), np.frombuffer(now, np.uint8).copy())
    nothing = np.empty(0, np.uint8)
    assert judge._step(nothing, nothing, buffers, alone=True) == d.MORE
    rows = judge._rows.reshape(-1, d.ROW_COLUMNS)[: int(s[d.ROWS])].tolist()
    return judge, rows
