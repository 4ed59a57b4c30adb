"""Kernels for the IPv6 header and its extensions (RFC 8200)."""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import IPV6_BYTES, blank, cut, enter, rewrite_ipv6, turned
from gql_server.engine.addresses.layout import (
    ENTER_PROTOCOL,
    FRAGMENT,
    OPAQUE,
    PAYLOAD_LENGTH,
    PSEUDO,
    PSEUDO_SUM,
    VERSION,
)
from gql_server.engine.addresses.tables import fold
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16

HEADER_BYTES: Final = 40
_VERSION: Final = 6
_SOURCE: Final = 8
_DESTINATION: Final = 24

_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_DESTINATION_OPTIONS: Final = 60
_MOBILITY: Final = 135
_HOST_IDENTITY: Final = 139
_SHIM6: Final = 140
_EXTENSION_BYTES: Final = 8
_AUTHENTICATION_FIXED: Final = 12
_FRAGMENT_OFFSET: Final = 0xFFF8

_ROUTE_SOURCE: Final = 0
_ROUTE_HOME: Final = 2
_ROUTE_SEGMENTS: Final = 4

_PAD1: Final = 0
_TUNNEL_LIMIT: Final = 4
_ROUTER_ALERT: Final = 5
_QUICK_START: Final = 0x26
_JUMBO: Final = 0xC2
_HOME_ADDRESS: Final = 0xC9


@kernel
def ipv6(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite an IPv6 header with its extensions and enter its payload."""
    if end > at and load8(b, at) >> 4 != _VERSION:
        blank(b, s, at, end, OPAQUE, wet)
        return
    if end - at < HEADER_BYTES:
        cut(b, s, min(at + _SOURCE, end), end, wet)
        return
    length = load16(b, at + 4)
    stop = min(end, at + HEADER_BYTES + length) if length > 0 else end  # 0: a jumbogram, or left to the card
    pseudo_sum = 0
    for place in range(at + _SOURCE, at + HEADER_BYTES, 2):
        pseudo_sum += load16(b, place)
    s[PSEUDO_SUM] = pseudo_sum
    source = rewrite_ipv6(b, s, w, at + _SOURCE, wet)
    destination = rewrite_ipv6(b, s, w, at + _DESTINATION, wet)
    blank(b, s, stop, end, OPAQUE, wet)
    s[VERSION] = _VERSION
    s[FRAGMENT] = 0
    s[PAYLOAD_LENGTH] = length
    s[PSEUDO] = turned(fold(source + destination), at)
    _extensions(b, s, w, at, stop, source, destination, wet)


@kernel
def _is_extension(kind: int) -> bool:
    if kind in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION):
        return True
    return kind in (_DESTINATION_OPTIONS, _MOBILITY, _HOST_IDENTITY, _SHIM6)


@kernel
def _extensions(b: Bytes, s: State, w: Words, header: int, end: int, source: int, destination: int, wet: bool) -> None:
    """Walk the extension headers; the pseudo-header takes the final destination and the home address."""
    kind = load8(b, header + 6)
    at = header + HEADER_BYTES
    while _is_extension(kind) and s[FRAGMENT] == 0:
        if end - at < _EXTENSION_BYTES:
            cut(b, s, at, end, wet)
            return
        if kind == _FRAGMENT:
            length = _EXTENSION_BYTES
        elif kind == _AUTHENTICATION:
            length = load8(b, at + 1) * 4 + _EXTENSION_BYTES
        else:
            length = load8(b, at + 1) * 8 + _EXTENSION_BYTES
        if end - at < length:
            cut(b, s, at + 2, end, wet)
            return
        stop = at + length
        if kind in (_HOP_BY_HOP, _DESTINATION_OPTIONS):
            home = _options(b, s, w, at + 2, stop, wet)
            source = home if home >= 0 else source
        elif kind == _ROUTING:
            final = _route(b, s, w, at, stop, wet)
            destination = final if final >= 0 else destination
        elif kind == _FRAGMENT:
            s[FRAGMENT] = load16(b, at + 2) & _FRAGMENT_OFFSET
        elif kind == _AUTHENTICATION:
            blank(b, s, min(at + _AUTHENTICATION_FIXED, stop), stop, OPAQUE, wet)
        else:
            blank(b, s, at + 4, stop, OPAQUE, wet)
        kind = load8(b, at)
        s[PAYLOAD_LENGTH] = max(s[PAYLOAD_LENGTH] - length, 0)
        at = stop
    s[PSEUDO] = turned(fold(source + destination), header)
    enter(s, ENTER_PROTOCOL + kind, at, end)


@kernel
def _options(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """Rewrite hop-by-hop or destination options; return the delta of a home address (RFC 6275), or -1."""
    home = -1
    while at < end:
        kind = load8(b, at)
        if kind == _PAD1:
            at += 1
            continue
        if at + 2 > end or at + 2 + load8(b, at + 1) > end:
            blank(b, s, at, end, OPAQUE, wet)
            break
        length = load8(b, at + 1)
        if kind == _HOME_ADDRESS and length == IPV6_BYTES:
            home = rewrite_ipv6(b, s, w, at + 2, wet)
        elif kind not in (_TUNNEL_LIMIT, _ROUTER_ALERT, _QUICK_START, _JUMBO):
            blank(b, s, at + 2, at + 2 + length, OPAQUE, wet)
        at += 2 + length
    return home


@kernel
def _route(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """Rewrite a routing header; return the delta of the destination still ahead, or -1.

    Type 0 and 2 end with it (RFC 5095, RFC 6275), a segment routing header begins with it (RFC 8754).
    """
    kind, left = load8(b, at + 2), load8(b, at + 3)
    if kind not in (_ROUTE_SOURCE, _ROUTE_HOME, _ROUTE_SEGMENTS):
        blank(b, s, at + 4, end, OPAQUE, wet)
        return -1
    stop = end
    if kind == _ROUTE_SEGMENTS:
        stop = min(end, at + _EXTENSION_BYTES + IPV6_BYTES * (load8(b, at + 4) + 1))
    first, last = -1, -1
    place = at + _EXTENSION_BYTES
    while place + IPV6_BYTES <= stop:
        last = rewrite_ipv6(b, s, w, place, wet)
        first = last if first < 0 else first
        place += IPV6_BYTES
    blank(b, s, place, end, OPAQUE, wet)
    if left == 0:
        return -1
    return first if kind == _ROUTE_SEGMENTS else last
