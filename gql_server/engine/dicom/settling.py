"""Kernels that settle an image once it is written.

Copies follow their streams, foreign bytes go, checksums are brought up to date. A checksum takes the difference that
its bytes made: what was right stays right, what was wrong stays as wrong as it was, and one that was left to the
network card holds no digest of the payload and is left alone.
"""
# ruff: noqa: FBT001, FBT003, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.arranging import (
    STREAM_COLUMNS,
    STREAM_COPY_COUNT,
    STREAM_COPY_FIRST,
    STREAM_COUNT,
    STREAM_FIRST,
    find_row,
)
from gql_server.engine.dicom.segments import (
    AT_AND_FLAGS,
    BARE,
    BEGIN_AND_SUM,
    CHANGED,
    LEFT_TO_CARD,
    MARK_CHANGED,
    MARK_LEFT,
    OUTSIDE,
    SEGMENT_COLUMNS,
    add_up,
    adjust,
    at_of,
    begin_of,
    clear,
    flags_of,
    length_of,
    mark,
    note,
    packet_of,
    place_of,
    sum_of,
)
from gql_server.engine.memory import load8, pointer, store8

CURSOR_LENGTH: Final = 5
AT_STREAM: Final = 0
AT_ROW: Final = 1
AT_COPY: Final = 2
DICOM_BYTES: Final = 3
FOREIGN_BYTES: Final = 4


@kernel
def put_bytes(b: Bytes, at: int, source: Bytes, place: int, count: int) -> bool:
    """Write bytes; say whether one differed."""
    differs = False
    for i in range(count):
        value = load8(source, place + i)
        differs |= load8(b, at + i) != value
        store8(b, at + i, value)
    return differs


@kernel
def _settle_row(b: Bytes, m: Bytes, t: State, row: int) -> None:
    """Bring the checksum of a row that was changed up to date."""
    flags = flags_of(t, row)
    if flags & CHANGED == 0:
        return
    now = add_up(b, at_of(t, row), length_of(t, row))
    packet = packet_of(t, row)
    note(m, packet, MARK_CHANGED)
    if flags & LEFT_TO_CARD:
        note(m, packet, MARK_LEFT)
    elif flags & BARE == 0:
        adjust(b, place_of(t, row), sum_of(t, row), now, flags)
    i = row * SEGMENT_COLUMNS
    t[i + BEGIN_AND_SUM] += now - sum_of(t, row)
    t[i + AT_AND_FLAGS] &= ~CHANGED


@kernel
def _clear_row(b: Bytes, t: State, row: int) -> None:
    if clear(b, at_of(t, row), length_of(t, row)):
        mark(t, row, CHANGED)


@entry
def clear_rows(image: Bytes, marks: Bytes, segments: State, count: int) -> None:
    """Zero rows that nobody can claim."""
    b, m, t = pointer(image), pointer(marks), pointer(segments)
    for row in range(count):
        _clear_row(b, t, row)
        _settle_row(b, m, t, row)


@kernel
def _follow(b: Bytes, t: State, first: int, count: int, u: State, copy: int) -> None:
    """Give a copy the bytes of its stream."""
    at, stop = begin_of(u, copy), begin_of(u, copy) + length_of(u, copy)
    row = find_row(t, first, count, at)
    while at < stop:
        inside = at - begin_of(t, row)
        run = min(stop - at, length_of(t, row) - inside)
        if put_bytes(b, at_of(u, copy) + at - begin_of(u, copy), b, at_of(t, row) + inside, run):
            mark(u, copy, CHANGED)
        at += run
        row += 1


@kernel
def _settle_run(
    b: Bytes, m: Bytes, t: State, first: int, count: int, u: State, row: int, copy: bool, claimed: bool, zero: bool
) -> int:
    """Settle a row of a stream, a copy of its bytes, or what lies outside it; return its length."""
    if not claimed:
        if zero:
            _clear_row(b, u, row)
    elif flags_of(u, row) & OUTSIDE:
        _clear_row(b, u, row)
    elif copy:
        _follow(b, t, first, count, u, row)
    _settle_row(b, m, u, row)
    return length_of(u, row)


@entry
def settle_streams(
    image: Bytes,
    marks: Bytes,
    segments: State,
    streams: State,
    copies: State,
    claims: Bytes,
    cursor: State,
    count: int,
    zero: bool,
    most: int,
) -> bool:
    """Settle streams from where `cursor` stands; False when there is more to do, after `most` bytes."""
    b, m, t, u = pointer(image), pointer(marks), pointer(segments), pointer(copies)
    z, y, q = pointer(streams), pointer(claims), pointer(cursor)
    begun = q[DICOM_BYTES] + q[FOREIGN_BYTES]
    while q[AT_STREAM] < count:
        s = q[AT_STREAM] * STREAM_COLUMNS
        first, rows = z[s + STREAM_FIRST], z[s + STREAM_COUNT]
        claimed = load8(y, q[AT_STREAM] >> 1) != 0
        counter = DICOM_BYTES if claimed else FOREIGN_BYTES
        while q[AT_ROW] < rows or q[AT_COPY] < z[s + STREAM_COPY_COUNT]:
            if q[DICOM_BYTES] + q[FOREIGN_BYTES] - begun >= most:
                return False
            if q[AT_ROW] < rows:
                q[counter] += _settle_run(b, m, t, first, rows, t, first + q[AT_ROW], False, claimed, zero)
                q[AT_ROW] += 1
            else:
                copy = z[s + STREAM_COPY_FIRST] + q[AT_COPY]
                q[counter] += _settle_run(b, m, t, first, rows, u, copy, True, claimed, zero)
                q[AT_COPY] += 1
        q[AT_STREAM] += 1
        q[AT_ROW] = q[AT_COPY] = 0
    return True
