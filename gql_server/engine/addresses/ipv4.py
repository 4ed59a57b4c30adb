"""Kernels for the IPv4 header and its options (RFC 791)."""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, close_level, cut, enter, open_level, rewrite_ipv4, turned
from gql_server.engine.addresses.layout import (
    ENTER_PROTOCOL,
    FRAGMENT,
    OPAQUE,
    PAYLOAD_LENGTH,
    PLAIN_CHECKSUM,
    PSEUDO,
    PSEUDO_SUM,
    VERSION,
)
from gql_server.engine.addresses.tables import fold
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16

HEADER_BYTES: Final = 20
_VERSION: Final = 4
_ADDRESSES: Final = 12
_CHECKSUM: Final = 10
_OFFSET_MASK: Final = 0x1FFF

_OPTION_END: Final = 0
_OPTION_NOP: Final = 1
_RECORD_ROUTE: Final = 7
_TIMESTAMP: Final = 68
_SECURITY: Final = 130
_LOOSE_ROUTE: Final = 131
_STREAM_ID: Final = 136
_STRICT_ROUTE: Final = 137
_ROUTER_ALERT: Final = 148
_TIMESTAMP_ONLY: Final = 0
_TIMESTAMP_WITH_ADDRESS: Final = 1
_TIMESTAMP_PRESPECIFIED: Final = 3


@kernel
def ipv4(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite an IPv4 header and enter its payload."""
    if end - at < HEADER_BYTES:
        _short_header(b, s, at, end, wet)
        return
    header = (load8(b, at) & 15) * 4
    total = load16(b, at + 2)
    if load8(b, at) >> 4 != _VERSION or header < HEADER_BYTES or 0 < total < header:
        blank(b, s, at, end, OPAQUE, wet)
        return
    source_sum = load16(b, at + 12) + load16(b, at + 14)
    s[PSEUDO_SUM] = source_sum + load16(b, at + 16) + load16(b, at + 18)
    open_level(s, at + _CHECKSUM, PLAIN_CHECKSUM, 0)
    source = rewrite_ipv4(b, s, w, at + _ADDRESSES, wet)
    destination = rewrite_ipv4(b, s, w, at + _ADDRESSES + 4, wet)
    final = _options(b, s, w, at + HEADER_BYTES, min(end, at + header), wet)
    close_level(b, s, wet)
    stop = min(end, at + total) if total > 0 else end  # 0: segmentation was left to the network card
    blank(b, s, stop, end, OPAQUE, wet)
    if stop < at + header:
        cut(b, s, stop, stop, wet)
        return
    s[VERSION] = _VERSION
    # The payload begins at a place of the header's parity; the pseudo-header counts from there.
    s[PSEUDO] = turned(fold(source + (final if final >= 0 else destination)), at)
    s[FRAGMENT] = (load16(b, at + 6) & _OFFSET_MASK) * 8
    s[PAYLOAD_LENGTH] = max(total - header, 0)
    enter(s, ENTER_PROTOCOL + load8(b, at + 9), at + header, stop)


@kernel
def _short_header(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    if end > at and load8(b, at) >> 4 != _VERSION:
        blank(b, s, at, end, OPAQUE, wet)
    else:
        # The checksum goes too: nothing will bring it up to date, and it tells of the addresses.
        cut(b, s, min(at + _CHECKSUM, end), end, wet)


@kernel
def _options(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """Rewrite options; return the delta of the final destination of an unfinished source route, or -1."""
    final = -1
    while at < end:
        kind = load8(b, at)
        if kind == _OPTION_NOP:
            at += 1
            continue
        length = load8(b, at + 1) if at + 2 <= end else 0
        if kind == _OPTION_END or length < 2 or at + length > end:  # noqa: PLR2004  # kind and length
            blank(b, s, at, end, OPAQUE, wet)
            break
        stop = at + length
        if kind in (_RECORD_ROUTE, _LOOSE_ROUTE, _STRICT_ROUTE):
            last = _route(b, s, w, at, stop, wet)
            if kind != _RECORD_ROUTE and last >= 0 and load8(b, at + 2) <= length:
                final = last
        elif kind == _TIMESTAMP:
            _timestamps(b, s, w, at, stop, wet)
        elif kind not in (_SECURITY, _STREAM_ID, _ROUTER_ALERT):
            blank(b, s, at + 2, stop, OPAQUE, wet)
        at = stop
    return final


@kernel
def _route(b: Bytes, s: State, w: Words, at: int, stop: int, wet: bool) -> int:
    """Rewrite the addresses of a route; return the delta of the last, or -1."""
    last = -1
    place = at + 3
    while place + 4 <= stop:
        last = rewrite_ipv4(b, s, w, place, wet)
        place += 4
    blank(b, s, min(place, stop), stop, OPAQUE, wet)
    return last


@kernel
def _timestamps(b: Bytes, s: State, w: Words, at: int, stop: int, wet: bool) -> None:
    """Internet timestamps, each with an address when the flag says so."""
    place = min(at + 4, stop)
    flag = load8(b, at + 3) & 15 if at + 4 <= stop else -1
    if flag in (_TIMESTAMP_WITH_ADDRESS, _TIMESTAMP_PRESPECIFIED):
        while place + 8 <= stop:
            rewrite_ipv4(b, s, w, place, wet)
            place += 8
    if flag != _TIMESTAMP_ONLY:
        blank(b, s, place, stop, OPAQUE, wet)
