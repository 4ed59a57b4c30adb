"""Kernels that read TCP, UDP and packets inside packets.

RFC 9293, RFC 768; GRE (RFC 2784, RFC 2890), VXLAN (RFC 7348), Geneve (RFC 8926) and GTP-U (3GPP TS 29.281).
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16
from gql_server.engine.verify.claims import checksum, enter, payload, remnant, same, skip_to
from gql_server.engine.verify.hosts import read_dhcp
from gql_server.engine.verify.layout import (
    CURSOR,
    PAYLOAD,
    PAYLOAD_KEEP,
    PAYLOAD_LENGTH,
    READ_ETHERNET,
    SHIFT,
    STOP,
    VERSION,
)
from gql_server.engine.verify.links import read_by_version
from gql_server.engine.verify.names import read_dns
from gql_server.engine.verify.sums import compare_sums, is_whole, transport_sum

TCP: Final = 6
UDP: Final = 17
GRE: Final = 47
_NAMES: Final = (53, 5353, 5355)
"""DNS, multicast DNS, LLMNR."""
_DHCP: Final = (67, 68)
_VXLAN: Final = (4789, 8472)
"""With its Linux port."""
_GENEVE: Final = 6081
_GTP: Final = 2152


@kernel
def read_tcp(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read a TCP segment."""
    if end - at < 18:  # noqa: PLR2004  # what reaches over the checksum
        remnant(a, o, s, at, min(at + 16, end))
        return
    header = (load8(a, at + 12) >> 4) * 4
    transport_sum(a, o, s, TCP, at + 16, at, at + max(header, 20), end, s[PAYLOAD_LENGTH])
    same(a, o, s, at, 16)
    checksum(a, o, s, at + 16)
    same(a, o, s, at + 18, min(2, end - at - 18))
    if header >= 20:  # noqa: PLR2004  # the header
        _read_tcp_options(a, o, s, at + 20, min(end, at + header))
        if at + header < end:
            skip_to(a, o, s, at + header)
            payload(a, o, s, end)


@kernel
def _read_tcp_options(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    while at < end:
        kind = load8(a, at)
        if kind == 1:
            same(a, o, s, at, 1)
            at += 1
            continue
        length = load8(a, at + 1) if at + 2 <= end else 0
        if kind == 0 or length < 2 or at + length > end:  # noqa: PLR2004  # kind and length
            return
        # Those of RFC 9293, RFC 2018, RFC 7323 and before; user timeout, fast open; multipath TCP.
        harmless = kind <= 8 or kind in (28, 34)  # noqa: PLR2004  # timestamps
        if kind == 30 and length > 2:  # noqa: PLR2004  # all but ADD_ADDR (RFC 8684)
            harmless = load8(a, at + 2) >> 4 != 3  # noqa: PLR2004  # ADD_ADDR
        same(a, o, s, at, length if harmless else 2)
        at += length


@kernel
def read_udp(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read a UDP datagram."""
    if end - at < 8:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 6, end))
        return
    length = load16(a, at + 4)
    stop = min(end, at + length) if length >= 8 else end  # noqa: PLR2004  # the header
    if at + 8 <= s[STOP] and (load16(a, at + 6) != 0 or load16(o, at + 6 + s[SHIFT]) != 0):
        known = 8 <= length <= s[PAYLOAD_LENGTH]  # noqa: PLR2004  # the header
        transport_sum(a, o, s, UDP, at + 6, at, at + 8, stop, length if known else -1)
    same(a, o, s, at, 6)
    checksum(a, o, s, at + 6)
    source, destination = load16(a, at), load16(a, at + 2)
    at += 8
    if _read_tunnel(a, o, s, destination, at, stop) or is_left_out(source) or is_left_out(destination):
        return
    skip_to(a, o, s, at)
    if s[PAYLOAD] == PAYLOAD_KEEP:
        if source in _NAMES or destination in _NAMES:
            read_dns(a, o, s, w, at, stop)
        elif s[VERSION] == 4 and source in _DHCP and destination in _DHCP:  # noqa: PLR2004  # the version
            read_dhcp(a, o, s, w, at, stop)
    payload(a, o, s, stop)


@kernel
def is_left_out(port: int) -> bool:
    """Say whether a port belongs to a tunnel that nobody reads.

    L2TP, Teredo, LISP, GRE in UDP, VXLAN-GPE, GUE, MPLS in UDP.
    """
    return port in (1701, 3544, 4341, 4754, 4790, 6080, 6635)


@kernel
def is_read_further(port: int) -> bool:
    """Say whether what a datagram carries may be more than payload, by one of its ports."""
    return is_left_out(port) or port in _NAMES or port in _DHCP or port in _VXLAN or port in (_GENEVE, _GTP)


@kernel
def _read_tunnel(a: Bytes, o: Bytes, s: State, port: int, at: int, end: int) -> bool:
    if port in _VXLAN:
        if end - at < 8 or not load8(a, at) & 8:  # noqa: PLR2004  # the header; the flag of a valid id
            return False
        same(a, o, s, at, 8)
        enter(s, READ_ETHERNET, at + 8, end)
        return True
    if port == _GENEVE:
        if end - at < 8 or load8(a, at) >> 6 != 0:  # noqa: PLR2004  # the header; the version
            return False
        same(a, o, s, at, 8)
        inner = at + 8 + (load8(a, at) & 0x3F) * 4
        if inner <= end:
            enter(s, load16(a, at + 2), inner, end)
        return True
    return port == _GTP and _read_gtp(a, o, s, at, end)


@kernel
def _read_gtp(a: Bytes, o: Bytes, s: State, at: int, end: int) -> bool:
    if end - at < 8 or load8(a, at) >> 4 != 3:  # noqa: PLR2004  # version 1, protocol GTP
        return False
    flags = load8(a, at)
    inner = at + 8 + (4 if flags & 7 else 0)
    same(a, o, s, at, 8)
    if load8(a, at + 1) == 0xFF and not flags & 4 and inner <= end:  # noqa: PLR2004  # user data
        same(a, o, s, at + 8, inner - at - 8)
        read_by_version(a, s, inner, end)
    return True


@kernel
def read_gre(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read a GRE header."""
    if end - at < 4 or load8(a, at) & 0x40 or load8(a, at + 1) & 7:  # noqa: PLR2004  # RFC 1701 routing, version 1
        return
    flags = load8(a, at)
    fields = (flags >> 7) + ((flags >> 5) & 1) + ((flags >> 4) & 1)
    inner = at + 4 + 4 * fields
    same(a, o, s, at, 4)
    if inner > end:
        return
    if flags & 0x80:
        compare_sums(a, o, s, at + 4, at, at + 8, end, is_whole(s, at, end), 0, 0)
        checksum(a, o, s, at + 4)
        same(a, o, s, at + 6, 2)
    same(a, o, s, max(at + 4, s[CURSOR]), inner - max(at + 4, s[CURSOR]))
    enter(s, load16(a, at + 2), inner, end)
