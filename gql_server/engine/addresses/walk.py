"""The walk through a packet, from the link inwards.

Each layer rewrites its own fields and says what comes next; nothing calls itself. Coming back out, the open levels
are closed from the innermost on, so each checksum takes what changed below it.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, close_level, enter
from gql_server.engine.addresses.icmp import ICMP, ICMPV6, IGMP, icmp, icmpv6, igmp
from gql_server.engine.addresses.ipv4 import ipv4
from gql_server.engine.addresses.ipv6 import ipv6
from gql_server.engine.addresses.layout import (
    CUT,
    DELTA,
    DEPTH,
    ENTER_ETHERNET,
    ENTER_LLC,
    ENTER_PROTOCOL,
    FRAGMENT,
    FULL,
    NEXT,
    NEXT_AT,
    NEXT_END,
    NOTHING,
    OPAQUE,
    PACKETS_CUT,
    PACKETS_OPAQUE,
    STACK_ROOM,
    VERSION,
)
from gql_server.engine.addresses.links import (
    ARP,
    BRIDGED_ETHERNET,
    IPV4,
    IPV6,
    MPLS,
    MPLS_UPSTREAM,
    OLD_PROVIDER_VLAN,
    PPPOE_SESSION,
    PROVIDER_VLAN,
    RARP,
    VLAN,
    arp,
    enter_link,
    ethernet,
    is_known_link,
    llc,
    mpls,
    pppoe,
    vlan,
)
from gql_server.engine.addresses.transport import TCP, UDP, keep, tcp, udp
from gql_server.engine.addresses.tunnels import GRE, gre
from gql_server.engine.capture.records import RECORD_BEGIN, RECORD_COLUMNS, RECORD_END, RECORD_LINK_TYPE
from gql_server.engine.compilation import Bytes, State, Words, entry, kernel
from gql_server.engine.memory import pointer

WALKED: Final = 0
NO_ROOM: Final = 1
UNKNOWN_LINK: Final = 2

PACKET_LIMIT: Final = 1 << 20
"""What a packet holds beyond this is zeroed; so the addresses of one packet always fit the tables."""

_IPV4_IN_IP: Final = 4
_IPV6_IN_IP: Final = 41
_MPLS_IN_IP: Final = 137
_ETHERNET_IN_IP: Final = 143
_HEADER_REACH: Final = 128
"""A later fragment that begins before this may hold part of a header."""


@kernel
def _protocol(  # noqa: C901  # one arm a protocol
    b: Bytes, s: State, w: Words, protocol: int, at: int, end: int, wet: bool
) -> None:
    """Walk what IP carries."""
    if protocol == TCP:
        tcp(b, s, at, end, wet)
    elif protocol == UDP:
        udp(b, s, w, at, end, wet)
    elif protocol == ICMP and s[VERSION] == 4:  # noqa: PLR2004  # the version
        icmp(b, s, w, at, end, wet)
    elif protocol == ICMPV6 and s[VERSION] == 6:  # noqa: PLR2004  # the version
        icmpv6(b, s, w, at, end, wet)
    elif protocol == IGMP:
        igmp(b, s, w, at, end, wet)
    elif protocol == GRE:
        gre(b, s, at, end, wet)
    elif protocol == _IPV4_IN_IP:
        enter(s, IPV4, at, end)
    elif protocol == _IPV6_IN_IP:
        enter(s, IPV6, at, end)
    elif protocol == _MPLS_IN_IP:
        enter(s, MPLS, at, end)
    elif protocol == _ETHERNET_IN_IP:
        enter(s, ENTER_ETHERNET, at, end)
    else:
        blank(b, s, at, end, OPAQUE, wet)


@kernel
def _later_fragment(b: Bytes, s: State, protocol: int, at: int, end: int, wet: bool) -> None:
    """The rest of a datagram: payload, if it is far enough from the headers of a protocol whose payload is kept."""
    if s[FRAGMENT] >= _HEADER_REACH and protocol in (TCP, UDP, ICMP, ICMPV6):
        keep(s, at, end, wet)
    else:
        blank(b, s, at, end, OPAQUE, wet)


@kernel
def _layer(  # noqa: C901  # one arm a layer
    b: Bytes, s: State, w: Words, kind: int, at: int, end: int, wet: bool
) -> None:
    """Walk one layer."""
    if kind >= ENTER_PROTOCOL:
        if s[FRAGMENT] > 0:
            _later_fragment(b, s, kind - ENTER_PROTOCOL, at, end, wet)
        else:
            _protocol(b, s, w, kind - ENTER_PROTOCOL, at, end, wet)
    elif kind == IPV4:
        ipv4(b, s, w, at, end, wet)
    elif kind == IPV6:
        ipv6(b, s, w, at, end, wet)
    elif kind in (ENTER_ETHERNET, BRIDGED_ETHERNET):
        ethernet(b, s, w, at, end, wet)
    elif kind in (VLAN, PROVIDER_VLAN, OLD_PROVIDER_VLAN):
        vlan(b, s, at, end, wet)
    elif kind in (ARP, RARP):
        arp(b, s, w, at, end, wet)
    elif kind == ENTER_LLC:
        llc(b, s, at, end, wet)
    elif kind in (MPLS, MPLS_UPSTREAM):
        mpls(b, s, at, end)
    elif kind == PPPOE_SESSION:
        pppoe(b, s, at, end, wet)
    else:
        blank(b, s, at, end, OPAQUE, wet)


@kernel
def _walk(b: Bytes, s: State, w: Words, begin: int, end: int, link: int, wet: bool) -> None:
    """Walk one packet."""
    s[DELTA] = s[DEPTH] = s[OPAQUE] = s[CUT] = 0
    s[NEXT] = NOTHING
    stop = min(end, begin + PACKET_LIMIT)
    blank(b, s, stop, end, OPAQUE, wet)
    enter_link(b, s, w, link, begin, stop, wet)
    while s[NEXT] != NOTHING:
        kind, at, stop = s[NEXT], s[NEXT_AT], s[NEXT_END]
        s[NEXT] = NOTHING
        if s[DEPTH] + 2 > STACK_ROOM:
            blank(b, s, at, stop, OPAQUE, wet)
        else:
            _layer(b, s, w, kind, at, stop, wet)
    while s[DEPTH] > 0:
        close_level(b, s, wet)
    if wet:
        s[PACKETS_OPAQUE] += s[OPAQUE]
        s[PACKETS_CUT] += s[CUT]


@entry
def walk_records(
    window: Bytes, records: State, state: State, words: Words, first: int, count: int, wet: bool
) -> tuple[int, int]:
    """Walk the records from `first` on; return how far it came and why it stopped.

    Dry, it notes new addresses and stops when there is no room for those of a packet. Wet, it rewrites.
    """
    b, r, s, w = pointer(window), pointer(records), pointer(state), pointer(words)
    for index in range(first, count):
        i = index * RECORD_COLUMNS
        link = r[i + RECORD_LINK_TYPE]
        if not is_known_link(link):
            return index, UNKNOWN_LINK
        s[FULL] = 0
        _walk(b, s, w, r[i + RECORD_BEGIN], r[i + RECORD_END], link, wet)
        if s[FULL] != 0 and not wet:
            return index, NO_ROOM
    return count, WALKED
