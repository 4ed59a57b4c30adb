"""Kernels that read DNS messages.

RFC 1035, RFC 3596, RFC 6891, RFC 7871.
"""
# ruff: noqa: FBT001, FBT003, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32
from gql_server.engine.verify.claims import name, payload, unclaimed
from gql_server.engine.verify.fields import ipv4_address, ipv6_address
from gql_server.engine.verify.layout import CURSOR, MASKED, STOP

_LOWER: Final = 0x20202020
_A: Final = 1
_AAAA: Final = 28
_OPT: Final = 41


@kernel
def read_dns(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read a message as far as it can be followed; what is not an address or a name is payload."""
    _follow(a, o, s, w, at, end)
    _rest(a, o, s, end)


@kernel
def _rest(a: Bytes, o: Bytes, s: State, end: int) -> None:
    """Claim what is neither an address nor a name: payload, which may be zero where names are masked."""
    if s[MASKED] == 1:
        name(a, o, s, s[CURSOR], end, False)
    else:
        payload(a, o, s, end)


@kernel
def _follow(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    if end - at < 12:  # noqa: PLR2004  # the header
        return
    questions, place = load16(a, at + 4), at + 12
    records = load16(a, at + 6) + load16(a, at + 8) + load16(a, at + 10)
    while questions + records > 0:
        after = _read_name(a, o, s, place, end)
        fixed = 4 if questions > 0 else 10
        if after < 0 or end - after < fixed:
            return
        place = after + fixed
        if questions > 0:
            questions -= 1
        else:
            length = load16(a, after + 8)
            _read_data(a, o, s, w, load16(a, after), place, place + length, end)
            place += length
            records -= 1


@kernel
def _read_name(a: Bytes, o: Bytes, s: State, at: int, end: int) -> int:
    """Read a name; return where it ends, or -1."""
    reverse = _is_reverse(a, at, end)
    must = s[MASKED] == 1
    while at < end:
        length = load8(a, at)
        if length == 0:
            return at + 1
        if length >= 0xC0:  # noqa: PLR2004  # a pointer
            return at + 2 if at + 2 <= end else -1
        if length > 63 or at + 1 + length > end:  # noqa: PLR2004  # the longest label
            return -1
        _read_label(a, o, s, at + 1, length, must, reverse)
        at += 1 + length
    return -1


@kernel
def _read_label(a: Bytes, o: Bytes, s: State, at: int, length: int, must: bool, reverse: bool) -> None:
    if must or reverse:
        _rest(a, o, s, at)
        name(a, o, s, at, at + length, must)


@kernel
def _is_reverse(a: Bytes, at: int, end: int) -> bool:
    """Say whether a name spells an address: it ends in in-addr.arpa or ip6.arpa."""
    while at < end:
        length = load8(a, at)
        if length == 7 and at + 8 <= end:  # noqa: PLR2004  # in-addr
            return load32(a, at + 1) | _LOWER == 0x696E2D61 and load32(a, at + 4) | _LOWER == 0x61646472  # noqa: PLR2004
        if length == 3 and at + 4 <= end and (load32(a, at) | 0x202020) & 0xFFFFFF == 0x697036:  # noqa: PLR2004  # ip6
            return True
        if length == 0 or length > 3:  # noqa: PLR2004  # the longest number
            return False
        at += 1 + length
    return False


@kernel
def _read_data(a: Bytes, o: Bytes, s: State, w: Words, kind: int, at: int, stop: int, end: int) -> None:
    """Read the data of a record."""
    if kind == _A and stop - at == 4:  # noqa: PLR2004  # an address
        _rest(a, o, s, min(at, end))
        if stop <= end:
            ipv4_address(a, o, s, w, at)
        else:
            unclaimed(a, o, s, end)
    elif kind == _AAAA and stop - at == 16:  # noqa: PLR2004  # an address
        _rest(a, o, s, min(at, end))
        if stop <= end:
            ipv6_address(a, o, s, w, at)
        else:
            unclaimed(a, o, s, end)
    elif kind == _OPT:
        _read_options(a, o, s, at, min(stop, end))
    elif s[MASKED] == 1:
        _read_names(a, o, s, kind, at, min(stop, end))


@kernel
def _read_options(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read EDNS options: the address of a client subnet becomes zero."""
    while end - at >= 4:  # noqa: PLR2004  # code and length
        stop = min(end, at + 4 + load16(a, at + 2))
        if load16(a, at) == 8:  # noqa: PLR2004  # client subnet
            _rest(a, o, s, min(at + 8, stop))
            unclaimed(a, o, s, stop)
        at = stop


@kernel
def _read_names(a: Bytes, o: Bytes, s: State, kind: int, at: int, end: int) -> None:
    """Read names in the data of a record."""
    if kind in (2, 5, 12, 39):  # NS, CNAME, PTR, DNAME
        _read_name(a, o, s, at, end)
    elif kind == 15 and end - at > 2:  # noqa: PLR2004  # MX: behind its preference
        _read_name(a, o, s, at + 2, end)
    elif kind == 33 and end - at > 6:  # noqa: PLR2004  # SRV: behind priority, weight and port
        _read_name(a, o, s, at + 6, end)
    elif kind == 6:  # noqa: PLR2004  # SOA
        after = _read_name(a, o, s, at, end)
        if after >= 0:
            _read_name(a, o, s, after, end)
    elif kind == 16:  # noqa: PLR2004  # TXT: strings
        while at < end:
            stop = min(end, at + 1 + load8(a, at))
            _rest(a, o, s, at + 1)
            name(a, o, s, at + 1, min(stop, s[STOP]), True)
            at = stop
