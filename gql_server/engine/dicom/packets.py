"""The walk through a packet to its TCP segment.

What stays in any case is structure: the headers of the link, ARP, IP, TCP and UDP, and the first eight bytes of ICMP.
Payload of TCP is written down for whoever claims it. All else is foreign: other link types and protocols, tunnels,
trailers, options that are not understood.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.addresses.links import (
    ARP,
    IPV4,
    IPV6,
    LINK_ETHERNET,
    LINK_IPV4,
    LINK_IPV6,
    LINK_LINUX_SLL,
    LINK_LINUX_SLL2,
    LINK_LOOP,
    LINK_NULL,
    LINK_RAW,
    LINK_RAW_DLT_12,
    LINK_RAW_DLT_14,
    OLD_PROVIDER_VLAN,
    PROVIDER_VLAN,
    RARP,
    VLAN,
)
from gql_server.engine.capture.records import RECORD_BEGIN, RECORD_COLUMNS, RECORD_END, RECORD_LINK_TYPE
from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.fragments import fragment
from gql_server.engine.dicom.layout import (
    CONNECTION_ROOM,
    CONNECTIONS,
    DESTINATION_HIGH,
    DESTINATION_LOW,
    FOREIGN,
    FOREIGN_ROOM,
    FRAGMENT_AT,
    FRAGMENT_ID,
    FRAGMENT_MORE,
    LENGTH,
    PACKET,
    PENDING,
    PENDING_ROOM,
    PSEUDO,
    ROOM_AHEAD,
    ROW_ROOM,
    ROWS,
    SOURCE_HIGH,
    SOURCE_LOW,
    VERSION,
)
from gql_server.engine.dicom.segments import add_up
from gql_server.engine.dicom.transport import forgo, forgo_under, transport
from gql_server.engine.memory import load8, load16, load32, load32_little, load64, pointer

_ETHERNET_HEADER: Final = 14
_TAG: Final = 4
_SLL_HEADER: Final = 16
_SLL2_HEADER: Final = 20
_ADDRESS_ROOM: Final = 8
_ARP_FIXED: Final = 8
_IPV4_HEADER: Final = 20
_IPV4_CHECKSUM: Final = 10
_IPV6_HEADER: Final = 40
_EXTENSION: Final = 8
_MORE: Final = 0x2000
_OFFSET: Final = 0x1FFF
_OFFSET_IPV6: Final = 0xFFF8
_UNKNOWN: Final = -1

_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_AUTHENTICATION_FIXED: Final = 12
_DESTINATION_OPTIONS: Final = 60

_OPTION_END: Final = 0
_OPTION_NOP: Final = 1


@kernel
def _ip_kind(b: Bytes, at: int, end: int) -> int:
    """Return the ethertype of an IP packet by its version."""
    version = load8(b, at) >> 4 if end > at else 0
    return IPV4 if version == 4 else IPV6 if version == 6 else _UNKNOWN  # noqa: PLR2004  # the versions


@kernel
def _ipv4_options(b: Bytes, s: State, m: Bytes, at: int, end: int, place: int) -> None:
    """Keep routes, timestamps, security, stream id and router alert; zero the rest (RFC 791, RFC 2113)."""
    while at < end:
        kind = load8(b, at)
        if kind == _OPTION_NOP:
            at += 1
            continue
        length = load8(b, at + 1) if at + 2 <= end else 0
        if kind == _OPTION_END or length < 2 or at + length > end:  # noqa: PLR2004  # kind and length
            forgo_under(b, s, m, at + 1 if kind == _OPTION_END else at, end, place, 0)
            return
        if kind not in (7, 68, 130, 131, 136, 137, 148):
            forgo_under(b, s, m, at + 2, at + length, place, 0)
        at += length


@kernel
def _ipv4(b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, f: State, g: State, at: int, end: int) -> None:
    """An IPv4 packet (RFC 791)."""
    if end > at and load8(b, at) >> 4 != 4:  # noqa: PLR2004  # the version
        forgo(b, s, m, at, end)
        return
    header = (load8(b, at) & 15) * 4 if end > at else 0
    total = load16(b, at + 2) if end - at >= _IPV4_HEADER else 1
    if header < _IPV4_HEADER or 0 < total < header:
        forgo(b, s, m, at, end)
        return
    stop = min(end, at + total) if total > 0 else end  # 0: segmentation was left to the network card
    forgo(b, s, m, stop, end)
    _ipv4_options(b, s, m, at + _IPV4_HEADER, min(stop, at + header), at + _IPV4_CHECKSUM)
    if stop < at + header:
        return
    s[VERSION] = 4
    s[SOURCE_HIGH] = s[DESTINATION_HIGH] = 0
    s[SOURCE_LOW], s[DESTINATION_LOW] = load32(b, at + 12), load32(b, at + 16)
    s[PSEUDO] = add_up(b, at + 12, 8)
    s[LENGTH] = (total if total > 0 else end - at) - header
    s[FRAGMENT_ID] = load16(b, at + 4)
    flags = load16(b, at + 6)
    s[FRAGMENT_AT] = (flags & _OFFSET) * 8
    s[FRAGMENT_MORE] = 1 if flags & _MORE else 0
    protocol = load8(b, at + 9)
    if flags & (_MORE | _OFFSET):
        fragment(b, s, m, c, h, t, f, g, protocol, at + header, stop)
    else:
        transport(b, s, m, c, h, t, protocol, at + header, stop)


@kernel
def _ipv6(b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, f: State, g: State, at: int, end: int) -> None:
    """An IPv6 packet with its extension headers (RFC 8200)."""
    if end - at < _IPV6_HEADER or load8(b, at) >> 4 != 6:  # noqa: PLR2004  # the version
        forgo(b, s, m, at, end)
        return
    length, kind = load16(b, at + 4), load8(b, at + 6)
    # 0: a jumbogram, or segmentation was left to the network card.
    stop = min(end, at + _IPV6_HEADER + length) if length > 0 else end
    forgo(b, s, m, stop, end)
    s[VERSION] = 6
    s[SOURCE_HIGH], s[SOURCE_LOW] = np.int64(load64(b, at + 8)), np.int64(load64(b, at + 16))
    s[DESTINATION_HIGH], s[DESTINATION_LOW] = np.int64(load64(b, at + 24)), np.int64(load64(b, at + 32))
    s[PSEUDO] = add_up(b, at + 8, 32)
    s[LENGTH] = length if length > 0 else stop - at - _IPV6_HEADER
    s[FRAGMENT_AT] = s[FRAGMENT_MORE] = 0
    at += _IPV6_HEADER
    while kind in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION_OPTIONS):
        step = _extension(b, s, m, kind, at, stop)
        if step == 0:
            return
        following = load8(b, at)
        s[LENGTH] = max(s[LENGTH] - step, 0)
        at += step
        if kind == _FRAGMENT and (s[FRAGMENT_AT] > 0 or s[FRAGMENT_MORE] > 0):
            fragment(b, s, m, c, h, t, f, g, following, at, stop)
            return
        kind = following
    transport(b, s, m, c, h, t, kind, at, stop)


@kernel
def _extension(b: Bytes, s: State, m: Bytes, kind: int, at: int, end: int) -> int:
    """Take one extension header and return its length, 0 when it was cut."""
    if end - at < _EXTENSION:
        forgo(b, s, m, at, end)
        return 0
    length = _EXTENSION
    if kind == _AUTHENTICATION:
        length += load8(b, at + 1) * 4
    elif kind != _FRAGMENT:
        length += load8(b, at + 1) * 8
    stop = min(end, at + length)
    if kind == _AUTHENTICATION:
        forgo(b, s, m, min(at + _AUTHENTICATION_FIXED, stop), stop)  # a digest of the payload
    elif kind in (_HOP_BY_HOP, _DESTINATION_OPTIONS):
        _ipv6_options(b, s, m, at + 2, stop)
    elif kind == _ROUTING:
        if load8(b, at + 2) not in (0, 2, 3, 4):
            forgo(b, s, m, at + 4, stop)
    else:
        word = load16(b, at + 2)
        s[FRAGMENT_AT], s[FRAGMENT_MORE] = word & _OFFSET_IPV6, word & 1
        s[FRAGMENT_ID] = load32(b, at + 4)
    return length if end - at >= length else 0


@kernel
def _ipv6_options(b: Bytes, s: State, m: Bytes, at: int, end: int) -> None:
    """Keep tunnel limit, router alert, quick start, jumbo length and home address; zero the rest."""
    while at < end:
        kind = load8(b, at)
        if kind == 0:
            at += 1
            continue
        if at + 2 > end or at + 2 + load8(b, at + 1) > end:
            forgo(b, s, m, at, end)
            return
        stop = at + 2 + load8(b, at + 1)
        if kind not in (4, 5, 0x26, 0xC2, 0xC9):
            forgo(b, s, m, at + 2, stop)
        at = stop


@kernel
def _arp(b: Bytes, s: State, m: Bytes, at: int, end: int) -> None:
    """ARP and RARP (RFC 826): addresses of both sides, then nothing."""
    if end - at < _ARP_FIXED:
        forgo(b, s, m, at, end)
        return
    length = _ARP_FIXED + 2 * (load8(b, at + 4) + load8(b, at + 5))
    # Longer addresses than those of Ethernet and IPv6 could be anything.
    forgo(b, s, m, min(end, at + (length if length <= _ARP_FIXED + 2 * (8 + 16) else _ARP_FIXED)), end)


@kernel
def _network(
    b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, f: State, g: State, kind: int, at: int, end: int
) -> None:
    """What an ethertype says."""
    while kind in (VLAN, PROVIDER_VLAN, OLD_PROVIDER_VLAN) and end - at >= _TAG:
        kind = load16(b, at + 2)
        at += _TAG
    if kind == IPV4:
        _ipv4(b, s, m, c, h, t, f, g, at, end)
    elif kind == IPV6:
        _ipv6(b, s, m, c, h, t, f, g, at, end)
    elif kind in (ARP, RARP):
        _arp(b, s, m, at, end)
    else:
        forgo(b, s, m, at, end)


@kernel
def _cooked(b: Bytes, s: State, m: Bytes, at: int, end: int, length: int) -> None:
    """Room for a link-layer address, of which `length` bytes are one."""
    forgo(b, s, m, at + min(length, _ADDRESS_ROOM), min(end, at + _ADDRESS_ROOM))


@kernel
def _packet(
    b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, f: State, g: State, link: int, at: int, end: int
) -> None:
    """A packet, by its link type; a type that is not named here is not understood, and all foreign."""
    if link == LINK_ETHERNET:
        header, kind = _ETHERNET_HEADER, load16(b, at + 12) if end - at >= _ETHERNET_HEADER else 0
    elif link == LINK_LINUX_SLL:
        header, kind = _SLL_HEADER, load16(b, at + 14) if end - at >= _SLL_HEADER else 0
        if end - at >= _SLL_HEADER:
            _cooked(b, s, m, at + 6, end, load16(b, at + 4))
    elif link == LINK_LINUX_SLL2:
        header, kind = _SLL2_HEADER, load16(b, at) if end - at >= _SLL2_HEADER else 0
        if end - at >= _SLL2_HEADER:
            _cooked(b, s, m, at + 12, end, load8(b, at + 11))
    elif link in (LINK_NULL, LINK_LOOP):
        header, kind = _TAG, _UNKNOWN
        if end - at >= _TAG and min(load32(b, at), load32_little(b, at)) in (2, 10, 24, 28, 30):
            kind = _ip_kind(b, at + _TAG, end)
    elif link in (LINK_RAW, LINK_RAW_DLT_12, LINK_RAW_DLT_14, LINK_IPV4, LINK_IPV6):
        header, kind = 0, _ip_kind(b, at, end)
    else:
        header, kind = 0, _UNKNOWN
    if end - at < header:
        forgo(b, s, m, at, end)
    else:
        _network(b, s, m, c, h, t, f, g, kind, at + header, end)


@entry
def index_records(
    window: Bytes,
    records: State,
    state: State,
    marks: Bytes,
    connections: State,
    slots: State,
    segments: State,
    fragments: State,
    foreign: State,
    first: int,
    count: int,
) -> int:
    """Index the records from `first` on; return how far it came: not to `count` when a table is full."""
    b, r, s, m = pointer(window), pointer(records), pointer(state), pointer(marks)
    c, h, t = pointer(connections), pointer(slots), pointer(segments)
    f, g = pointer(fragments), pointer(foreign)
    for index in range(first, count):
        if s[ROWS] + ROOM_AHEAD > s[ROW_ROOM] or s[FOREIGN] + ROOM_AHEAD > s[FOREIGN_ROOM]:
            return index
        if s[CONNECTIONS] >= s[CONNECTION_ROOM] or s[PENDING] >= s[PENDING_ROOM]:
            return index
        i = index * RECORD_COLUMNS
        s[PACKET] += 1
        _packet(b, s, m, c, h, t, f, g, r[i + RECORD_LINK_TYPE], r[i + RECORD_BEGIN], r[i + RECORD_END])
    return count
