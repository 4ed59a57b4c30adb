"""Kernels for neighbour discovery options (RFC 4861)."""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, enter, rewrite_list6, rewrite_mac, rewrite_prefix
from gql_server.engine.addresses.layout import NEXT, NOTHING, OPAQUE
from gql_server.engine.addresses.links import IPV6
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8

_SOURCE_LINK: Final = 1
_TARGET_LINK: Final = 2
_PREFIX: Final = 3
_REDIRECTED: Final = 4
_MTU: Final = 5
_NONCE: Final = 14
_ROUTE: Final = 24
_NAME_SERVERS: Final = 25
_LINK_BYTES: Final = 8
_PREFIX_BYTES: Final = 32
_FULL_ROUTE_BYTES: Final = 24
_SHORT_ROUTE_BYTES: Final = 8
_MANY: Final = 128


@kernel
def neighbour_options(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite options; the packet in a redirected header is entered once the others are done."""
    while end - at >= 8:  # noqa: PLR2004  # lengths count in units of 8 bytes
        kind, length = load8(b, at), load8(b, at + 1) * 8
        if length == 0 or at + length > end:
            break
        stop = at + length
        if kind in (_SOURCE_LINK, _TARGET_LINK) and length == _LINK_BYTES:
            rewrite_mac(b, s, w, at + 2, wet)
        elif kind == _PREFIX and length == _PREFIX_BYTES:
            rewrite_prefix(b, s, w, at + 16, load8(b, at + 2), wet)
        elif kind == _ROUTE and length == _FULL_ROUTE_BYTES:
            rewrite_prefix(b, s, w, at + 8, load8(b, at + 2), wet)
        elif kind == _NAME_SERVERS:
            rest = rewrite_list6(b, s, w, at + 8, stop, _MANY, wet)
            blank(b, s, rest, stop, OPAQUE, wet)
        elif kind == _REDIRECTED and s[NEXT] == NOTHING:
            enter(s, IPV6, at + 8, stop)
        elif kind not in (_MTU, _NONCE) and not (kind == _ROUTE and length == _SHORT_ROUTE_BYTES):
            blank(b, s, at + 2, stop, OPAQUE, wet)
        at = stop
    blank(b, s, at, end, OPAQUE, wet)
