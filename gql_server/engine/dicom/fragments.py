"""Kernels for IP datagrams that come in fragments.

RFC 791 §3.2, RFC 8200 §4.5. Fragments wait in lists until their datagram is whole. Then a TCP segment's payload
becomes rows of the segment table, all others rows of the foreign table. A datagram that is never whole, or whose
fragments overlap (RFC 5722), is foreign too: its bytes cannot be put anywhere.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, entry, kernel
from gql_server.engine.dicom.layout import (
    ACKNOWLEDGED,
    BEGIN,
    BUCKETS,
    BYTES_FOREIGN,
    DATAGRAM_MOST,
    FOREIGN,
    FRAGMENT_AT,
    FRAGMENT_CAPTURED,
    FRAGMENT_COLUMNS,
    FRAGMENT_FLAGS,
    FRAGMENT_FOLLOWED,
    FRAGMENT_HEADER,
    FRAGMENT_ID,
    FRAGMENT_KEY,
    FRAGMENT_LENGTH,
    FRAGMENT_MORE,
    FRAGMENT_NAME,
    FRAGMENT_NEXT,
    FRAGMENT_NUMBERS,
    FRAGMENT_OFFSET,
    FRAGMENT_PACKET,
    FRAGMENT_PLACE,
    FRAGMENT_PORTS,
    LENGTH,
    PACKET,
    PAYLOAD,
    PENDING,
    PENDING_FREE,
    PORTS,
    SEEDS,
    SEQUENCE,
    SHIFT,
    SOURCE_HIGH,
    STALE_PACKETS,
    TCP_FLAGS,
    VERSION,
)
from gql_server.engine.dicom.segments import BARE, UDP_CHECKSUM, add_up, put
from gql_server.engine.dicom.tracking import track
from gql_server.engine.dicom.transport import (
    ICMP,
    ICMP_SUM,
    ICMPV6,
    SHORT_HEADER,
    TCP,
    TCP_CHECKSUM,
    TCP_HEADER,
    UDP,
    UDP_SUM,
    add_row,
    finish_header,
    forgo,
    read_header,
)
from gql_server.engine.memory import pointer

_DATAGRAM_BYTES: Final = 65535
_HALF: Final = 0xFFFFFFFF
_PROTOCOL: Final = 32
_VERSION: Final = 40
_TURN: Final = 48
_TURNS: Final = 8
"""Datagrams of one name that may wait at once."""


@kernel
def _row(number: int) -> int:
    return BUCKETS + number * FRAGMENT_COLUMNS


@kernel
def _bucket(s: State, name: int) -> int:
    mixed = U(name) * U(s[SEEDS + 4])
    for i in range(4):
        mixed = (mixed ^ U(s[SOURCE_HIGH + i])) * U(s[SEEDS + i])
        mixed ^= mixed >> U(32)
    return np.int64(mixed >> U(40)) & (BUCKETS - 1)  # type: ignore[return-value]  # an int to numba


@kernel
def _belongs(s: State, f: State, i: int, name: int) -> bool:
    if f[i + FRAGMENT_NAME] != name:
        return False
    same = True
    for j in range(4):
        same &= f[i + FRAGMENT_KEY + j] == s[SOURCE_HIGH + j]
    return same


@kernel
def _place(protocol: int) -> int:
    """Return where a protocol's checksum is in its header, -1 for one that is not known."""
    if protocol == TCP:
        return TCP_CHECKSUM
    if protocol == UDP:
        return UDP_SUM
    return ICMP_SUM if protocol in (ICMP, ICMPV6) else -1


@kernel
def _take_header(b: Bytes, s: State, m: Bytes, f: State, i: int, protocol: int, at: int, stop: int) -> None:
    """Look at the transport header that a first fragment holds."""
    header = 0
    if protocol == TCP and stop - at >= TCP_HEADER:
        header = read_header(b, s, at)
        if TCP_HEADER <= header <= min(stop - at, s[LENGTH]):
            f[i + FRAGMENT_PORTS] = s[PORTS]
            f[i + FRAGMENT_NUMBERS] = (s[SEQUENCE] << 32) | s[ACKNOWLEDGED]
            f[i + FRAGMENT_FLAGS] = s[TCP_FLAGS]
            finish_header(b, s, m, at, header, stop, 0)
        else:
            header = TCP_HEADER
    elif protocol in (UDP, ICMP, ICMPV6) and stop - at >= SHORT_HEADER:
        header = SHORT_HEADER
    f[i + FRAGMENT_HEADER] = header


@kernel
def _add(b: Bytes, s: State, m: Bytes, f: State, name: int, protocol: int, at: int, stop: int) -> int:
    """Write a fragment down and return its row."""
    number = s[PENDING_FREE] - 1
    if number < 0:
        number = s[PENDING]
        s[PENDING] += 1
    else:
        s[PENDING_FREE] = f[_row(number) + FRAGMENT_NEXT]
    i = _row(number)
    for j in range(4):
        f[i + FRAGMENT_KEY + j] = s[SOURCE_HIGH + j]
    f[i + FRAGMENT_NAME] = name
    f[i + FRAGMENT_OFFSET], f[i + FRAGMENT_LENGTH] = s[FRAGMENT_AT], s[LENGTH]
    f[i + FRAGMENT_CAPTURED], f[i + FRAGMENT_PLACE] = stop - at, at + s[SHIFT]
    f[i + FRAGMENT_PACKET], f[i + FRAGMENT_FOLLOWED] = s[PACKET], s[FRAGMENT_MORE]
    f[i + FRAGMENT_HEADER], f[i + FRAGMENT_FLAGS] = 0, -1
    if s[FRAGMENT_AT] == 0:
        _take_header(b, s, m, f, i, protocol, at, stop)
    header = f[i + FRAGMENT_HEADER]
    f[i + FRAGMENT_CAPTURED] |= add_up(b, at + header, stop - at - header) << 32
    bucket = _bucket(s, name)
    f[i + FRAGMENT_NEXT] = f[bucket]
    f[bucket] = number + 1
    return number  # type: ignore[no-any-return]  # an int to numba


@kernel
def _find(s: State, f: State, name: int, offset: int) -> int:
    """Return where the fragment at an offset is, 0 when it is not there."""
    number = f[_bucket(s, name)]
    while number != 0:
        i = _row(number - 1)
        if f[i + FRAGMENT_OFFSET] == offset and _belongs(s, f, i, name):
            return i
        number = f[i + FRAGMENT_NEXT]
    return 0


@kernel
def _take_out(s: State, f: State, name: int) -> int:
    """Free a fragment of a datagram; return where it still is, 0 when there is none."""
    link = _bucket(s, name)
    while f[link] != 0:
        number = f[link]
        i = _row(number - 1)
        if _belongs(s, f, i, name):
            f[link] = f[i + FRAGMENT_NEXT]
            f[i + FRAGMENT_NEXT] = s[PENDING_FREE]
            s[PENDING_FREE] = number
            return i
        link = i + FRAGMENT_NEXT
    return 0


@kernel
def _fragments(s: State, f: State, name: int) -> tuple[int, int, int]:
    """Return how many fragments of a datagram wait, their bytes, and the packet of the newest."""
    count, length, newest = 0, 0, 0
    number = f[_bucket(s, name)]
    while number != 0:
        i = _row(number - 1)
        if _belongs(s, f, i, name):
            count += 1
            length += f[i + FRAGMENT_LENGTH]
            newest = max(newest, f[i + FRAGMENT_PACKET])
        number = f[i + FRAGMENT_NEXT]
    return count, length, newest


@kernel
def _forgo_one(s: State, f: State, g: State, i: int, protocol: int, header_at: int) -> None:
    """Write a fragment down as foreign; `header_at` is where its datagram's transport header is, -1 if nowhere."""
    header = f[i + FRAGMENT_HEADER]
    at = f[i + FRAGMENT_PLACE] + header
    length = (f[i + FRAGMENT_CAPTURED] & _HALF) - header
    flags = UDP_CHECKSUM if protocol == UDP else 0
    place = header_at + _place(protocol)
    if header_at < 0:
        place, flags = at, BARE
    put(g, s[FOREIGN], 0, length, f[i + FRAGMENT_PACKET], at, place, flags, f[i + FRAGMENT_CAPTURED] >> 32)
    s[FOREIGN] += 1
    s[BYTES_FOREIGN] += length


@kernel
def _give_up(s: State, f: State, g: State, name: int, protocol: int) -> None:
    """Write a datagram's fragments down as foreign."""
    first = _find(s, f, name, 0)
    header_at = f[first + FRAGMENT_PLACE] if first > 0 and f[first + FRAGMENT_HEADER] > 0 else -1
    i = _take_out(s, f, name)
    while i > 0:
        _forgo_one(s, f, g, i, protocol, header_at)
        i = _take_out(s, f, name)


@kernel
def _is_whole(s: State, f: State, name: int, length: int) -> bool:
    """Say whether a datagram's fragments follow each other from its begin to its end."""
    expected = 0
    while True:
        i = _find(s, f, name, expected)
        if i == 0 or f[i + FRAGMENT_LENGTH] <= 0:
            return False
        expected += f[i + FRAGMENT_LENGTH]
        if f[i + FRAGMENT_FOLLOWED] == 0:
            return bool(expected == length)


@kernel
def _choose(s: State, f: State, g: State, name: int, protocol: int) -> int:
    """Return the name of the datagram that a fragment belongs to, -1 when there is room in none.

    A packet may be captured twice, and an identification comes again: the newest datagram that lacks the fragment.
    """
    chosen, unused = -1, -1
    for turn in range(_TURNS):
        one = name | (turn << _TURN)
        count, _, newest = _fragments(s, f, one)
        if count > 0 and s[PACKET] - newest > STALE_PACKETS:
            _give_up(s, f, g, one, protocol)
            count = 0
        if count == 0:
            unused = one if unused < 0 else unused
        elif count < DATAGRAM_MOST and _find(s, f, one, s[FRAGMENT_AT]) == 0:
            chosen = one
    return chosen if chosen >= 0 else unused


@kernel
def _take_segment(
    s: State, c: State, h: State, t: State, f: State, g: State, name: int, first: int, length: int
) -> None:
    """Make rows of a TCP segment that is whole."""
    packet, header = s[PACKET], f[first + FRAGMENT_HEADER]
    place = f[first + FRAGMENT_PLACE] + TCP_CHECKSUM
    s[PORTS], s[TCP_FLAGS] = f[first + FRAGMENT_PORTS], f[first + FRAGMENT_FLAGS]
    s[SEQUENCE], s[ACKNOWLEDGED] = f[first + FRAGMENT_NUMBERS] >> 32 & _HALF, f[first + FRAGMENT_NUMBERS] & _HALF
    s[PAYLOAD] = length - header
    n = track(s, c, h)
    if n < 0 or s[PAYLOAD] == 0:
        _give_up(s, f, g, name, TCP)
        return
    begin = s[BEGIN]
    i = _take_out(s, f, name)
    while i > 0:
        own = f[i + FRAGMENT_HEADER]
        captured = (f[i + FRAGMENT_CAPTURED] & _HALF) - own
        cut = 1 if captured + own < f[i + FRAGMENT_LENGTH] else 0
        s[PACKET] = f[i + FRAGMENT_PACKET]
        s[BEGIN] = begin + f[i + FRAGMENT_OFFSET] + own - header
        add_row(s, c, t, n, f[i + FRAGMENT_PLACE] + own, captured, cut, place, 0, f[i + FRAGMENT_CAPTURED] >> 32)
        i = _take_out(s, f, name)
    s[PACKET] = packet


@kernel
def fragment(
    b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, f: State, g: State, protocol: int, at: int, stop: int
) -> None:
    """Take a fragment; when it completes its datagram, take that."""
    if _place(protocol) < 0 or s[FRAGMENT_AT] + s[LENGTH] > _DATAGRAM_BYTES:
        forgo(b, s, m, at, stop)
        return
    name = _choose(s, f, g, s[FRAGMENT_ID] | (protocol << _PROTOCOL) | (s[VERSION] << _VERSION), protocol)
    if name < 0:
        forgo(b, s, m, at, stop)
        return
    _add(b, s, m, f, name, protocol, at, stop)
    _, length, _ = _fragments(s, f, name)
    if not _is_whole(s, f, name, length):
        return
    first = _find(s, f, name, 0)
    if protocol == TCP and f[first + FRAGMENT_FLAGS] >= 0:
        _take_segment(s, c, h, t, f, g, name, first, length)
    else:
        _give_up(s, f, g, name, protocol)


@entry
def give_up_all(state: State, fragments: State, foreign: State) -> None:
    """Write every fragment that still waits down as foreign."""
    s, f, g = pointer(state), pointer(fragments), pointer(foreign)
    for bucket in range(BUCKETS):
        while f[bucket] != 0:
            i = _row(f[bucket] - 1)
            for j in range(4):
                s[SOURCE_HIGH + j] = f[i + FRAGMENT_KEY + j]
            _give_up(s, f, g, f[i + FRAGMENT_NAME], f[i + FRAGMENT_NAME] >> _PROTOCOL & 0xFF)
