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
    COUNTERS,
    CUT,
    CUT_PAYLOAD,
    DEFERRED,
    DELTA,
    DEPTH,
    ENTER_ETHERNET,
    ENTER_LLC,
    ENTER_PROTOCOL,
    ENTER_UNKNOWN,
    FIRST_COUNTER,
    FRAGMENT,
    FULL,
    KEEP_PAYLOAD,
    NEXT,
    NEXT_AT,
    NEXT_END,
    NOTHING,
    OPAQUE,
    PACKET_PAYLOAD,
    PACKET_STOP,
    PACKETS_CUT,
    PACKETS_OPAQUE,
    PAYLOAD,
    SAVED,
    STACK_ROOM,
    TAKE_PLAIN,
    VERSION,
    WAITING,
    ZERO_PAYLOAD,
)
from gql_server.engine.addresses.links import (
    ARP,
    BRIDGED_ETHERNET,
    IPV4,
    IPV6,
    LINK_ETHERNET,
    LINK_IPV4,
    LINK_IPV6,
    LINK_LINUX_SLL,
    LINK_LINUX_SLL2,
    LINK_LOOP,
    LINK_NULL,
    LINK_RADIOTAP,
    LINK_RAW,
    LINK_RAW_DLT_12,
    LINK_RAW_DLT_14,
    LINK_WIRELESS,
    MPLS,
    MPLS_UPSTREAM,
    OLD_PROVIDER_VLAN,
    PPPOE_SESSION,
    PROVIDER_VLAN,
    RARP,
    VLAN,
    arp,
    cooked,
    cooked2,
    ethernet,
    llc,
    loopback,
    mpls,
    pppoe,
    version_type,
    vlan,
)
from gql_server.engine.addresses.payload import payload
from gql_server.engine.addresses.plain_packets import NOT_PLAIN, NOTED, fetch_slots, rewrite_plain
from gql_server.engine.addresses.radiotap import radiotap
from gql_server.engine.addresses.transport import TCP, UDP, tcp, udp
from gql_server.engine.addresses.tunnels import GRE, gre
from gql_server.engine.addresses.wireless import wireless
from gql_server.engine.capture.records import (
    RECORD_BEGIN,
    RECORD_COLUMNS,
    RECORD_END,
    RECORD_HEADER,
    RECORD_LINK_TYPE,
    SIMPLE_HEADER,
)
from gql_server.engine.compilation import Bytes, State, Words, entry, kernel
from gql_server.engine.memory import load8, load64, pointer, prefetch, store8, store64

NOTE: Final = 0
REWRITE: Final = 1
FINISH: Final = 2

AHEAD: Final = 6
"""So many records further on a packet is fetched into the cache."""
AHEAD_OF_SLOTS: Final = 3
CACHE_LINE: Final = 64
SAVED_BYTES: Final = 2048
"""Packets up to this size are rewritten at once; of larger ones the addresses are looked at before."""

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
    """The rest of a datagram: payload, if it is far enough from the headers of a protocol that is understood."""
    if s[FRAGMENT] >= _HEADER_REACH and protocol in (TCP, UDP, ICMP, ICMPV6):
        payload(b, s, at, end, wet)
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
def _enter_link(b: Bytes, s: State, w: Words, link: int, at: int, end: int, wet: bool) -> None:
    """Enter a packet by its link type; of a type that is not understood, all is zeroed."""
    if link == LINK_ETHERNET:
        enter(s, ENTER_ETHERNET, at, end)
    elif link == LINK_LINUX_SLL:
        cooked(b, s, w, at, end, wet)
    elif link == LINK_LINUX_SLL2:
        cooked2(b, s, w, at, end, wet)
    elif link == LINK_WIRELESS:
        wireless(b, s, w, at, end, 0, wet)
    elif link == LINK_RADIOTAP:
        radiotap(b, s, w, at, end, wet)
    elif link in (LINK_NULL, LINK_LOOP):
        loopback(b, s, at, end, wet)
    elif link in (LINK_RAW, LINK_RAW_DLT_12, LINK_RAW_DLT_14, LINK_IPV4, LINK_IPV6):
        enter(s, version_type(b, at, end), at, end)
    else:
        enter(s, ENTER_UNKNOWN, at, end)


@kernel
def _walk(b: Bytes, s: State, w: Words, begin: int, end: int, link: int, wet: bool) -> None:
    """Walk one packet."""
    s[DELTA] = s[DEPTH] = s[OPAQUE] = s[CUT] = 0
    s[NEXT] = NOTHING
    s[PACKET_STOP] = end
    stop = min(end, begin + PACKET_LIMIT)
    blank(b, s, stop, end, OPAQUE, wet)
    _enter_link(b, s, w, link, begin, stop, wet)
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


@kernel
def _copy(source: Bytes, at: int, target: Bytes, to: int, count: int) -> None:
    i = 0
    while count - i >= 8:  # noqa: PLR2004  # a word
        store64(target, to + i, load64(source, at + i))
        i += 8
    while i < count:
        store8(target, to + i, load8(source, at + i))
        i += 1


@kernel
def _save(b: Bytes, s: State, saved: Bytes, begin: int, size: int) -> None:
    """Keep a packet, and the counters that rewriting it changes."""
    _copy(b, begin, saved, 0, size)
    for i in range(COUNTERS):
        s[SAVED + i] = s[FIRST_COUNTER + i]


@kernel
def _restore(b: Bytes, s: State, saved: Bytes, begin: int, size: int) -> None:
    """Take back what was done to a packet."""
    _copy(saved, 0, b, begin, size)
    for i in range(COUNTERS):
        s[FIRST_COUNTER + i] = s[SAVED + i]


@kernel
def _look_ahead(b: Bytes, r: State, s: State, w: Words, d: State, index: int, mode: int) -> None:
    """Have the bytes of later packets in the cache when their turn comes, and the slots of nearer ones."""
    far, near = index + AHEAD, index + AHEAD_OF_SLOTS
    if mode == FINISH:
        far, near = d[far], d[near]
    ahead = r[far * RECORD_COLUMNS + RECORD_BEGIN]
    prefetch(b, ahead)
    prefetch(b, ahead + CACHE_LINE)
    i = near * RECORD_COLUMNS
    fetch_slots(b, s, w, r[i + RECORD_BEGIN], r[i + RECORD_END])


@entry
def walk_records(  # noqa: C901  # one loop with one call of the walk, which every call would add to the code
    window: Bytes,
    records: State,
    state: State,
    words: Words,
    deferred: State,
    saved: Bytes,
    first: int,
    count: int,
    mode: int,
) -> int:
    """Walk the records from `first` on; return how far it came: not to `count` when addresses found no room.

    REWRITE rewrites the packets whose addresses are known, notes the addresses of the others and defers those; FINISH
    rewrites the deferred ones, whose number `count` is. NOTE only notes addresses.

    Most addresses are known, so a packet is rewritten at once and taken back if one was not.
    """
    b, r, s, w = pointer(window), pointer(records), pointer(state), pointer(words)
    d, u = pointer(deferred), pointer(saved)
    plain = mode != NOTE and s[TAKE_PLAIN] != 0 and s[PAYLOAD] == KEEP_PAYLOAD
    for index in range(first, count):
        i = (d[index] if mode == FINISH else index) * RECORD_COLUMNS
        begin, end, link = r[i + RECORD_BEGIN], r[i + RECORD_END], r[i + RECORD_LINK_TYPE]
        if index + AHEAD < count and mode != NOTE:
            _look_ahead(b, r, s, w, d, index, mode)
        s[FULL] = s[WAITING] = 0
        done = rewrite_plain(b, s, w, begin, end) if plain and link == LINK_ETHERNET else NOT_PLAIN
        if done == NOT_PLAIN or (done == NOTED and mode == FINISH):
            # A simple packet block cannot say that a packet was cut.
            fixed = r[i + RECORD_HEADER] == SIMPLE_HEADER and s[PAYLOAD] == CUT_PAYLOAD
            s[PACKET_PAYLOAD] = ZERO_PAYLOAD if fixed else s[PAYLOAD]
            size = end - begin
            wet = mode == FINISH or (mode == REWRITE and size <= SAVED_BYTES)
            if mode == REWRITE and wet:
                _save(b, s, u, begin, size)
            while True:
                _walk(b, s, w, begin, end, link, wet)
                if mode != REWRITE or s[WAITING] != 0 or wet:
                    break
                wet = True
            if mode == REWRITE and wet and s[WAITING] != 0:
                _restore(b, s, u, begin, size)
            elif wet:
                r[i + RECORD_END] = s[PACKET_STOP]
        if s[FULL] != 0 and mode != FINISH:
            return index
        if mode == REWRITE and s[WAITING] != 0:
            d[s[DEFERRED]] = index
            s[DEFERRED] += 1
    return count
