"""Kernels that read ICMP, ICMPv6 and IGMP.

RFC 792, RFC 4443, RFC 3376; with neighbor discovery (RFC 4861, RFC 4191, RFC 8106) and listener discovery (RFC 3810).
Quoted packets are read like any other; extensions behind them (RFC 4884) are read by nobody.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16
from gql_server.engine.verify.claims import checksum, enter, payload, remnant, same
from gql_server.engine.verify.fields import ipv4_address, ipv6_address, ipv6_prefix, mac_address
from gql_server.engine.verify.layout import NEXT, NOTHING, PAYLOAD_LENGTH, RESUME_AT, RESUME_END
from gql_server.engine.verify.links import IPV4, IPV6
from gql_server.engine.verify.sums import compare_sums, is_whole, transport_sum

ICMP: Final = 1
IGMP: Final = 2
ICMPV6: Final = 58


@kernel
def read_icmp(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read an ICMP message."""
    if end - at < 8:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 2, end))
        return
    kind = load8(a, at)
    compare_sums(a, o, s, at + 2, at, at + 8, end, is_whole(s, at, end), 0, 0)
    same(a, o, s, at, 2)
    checksum(a, o, s, at + 2)
    if kind in (0, 8):  # echo
        same(a, o, s, at + 4, 4)
        payload(a, o, s, end)
    elif kind in (3, 4, 11, 12):  # unreachable, quench, time exceeded, parameter problem
        same(a, o, s, at + 4, 4)
        _read_quote(a, s, IPV4, load8(a, at + 5) * 4 if kind != 4 else 0, at + 8, end)  # noqa: PLR2004  # quench
    elif kind == 5:  # noqa: PLR2004  # redirect
        ipv4_address(a, o, s, w, at + 4)
        _read_quote(a, s, IPV4, 0, at + 8, end)
    elif kind == 9:  # noqa: PLR2004  # router advertisement (RFC 1256)
        same(a, o, s, at + 4, 4)
        for i in range(min(load8(a, at + 4), (end - at - 4) // 8)):
            ipv4_address(a, o, s, w, at + 8 + 8 * i)
            same(a, o, s, at + 12 + 8 * i, min(4, end - at - 12 - 8 * i))
    elif kind in (10, 13, 14, 17, 18):  # router solicitation, timestamps, masks
        length = 20 if kind in (13, 14) else 12 if kind in (17, 18) else 8
        same(a, o, s, at + 4, min(length, end - at) - 4)


@kernel
def _read_quote(a: Bytes, s: State, kind: int, length: int, at: int, end: int) -> None:
    """Enter a quoted packet; older senders put an extension behind its first 128 bytes."""
    stop = end
    if length > 0:
        stop = min(end, at + length)
    elif end - at >= 132 and load16(a, at + 128) == 0x2000:  # noqa: PLR2004  # the version of extensions
        stop = at + 128
    enter(s, kind, at, stop)


@kernel
def read_icmpv6(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read an ICMPv6 message."""
    if end - at < 4:  # noqa: PLR2004  # up to the checksum
        remnant(a, o, s, at, min(at + 2, end))
        return
    kind = load8(a, at)
    transport_sum(a, o, s, ICMPV6, at + 2, at, at + 4, end, s[PAYLOAD_LENGTH])
    same(a, o, s, at, 2)
    checksum(a, o, s, at + 2)
    if end - at < 8:  # noqa: PLR2004  # the header
        return
    if 1 <= kind <= 4:  # noqa: PLR2004  # errors; two of them tell the length of the quote
        same(a, o, s, at + 4, 4)
        _read_quote(a, s, IPV6, load8(a, at + 4) * 8 if kind in (1, 3) else 0, at + 8, end)
    elif kind in (128, 129):  # echo
        same(a, o, s, at + 4, 4)
        payload(a, o, s, end)
    elif 133 <= kind <= 137:  # noqa: PLR2004  # neighbor discovery
        same(a, o, s, at + 4, 4)
        _read_neighbor(a, o, s, w, kind, at, end)
    elif 130 <= kind <= 132:  # noqa: PLR2004  # listener discovery
        same(a, o, s, at + 4, 4)
        _read_listener(a, o, s, w, kind, at, end)
    elif kind == 143:  # noqa: PLR2004  # its version 2
        same(a, o, s, at + 4, 4)
        _read_groups(a, o, s, w, at, end, 16)


@kernel
def _read_neighbor(a: Bytes, o: Bytes, s: State, w: Words, kind: int, at: int, end: int) -> None:
    fixed = 8 if kind == 133 else 16 if kind == 134 else 40 if kind == 137 else 24  # noqa: PLR2004  # by type
    if end - at < fixed:
        return
    if kind == 134:  # noqa: PLR2004  # router advertisement
        same(a, o, s, at + 8, 8)
    if kind >= 135:  # noqa: PLR2004  # those with a target
        ipv6_address(a, o, s, w, at + 8)
    if kind == 137:  # noqa: PLR2004  # redirect
        ipv6_address(a, o, s, w, at + 24)
    read_neighbor_options(a, o, s, w, at + fixed, end)


@kernel
def read_neighbor_options(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read options up to a redirected packet, behind which they go on later."""
    while end - at >= 8:  # noqa: PLR2004  # lengths count in units of 8 bytes
        kind, length = load8(a, at), load8(a, at + 1) * 8
        if length == 0 or at + length > end:
            return
        stop = at + length
        same(a, o, s, at, 2)
        if kind in (1, 2) and length == 8:  # noqa: PLR2004  # link-layer addresses
            mac_address(a, o, s, w, at + 2)
        elif kind == 3 and length == 32:  # noqa: PLR2004  # prefix information
            same(a, o, s, at + 2, 14)
            ipv6_prefix(a, o, s, w, at + 16, load8(a, at + 2))
        elif kind == 24 and length == 24:  # noqa: PLR2004  # route information
            same(a, o, s, at + 2, 6)
            ipv6_prefix(a, o, s, w, at + 8, load8(a, at + 2))
        elif kind == 25:  # noqa: PLR2004  # recursive DNS servers
            same(a, o, s, at + 2, 6)
            for place in range(at + 8, stop - 15, 16):
                ipv6_address(a, o, s, w, place)
        elif kind in (5, 14) or (kind == 24 and length == 8):  # noqa: PLR2004  # MTU, nonce, the default route
            same(a, o, s, at + 2, length - 2)
        elif kind == 4:  # noqa: PLR2004  # redirected header
            same(a, o, s, at + 2, 6)
            s[RESUME_AT], s[RESUME_END] = stop, end
            enter(s, IPV6, at + 8, stop)
            return
        at = stop


@kernel
def _read_listener(a: Bytes, o: Bytes, s: State, w: Words, kind: int, at: int, end: int) -> None:
    if end - at < 24:  # noqa: PLR2004  # with the group
        return
    ipv6_address(a, o, s, w, at + 8)
    if kind == 130 and end - at >= 28:  # noqa: PLR2004  # a query of version 2
        same(a, o, s, at + 24, 4)
        for i in range(min(load16(a, at + 26), (end - at - 28) // 16)):
            ipv6_address(a, o, s, w, at + 28 + 16 * i)


@kernel
def _address(a: Bytes, o: Bytes, s: State, w: Words, at: int, size: int) -> None:
    if size == 4:  # noqa: PLR2004  # IPv4
        ipv4_address(a, o, s, w, at)
    else:
        ipv6_address(a, o, s, w, at)


@kernel
def _read_groups(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int, size: int) -> None:
    """Read the group records of a report."""
    groups = load16(a, at + 6)
    at += 8
    while groups > 0 and end - at >= 4 + size:
        extra, sources = load8(a, at + 1) * 4, load16(a, at + 2)
        same(a, o, s, at, 4)
        _address(a, o, s, w, at + 4, size)
        at += 4 + size
        while sources > 0 and at + size <= end:
            _address(a, o, s, w, at, size)
            at += size
            sources -= 1
        at = min(end, at + extra)
        groups -= 1


@kernel
def read_igmp(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read an IGMP message."""
    if end - at < 8:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 2, end))
        return
    kind = load8(a, at)
    compare_sums(a, o, s, at + 2, at, at + 8, end, is_whole(s, at, end), 0, 0)
    same(a, o, s, at, 2)
    checksum(a, o, s, at + 2)
    if kind in (0x11, 0x12, 0x16, 0x17):  # query, reports of version 1 and 2, leave
        ipv4_address(a, o, s, w, at + 4)
        if kind == 0x11 and end - at >= 12:  # noqa: PLR2004  # a query of version 3
            same(a, o, s, at + 8, 4)
            for i in range(min(load16(a, at + 10), (end - at - 12) // 4)):
                ipv4_address(a, o, s, w, at + 12 + 4 * i)
    elif kind == 0x22:  # noqa: PLR2004  # a report of version 3
        same(a, o, s, at + 4, 4)
        _read_groups(a, o, s, w, at, end, 4)


@kernel
def resume(a: Bytes, o: Bytes, s: State, w: Words) -> None:
    """Go on behind a redirected packet."""
    if s[NEXT] == NOTHING and s[RESUME_AT] > 0:
        at = s[RESUME_AT]
        s[RESUME_AT] = 0
        read_neighbor_options(a, o, s, w, at, s[RESUME_END])
