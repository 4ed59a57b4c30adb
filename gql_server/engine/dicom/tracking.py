"""Kernels that tell which connection a segment belongs to.

A connection is a pair of addresses and ports, from a SYN to the next that is not a copy (RFC 9293). Sequence numbers
are counted on from the first that was seen, over every wrap; packets may come in another order than they were sent.
"""
# kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import State, U, entry, kernel
from gql_server.engine.dicom.layout import (
    ACKNOWLEDGED,
    BEGIN,
    CLIENT,
    CLIENT_KNOWN,
    CONNECTION_COLUMNS,
    CONNECTION_FIRST,
    CONNECTION_FLAGS,
    CONNECTION_PACKETS,
    CONNECTIONS,
    CUTS,
    DESTINATION_HIGH,
    DESTINATION_LOW,
    DIRECTION_COLUMNS,
    DIRECTIONS,
    FIN_SEEN,
    KEPT_ALIVE,
    KEY,
    KEY_WORDS,
    LOW,
    NOTHING_YET,
    ORIGIN,
    PACKET,
    PAYLOAD,
    PORTS,
    RESET,
    SEEDS,
    SEGMENTS,
    SEQUENCE,
    SIDE,
    SLOT_MASK,
    SLOT_SHIFT,
    SOURCE_HIGH,
    SOURCE_LOW,
    STARTED,
    SYN_SEEN,
    TCP_FLAGS,
    TOP,
    VERSION,
)
from gql_server.engine.memory import pointer

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK: Final = 16

NEAR: Final = 1 << 22
"""Two places of one connection that were captured in the wrong order lie nearer than this."""
REORDERED_PACKETS: Final = 64
"""A SYN is captured at most so many packets after what it made possible."""
_HALF: Final = 0xFFFFFFFF
_TURN: Final = 1 << 31


@kernel
def _take_key(s: State) -> None:
    """Write down the key of the segment's connection, and the side that sent it."""
    sh, sl, dh, dl = s[SOURCE_HIGH], s[SOURCE_LOW], s[DESTINATION_HIGH], s[DESTINATION_LOW]
    sp, dp = s[PORTS] >> 16, s[PORTS] & 0xFFFF
    lower = sp <= dp
    if sh != dh:
        lower = sh < dh
    elif sl != dl:
        lower = sl < dl
    s[SIDE] = 0 if lower else 1
    s[KEY] = sh if lower else dh
    s[KEY + 1] = sl if lower else dl
    s[KEY + 2] = dh if lower else sh
    s[KEY + 3] = dl if lower else sl
    s[KEY + 4] = (s[VERSION] << 32) | ((sp << 16 | dp) if lower else (dp << 16 | sp))


@kernel
def slot_of(s: State, h: State, c: State, key: State, place: int) -> int:
    """Return the slot that holds the newest connection of a key, or the empty one where it would go."""
    mixed = U(0)
    for i in range(KEY_WORDS):
        mixed = (mixed ^ U(key[place + i])) * U(s[SEEDS + i])
        mixed ^= mixed >> U(32)
    slot: int = np.int64(mixed >> U(s[SLOT_SHIFT]))  # type: ignore[assignment]  # an int to numba
    while h[slot] != 0:
        k = (h[slot] - 1) * CONNECTION_COLUMNS
        same = True
        for j in range(KEY_WORDS):
            same &= c[k + j] == key[place + j]
        if same:
            break
        slot = (slot + 1) & s[SLOT_MASK]
    return slot


@kernel
def _counted(c: State, d: int, number: int) -> int:
    """Count a sequence number as the place in the stream nearest to the furthest segment."""
    away = (number - (c[d + ORIGIN] + c[d + TOP])) & _HALF
    return c[d + TOP] + (away - (1 << 32) if away >= _TURN else away)  # type: ignore[no-any-return]  # an int to numba


@kernel
def _has_ended(flags: int) -> bool:
    both = FIN_SEEN | FIN_SEEN << 1
    return flags & RESET != 0 or flags & both == both


@kernel
def _is_new_syn(s: State, c: State, k: int, d: int, flags: int) -> bool:
    """Say whether a SYN begins another connection than the one of its key that is known."""
    side = s[SIDE]
    if flags & (STARTED << side):
        first = _counted(c, d, s[SEQUENCE] + 1)
        if flags & (SYN_SEEN << side):
            return bool(first != c[d + LOW] or (_has_ended(flags) and s[TCP_FLAGS] & ACK == 0))
        # Its payload was captured before it, or it has nothing to do with that.
        return bool(c[d + LOW] < first or c[d + TOP] - first >= NEAR)
    other = k + DIRECTIONS + (1 - side) * DIRECTION_COLUMNS
    if s[TCP_FLAGS] & ACK:
        expected = _counted(c, other, s[ACKNOWLEDGED])
        if flags & (SYN_SEEN << (1 - side)):
            return bool(expected < c[other + LOW] or expected - c[other + LOW] >= NEAR)
        return bool(expected > c[other + LOW] or c[other + LOW] - expected >= NEAR)
    return bool(s[PACKET] - c[k + CONNECTION_FIRST] >= REORDERED_PACKETS)


@kernel
def _is_new(s: State, c: State, k: int) -> bool:
    """Say whether a segment begins another connection than the one of its key that is known."""
    d = k + DIRECTIONS + s[SIDE] * DIRECTION_COLUMNS
    flags = c[k + CONNECTION_FLAGS]
    if s[TCP_FLAGS] & SYN:
        return _is_new_syn(s, c, k, d, flags)
    if s[PAYLOAD] == 0 or not _has_ended(flags) or flags & (STARTED << s[SIDE]) == 0:
        return False
    away = _counted(c, d, s[SEQUENCE]) - c[d + TOP]
    return bool(away >= NEAR or away <= -NEAR)


@kernel
def _open(s: State, c: State) -> int:
    """Begin a connection and return its number."""
    n = s[CONNECTIONS]
    s[CONNECTIONS] += 1
    k = n * CONNECTION_COLUMNS
    for i in range(CONNECTION_COLUMNS):
        c[k + i] = s[KEY + i] if i < KEY_WORDS else 0
    c[k + CONNECTION_FIRST] = s[PACKET]
    for side in range(2):
        c[k + DIRECTIONS + side * DIRECTION_COLUMNS + LOW] = NOTHING_YET
    c[k + CONNECTION_FLAGS] = CLIENT * s[SIDE]
    return n  # type: ignore[no-any-return]  # an int to numba


@kernel
def _note_flags(s: State, c: State, k: int) -> None:
    """Take what the flags of a segment say of its connection."""
    side, flags = s[SIDE], c[k + CONNECTION_FLAGS]
    if s[TCP_FLAGS] & SYN and flags & CLIENT_KNOWN == 0:
        client = 1 - side if s[TCP_FLAGS] & ACK else side
        flags = (flags & ~CLIENT) | CLIENT_KNOWN | CLIENT * client
    if s[TCP_FLAGS] & FIN:
        flags |= FIN_SEEN << side
    if s[TCP_FLAGS] & RST:
        flags |= RESET
    c[k + CONNECTION_FLAGS] = flags


@kernel
def _advance(s: State, c: State, k: int) -> None:
    """Find where a segment lies in its stream."""
    side = s[SIDE]
    d = k + DIRECTIONS + side * DIRECTION_COLUMNS
    first = (s[SEQUENCE] + (1 if s[TCP_FLAGS] & SYN else 0)) & _HALF
    if c[k + CONNECTION_FLAGS] & (STARTED << side) == 0:
        c[k + CONNECTION_FLAGS] |= STARTED << side
        c[d + ORIGIN] = first
    begin = _counted(c, d, first)
    s[BEGIN] = begin
    s[KEPT_ALIVE] = 1 if s[PAYLOAD] == 1 and begin == c[d + TOP] - 1 else 0
    c[d + TOP] = max(c[d + TOP], begin + s[PAYLOAD])
    if s[TCP_FLAGS] & SYN:
        c[k + CONNECTION_FLAGS] |= SYN_SEEN << side
        c[d + LOW] = begin
    elif c[k + CONNECTION_FLAGS] & (SYN_SEEN << side) == 0:
        c[d + LOW] = min(c[d + LOW], begin)


@kernel
def track(s: State, c: State, h: State) -> int:
    """Find or begin the connection of a segment and place it there; -1 when there is nothing to follow."""
    follows = s[PAYLOAD] > 0 or s[TCP_FLAGS] & SYN != 0
    if not follows and s[TCP_FLAGS] & (FIN | RST) == 0:
        return -1
    _take_key(s)
    slot = slot_of(s, h, c, s, KEY)
    n = h[slot] - 1
    if n < 0 or _is_new(s, c, n * CONNECTION_COLUMNS):
        if not follows:
            return -1
        n = _open(s, c)
        h[slot] = n + 1
    k = n * CONNECTION_COLUMNS
    s[BEGIN] = s[KEPT_ALIVE] = 0
    if follows and s[TCP_FLAGS] & RST == 0:
        _advance(s, c, k)
    if s[PAYLOAD] > 0:
        c[k + CONNECTION_PACKETS] += 1
    _note_flags(s, c, k)
    return n  # type: ignore[no-any-return]  # an int to numba


@kernel
def count_row(s: State, c: State, connection: int, rows: int, cut: int) -> int:
    """Count rows, and what was cut, for the direction of the segment under way; return its stream."""
    d = connection * CONNECTION_COLUMNS + DIRECTIONS + s[SIDE] * DIRECTION_COLUMNS
    c[d + SEGMENTS] += rows
    c[d + CUTS] += cut
    return connection * 2 + s[SIDE]  # type: ignore[no-any-return]  # an int to numba


@entry
def rehash(state: State, connections: State, slots: State) -> None:
    """Enter every connection into empty slots; of those with one key the newest stays."""
    s, c, h = pointer(state), pointer(connections), pointer(slots)
    for n in range(s[CONNECTIONS]):
        h[slot_of(s, h, c, c, n * CONNECTION_COLUMNS)] = n + 1
