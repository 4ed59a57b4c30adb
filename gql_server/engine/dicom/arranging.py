"""Kernels that put the segments of each stream in order.

Where segments overlap, the bytes that were captured first are the stream's, the others are copies of them. Copies go to
a table of their own, with what is no part of the stream. Rows stay in their table: where a segment goes around one
that was captured before it, and so becomes two rows, room is made for the second.
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

STREAM_COLUMNS: Final = 11
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
STREAM_SPARE: Final = 10
"""Room before its rows, for those that become two."""

NEEDS_LENGTH: Final = 3
"""What laying streams out needs at most, in rows."""
NEEDS_COPIES: Final = 0
NEEDS_SPARE: Final = 1
NEEDS_HEAP: Final = 2

_HALF: Final = 0xFFFFFFFF


@kernel
def _swap(t: State, a: int, b: int) -> None:
    for i in range(SEGMENT_COLUMNS):
        x, y = a * SEGMENT_COLUMNS + i, b * SEGMENT_COLUMNS + i
        t[x], t[y] = t[y], t[x]


@kernel
def _copy_row(t: State, row: int, u: State, to: int) -> None:
    for i in range(SEGMENT_COLUMNS):
        u[to * SEGMENT_COLUMNS + i] = t[row * SEGMENT_COLUMNS + i]


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


@kernel
def _weigh(t: State, z: State, s: int, n: State) -> None:
    """Add up what laying a sorted stream out needs."""
    first = z[s + STREAM_FIRST]
    end, furthest, together = 0, first, 0
    for row in range(first, first + z[s + STREAM_COUNT]):
        begin, stop = begin_of(t, row), begin_of(t, row) + length_of(t, row)
        if begin < 0 or flags_of(t, row) & OUTSIDE:
            n[NEEDS_COPIES] += 1
        if flags_of(t, row) & OUTSIDE:
            continue
        together = together + 1 if begin < end else 1
        n[NEEDS_HEAP] = max(n[NEEDS_HEAP], together)
        if begin < end:
            # This row and the one it overlaps each have a part that is a copy at most, and one more for each split.
            n[NEEDS_COPIES] += 2
            if stop < end and packet_of(t, row) < packet_of(t, furthest):
                z[s + STREAM_SPARE] += 1
                n[NEEDS_SPARE] += 1
                n[NEEDS_COPIES] += 1
        if stop > end:
            end, furthest = stop, row


@entry
def sort_streams(segments: State, streams: State, needs: State, count: int) -> None:
    """Count each stream from its begin, and sort it; say what laying them out needs."""
    t, z, n = pointer(segments), pointer(streams), pointer(needs)
    for stream in range(count):
        s = stream * STREAM_COLUMNS
        first = z[s + STREAM_FIRST]
        for row in range(first, first + z[s + STREAM_COUNT]):
            t[row * SEGMENT_COLUMNS + BEGIN_AND_SUM] -= z[s + STREAM_BASE] << 16
        _sort(t, first, z[s + STREAM_COUNT])
        _weigh(t, z, s, n)


@entry
def spread_streams(segments: State, streams: State, count: int, spare: int) -> None:
    """Move streams apart, so that each has its spare room before its rows."""
    t, z = pointer(segments), pointer(streams)
    for stream in range(count - 1, -1, -1):
        s = stream * STREAM_COLUMNS
        first = z[s + STREAM_FIRST]
        for row in range(first + z[s + STREAM_COUNT] - 1, first - 1, -1):
            _copy_row(t, row, t, row + spare)
        spare -= z[s + STREAM_SPARE]
        z[s + STREAM_FIRST] = first + spare


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
def _push(e: State, waiting: int, t: State, row: int) -> None:
    """Put a row into the heap, whose top was captured first."""
    _copy_row(t, row, e, waiting)
    i = waiting
    while i > 0 and packet_of(e, i) < packet_of(e, (i - 1) >> 1):
        _swap(e, i, (i - 1) >> 1)
        i = (i - 1) >> 1


@kernel
def _pop(e: State, waiting: int) -> None:
    """Take the top out of the heap."""
    last = waiting - 1
    _copy_row(e, last, e, 0)
    i = 0
    while True:
        child = 2 * i + 1
        if child >= last:
            return
        if child + 1 < last and packet_of(e, child + 1) < packet_of(e, child):
            child += 1
        if packet_of(e, i) <= packet_of(e, child):
            return
        _swap(e, i, child)
        i = child


@kernel
def _copy_out(b: Bytes, t: State, z: State, s: int, kept: int, u: State, copies: int, e: State, count: int) -> int:
    """Take the first bytes of the heap's top away as a copy; return where the stream's copies end."""
    if count <= 0:
        return copies
    first = z[s + STREAM_FIRST]
    _split(b, e, 0, u, copies, count)
    z[s + STREAM_COPIES] += 1
    # The byte that a keep-alive repeats means nothing.
    if flags_of(u, copies) & KEEP_ALIVE == 0 and _conflicts(b, t, first, kept - first, u, copies):
        z[s + STREAM_CONFLICTS] += 1
    return copies + 1


@kernel
def _set_aside(b: Bytes, t: State, row: int, u: State, copies: int) -> int:
    """Take what is no part of the stream away from a row; return where the stream's copies end."""
    length = length_of(t, row)
    outside = length if flags_of(t, row) & OUTSIDE else min(max(-begin_of(t, row), 0), length)
    if outside > 0:
        _split(b, t, row, u, copies, outside)
        mark(u, copies, OUTSIDE)
        copies += 1
    return copies


@kernel
def _lay_out(b: Bytes, t: State, z: State, s: int, u: State, copies: int, e: State) -> int:  # one sweep
    """Take copies and what is outside from the rows of a stream; return where its copies end."""
    kept, at, far, waiting = z[s + STREAM_FIRST], 0, 0, 0
    row = kept + z[s + STREAM_SPARE]
    last = row + z[s + STREAM_COUNT]
    while row < last or waiting > 0:
        if row < last and (waiting == 0 or (begin_of(t, row) <= at and begin_of(t, row) < far)):
            copies = _set_aside(b, t, row, u, copies)
            if length_of(t, row) > 0:
                if waiting == 0 and begin_of(t, row) > at:
                    # Nothing is missing before the first byte of a stream whose SYN was not captured: it is at 0.
                    z[s + STREAM_HOLES] += 1
                    at = begin_of(t, row)
                _push(e, waiting, t, row)
                waiting += 1
                far = max(far, begin_of(t, row) + length_of(t, row))
            row += 1
            continue
        copies = _copy_out(b, t, z, s, kept, u, copies, e, min(at - begin_of(e, 0), length_of(e, 0)))
        if length_of(e, 0) > 0:
            stop = begin_of(e, 0) + length_of(e, 0)
            while row < last and begin_of(t, row) < stop:
                if flags_of(t, row) & OUTSIDE == 0 and packet_of(t, row) < packet_of(e, 0):
                    stop = begin_of(t, row)
                    break
                copies = _set_aside(b, t, row, u, copies)
                if length_of(t, row) > 0:
                    _push(e, waiting, t, row)
                    waiting += 1
                    far = max(far, begin_of(t, row) + length_of(t, row))
                row += 1
            _split(b, e, 0, t, kept, stop - at)
            kept += 1
            at = stop
        if length_of(e, 0) == 0:
            _pop(e, waiting)
            waiting -= 1
    z[s + STREAM_COUNT] = kept - z[s + STREAM_FIRST]
    return copies


@entry
def lay_out_streams(image: Bytes, segments: State, streams: State, copies: State, heap: State, count: int) -> int:
    """Take copies from the rows of each stream; return how many there are."""
    b, t, z, u, e = pointer(image), pointer(segments), pointer(streams), pointer(copies), pointer(heap)
    end = 0
    for stream in range(count):
        s = stream * STREAM_COLUMNS
        z[s + STREAM_COPY_FIRST] = end
        end = _lay_out(b, t, z, s, u, end, e)
        z[s + STREAM_COPY_COUNT] = end - z[s + STREAM_COPY_FIRST]
    return end
