"""Kernel for the addresses and names in DHCP messages.

RFC 2131 and RFC 2132. Fixed fields and the options that are plain addresses are rewritten. Names are payload, kept or
masked; where they are masked, options that may hold names in other forms are zeroed, and what cannot be followed too.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, rewrite_list4, rewrite_mac
from gql_server.engine.addresses.layout import MASK_NAMES, OPAQUE
from gql_server.engine.addresses.links import MAC_BYTES
from gql_server.engine.addresses.names import mask_name, mask_text
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32

_ADDRESSES: Final = 12
_ADDRESS_COUNT: Final = 4
_HARDWARE: Final = 28
_FIXED: Final = 44
_SERVER_NAME_AT: Final = 44
_FILE_AT: Final = 108
_COOKIE_AT: Final = 236
_OPTIONS_AT: Final = 240
_COOKIE: Final = 0x63825363
_ETHERNET_AND_SIX: Final = 0x0106
_PAD: Final = 0
_END: Final = 255
_OVERLOAD: Final = 52
_CLIENT_ID: Final = 61
_CLIENT_NAME: Final = 81
_CLIENT_NAME_FIXED: Final = 3
_CLIENT_NAME_ENCODED: Final = 4
_DOMAIN_SEARCH: Final = 119
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
def _is_text_option(kind: int) -> bool:
    # Host, dump, domain and root path; extensions path; NIS domain, NetBIOS scope; message, vendor class, NetWare.
    if kind in (12, 14, 15, 17, 18, 40, 47, 56, 60, 62):
        return True
    # NIS+ domain, boot server and file, user class, time zones, captive portal, configuration file and path.
    return kind in (64, 66, 67, 77, 100, 101, 114, 209, 210)


@kernel
def _is_plain_option(kind: int) -> bool:
    # Numbers and switches of RFC 2132, rapid commit, auto-configuration.
    if kind in (1, 2, 13, 46, 57, 58, 59, 80, 116) or 19 <= kind <= 27:  # noqa: PLR2004  # the codes of RFC 2132
        return True
    return 29 <= kind <= 31 or 34 <= kind <= 39 or 51 <= kind <= 53 or kind == 55  # noqa: PLR2004  # the same


@kernel
def dhcp(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite the addresses of a message."""
    rest = _follow(b, s, w, at, end, wet)
    if s[MASK_NAMES] != 0:
        blank(b, s, rest, end, OPAQUE, wet)


@kernel
def _follow(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """Rewrite the fixed fields and the options; return where the last that could be followed ends."""
    if end - at < _FIXED:
        return at
    rewrite_list4(b, s, w, at + _ADDRESSES, at + _HARDWARE, 4, _ADDRESS_COUNT, wet)
    if load16(b, at + 1) == _ETHERNET_AND_SIX:
        rewrite_mac(b, s, w, at + _HARDWARE, wet)
    if end - at < _OPTIONS_AT or load32(b, at + _COOKIE_AT) != _COOKIE:
        return at + _FIXED
    place, overload = at + _OPTIONS_AT, False
    while place + 2 <= end:
        kind, length = load8(b, place), load8(b, place + 1)
        if kind == _END:
            break
        if kind == _PAD:
            place += 1
            continue
        if place + 2 + length > end:
            break
        overload = overload or kind == _OVERLOAD
        _option(b, s, w, kind, place + 2, place + 2 + length, wet)
        place += 2 + length
    if overload:  # options in the fields for names (RFC 2132 section 9.3) are not understood
        blank(b, s, at + _SERVER_NAME_AT, at + _COOKIE_AT, OPAQUE, wet)
    elif s[MASK_NAMES] != 0:
        mask_text(b, s, at + _SERVER_NAME_AT, at + _COOKIE_AT, wet)
    return place + 1 if place < end and load8(b, place) == _END else place


@kernel
def _option(b: Bytes, s: State, w: Words, kind: int, at: int, end: int, wet: bool) -> None:
    if _is_address_option(kind):
        rewrite_list4(b, s, w, at, end, 4, _MANY, wet)
    elif kind == _CLIENT_ID and end - at == 1 + MAC_BYTES and load8(b, at) == 1:
        rewrite_mac(b, s, w, at + 1, wet)
    elif s[MASK_NAMES] == 0 or _is_plain_option(kind):
        return
    elif _is_text_option(kind):
        mask_text(b, s, at, end, wet)
    elif kind == _DOMAIN_SEARCH:
        _mask_names(b, s, at, end, wet)
    elif kind == _CLIENT_NAME and end - at >= _CLIENT_NAME_FIXED:
        # Flags and two obsolete codes, then a name in ASCII or as in DNS (RFC 4702).
        if load8(b, at) & _CLIENT_NAME_ENCODED:
            _mask_names(b, s, at + _CLIENT_NAME_FIXED, end, wet)
        else:
            mask_text(b, s, at + _CLIENT_NAME_FIXED, end, wet)
    else:
        blank(b, s, at, end, OPAQUE, wet)


@kernel
def _mask_names(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """Mask domain names that follow each other (RFC 3397)."""
    while at < end:
        stop = mask_name(b, s, at, end, wet)
        if stop < 0:
            blank(b, s, at, end, OPAQUE, wet)
            return
        at = stop
