"""Kernels that find TCP segments, for the proof of DICOM.

Written for themselves, apart from the reading of addresses: Ethernet with IEEE 802.1Q tags, LLC with SNAP, Linux cooked
captures, raw IP and BSD loopback; RFC 791 and RFC 8200 with fragments; RFC 9293. Tunnels are not entered.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, entry, kernel
from gql_server.engine.memory import load8, load16, load32, load32_little, pointer
from gql_server.engine.verify.layout import PACKET_BEGIN, PACKET_COLUMNS, PACKET_END, PACKET_LINK

# One row a packet.
SEGMENT_COLUMNS: Final = 10
KIND: Final = 0
NOTHING: Final = 0
SEGMENT: Final = 1
PART: Final = 2
"""A fragment of an IP datagram that carries TCP."""
CONNECTION: Final = 1
"""Digest of both ends, the same in both directions; of a fragment, that of its datagram."""
SIDE: Final = 2
"""0 or 1: which end sends."""
SEQUENCE: Final = 3
"""Sequence number; of a fragment, where it begins in its datagram."""
FLAGS: Final = 4
"""TCP flags; of a fragment, whether more follow."""
DATA: Final = 5
"""Where the payload begins in the packet."""
LENGTH: Final = 6
"""Bytes of it that were captured."""
WIRE: Final = 7
"""Bytes of it that were sent."""
REWRITTEN: Final = 8
"""Bytes of it that are something else in the output, and not zero."""
LIVE: Final = 9
"""Bytes of it that are not zero in the output."""

FIN: Final = 1
SYN: Final = 2
ACK: Final = 16

_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_TCP: Final = 6
_LINK_SLL2: Final = 276


@kernel
def _mixed(x: np.uint64, y: np.uint64) -> np.uint64:
    """Mix two words (the finalizer of SplitMix64)."""
    z = (x ^ (y * U(0x9E3779B97F4A7C15))) + U(0x9E3779B97F4A7C15)
    z = (z ^ (z >> U(30))) * U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> U(27))) * U(0x94D049BB133111EB)
    return z ^ (z >> U(31))


@kernel
def _digest(b: Bytes, at: int, length: int, seed: np.uint64) -> np.uint64:
    found = seed
    for i in range(0, length, 4):
        found = _mixed(found, U(load32(b, at + i)))
    return found


@kernel
def _behind_type(b: Bytes, kind: int, at: int, end: int) -> tuple[int, int]:
    """Return the ethertype behind tags and LLC, and where its packet begins."""
    while kind in (0x8100, 0x88A8, 0x9100) and end - at >= 4:  # noqa: PLR2004  # a tag
        kind, at = load16(b, at + 2), at + 4
    if kind < 0x0600 and end - at >= 8 and load32(b, at) == 0xAAAA0300 and load16(b, at + 4) == 0:  # noqa: PLR2004  # SNAP
        kind, at = load16(b, at + 6), at + 8
    return kind, at


@kernel
def _by_version(b: Bytes, at: int, end: int) -> int:
    version = load8(b, at) >> 4 if at < end else 0
    return _IPV4 if version == 4 else _IPV6 if version == 6 else 0  # noqa: PLR2004  # the versions


@kernel
def _network(b: Bytes, link: int, at: int, end: int) -> tuple[int, int]:
    """Return the ethertype of the network layer and where it begins."""
    if link == 1 and end - at >= 14:  # noqa: PLR2004  # Ethernet
        return _behind_type(b, load16(b, at + 12), at + 14, end)
    if link == 113 and end - at >= 16:  # noqa: PLR2004  # cooked
        return _behind_type(b, load16(b, at + 14), at + 16, end)
    if link == _LINK_SLL2 and end - at >= 20:  # noqa: PLR2004  # cooked, version 2
        return _behind_type(b, load16(b, at), at + 20, end)
    if link in (12, 14, 101, 228, 229):  # raw IP
        return _by_version(b, at, end), at
    if link in (0, 108) and end - at >= 4:  # noqa: PLR2004  # loopback
        family = min(load32(b, at), load32_little(b, at))
        if family in (2, 10, 24, 28, 30):
            return (_IPV4 if family == 2 else _IPV6), at + 4  # noqa: PLR2004  # AF_INET
    return 0, at


@kernel
def _ipv4(b: Bytes, r: State, row: int, seed: np.uint64, at: int, end: int) -> None:
    if end - at < 20 or load8(b, at) >> 4 != 4 or load8(b, at + 9) != _TCP:  # noqa: PLR2004  # the header
        return
    header, total = (load8(b, at) & 15) * 4, load16(b, at + 2)
    if header < 20 or 0 < total < header or end - at < header:  # noqa: PLR2004  # the same
        return
    stop = min(end, at + total) if total > 0 else end
    wire = total - header if total > 0 else end - at - header
    one, other = _digest(b, at + 12, 4, seed), _digest(b, at + 16, 4, seed)
    parts = load16(b, at + 6)
    if parts & 0x3FFF:
        part = _mixed(_mixed(one, other), U(load16(b, at + 4)))
        _part(r, row, part, (parts & 0x1FFF) * 8, (parts >> 13) & 1, at + header, stop, wire)
    else:
        _segment(b, r, row, one, other, at + header, stop, wire)


@kernel
def _ipv6(b: Bytes, r: State, row: int, seed: np.uint64, at: int, end: int) -> None:
    if end - at < 40 or load8(b, at) >> 4 != 6:  # noqa: PLR2004  # the header
        return
    length, kind, place = load16(b, at + 4), load8(b, at + 6), at + 40
    stop = min(end, place + length) if length > 0 else end
    last = place + length if length > 0 else end
    one, other = _digest(b, at + 8, 16, seed), _digest(b, at + 24, 16, seed)
    while kind in (0, 43, 51, 60, 135, 139, 140) and stop - place >= 8:  # noqa: PLR2004  # extensions
        size = load8(b, place + 1) * (4 if kind == 51 else 8) + 8  # noqa: PLR2004  # authentication
        kind, place = load8(b, place), place + size
    if kind == 44 and stop - place >= 8 and load8(b, place) == _TCP:  # noqa: PLR2004  # a fragment
        parts = load16(b, place + 2)
        part = _mixed(_mixed(one, other), U(load32(b, place + 4)))
        if parts & 0xFFF9:
            _part(r, row, part, parts & 0xFFF8, parts & 1, place + 8, stop, last - place - 8)
            return
        kind, place = _TCP, place + 8
    if kind == _TCP:
        _segment(b, r, row, one, other, place, stop, last - place)


@kernel
def _part(r: State, row: int, part: np.uint64, offset: int, more: int, at: int, stop: int, wire: int) -> None:
    r[row + KIND], r[row + CONNECTION], r[row + SEQUENCE], r[row + FLAGS] = PART, np.int64(part), offset, more
    r[row + DATA], r[row + LENGTH], r[row + WIRE] = at, max(stop - at, 0), wire


@kernel
def _segment(b: Bytes, r: State, row: int, one: np.uint64, other: np.uint64, at: int, stop: int, wire: int) -> None:
    if stop - at < 20:  # noqa: PLR2004  # the header
        return
    header = (load8(b, at + 12) >> 4) * 4
    if header < 20 or header > wire:  # noqa: PLR2004  # the same
        return
    source, destination = _mixed(one, U(load16(b, at))), _mixed(other, U(load16(b, at + 2)))
    low, high = min(source, destination), max(source, destination)
    r[row + KIND], r[row + CONNECTION], r[row + SIDE] = SEGMENT, np.int64(_mixed(low, high)), source > destination
    r[row + SEQUENCE], r[row + FLAGS] = load32(b, at + 4), load8(b, at + 13)
    r[row + DATA], r[row + LENGTH] = at + header, max(stop - at - header, 0)
    r[row + WIRE] = wire - header


@kernel
def _compare(a: Bytes, o: Bytes, r: State, row: int, shift: int, stop: int) -> None:
    """Count what became of a payload; what the output lacks counts for nothing."""
    rewritten, live = 0, 0
    for i in range(r[row + DATA], min(r[row + DATA] + r[row + LENGTH], stop)):
        now = load8(o, i + shift)
        live += now != 0
        rewritten += now not in (0, load8(a, i))
    r[row + REWRITTEN], r[row + LIVE] = rewritten, live


@entry
def find_segments(
    original: Bytes,
    output: Bytes,
    packets: State,
    others: State,
    rows: State,
    seed: int,
    first: int,
    other: int,
    count: int,
) -> None:
    """Write one row for each of `count` packets of both files, from `first` and `other` on."""
    a, o, p, q, r = pointer(original), pointer(output), pointer(packets), pointer(others), pointer(rows)
    for n in range(count):
        i, j, row = (first + n) * PACKET_COLUMNS, (other + n) * PACKET_COLUMNS, n * SEGMENT_COLUMNS
        begin, end = p[i + PACKET_BEGIN], p[i + PACKET_END]
        for k in range(SEGMENT_COLUMNS):
            r[row + k] = 0
        kind, at = _network(a, p[i + PACKET_LINK], begin, end)
        if kind == _IPV4:
            _ipv4(a, r, row, U(seed), at, end)
        elif kind == _IPV6:
            _ipv6(a, r, row, U(seed), at, end)
        if r[row + KIND] != NOTHING:
            shift = q[j + PACKET_BEGIN] - begin
            _compare(a, o, r, row, shift, q[j + PACKET_END] - shift)
            r[row + DATA] -= begin
