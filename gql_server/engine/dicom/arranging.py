"""Kernels that put segments in order: by stream, then by where they begin.

Where segments overlap, the bytes of one are the stream's and the others are copies: of two the one that begins
earlier counts, of two that begin together the one captured first. Copies go to a table of their own, with what is no
part of the stream. Everything is done in place.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.segments import (
    BEGIN_AND_SUM,
    KEEP_ALIVE,
    ODD,
    OUTSIDE,
    PLACE_AND_STREAM,
    SEGMENT_COLUMNS,
    add_up,
    at_of,
    begin_of,
    flags_of,
    length_of,
    mark,
    packet_of,
    place_of,
    put,
)
from gql_server.engine.memory import load8, load64, pointer

STREAM_COLUMNS: Final = 10
STREAM_FIRST: Final = 0
"""First row of the stream."""
STREAM_COUNT: Final = 1
STREAM_BASE: Final = 2
"""What is counted as the begin of the stream, as `tracking` counts."""
STREAM_SYN: Final = 3
"""Whether its SYN was captured."""
STREAM_CUTS: Final = 4
STREAM_HOLES: Final = 5
STREAM_COPIES: Final = 6
STREAM_CONFLICTS: Final = 7
STREAM_COPY_FIRST: Final = 8
STREAM_COPY_COUNT: Final = 9
"""Rows of the table of copies, those outside included."""

_HALF: Final = 0xFFFFFFFF


@kernel
def _swap(t: State, a: int, b: int) -> None:
    for i in range(SEGMENT_COLUMNS):
        x, y = a * SEGMENT_COLUMNS + i, b * SEGMENT_COLUMNS + i
        t[x], t[y] = t[y], t[x]


@entry
def group(segments: State, places: State, count: int) -> None:
    """Bring together the rows of each stream, in their order; `places` says where each stream's first goes."""
    t, p = pointer(segments), pointer(places)
    for row in range(count):
        i = row * SEGMENT_COLUMNS + PLACE_AND_STREAM
        stream = t[i] & _HALF
        t[i] += p[stream] - stream
        p[stream] += 1
    for row in range(count):
        i = row * SEGMENT_COLUMNS + PLACE_AND_STREAM
        while t[i] & _HALF != row:
            _swap(t, row, t[i] & _HALF)


@kernel
def _is_before(t: State, a: int, b: int) -> bool:
    """Say whether one row of a stream goes before another; no two are equal."""
    begin_a, begin_b = begin_of(t, a), begin_of(t, b)
    if begin_a != begin_b:
        return begin_a < begin_b
    packet_a, packet_b = packet_of(t, a), packet_of(t, b)
    return at_of(t, a) < at_of(t, b) if packet_a == packet_b else packet_a < packet_b


@kernel
def _sift(t: State, first: int, root: int, count: int) -> None:
    while True:
        child = 2 * root + 1
        if child >= count:
            return
        if child + 1 < count and _is_before(t, first + child, first + child + 1):
            child += 1
        if not _is_before(t, first + root, first + child):
            return
        _swap(t, first + root, first + child)
        root = child


@kernel
def _sort(t: State, first: int, count: int) -> None:
    """Sort the rows of a stream, unless they are sorted; in place, and never slow."""
    row = first + 1
    while row < first + count and _is_before(t, row - 1, row):
        row += 1
    if row >= first + count:
        return
    for root in range(count // 2 - 1, -1, -1):
        _sift(t, first, root, count)
    for last in range(count - 1, 0, -1):
        _swap(t, first, first + last)
        _sift(t, first, 0, last)


@entry
def sort_streams(segments: State, streams: State, count: int) -> int:
    """Count each stream from its begin, and sort it; return how many copies there can be."""
    t, z = pointer(segments), pointer(streams)
    copies = 0
    for stream in range(count):
        s = stream * STREAM_COLUMNS
        first, rows, base = z[s + STREAM_FIRST], z[s + STREAM_COUNT], z[s + STREAM_BASE]
        for row in range(first, first + rows):
            t[row * SEGMENT_COLUMNS + BEGIN_AND_SUM] -= base << 16
        _sort(t, first, rows)
        end = 0
        for row in range(first, first + rows):
            begin = begin_of(t, row)
            if begin < 0 or flags_of(t, row) & OUTSIDE:
                copies += 2
            elif begin < end:
                copies += 1
            end = max(end, begin + length_of(t, row))
    return copies


@kernel
def _copy_row(t: State, row: int, u: State, to: int) -> None:
    for i in range(SEGMENT_COLUMNS):
        u[to * SEGMENT_COLUMNS + i] = t[row * SEGMENT_COLUMNS + i]


@kernel
def _split(b: Bytes, t: State, row: int, u: State, to: int, count: int) -> None:
    """Take the first `count` bytes of a row away, into a row of another table."""
    at, flags, begin, length = at_of(t, row), flags_of(t, row), begin_of(t, row), length_of(t, row)
    packet, place = packet_of(t, row), place_of(t, row)
    if count >= length:
        _copy_row(t, row, u, to)
    else:
        put(u, to, begin, count, packet, at, place, flags, add_up(b, at, count))
    rest = length - count if count < length else 0
    after = flags ^ (ODD if count & 1 else 0)
    put(t, row, begin + count, rest, packet, at + count, place, after, add_up(b, at + count, rest))


@kernel
def find_row(t: State, first: int, count: int, at: int) -> int:
    """Return the last row of a stream that begins at or before `at`, or `first - 1`."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) >> 1
        if begin_of(t, middle) <= at:
            low = middle + 1
        else:
            high = middle
    return low - 1


@kernel
def _differs(b: Bytes, x: int, y: int, count: int) -> bool:
    i = 0
    while count - i >= 8:  # noqa: PLR2004  # a word
        if load64(b, x + i) != load64(b, y + i):
            return True
        i += 8
    while i < count:
        if load8(b, x + i) != load8(b, y + i):
            return True
        i += 1
    return False


@kernel
def _conflicts(b: Bytes, t: State, first: int, count: int, u: State, copy: int) -> bool:
    """Say whether a copy differs from the bytes of its stream."""
    at, stop = begin_of(u, copy), begin_of(u, copy) + length_of(u, copy)
    row = find_row(t, first, count, at)
    while at < stop:
        inside = at - begin_of(t, row)
        run = min(stop - at, length_of(t, row) - inside)
        if _differs(b, at_of(t, row) + inside, at_of(u, copy) + at - begin_of(u, copy), run):
            return True
        at += run
        row += 1
    return False


@kernel
def _lay_out(b: Bytes, t: State, z: State, s: int, u: State, copies: int) -> int:  # one pass in place
    """Take copies and what is outside from the rows of a stream; return where its copies end."""
    first, kept, end = z[s + STREAM_FIRST], z[s + STREAM_FIRST], 0
    for row in range(first, first + z[s + STREAM_COUNT]):
        begin = begin_of(t, row)
        outside = length_of(t, row) if flags_of(t, row) & OUTSIDE else min(max(-begin, 0), length_of(t, row))
        if outside > 0:
            _split(b, t, row, u, copies, outside)
            mark(u, copies, OUTSIDE)
            copies += 1
        again = min(max(end - begin_of(t, row), 0), length_of(t, row))
        if again > 0:
            _split(b, t, row, u, copies, again)
            # The bytes that a keep-alive repeats mean nothing.
            z[s + STREAM_COPIES] += 1
            if flags_of(u, copies) & KEEP_ALIVE == 0 and _conflicts(b, t, first, kept - first, u, copies):
                z[s + STREAM_CONFLICTS] += 1
            copies += 1
        if length_of(t, row) == 0:
            continue
        if begin_of(t, row) > end and (kept > first or z[s + STREAM_SYN] != 0):
            z[s + STREAM_HOLES] += 1
        end = begin_of(t, row) + length_of(t, row)
        if kept != row:
            _copy_row(t, row, t, kept)
        kept += 1
    z[s + STREAM_COUNT] = kept - first
    return copies


@entry
def lay_out_streams(image: Bytes, segments: State, streams: State, copies: State, count: int) -> int:
    """Take copies from the rows of each stream; return how many there are."""
    b, t, z, u = pointer(image), pointer(segments), pointer(streams), pointer(copies)
    end = 0
    for stream in range(count):
        s = stream * STREAM_COLUMNS
        z[s + STREAM_COPY_FIRST] = end
        end = _lay_out(b, t, z, s, u, end)
        z[s + STREAM_COPY_COUNT] = end - z[s + STREAM_COPY_FIRST]
    return end
