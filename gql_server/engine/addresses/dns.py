"""Kernel for the addresses in DNS messages (RFC 1035).

A and AAAA records are rewritten. The address of the client-subnet option is zeroed (RFC 7871), and the digits of
names that spell an address (in-addr.arpa, ip6.arpa) become the digit 0: decimal text has no room for another address.
Other names are payload, kept or masked; where names are masked, what cannot be followed is zeroed.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import IPV6_BYTES, blank, overwrite, rewrite_ipv4, rewrite_ipv6
from gql_server.engine.addresses.layout import MASK_NAMES, MASK_REVERSE_NAMES, OPAQUE
from gql_server.engine.addresses.names import after_name, mask_name
from gql_server.engine.addresses.resource_records import mask_record
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32

_HEADER: Final = 12
_QUESTION_FIXED: Final = 4
_RECORD_FIXED: Final = 10
_A: Final = 1
_AAAA: Final = 28
_OPT: Final = 41
_CLIENT_SUBNET: Final = 8
_COOKIE: Final = 10
_CLIENT_SUBNET_FIXED: Final = 4
_LONGEST_NUMBER: Final = 3
_LOWER_CASE: Final = 0x20202020
_IN_AD: Final = 0x696E2D61
_DDR: Final = 0x64647200
_IP6: Final = 0x69703600
_DIGIT_ZERO: Final = 0x30


@kernel
def _mask_reverse_name(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """Overwrite the numbers of a name that spells an address (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
    place, before = at, at
    while place < end and 1 <= load8(b, place) <= _LONGEST_NUMBER:
        before = place
        place += 1 + load8(b, place)
    stop = at
    if place + 8 <= end and load8(b, place) == 7:  # noqa: PLR2004  # the length of in-addr
        is_ipv4 = load32(b, place + 1) | _LOWER_CASE == _IN_AD
        # The length of the next label follows the name's last three letters.
        if is_ipv4 and (load32(b, place + 5) | _LOWER_CASE) & ~0xFF == _DDR:
            stop = place
    elif place < end and place == before + 4 and (load32(b, before + 1) | _LOWER_CASE) & ~0xFF == _IP6:
        stop = before
    while at < stop:
        length = load8(b, at)
        for i in range(at + 1, at + 1 + length):
            overwrite(b, s, i, _DIGIT_ZERO, OPAQUE, wet)
        at += 1 + length


@kernel
def _name(b: Bytes, s: State, at: int, end: int, wet: bool) -> int:
    """Treat the name a question or record begins with; return where it ends, or -1."""
    if s[MASK_NAMES] != 0:
        return mask_name(b, s, at, end, wet)
    stop = after_name(b, at, end)
    if s[MASK_REVERSE_NAMES] != 0:
        _mask_reverse_name(b, s, at, stop, wet)
    return stop


@kernel
def dns(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite the address records of a message, as far as it can be followed."""
    rest = _follow(b, s, w, at, end, wet)
    if s[MASK_NAMES] != 0:  # what could not be followed may hold names
        blank(b, s, rest, end, OPAQUE, wet)


@kernel
def _follow(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """Rewrite questions and records; return where the last that could be followed ends."""
    if end - at < _HEADER:
        return at
    questions = load16(b, at + 4)
    records = load16(b, at + 6) + load16(b, at + 8) + load16(b, at + 10)
    place = at + _HEADER
    while questions > 0:
        stop = _name(b, s, place, end, wet)
        if stop < 0 or end - stop < _QUESTION_FIXED:
            return place
        place = stop + _QUESTION_FIXED
        questions -= 1
    while records > 0:
        stop = _name(b, s, place, end, wet)
        if stop < 0 or end - stop < _RECORD_FIXED:
            return place
        kind, length = load16(b, stop), load16(b, stop + 8)
        place = stop + _RECORD_FIXED
        _record(b, s, w, kind, length, place, end, wet)
        place = min(place + length, end)
        records -= 1
    return place


@kernel
def _record(b: Bytes, s: State, w: Words, kind: int, length: int, at: int, end: int, wet: bool) -> None:
    stop = at + length
    if (kind == _A and length == 4) or (kind == _AAAA and length == IPV6_BYTES):  # noqa: PLR2004  # an IPv4 address
        if stop > end:
            blank(b, s, at, end, OPAQUE, wet)
        elif kind == _A:
            rewrite_ipv4(b, s, w, at, wet)
        else:
            rewrite_ipv6(b, s, w, at, wet)
    elif kind == _OPT:
        _options(b, s, at, min(stop, end), wet)
    elif s[MASK_NAMES] != 0:
        mask_record(b, s, kind, at, min(stop, end), wet)


@kernel
def _options(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """EDNS options (RFC 6891)."""
    while end - at >= _CLIENT_SUBNET_FIXED:
        code, stop = load16(b, at), min(end, at + 4 + load16(b, at + 2))
        if code == _CLIENT_SUBNET:
            blank(b, s, min(at + 4 + _CLIENT_SUBNET_FIXED, stop), stop, OPAQUE, wet)
        elif s[MASK_NAMES] != 0 and code != _COOKIE:
            blank(b, s, at + 4, stop, OPAQUE, wet)
        at = stop
