"""Kernels that read DHCP messages (RFC 2131, RFC 2132)."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32
from gql_server.engine.verify.claims import name, payload
from gql_server.engine.verify.fields import ipv4_address, mac_address
from gql_server.engine.verify.layout import CURSOR, MASKED

_COOKIE: Final = 0x63825363


@kernel
def _holds_addresses(code: int) -> bool:
    """Say whether an option is a list of IPv4 addresses, by its number in RFC 2132."""
    if 3 <= code <= 11 or 68 <= code <= 76:  # noqa: PLR2004  # sections 3.5 to 3.13 and 8.11 to 8.21
        return True
    return code in (16, 28, 32, 33, 41, 42, 44, 45, 48, 49, 50, 54, 65, 118)


@kernel
def read_dhcp(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read a message; what is not an address or a name is payload."""
    if end - at < 44:  # noqa: PLR2004  # up to the server's name
        _rest(a, o, s, end)
        return
    payload(a, o, s, at + 12)
    for place in (12, 16, 20, 24):
        ipv4_address(a, o, s, w, at + place)
    if load16(a, at + 1) == 0x0106:  # noqa: PLR2004  # Ethernet, six bytes
        mac_address(a, o, s, w, at + 28)
        payload(a, o, s, at + 44)
    if end - at < 240:  # noqa: PLR2004  # up to the options
        _rest(a, o, s, end)
        return
    # Options that overflow into the fields for names (RFC 2132 section 9.3) may have been made zero there.
    payload(a, o, s, at + 44)
    _rest(a, o, s, at + 236)
    if load32(a, at + 236) == _COOKIE:
        payload(a, o, s, at + 240)
        _read_options(a, o, s, w, at + 240, end)
    _rest(a, o, s, end)


@kernel
def _rest(a: Bytes, o: Bytes, s: State, end: int) -> None:
    """Claim what is not an address: payload, masked where names are."""
    if s[MASKED] == 1:
        name(a, o, s, s[CURSOR], end, False)  # noqa: FBT003  # kernels take positions
    else:
        payload(a, o, s, end)


@kernel
def _read_options(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    while at + 2 <= end:
        code, length = load8(a, at), load8(a, at + 1)
        if code == 0xFF:  # noqa: PLR2004  # the end
            return
        if code == 0:
            at += 1
            continue
        value = at + 2
        if value + length > end:
            return
        if _holds_addresses(code):
            _rest(a, o, s, value)
            for place in range(value, value + length - 3, 4):
                ipv4_address(a, o, s, w, place)
        elif code == 61 and length == 7 and load8(a, value) == 1:  # noqa: PLR2004  # a client id of type Ethernet
            _rest(a, o, s, value + 1)
            mac_address(a, o, s, w, value + 1)
        elif s[MASKED] == 1:
            _rest(a, o, s, value)
            # Host and domain name.
            name(a, o, s, value, value + length, code in (12, 15))
        at = value + length
