"""Kernels that read IP headers: RFC 791 and RFC 8200."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16
from gql_server.engine.verify.claims import checksum, enter, remnant, same
from gql_server.engine.verify.fields import ipv4_address, ipv6_address
from gql_server.engine.verify.layout import (
    DESTINATION,
    FRAGMENT,
    PARTS,
    PAYLOAD_LENGTH,
    READ_PROTOCOL,
    SOURCE,
    VERSION,
)
from gql_server.engine.verify.sums import compare_sums

_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_DESTINATION: Final = 60


@kernel
def read_ipv4(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read an IPv4 header."""
    if end <= at or load8(a, at) >> 4 != 4:  # noqa: PLR2004  # the version
        return
    if end - at < 20:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 10, end))
        return
    header, total = (load8(a, at) & 15) * 4, load16(a, at + 2)
    if header < 20 or 0 < total < header:  # noqa: PLR2004  # the header
        return
    stop = min(end, at + header)
    compare_sums(a, o, s, at + 10, at, stop, stop, end - at >= header, 0, 0)
    same(a, o, s, at, 10)
    checksum(a, o, s, at + 10)
    ipv4_address(a, o, s, w, at + 12)
    ipv4_address(a, o, s, w, at + 16)
    s[VERSION], s[SOURCE], s[DESTINATION] = 4, at + 12, at + 16
    _read_options(a, o, s, w, at + 20, min(end, at + header))
    stop = min(end, at + total) if total > 0 else end  # 0: segmentation was left to the network card
    if stop >= at + header:
        flags = load16(a, at + 6)
        s[FRAGMENT], s[PARTS] = (flags & 0x1FFF) * 8, (flags & 0x3FFF) != 0
        s[PAYLOAD_LENGTH] = total - header if total > 0 else -1
        enter(s, READ_PROTOCOL + load8(a, at + 9), at + header, stop)


@kernel
def _read_options(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    while at < end:
        kind = load8(a, at)
        if kind == 1:
            same(a, o, s, at, 1)
            at += 1
            continue
        length = load8(a, at + 1) if at + 2 <= end else 0
        if kind == 0 or length < 2 or at + length > end:  # noqa: PLR2004  # kind and length
            return
        _read_option(a, o, s, w, kind, at, length)
        at += length


@kernel
def _read_option(a: Bytes, o: Bytes, s: State, w: Words, kind: int, at: int, length: int) -> None:
    stop = at + length
    if kind in (7, 131, 137) and length >= 3:  # noqa: PLR2004  # record, loose and strict source route
        same(a, o, s, at, 3)
        place = at + 3
        while place + 4 <= stop:
            ipv4_address(a, o, s, w, place)
            # A route that is not at its end leads to its last address.
            if kind != 7 and load8(a, at + 2) <= length:  # noqa: PLR2004  # record route
                s[DESTINATION] = place
            place += 4
    elif kind == 68:  # noqa: PLR2004  # timestamps
        same(a, o, s, at, min(length, 4))
        if length < 4:  # noqa: PLR2004  # no flag
            return
        flag, place = load8(a, at + 3) & 15, at + 4
        if flag == 0:
            same(a, o, s, place, stop - place)
        while flag in (1, 3) and place + 8 <= stop:
            ipv4_address(a, o, s, w, place)
            same(a, o, s, place + 4, 4)
            place += 8
    elif kind in (130, 136, 148):  # security, stream, router alert
        same(a, o, s, at, length)
    else:
        same(a, o, s, at, min(length, 2))


@kernel
def read_ipv6(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read an IPv6 header with its extensions."""
    if end <= at or load8(a, at) >> 4 != 6:  # noqa: PLR2004  # the version
        return
    if end - at < 40:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 8, end))
        return
    same(a, o, s, at, 8)
    ipv6_address(a, o, s, w, at + 8)
    ipv6_address(a, o, s, w, at + 24)
    length = load16(a, at + 4)
    s[VERSION], s[SOURCE], s[DESTINATION] = 6, at + 8, at + 24
    s[FRAGMENT], s[PARTS] = 0, 0
    s[PAYLOAD_LENGTH] = length if length > 0 else -1  # 0: a jumbogram, or left to the card
    _read_extensions(a, o, s, w, at, min(end, at + 40 + length) if length > 0 else end)


@kernel
def _is_extension(kind: int) -> bool:
    # The last three: mobility, host identity, shim6.
    return kind in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION, 135, 139, 140)


@kernel
def _read_extensions(a: Bytes, o: Bytes, s: State, w: Words, header: int, end: int) -> None:
    kind, at = load8(a, header + 6), header + 40
    while _is_extension(kind) and s[FRAGMENT] == 0:
        if end - at < 8:  # noqa: PLR2004  # the shortest
            return
        length = load8(a, at + 1) * (4 if kind == _AUTHENTICATION else 8) + 8
        if kind == _FRAGMENT:
            length = 8
        if end - at < length:
            remnant(a, o, s, at, at + 2)
            return
        if kind in (_HOP_BY_HOP, _DESTINATION):
            _read_options6(a, o, s, w, at, at + length)
        elif kind == _ROUTING:
            _read_route(a, o, s, w, at, at + length)
        elif kind == _FRAGMENT:
            same(a, o, s, at, 8)
            s[FRAGMENT] = load16(a, at + 2) & 0xFFF8
            s[PARTS] = (load16(a, at + 2) & 0xFFF9) != 0
        else:
            same(a, o, s, at, 12 if kind == _AUTHENTICATION else 4)
        if s[PAYLOAD_LENGTH] >= 0:
            s[PAYLOAD_LENGTH] = max(s[PAYLOAD_LENGTH] - length, 0)
        kind = load8(a, at)
        at += length
    enter(s, READ_PROTOCOL + kind, at, end)


@kernel
def _read_options6(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    same(a, o, s, at, 2)
    at += 2
    while at < end:
        kind = load8(a, at)
        if kind == 0:
            same(a, o, s, at, 1)
            at += 1
            continue
        if at + 2 > end or at + 2 + load8(a, at + 1) > end:
            return
        length = load8(a, at + 1)
        if kind == 0xC9 and length == 16:  # noqa: PLR2004  # the home address (RFC 6275)
            same(a, o, s, at, 2)
            ipv6_address(a, o, s, w, at + 2)
            s[SOURCE] = at + 2
        elif kind in (4, 5, 0x26, 0xC2):  # tunnel limit, router alert, quick start, jumbo payload
            same(a, o, s, at, 2 + length)
        else:
            same(a, o, s, at, 2)
        at += 2 + length


@kernel
def _read_route(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read a routing header; one that is not at its end leads to another destination.

    Types 0 and 2 end with it (RFC 5095, RFC 6275), a segment routing header begins with it (RFC 8754).
    """
    kind, left = load8(a, at + 2), load8(a, at + 3)
    if kind not in (0, 2, 4):
        same(a, o, s, at, 4)
        return
    same(a, o, s, at, 8)
    stop = min(end, at + 8 + 16 * (load8(a, at + 4) + 1)) if kind == 4 else end  # noqa: PLR2004  # segments
    place = at + 8
    while place + 16 <= stop:
        ipv6_address(a, o, s, w, place)
        if left > 0 and (kind != 4 or place == at + 8):  # noqa: PLR2004  # the same
            s[DESTINATION] = place
        place += 16
