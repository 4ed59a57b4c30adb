"""Kernel for the addresses in DHCP messages.

RFC 2131 and RFC 2132. Fixed fields and the options that are plain addresses are rewritten; names and the rest are
payload and kept.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import rewrite_list4, rewrite_mac
from gql_server.engine.addresses.links import MAC_BYTES
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32

_ADDRESSES: Final = 12
_ADDRESS_COUNT: Final = 4
_HARDWARE: Final = 28
_FIXED: Final = 44
_COOKIE_AT: Final = 236
_OPTIONS_AT: Final = 240
_COOKIE: Final = 0x63825363
_ETHERNET_AND_SIX: Final = 0x0106
_PAD: Final = 0
_END: Final = 255
_CLIENT_ID: Final = 61
_STATIC_ROUTES: Final = 33
_MANY: Final = 64


@kernel
def _is_address_option(kind: int) -> bool:
    # Router, time, name, DNS, log, cookie, print, impress and location servers, swap, broadcast, router request.
    if 3 <= kind <= 11 or kind in (16, 28, 32):  # noqa: PLR2004  # the codes of RFC 2132
        return True
    # NIS, NTP, NetBIOS, X, requested address, server, NIS+ and the servers of RFC 2132 section 8.
    return kind in (_STATIC_ROUTES, 41, 42, 44, 45, 48, 49, 50, 54, 65, 118) or 68 <= kind <= 76  # noqa: PLR2004


@kernel
def dhcp(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite the addresses of a message."""
    if end - at < _FIXED:
        return
    rewrite_list4(b, s, w, at + _ADDRESSES, at + _HARDWARE, 4, _ADDRESS_COUNT, wet)
    if load16(b, at + 1) == _ETHERNET_AND_SIX:
        rewrite_mac(b, s, w, at + _HARDWARE, wet)
    if end - at < _OPTIONS_AT or load32(b, at + _COOKIE_AT) != _COOKIE:
        return
    place = at + _OPTIONS_AT
    while place + 2 <= end:
        kind, length = load8(b, place), load8(b, place + 1)
        if kind == _END:
            return
        if kind == _PAD:
            place += 1
            continue
        value = place + 2
        if value + length > end:
            return
        if _is_address_option(kind):
            rewrite_list4(b, s, w, value, value + length, 4, _MANY, wet)
        elif kind == _CLIENT_ID and length == 1 + MAC_BYTES and load8(b, value) == 1:
            rewrite_mac(b, s, w, value + 1, wet)
        place = value + length
