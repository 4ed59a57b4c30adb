"""Kernel for the addresses in DNS messages (RFC 1035).

A and AAAA records are rewritten; so are the addresses of the client-subnet option, by zeroing (RFC 7871). Names, also
those that spell an address, are payload and kept.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import IPV6_BYTES, blank, rewrite_ipv4, rewrite_ipv6
from gql_server.engine.addresses.layout import OPAQUE
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16

_HEADER: Final = 12
_QUESTION_FIXED: Final = 4
_RECORD_FIXED: Final = 10
_A: Final = 1
_AAAA: Final = 28
_OPT: Final = 41
_CLIENT_SUBNET: Final = 8
_CLIENT_SUBNET_FIXED: Final = 4
_POINTER: Final = 0xC0
_LONGEST_LABEL: Final = 63


@kernel
def _after_name(b: Bytes, at: int, end: int) -> int:
    """Return where a name ends, or -1."""
    while at < end:
        length = load8(b, at)
        if length == 0:
            return at + 1
        if length >= _POINTER:
            return at + 2 if at + 2 <= end else -1
        if length > _LONGEST_LABEL:
            return -1
        at += 1 + length
    return -1


@kernel
def dns(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """Rewrite the address records of a message, as far as it can be followed."""
    if end - at < _HEADER:
        return
    questions = load16(b, at + 4)
    records = load16(b, at + 6) + load16(b, at + 8) + load16(b, at + 10)
    place = at + _HEADER
    while questions > 0:
        place = _after_name(b, place, end)
        if place < 0 or end - place < _QUESTION_FIXED:
            return
        place += _QUESTION_FIXED
        questions -= 1
    while records > 0:
        place = _after_name(b, place, end)
        if place < 0 or end - place < _RECORD_FIXED:
            return
        kind, length = load16(b, place), load16(b, place + 8)
        place += _RECORD_FIXED
        _record(b, s, w, kind, length, place, end, wet)
        place += length
        records -= 1


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


@kernel
def _options(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """EDNS options (RFC 6891)."""
    while end - at >= _CLIENT_SUBNET_FIXED:
        code, stop = load16(b, at), min(end, at + 4 + load16(b, at + 2))
        if code == _CLIENT_SUBNET:
            blank(b, s, min(at + 4 + _CLIENT_SUBNET_FIXED, stop), stop, OPAQUE, wet)
        at = stop
