"""The reading of packets, original and output side by side."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8
from gql_server.engine.verify.claims import is_zero, payload, skip_to, unclaimed
from gql_server.engine.verify.control import (
    ICMP,
    ICMPV6,
    IGMP,
    read_icmp,
    read_icmpv6,
    read_igmp,
    resume,
)
from gql_server.engine.verify.layout import (
    CHANGED,
    CURSOR,
    FRAGMENT,
    GROWS,
    INTERFACES,
    JUDGED_AT,
    JUDGED_END,
    LENGTHS,
    NARROW_LIMIT,
    NARROW_USED,
    NEXT,
    NEXT_AT,
    NEXT_END,
    NOTHING,
    NUMBER,
    PACKET_BEGIN,
    PACKET_COLUMNS,
    PACKET_END,
    PACKET_FACE,
    PACKET_HIGH,
    PACKET_JUDGED_AT,
    PACKET_JUDGED_END,
    PACKET_KIND,
    PACKET_LINK,
    PACKET_LOW,
    PACKET_ORIGINAL,
    PARTS,
    PAYLOAD,
    PAYLOAD_LENGTH,
    PAYLOAD_TRUNCATE,
    READ_LLC,
    READ_PROTOCOL,
    RESUME_AT,
    SAME_AT,
    SAME_END,
    SHIFT,
    STOP,
    TAKE_PLAIN,
    TIMES,
    UNKNOWN,
    VERSION,
    WIDE_LIMIT,
    WIDE_USED,
)
from gql_server.engine.verify.links import (
    ARP,
    IPV4,
    IPV6,
    LINK_ETHERNET,
    MPLS,
    MPLS_MULTICAST,
    OLD_PROVIDER_VLAN,
    PPPOE,
    PROVIDER_VLAN,
    RARP,
    VLAN,
    is_ethernet,
    read_arp,
    read_ethernet,
    read_link,
    read_llc,
    read_mpls,
    read_pppoe,
    read_vlan,
)
from gql_server.engine.verify.network import read_ipv4, read_ipv6
from gql_server.engine.verify.plain_packets import read_plain
from gql_server.engine.verify.transport import GRE, TCP, UDP, read_gre, read_tcp, read_udp

READ_LIMIT: Final = 1 << 20
"""Nobody reads further into a packet."""
_HEADER_REACH: Final = 128
"""A later fragment that begins before this may hold part of a header."""


@kernel
def _read_protocol(a: Bytes, o: Bytes, s: State, w: Words, protocol: int, at: int, end: int) -> None:
    """Read what IP carries."""
    if s[FRAGMENT] > 0:
        if s[FRAGMENT] >= _HEADER_REACH and protocol in (TCP, UDP, ICMP, ICMPV6):
            skip_to(a, o, s, at)
            payload(a, o, s, end)
    elif protocol == TCP:
        read_tcp(a, o, s, at, end)
    elif protocol == UDP:
        read_udp(a, o, s, w, at, end)
    elif protocol == ICMP and s[VERSION] == 4:  # noqa: PLR2004  # the version
        read_icmp(a, o, s, w, at, end)
    elif protocol == ICMPV6 and s[VERSION] == 6:  # noqa: PLR2004  # the version
        read_icmpv6(a, o, s, w, at, end)
    elif protocol == IGMP:
        read_igmp(a, o, s, w, at, end)
    elif protocol == GRE:
        read_gre(a, o, s, at, end)
    else:
        _read_inner(s, protocol, at, end)


@kernel
def _read_inner(s: State, protocol: int, at: int, end: int) -> None:
    """Enter a packet that IP carries without more ado (RFC 2003, RFC 4213, RFC 4023, RFC 3378)."""
    kind = NOTHING
    if protocol == 4:  # noqa: PLR2004  # IPv4
        kind = IPV4
    elif protocol == 41:  # noqa: PLR2004  # IPv6
        kind = IPV6
    elif protocol == 137:  # noqa: PLR2004  # MPLS
        kind = MPLS
    elif protocol == 143:  # noqa: PLR2004  # Ethernet
        kind = 0x6558
    s[NEXT], s[NEXT_AT], s[NEXT_END] = kind, at, end


@kernel
def _read_layer(a: Bytes, o: Bytes, s: State, w: Words, kind: int, at: int, end: int) -> None:  # one arm a layer
    if kind >= READ_PROTOCOL:
        _read_protocol(a, o, s, w, kind - READ_PROTOCOL, at, end)
    elif kind == IPV4:
        read_ipv4(a, o, s, w, at, end)
    elif kind == IPV6:
        read_ipv6(a, o, s, w, at, end)
    elif is_ethernet(kind):
        read_ethernet(a, o, s, w, at, end)
    elif kind in (VLAN, PROVIDER_VLAN, OLD_PROVIDER_VLAN):
        read_vlan(a, o, s, at, end)
    elif kind in (ARP, RARP):
        read_arp(a, o, s, w, at, end)
    elif kind == READ_LLC:
        read_llc(a, o, s, at, end)
    elif kind in (MPLS, MPLS_MULTICAST):
        read_mpls(a, o, s, at, end)
    elif kind == PPPOE:
        read_pppoe(a, o, s, at, end)


@kernel
def _is_blank(a: Bytes, o: Bytes, s: State, at: int, end: int) -> bool:
    """Say whether a layer was made zero: then nobody reads it, whatever it was."""
    stop = min(end, at + 8, s[STOP])
    if at >= stop or load8(o, at + s[SHIFT]) != 0:
        return False
    return is_zero(o, at + s[SHIFT], stop + s[SHIFT]) and not is_zero(a, at, stop)


@kernel
def read_packet(a: Bytes, o: Bytes, s: State, w: Words, link: int, at: int, end: int) -> None:
    """Read one packet; `end` is its end in the original, STOP that in the output."""
    s[CURSOR], s[NEXT], s[RESUME_AT] = at, NOTHING, 0
    s[FRAGMENT], s[PARTS], s[PAYLOAD_LENGTH] = 0, 0, -1
    # Places count in the window: in the next one they are those of other bytes.
    s[SAME_AT], s[SAME_END] = 0, 0
    last = min(end, at + READ_LIMIT)
    if not _is_blank(a, o, s, at, last):
        read_link(a, o, s, w, link, at, last)
    while s[NEXT] != NOTHING:
        kind, place, stop = s[NEXT], s[NEXT_AT], s[NEXT_END]
        s[NEXT] = NOTHING
        if not _is_blank(a, o, s, place, stop):
            _read_layer(a, o, s, w, kind, place, stop)
        resume(a, o, s, w)
    unclaimed(a, o, s, s[STOP])


@kernel
def _compare_lengths(s: State, r: State, q: State, i: int, j: int) -> None:
    """Compare what the records say of two packets."""
    length, kept = r[i + PACKET_END] - r[i + PACKET_BEGIN], q[j + PACKET_END] - q[j + PACKET_BEGIN]
    shortened = kept < length and s[PAYLOAD] == PAYLOAD_TRUNCATE
    s[LENGTHS] += (kept != length and not shortened) or r[i + PACKET_ORIGINAL] != q[j + PACKET_ORIGINAL]
    s[TIMES] += r[i + PACKET_HIGH] != q[j + PACKET_HIGH] or r[i + PACKET_LOW] != q[j + PACKET_LOW]
    s[INTERFACES] += r[i + PACKET_FACE] != q[j + PACKET_FACE] or r[i + PACKET_KIND] != q[j + PACKET_KIND]
    if kept > length:
        s[UNKNOWN] += kept - length
        s[CHANGED] += kept - length


@kernel
def read_packets(a: Bytes, o: Bytes, r: State, q: State, s: State, w: Words, first: int, other: int, count: int) -> int:
    """Read `count` packets of both files from `first` and `other` on; return how many, fewer when tables must grow."""
    for n in range(count):
        i, j = (first + n) * PACKET_COLUMNS, (other + n) * PACKET_COLUMNS
        begin, end = r[i + PACKET_BEGIN], r[i + PACKET_END]
        # A packet holds no more addresses than this.
        room = (end - begin) // 4 + 4
        if s[GROWS] and (s[NARROW_USED] + room > s[NARROW_LIMIT] or s[WIDE_USED] + room > s[WIDE_LIMIT]):
            return n
        s[NUMBER] += 1
        _compare_lengths(s, r, q, i, j)
        s[SHIFT] = q[j + PACKET_BEGIN] - begin
        s[STOP] = begin + min(end - begin, q[j + PACKET_END] - q[j + PACKET_BEGIN])
        s[JUDGED_AT], s[JUDGED_END] = r[i + PACKET_JUDGED_AT], r[i + PACKET_JUDGED_END]
        link, is_judged = r[i + PACKET_LINK], s[JUDGED_END] > s[JUDGED_AT]
        may_be_plain = s[TAKE_PLAIN] != 0 and link == LINK_ETHERNET and s[STOP] == end and not is_judged
        if not (may_be_plain and read_plain(a, o, s, w, begin, end)):
            read_packet(a, o, s, w, link, begin, end)
    return count
