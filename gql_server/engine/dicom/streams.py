"""One direction of a connection as a stream of bytes.

Offsets count from the first byte after the SYN or, where that was not captured, from the first byte that was. Bytes
lie in the image, in the segments that brought them; what was not captured is a hole.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.arranging import (
    STREAM_COLUMNS,
    STREAM_CONFLICTS,
    STREAM_COPIES,
    STREAM_COUNT,
    STREAM_CUTS,
    STREAM_FIRST,
    STREAM_HOLES,
    STREAM_SYN,
    find_row,
)
from gql_server.engine.dicom.segments import (
    AT_AND_FLAGS,
    BEGIN_AND_SUM,
    CHANGED,
    LENGTH_AND_PACKET,
    SEGMENT_COLUMNS,
    at_of,
    begin_of,
    length_of,
    mark,
    packet_of,
)
from gql_server.engine.dicom.settling import put_bytes
from gql_server.engine.memory import load8, pointer, store8

RELEASE_BYTES: Final = 32 << 20
"""So much of the image is touched before its memory is given back."""
SPAN_COLUMNS: Final = 2
GATHER: Final = 0
SCATTER: Final = 1
FILL: Final = 2
"""The first byte of the data, over and over."""


@dataclass(slots=True)
class Tables:
    """The image of a capture and what was found in it."""

    image: npt.NDArray[np.uint8]
    segments: npt.NDArray[np.int64]
    streams: npt.NDArray[np.int64]
    copies: npt.NDArray[np.int64]
    release: Callable[[], None] | None = None
    """Gives the memory of the image back."""
    touched: int = 0
    """Bytes of the image that were touched since."""

    def touch(self, count: int) -> None:
        """Count touched bytes; give the image back when they are many."""
        self.touched += count
        if self.touched >= RELEASE_BYTES:
            self.touched = 0
            if self.release is not None:
                self.release()


@kernel
def _run(b: Bytes, t: State, row: int, inside: int, run: int, d: Bytes, at: int, what: int) -> None:
    """Do to the bytes of one row what is asked."""
    place = at_of(t, row) + inside
    if what == GATHER:
        for i in range(run):
            store8(d, at + i, load8(b, place + i))
    elif what == SCATTER:
        if put_bytes(b, place, d, at, run):
            mark(t, row, CHANGED)
    elif what == FILL:
        value, differs = load8(d, 0), False
        for i in range(run):
            differs |= load8(b, place + i) != value
            store8(b, place + i, value)
        if differs:
            mark(t, row, CHANGED)


@entry
def walk_spans(image: Bytes, segments: State, first: int, count: int, spans: State, data: Bytes, what: int) -> int:
    """Go through spans of a stream; return how many bytes were there: with GATHER up to the first hole."""
    b, t, p, d = pointer(image), pointer(segments), pointer(spans), pointer(data)
    done, there, row, last = 0, 0, first - 1, first + count
    for span in range(spans.shape[0] // SPAN_COLUMNS):
        at, length = p[span * SPAN_COLUMNS], p[span * SPAN_COLUMNS + 1]
        stop = at + length
        if row < first or begin_of(t, row) > at or (row + 1 < last and begin_of(t, row + 1) <= at):
            row = find_row(t, first, count, at)
        while at < stop:
            if row < first or begin_of(t, row) + length_of(t, row) <= at:
                begin = begin_of(t, row + 1) if row + 1 < last else stop
                if begin > at and what == GATHER:
                    return there
                if begin >= stop:
                    break
                at = begin
                row += 1
            inside = at - begin_of(t, row)
            run = min(stop - at, length_of(t, row) - inside)
            _run(b, t, row, inside, run, d, done + length - (stop - at), what)
            there += run
            at += run
        done += length
    return there


@entry
def row_at(segments: State, first: int, count: int, at: int) -> int:
    """Return the last row of a stream that begins at or before `at`, or `first - 1`."""
    return find_row(pointer(segments), first, count, at)


@entry
def next_run(segments: State, first: int, count: int, at: int, stop: int) -> tuple[int, int]:
    """Return begin and end of the first run of bytes between two places that are there, `stop` twice without one."""
    t = pointer(segments)
    row, last = find_row(t, first, count, at), first + count
    if row < first or begin_of(t, row) + length_of(t, row) <= at:
        row += 1
    if row >= last or begin_of(t, row) >= stop:
        return stop, stop
    begin = max(at, begin_of(t, row))
    end = begin_of(t, row) + length_of(t, row)
    while end < stop and row + 1 < last and begin_of(t, row + 1) == end:
        row += 1
        end = begin_of(t, row) + length_of(t, row)
    return begin, min(end, stop)


@entry
def packet_of_row(segments: State, row: int) -> int:
    """Return the number of the packet that a row is in."""
    return packet_of(pointer(segments), row)


class Stream:
    """What one side of a connection sent."""

    __slots__ = ("_count", "_first", "_table", "_tables", "conflicts", "copies", "cut", "holes", "starts_at_syn")

    holes: int
    """Gaps between captured bytes, one before the first of them included."""
    cut: int
    """Segments that the snap length cut."""
    copies: int
    """Segments that repeat bytes, as a whole or in part."""
    conflicts: int
    """Copies that differ from what they repeat."""

    def __init__(self, tables: Tables, number: int) -> None:
        row = tables.streams[number * STREAM_COLUMNS : (number + 1) * STREAM_COLUMNS].tolist()
        self._tables = tables
        self._table = tables.segments
        self._first: int = row[STREAM_FIRST]
        self._count: int = row[STREAM_COUNT]
        self.starts_at_syn = bool(row[STREAM_SYN])
        self.cut, self.holes = row[STREAM_CUTS], row[STREAM_HOLES]
        self.copies, self.conflicts = row[STREAM_COPIES], row[STREAM_CONFLICTS]

    @property
    def pieces(self) -> npt.NDArray[np.int64]:
        """What is there, in order: begin and end in the stream and place in the image, int64[n, 3]."""
        rows = self._table.reshape(-1, SEGMENT_COLUMNS)[self._first : self._first + self._count]
        begin = rows[:, BEGIN_AND_SUM] >> 16
        return np.column_stack([begin, begin + (rows[:, LENGTH_AND_PACKET] >> 32), rows[:, AT_AND_FLAGS] >> 16])

    @property
    def end(self) -> int:
        """The end of the last byte that is there."""
        if self._count == 0:
            return 0
        last = (self._first + self._count - 1) * SEGMENT_COLUMNS
        begin, length = self._table[last : last + 2].tolist()
        return int((begin >> 16) + (length >> 32))

    def read(self, at: int, count: int) -> bytes:
        """Return bytes from `at` on, fewer before a hole."""
        count = max(min(count, self.end - at), 0)
        out = np.empty(count, np.uint8)
        return out[: self.gather(np.array([at, count], np.int64), out)].tobytes()

    def gather(self, spans: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> int:
        """Bring the bytes of spans (at, count) together in `out`; return how many there are before the first hole."""
        return self._walk(spans, out, GATHER)

    def scatter(self, spans: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> None:
        """Write what `gather` brought together back to where it came from, but for what is not there."""
        self._walk(spans, data, SCATTER)

    def write(self, at: int, data: npt.NDArray[np.uint8]) -> None:
        """Write bytes from `at` on, but for what is not there."""
        self._walk(np.array([at, len(data)], np.int64), data, SCATTER)

    def fill(self, at: int, count: int, byte: int = 0) -> int:
        """Overwrite bytes with one; return how many there were."""
        return self._walk(np.array([at, count], np.int64), np.full(1, byte, np.uint8), FILL)

    def next_covered(self, at: int) -> int | None:
        """Return the first place from `at` on whose byte is there."""
        begin, end = next_run(self._table, self._first, self._count, at, max(self.end, at))
        return begin if begin < end else None

    def covered(self, at: int, count: int) -> list[tuple[int, int]]:
        """Return the runs (at, count) of bytes that are there."""
        runs, stop = [], min(at + count, self.end)
        while at < stop:
            begin, end = next_run(self._table, self._first, self._count, at, stop)
            if begin < end:
                runs.append((begin, end - begin))
            at = end
        return runs

    def packet_at(self, at: int) -> int:
        """Return the number of the packet that holds a byte; where none does, of the one before, or the first."""
        row = max(row_at(self._table, self._first, self._count, at), self._first)
        return packet_of_row(self._table, row)

    def _walk(self, spans: npt.NDArray[np.int64], data: npt.NDArray[np.uint8], what: int) -> int:
        flat = np.ascontiguousarray(spans, np.int64).reshape(-1)
        # Most reads are of one span, and a sum of one number costs more than the walk.
        wanted = flat[1] if len(flat) == SPAN_COLUMNS else flat[1::2].sum()
        if what != FILL and wanted > len(data):
            raise ValueError("spans longer than the data")
        if what == SCATTER and not (data.flags.writeable and data.flags.c_contiguous):
            data = data.copy()  # kernels take no other arrays
        self._tables.touch(int(wanted))
        return walk_spans(self._tables.image, self._table, self._first, self._count, flat, data, what)
