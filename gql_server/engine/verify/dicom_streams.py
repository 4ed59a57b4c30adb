"""One direction of a TCP connection, put together.

RFC 9293 §3.4. The copy that was captured first counts; the output's other copies must say what its first one says.
Positions count from the first byte behind SYN, or from the first byte captured.
"""

import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.verify import dicom_segments as segments
from gql_server.engine.verify.dicom_connections import Segments
from gql_server.engine.verify.dicom_gathering import copy_pieces
from gql_server.engine.verify.files import MalformedCapture

Numbers = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

CHUNK: Final = 2 << 20
_REACH: Final = 4 << 20
"""Pieces that lie no further apart in a file are read at once."""
_MODULUS: Final = 1 << 32
_HALF: Final = 1 << 31

PIECE_COLUMNS: Final = 4
BEGIN: Final = 0
END: Final = 1
AT: Final = 2
OTHER: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What is there of one direction."""

    first: Numbers
    """Rows of BEGIN, END, AT, OTHER, by position and without overlap."""
    copies: Numbers
    """The same of bytes that came again."""
    before: Numbers
    """The same of bytes before the first: no part of the stream."""


class Laid:
    """All streams of a capture, each with its segments laid out."""

    def __init__(self, found: Segments) -> None:
        order = np.argsort(found.stream, kind="stable").astype(np.uint32)
        self._found = found
        self.order = order
        """Rows of segments, stream by stream."""
        streams = found.stream[order].astype(np.int64)
        self.edges = np.flatnonzero(np.diff(streams, prepend=-1, append=-1))
        """Where each stream begins in the order; one more for the end."""
        self.numbers = streams[self.edges[:-1]]
        positions = _positions(found.sequence[order].astype(np.int64), found.flags[order], self.edges)
        self._positions = positions
        length = found.length[order].astype(np.int64)
        follows = (positions[1:] >= positions[:-1] + length[:-1]) & (length[1:] > 0) & (length[:-1] > 0)
        follows |= streams[1:] != streams[:-1]
        tidy = np.concatenate([[True], follows]) & (positions >= 0) & (length > 0)
        # A SYN without data may stand first.
        tidy[self.edges[:-1]] |= length[self.edges[:-1]] == 0
        after = self.edges[:-1] + 1
        second = after[after < self.edges[1:]]
        tidy[second] |= (length[second - 1] == 0) & (length[second] > 0) & (positions[second] >= 0)
        self._tidy = np.logical_and.reduceat(tidy, self.edges[:-1]) if len(tidy) else tidy

    def rows(self, stream: int) -> npt.NDArray[np.uint32]:
        """Return the rows of the segments of a stream, by its place in the list."""
        return np.asarray(self.order[self.edges[stream] : self.edges[stream + 1]])

    def pieces(self, stream: int) -> Pieces:
        """Return what is there of a stream."""
        some, begin = self.rows(stream), self._positions[self.edges[stream] : self.edges[stream + 1]]
        found = self._found
        rows = np.column_stack([begin, begin + found.length[some], found.at[some], found.other[some]])
        none = rows[:0]
        if self._tidy[stream]:
            first = rows[1:] if len(rows) and rows[0, BEGIN] == rows[0, END] else rows
            return Pieces(first=first, copies=none, before=none)
        return _pieces_of(rows[rows[:, END] > rows[:, BEGIN]])


def _pieces_of(rows: Numbers) -> Pieces:
    """Lay segments out, which come in the order of their packets."""
    early = np.minimum(np.maximum(-rows[:, BEGIN], 0), rows[:, END] - rows[:, BEGIN])
    before = rows[early > 0].copy()
    before[:, END] = before[:, BEGIN] + early[early > 0]
    rows = rows.copy()
    rows[:, [BEGIN, AT, OTHER]] += early[:, None]
    rows = rows[rows[:, END] > rows[:, BEGIN]]
    ordered = rows[np.argsort(rows[:, BEGIN], kind="stable")]
    copies: Numbers = np.zeros((0, PIECE_COLUMNS), np.int64)
    if len(ordered) and (np.maximum.accumulate(ordered[:-1, END]) > ordered[1:, BEGIN]).any():
        ordered, copies = _without_overlaps(rows)
    return Pieces(first=ordered, copies=copies, before=before)


def _positions(sequence: Numbers, flags: npt.NDArray[np.uint8], edges: Numbers) -> Numbers:
    """Return where each segment begins in its stream, counted from SYN or from the first byte."""
    if not len(sequence):
        return sequence
    counts = np.diff(edges)
    steps = (np.diff(sequence, prepend=0) + _HALF) % _MODULUS - _HALF
    steps[edges[:-1]] = 0
    total = np.cumsum(steps)
    unwrapped = total - np.repeat(total[edges[:-1]], counts)
    begins = flags & segments.SYN != 0
    shifted = unwrapped + begins
    base = np.minimum.reduceat(shifted, edges[:-1])
    # Of several SYNs the first one counts.
    syns = np.flatnonzero(begins)[::-1]
    streams = np.searchsorted(edges, syns, side="right") - 1
    base[streams] = shifted[syns]
    return np.asarray(shifted - np.repeat(base, counts))


def _without_overlaps(rows: Numbers) -> tuple[Numbers, Numbers]:
    """Tell bytes that came first from those that came again."""
    begins: list[int] = []
    ends: list[int] = []
    first: list[tuple[int, int, int, int]] = []
    copies: list[tuple[int, int, int, int]] = []
    for begin, end, at, other in rows.tolist():
        place, i = begin, max(bisect_left(begins, begin) - 1, 0)
        while place < end:
            while i < len(begins) and ends[i] <= place:
                i += 1
            taken = i < len(begins) and begins[i] <= place
            stop = min(end, ends[i] if taken else begins[i] if i < len(begins) else end)
            skip = place - begin
            (copies if taken else first).append((place, stop, at + skip, other + skip))
            if not taken:
                begins.insert(i, place)
                ends.insert(i, stop)
            place = stop
    return _sorted(first), _sorted(copies)


def _sorted(rows: list[tuple[int, int, int, int]]) -> Numbers:
    return np.array(sorted(rows), np.int64).reshape(-1, PIECE_COLUMNS)


class PairReader:
    """Reads pieces of both files."""

    def __init__(self, original: int, output: int) -> None:
        self._files = (original, output)
        self._windows: list[tuple[int, Octets]] = [(0, np.empty(0, np.uint8)), (0, np.empty(0, np.uint8))]

    def gather(self, pieces: Numbers, column: int) -> Octets:
        """Return the bytes of pieces, one behind the other, from the original (AT) or the output (OTHER)."""
        out = np.empty(int((pieces[:, END] - pieces[:, BEGIN]).sum()), np.uint8)
        flat, done, filled = np.ascontiguousarray(pieces).reshape(-1), 0, 0
        while done < len(pieces):
            base, window = self._window(pieces, done, column)
            done, filled = copy_pieces(window, base, flat, column, done, out, filled)
        return out

    def _window(self, pieces: Numbers, first: int, column: int) -> tuple[int, Octets]:
        """Return file bytes that hold at least the piece `first`."""
        which = column - AT
        base, window = self._windows[which]
        at = int(pieces[first, column])
        size = int(pieces[first, END] - pieces[first, BEGIN])
        if base <= at and at + size <= base + len(window):
            return base, window
        near = pieces[first:]
        lengths = near[:, END] - near[:, BEGIN]
        within = (near[:, column] >= at) & (near[:, column] + lengths <= at + max(_REACH, size))
        stop = int((near[:, column] + lengths)[within].max())
        window = np.empty(stop - at, np.uint8)
        have = os.preadv(self._files[which], [window.data], at)
        if have < len(window):
            raise MalformedCapture
        self._windows[which] = (at, window)
        return at, window


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Bytes of a stream that follow each other, or a hole in it."""

    at: int
    original: Octets
    output: Octets
    missing: int = 0


def chunks_of(pieces: Pieces, reader: PairReader, *, original: bool = True) -> Iterator[Chunk]:
    """Read a stream from front to end in both files, or in the output alone."""
    rows, place, none = pieces.first, 0, np.empty(0, np.uint8)
    first = 0
    while first < len(rows):
        begin = int(rows[first, BEGIN])
        if begin > place:
            yield Chunk(at=place, original=none, output=none, missing=begin - place)
        limit = np.searchsorted(rows[first:, END], begin + CHUNK, side="right") + first
        gaps = np.flatnonzero(rows[first + 1 : limit, BEGIN] != rows[first : limit - 1, END]) if limit > first else none
        last = first + 1 + int(gaps[0]) if len(gaps) else max(int(limit), first + 1)
        some = rows[first:last]
        was = reader.gather(some, AT) if original else none
        yield Chunk(at=begin, original=was, output=reader.gather(some, OTHER))
        place, first = int(rows[last - 1, END]), last
