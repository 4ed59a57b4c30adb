"""Segments: runs of payload in the image, as rows.

A row is four int64 of packed numbers, 32 bytes: where the run begins in its stream, how long it is, which packet it
is in, where in the image, and what must follow when it changes: the sum of its bytes as they were captured, and where
the checksum that covers them is. Sums are ones' complement sums of 16-bit words (RFC 1071).
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.addresses.tables import fold
from gql_server.engine.compilation import Bytes, State, U, kernel
from gql_server.engine.memory import load8, load16, load64, store8, store16, store64

SEGMENT_COLUMNS: Final = 4
BEGIN_AND_SUM: Final = 0
"""Where it begins in its stream times 2**16, plus its sum."""
LENGTH_AND_PACKET: Final = 1
"""Length times 2**32, plus the number of the packet."""
AT_AND_FLAGS: Final = 2
"""Place in the image times 2**16, plus flags."""
PLACE_AND_STREAM: Final = 3
"""How far from there the checksum is, times 2**32, plus the number of the stream, or of the row while rows move."""

CHANGED: Final = 1
"""Bytes differ from what was captured, the checksum does not know yet."""
LEFT_TO_CARD: Final = 2
"""The checksum field holds the pseudo-header's sum alone: it tells nothing of the payload and stays."""
ODD: Final = 4
"""It begins at an odd place of what its checksum covers."""
OUTSIDE: Final = 8
"""It is no part of the stream: it lies before the first byte, or came with a reset."""
KEEP_ALIVE: Final = 16
UDP_CHECKSUM: Final = 32
"""0 means none, and a computed 0 is written as all ones (RFC 768)."""
BARE: Final = 64
"""No checksum covers it that could be found."""

MARK_CHANGED: Final = 1
"""Of a packet: its bytes were changed."""
MARK_LEFT: Final = 2
"""Of a packet: its bytes were changed and its checksum left alone."""

_ALL_ONES: Final = 0xFFFF
_HALF: Final = 0xFFFFFFFF


@kernel
def put(t: State, row: int, begin: int, length: int, packet: int, at: int, place: int, flags: int, total: int) -> None:
    """Write a row; `place` is that of the checksum in the image, `total` the sum. Its stream is 0."""
    i = row * SEGMENT_COLUMNS
    away = place - at
    if away < -(1 << 31) or away >= 1 << 31:
        away, flags = 0, flags | BARE
    t[i + BEGIN_AND_SUM] = (begin << 16) | total
    t[i + LENGTH_AND_PACKET] = (length << 32) | packet
    t[i + AT_AND_FLAGS] = (at << 16) | flags
    t[i + PLACE_AND_STREAM] = away << 32


@kernel
def begin_of(t: State, row: int) -> int:
    """Return where a row begins in its stream."""
    return t[row * SEGMENT_COLUMNS + BEGIN_AND_SUM] >> 16  # type: ignore[no-any-return]  # an int to numba


@kernel
def sum_of(t: State, row: int) -> int:
    """Return the sum of a row's bytes as its checksum knows them."""
    return t[row * SEGMENT_COLUMNS + BEGIN_AND_SUM] & _ALL_ONES  # type: ignore[no-any-return]  # an int to numba


@kernel
def length_of(t: State, row: int) -> int:
    """Return how many bytes a row has."""
    return t[row * SEGMENT_COLUMNS + LENGTH_AND_PACKET] >> 32  # type: ignore[no-any-return]  # an int to numba


@kernel
def packet_of(t: State, row: int) -> int:
    """Return the number of the packet a row is in."""
    return t[row * SEGMENT_COLUMNS + LENGTH_AND_PACKET] & _HALF  # type: ignore[no-any-return]  # an int to numba


@kernel
def at_of(t: State, row: int) -> int:
    """Return where a row's bytes are in the image."""
    return t[row * SEGMENT_COLUMNS + AT_AND_FLAGS] >> 16  # type: ignore[no-any-return]  # an int to numba


@kernel
def flags_of(t: State, row: int) -> int:
    """Return the flags of a row."""
    return t[row * SEGMENT_COLUMNS + AT_AND_FLAGS] & _ALL_ONES  # type: ignore[no-any-return]  # an int to numba


@kernel
def place_of(t: State, row: int) -> int:
    """Return where the checksum is that covers a row."""
    return at_of(t, row) + (t[row * SEGMENT_COLUMNS + PLACE_AND_STREAM] >> 32)  # type: ignore[no-any-return]  # an int


@kernel
def mark(t: State, row: int, flags: int) -> None:
    """Add flags to a row."""
    t[row * SEGMENT_COLUMNS + AT_AND_FLAGS] |= flags


@kernel
def add_up(b: Bytes, at: int, count: int) -> int:
    """Add bytes as words from `at` on; one that is left over is the upper half of a word."""
    total = U(0)
    words = count >> 3
    for i in range(words):
        word = load64(b, at + i * 8)
        total += (word >> U(32)) + (word & U(_HALF))
    rest: int = np.int64(total)  # type: ignore[assignment]  # an int to numba
    for i in range(words * 8, count):
        value = load8(b, at + i)
        rest += value if i & 1 else value << 8
    return fold(rest)


@kernel
def adjust(b: Bytes, place: int, before: int, after: int, flags: int) -> None:
    """Bring a checksum up to date (RFC 1624 equation 3): a right one stays right, a wrong one stays wrong."""
    change = fold(_ALL_ONES - before + after)
    if flags & ODD:
        change = ((change & 0xFF) << 8) | (change >> 8)
    held = load16(b, place)
    if change in (0, _ALL_ONES) or (flags & UDP_CHECKSUM and held == 0):
        return
    new = ~fold((~held & _ALL_ONES) + change) & _ALL_ONES
    store16(b, place, _ALL_ONES if flags & UDP_CHECKSUM and new == 0 else new)


@kernel
def is_left_to_card(b: Bytes, place: int, pseudo: int, length: int, captured: int, total: int) -> bool:
    """Say whether a checksum field holds only the pseudo-header sum, or nothing, for the network card to finish.

    `pseudo` is that sum without the length, `total` the sum of the segment with its checksum.
    """
    held = load16(b, place)
    # With segmentation left to the card too, Linux puts no length into the sum; other systems leave the field empty.
    # Brought in line, a field whose content is known would hold the difference between old and new bytes: a digest.
    if held not in (0, fold(pseudo + length), fold(pseudo)):
        return False
    # One finished checksum in 65,536 looks the same: those that are right are finished.
    return captured != length or fold(pseudo + length + total) != _ALL_ONES


@kernel
def clear(b: Bytes, at: int, count: int) -> bool:
    """Zero bytes; say whether one was not."""
    words = count >> 3
    found = U(0)
    for i in range(words):
        found |= load64(b, at + i * 8)
        store64(b, at + i * 8, U(0))
    changed = found != U(0)
    for i in range(words * 8, count):
        changed |= load8(b, at + i) != 0
        store8(b, at + i, 0)
    return bool(changed)


@kernel
def note(m: Bytes, packet: int, marks: int) -> None:
    """Add marks to a packet."""
    store8(m, packet, load8(m, packet) | marks)
