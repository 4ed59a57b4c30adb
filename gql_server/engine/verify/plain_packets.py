"""Reads the packets that captures are made of in one go.

TCP without options or with a timestamp, and UDP, right above IP right above Ethernet with up to two VLAN tags, whole,
with all addresses rewritten and everything else as it must be. Of such a packet it counts what `reading` would; it
leaves every other alone, and is left out where a hit is explained.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load8, load16, load32, load48, load64
from gql_server.engine.verify.arithmetic import fold, sum_beside, sum_of
from gql_server.engine.verify.claims import IPV4_BYTES, IPV6_BYTES, MAC_BYTES, is_same, is_zero
from gql_server.engine.verify.layout import (
    KEY_IPV4,
    KEY_MAC,
    OPAQUE,
    REWRITTEN,
    SHIFT,
    STRUCTURAL,
    SUMS_BAD,
    SUMS_GOOD,
    ZEROED,
)
from gql_server.engine.verify.links import IPV4, IPV6, OLD_PROVIDER_VLAN, PROVIDER_VLAN, VLAN
from gql_server.engine.verify.pairs import note_narrow, note_wide
from gql_server.engine.verify.sums import ALL_ONES, are_alike, is_left_to_card
from gql_server.engine.verify.transport import TCP, UDP, is_read_further

_ETHERNET_HEADER: Final = 14
_TAG_BYTES: Final = 4
_IPV4_HEADER: Final = 20
_IPV4_START: Final = 0x45
_FRAGMENT: Final = 0x3FFF
"""The flag that more fragments follow, and where this one begins."""
_IPV6_HEADER: Final = 40
_TCP_HEADER: Final = 20
_UDP_HEADER: Final = 8
_TIMESTAMP: Final = 0x0101080A
_TIMESTAMP_BYTES: Final = 12
_LEAST: Final = _ETHERNET_HEADER + 2 * _TAG_BYTES + _IPV4_HEADER + _UDP_HEADER


@kernel
def read_plain(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> bool:
    """Read an Ethernet frame, as long in both files, of which nobody judges the payload; say whether it is plain."""
    if end - at < _LEAST:
        return False
    shift, kind, ip = s[SHIFT], load16(a, at + 12), at + _ETHERNET_HEADER
    for _ in range(2):
        if kind in (VLAN, PROVIDER_VLAN, OLD_PROVIDER_VLAN):
            kind = load16(a, ip + 2)
            ip += _TAG_BYTES
    if not is_same(a, o, at + 2 * MAC_BYTES, ip, shift):
        return False
    if kind == IPV4:
        return _read_ipv4(a, o, s, w, at, ip, end)
    return kind == IPV6 and _read_ipv6(a, o, s, w, at, ip, end)


@kernel
def _became_another(was: np.uint64, now: np.uint64) -> bool:
    return bool(was != now and now != U(0))


@kernel
def _read_macs(a: Bytes, o: Bytes, s: State, w: Words, at: int) -> None:
    there = at + s[SHIFT]
    note_narrow(s, w, load48(a, at) | U(KEY_MAC), load48(o, there))
    note_narrow(s, w, load48(a, at + MAC_BYTES) | U(KEY_MAC), load48(o, there + MAC_BYTES))


@kernel
def _macs_changed(a: Bytes, o: Bytes, at: int, there: int) -> bool:
    one = _became_another(load48(a, at), load48(o, there))
    return one and _became_another(load48(a, at + MAC_BYTES), load48(o, there + MAC_BYTES))


@kernel
def _read_ipv4(a: Bytes, o: Bytes, s: State, w: Words, at: int, ip: int, end: int) -> bool:
    shift = s[SHIFT]
    there, transport, stop = ip + shift, ip + _IPV4_HEADER, ip + load16(a, ip + 2)
    if load8(a, ip) != _IPV4_START or load16(a, ip + 6) & _FRAGMENT or stop > end:
        return False
    if load64(a, ip) != load64(o, there) or load16(a, ip + 8) != load16(o, there + 8):
        return False
    source, destination = U(load32(a, ip + 12)), U(load32(a, ip + 16))
    new_source, new_destination = U(load32(o, there + 12)), U(load32(o, there + 16))
    if not (_became_another(source, new_source) and _became_another(destination, new_destination)):
        return False
    residue = fold(sum_of(a, ip, transport))
    if not are_alike(fold(sum_of(o, there, transport + shift)), residue) or not _macs_changed(a, o, at, at + shift):
        return False
    addresses = 2 * IPV4_BYTES
    was, now = sum_of(a, ip + 12, ip + 12 + addresses), sum_of(o, there + 12, there + 12 + addresses)
    if not _read_transport(a, o, s, load8(a, ip + 9), transport, stop, end, was, now):
        return False
    s[SUMS_GOOD] += residue == ALL_ONES
    s[SUMS_BAD] += residue != ALL_ONES
    s[STRUCTURAL] += ip - at - 2 * MAC_BYTES + 10
    s[REWRITTEN] += 2 * MAC_BYTES + 2 + addresses
    _read_macs(a, o, s, w, at)
    note_narrow(s, w, source | U(KEY_IPV4), new_source)
    note_narrow(s, w, destination | U(KEY_IPV4), new_destination)
    return True


@kernel
def _read_ipv6(a: Bytes, o: Bytes, s: State, w: Words, at: int, ip: int, end: int) -> bool:
    shift, length = s[SHIFT], load16(a, ip + 4)
    there, transport = ip + shift, ip + _IPV6_HEADER
    stop = transport + length
    if load8(a, ip) >> 4 != 6 or stop > end:  # noqa: PLR2004  # the version
        return False
    if load64(a, ip) != load64(o, there) or not _macs_changed(a, o, at, at + shift):
        return False
    for field in (8, 24):
        high, low = load64(o, there + field), load64(o, there + field + 8)
        if (high | low) == U(0) or (high == load64(a, ip + field) and low == load64(a, ip + field + 8)):
            return False
    was, now = sum_of(a, ip + 8, transport), sum_of(o, there + 8, transport + shift)
    if not _read_transport(a, o, s, load8(a, ip + 6), transport, stop, end, was, now):
        return False
    s[STRUCTURAL] += ip - at - 2 * MAC_BYTES + 8
    s[REWRITTEN] += 2 * MAC_BYTES + 2 * IPV6_BYTES
    _read_macs(a, o, s, w, at)
    for field in (8, 24):
        x, y = ip + field, there + field
        note_wide(s, w, load64(a, x), load64(a, x + 8), 0, load64(o, y), load64(o, y + 8))
    return True


@kernel
def _payload_of(a: Bytes, protocol: int, at: int, end: int) -> int:
    """Return where the payload of a plain TCP segment or UDP datagram begins, or -1."""
    if protocol == TCP:
        if end - at < _TCP_HEADER:
            return -1
        header = (load8(a, at + 12) >> 4) * 4
        if header == _TCP_HEADER:
            return at + header
        stamped = header == _TCP_HEADER + _TIMESTAMP_BYTES and end - at >= header
        return at + header if stamped and load32(a, at + _TCP_HEADER) == _TIMESTAMP else -1
    if protocol != UDP or end - at < _UDP_HEADER or load16(a, at + 4) != end - at or load16(a, at + 6) == 0:
        return -1
    return -1 if is_read_further(load16(a, at)) or is_read_further(load16(a, at + 2)) else at + _UDP_HEADER


@kernel
def _read_transport(
    a: Bytes, o: Bytes, s: State, protocol: int, at: int, stop: int, end: int, was: int, now: int
) -> bool:
    """Read what IP carries, up to `stop`; `was` and `now` are the sums of the addresses in both files.

    Behind `stop` nothing but zeros may stand in the output.
    """
    shift, payload = s[SHIFT], _payload_of(a, protocol, at, stop)
    if payload < 0:
        return False
    place = at + (16 if protocol == TCP else 6)
    was, now, length = was + protocol, now + protocol, stop - at
    if is_left_to_card(a, place, was, length):
        return False
    rest, differs = sum_beside(a, o, place + 2, stop, shift)
    if differs != 0 or not is_same(a, o, at, place, shift) or not is_zero(o, stop + shift, end + shift):
        return False
    head = sum_of(a, at, place) + rest + length
    residue = fold(was + head + load16(a, place))
    if not are_alike(fold(now + head + load16(o, place + shift)), residue):
        return False
    s[SUMS_GOOD] += residue == ALL_ONES
    s[SUMS_BAD] += residue != ALL_ONES
    s[STRUCTURAL] += payload - at - 2
    s[REWRITTEN] += 2
    s[OPAQUE] += stop - payload
    s[ZEROED] += end - stop
    return True
