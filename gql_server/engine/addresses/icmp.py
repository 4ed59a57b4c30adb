"""Kernels for ICMP, ICMPv6 and IGMP.

Errors quote the packet they are about; the quote is entered like any packet. RFC 4884 extensions behind it can name
interfaces and addresses: they are not understood.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import (
    blank,
    cut,
    enter,
    open_level,
    rewrite_ipv4,
    rewrite_ipv6,
    rewrite_list4,
    rewrite_list6,
)
from gql_server.engine.addresses.layout import CUT, OPAQUE, PLAIN_CHECKSUM, PSEUDO
from gql_server.engine.addresses.links import IPV4, IPV6
from gql_server.engine.addresses.neighbours import neighbour_options
from gql_server.engine.addresses.payload import payload
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16

ICMP: Final = 1
IGMP: Final = 2
ICMPV6: Final = 58

_HEADER: Final = 8
_CHECKSUM_END: Final = 4

_ECHO_REPLY: Final = 0
_UNREACHABLE: Final = 3
_QUENCH: Final = 4
_REDIRECT: Final = 5
_ECHO: Final = 8
_ROUTER_ADVERTISEMENT: Final = 9
_ROUTER_SOLICITATION: Final = 10
_TIME_EXCEEDED: Final = 11
_PARAMETER_PROBLEM: Final = 12
_TIMESTAMP: Final = 13
_TIMESTAMP_REPLY: Final = 14
_TIMESTAMP_END: Final = 20
_MASK: Final = 17
_MASK_REPLY: Final = 18
_MASK_END: Final = 12
_OLD_QUOTE: Final = 128
"""Quotes of senders older than RFC 4884 end here when an extension follows (its section 5.5)."""
_EXTENSION_START: Final = 0x2000

_ECHO6: Final = 128
_ECHO6_REPLY: Final = 129
_LISTENER_QUERY: Final = 130
_LISTENER_REPORT: Final = 131
_LISTENER_DONE: Final = 132
_ROUTER_SOLICITATION6: Final = 133
_ROUTER_ADVERTISEMENT6: Final = 134
_NEIGHBOUR_SOLICITATION: Final = 135
_NEIGHBOUR_ADVERTISEMENT: Final = 136
_REDIRECT6: Final = 137
_LISTENER_REPORT2: Final = 143
_TARGET_END: Final = 24
_REDIRECT_END: Final = 40
_QUERY2_SOURCES: Final = 28
_GROUP6_FIXED: Final = 20

_QUERY: Final = 0x11
_REPORT1: Final = 0x12
_REPORT2: Final = 0x16
_LEAVE: Final = 0x17
_REPORT3: Final = 0x22
_QUERY3_SOURCES: Final = 12
_GROUP_FIXED: Final = 8


@kernel
def icmp(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """An ICMP message (RFC 792)."""
    if end - at < _HEADER:
        cut(b, s, min(at + 2, end), end, wet)
        return
    kind = load8(b, at)
    open_level(s, at + 2, PLAIN_CHECKSUM, 0)
    if kind in (_ECHO_REPLY, _ECHO):
        payload(b, s, at + _HEADER, end, wet)
    elif kind in (_UNREACHABLE, _QUENCH, _REDIRECT, _TIME_EXCEEDED, _PARAMETER_PROBLEM):
        if kind == _REDIRECT:
            rewrite_ipv4(b, s, w, at + 4, wet)
        length = load8(b, at + 5) * 4 if kind not in (_QUENCH, _REDIRECT) else 0
        _quote(b, s, IPV4, length, at + _HEADER, end, wet)
    elif kind == _ROUTER_ADVERTISEMENT:
        stop = rewrite_list4(b, s, w, at + _HEADER, end, 8, load8(b, at + 4), wet)
        blank(b, s, stop, end, OPAQUE, wet)
    elif kind in (_TIMESTAMP, _TIMESTAMP_REPLY):
        blank(b, s, min(at + _TIMESTAMP_END, end), end, OPAQUE, wet)
    elif kind in (_MASK, _MASK_REPLY):
        blank(b, s, min(at + _MASK_END, end), end, OPAQUE, wet)
    elif kind == _ROUTER_SOLICITATION:
        blank(b, s, at + _HEADER, end, OPAQUE, wet)
    else:
        blank(b, s, at + _CHECKSUM_END, end, OPAQUE, wet)


@kernel
def _quote(b: Bytes, s: State, kind: int, length: int, at: int, end: int, wet: bool) -> None:
    """Enter a quoted packet of a told length, 0 when it is not told; zero the extension behind it."""
    stop = end
    if length > 0:
        stop = min(end, at + length)
    elif end - at >= _OLD_QUOTE + _CHECKSUM_END and load16(b, at + _OLD_QUOTE) == _EXTENSION_START:
        stop = at + _OLD_QUOTE
    blank(b, s, stop, end, OPAQUE, wet)
    enter(s, kind, at, stop)


@kernel
def icmpv6(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """An ICMPv6 message (RFC 4443), with neighbour discovery (RFC 4861) and listener discovery (RFC 3810)."""
    if end - at < _CHECKSUM_END:
        cut(b, s, min(at + 2, end), end, wet)
        return
    kind = load8(b, at)
    open_level(s, at + 2, PLAIN_CHECKSUM, s[PSEUDO])
    if end - at < _HEADER:
        cut(b, s, at + _CHECKSUM_END, end, wet)
    elif 1 <= kind <= 4:  # noqa: PLR2004  # the errors
        # Destination unreachable and time exceeded tell the length of the quote, in 64-bit words.
        length = load8(b, at + 4) * 8 if kind in (1, 3) else 0
        _quote(b, s, IPV6, length, at + _HEADER, end, wet)
    elif kind in (_ECHO6, _ECHO6_REPLY):
        payload(b, s, at + _HEADER, end, wet)
    elif _ROUTER_SOLICITATION6 <= kind <= _REDIRECT6:
        _neighbour(b, s, w, kind, at, end, wet)
    elif kind in (_LISTENER_QUERY, _LISTENER_REPORT, _LISTENER_DONE):
        _listener(b, s, w, kind, at, end, wet)
    elif kind == _LISTENER_REPORT2:
        _listener_groups(b, s, w, at, end, wet)
    else:
        blank(b, s, at + _CHECKSUM_END, end, OPAQUE, wet)


@kernel
def _neighbour(b: Bytes, s: State, w: Words, kind: int, at: int, end: int, wet: bool) -> None:
    fixed = _HEADER
    if kind == _ROUTER_ADVERTISEMENT6:
        fixed = 16
    elif kind in (_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT):
        fixed = _TARGET_END
    elif kind == _REDIRECT6:
        fixed = _REDIRECT_END
    if end - at < fixed:
        cut(b, s, at + _HEADER, end, wet)
        return
    if kind >= _NEIGHBOUR_SOLICITATION:
        rewrite_ipv6(b, s, w, at + 8, wet)
    if kind == _REDIRECT6:
        rewrite_ipv6(b, s, w, at + 24, wet)
    neighbour_options(b, s, w, at + fixed, end, wet)


@kernel
def _listener(b: Bytes, s: State, w: Words, kind: int, at: int, end: int, wet: bool) -> None:
    """A listener query or report, with the sources of a version 2 query (RFC 3810 section 5.1)."""
    if end - at < _TARGET_END:
        cut(b, s, at + _HEADER, end, wet)
        return
    rewrite_ipv6(b, s, w, at + 8, wet)
    stop = at + _TARGET_END
    if kind == _LISTENER_QUERY and end - at >= _QUERY2_SOURCES:
        stop = rewrite_list6(b, s, w, at + _QUERY2_SOURCES, end, load16(b, at + 26), wet)
    blank(b, s, stop, end, OPAQUE, wet)


@kernel
def _listener_groups(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """The group records of a version 2 report (RFC 3810 section 5.2)."""
    groups = load16(b, at + 6)
    at += _HEADER
    while groups > 0 and end - at >= _GROUP6_FIXED:
        extra, sources = load8(b, at + 1) * 4, load16(b, at + 2)
        rewrite_ipv6(b, s, w, at + 4, wet)
        at = rewrite_list6(b, s, w, at + _GROUP6_FIXED, end, sources, wet)
        stop = min(end, at + extra)
        blank(b, s, at, stop, OPAQUE, wet)
        at = stop
        groups -= 1
    blank(b, s, at, end, CUT if groups > 0 else OPAQUE, wet)


@kernel
def igmp(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """An IGMP message (RFC 3376)."""
    if end - at < _HEADER:
        cut(b, s, min(at + 2, end), end, wet)
        return
    kind = load8(b, at)
    open_level(s, at + 2, PLAIN_CHECKSUM, 0)
    stop = at + _CHECKSUM_END
    if kind in (_QUERY, _REPORT1, _REPORT2, _LEAVE):
        rewrite_ipv4(b, s, w, at + 4, wet)
        stop = at + _HEADER
        if kind == _QUERY and end - at >= _QUERY3_SOURCES:
            stop = rewrite_list4(b, s, w, at + _QUERY3_SOURCES, end, 4, load16(b, at + 10), wet)
    elif kind == _REPORT3:
        stop = _igmp_groups(b, s, w, at, end, wet)
    blank(b, s, stop, end, OPAQUE, wet)


@kernel
def _igmp_groups(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """The group records of a version 3 report; return where they end."""
    groups = load16(b, at + 6)
    at += _HEADER
    while groups > 0 and end - at >= _GROUP_FIXED:
        extra, sources = load8(b, at + 1) * 4, load16(b, at + 2)
        rewrite_ipv4(b, s, w, at + 4, wet)
        at = rewrite_list4(b, s, w, at + _GROUP_FIXED, end, 4, sources, wet)
        stop = min(end, at + extra)
        blank(b, s, at, stop, OPAQUE, wet)
        at = stop
        groups -= 1
    return at
