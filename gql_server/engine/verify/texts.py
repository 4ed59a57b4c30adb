"""Kernels that read addresses as people write them.

Dotted decimal, zero-padded or not; IPv6 in full and short (RFC 5952); MAC addresses with colons, hyphens and Cisco's
dots; EUI-64; plain hexadecimal, also from last byte to first.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load8
from gql_server.engine.verify.hits import (
    EUI64,
    HEX,
    TEXT,
    TEXT_DONE,
    look_up,
    look_up_mac,
    look_up_wide,
    may_be,
    swap32,
    swap48,
)

_DOT: Final = 0x2E
_COLON: Final = 0x3A
_HYPHEN: Final = 0x2D
_WORD = U(0xFFFFFFFF)
_TEXT_LOW = U(0x07FF600000000000)
_TEXT_HIGH = U(0x0000007E0000007E)
"""Which bytes of ASCII are hexadecimal digits, dots, colons or hyphens, a bit for each."""
_SHORTEST: Final = 7
_LOCAL = U(0x020000000000)
"""The bit that an EUI-64 interface id turns over (RFC 4291 appendix A)."""


@kernel
def digit(x: int) -> int:
    """Return the value of a hexadecimal digit, or -1."""
    if 0x30 <= x <= 0x39:  # noqa: PLR2004  # 0 to 9
        return x - 0x30
    lower = x | 0x20
    return lower - 0x57 if 0x61 <= lower <= 0x66 else -1  # noqa: PLR2004  # a to f


@kernel
def is_text(x: int) -> bool:
    """Say whether a byte may stand in an address that is written out: a hexadecimal digit, dot, colon or hyphen."""
    bits = _TEXT_LOW if x < 64 else _TEXT_HIGH  # noqa: PLR2004  # half of ASCII
    return x < 128 and (bits >> U(x & 63)) & U(1) != U(0)  # noqa: PLR2004  # ASCII


@kernel
def are_text(b: Bytes, at: int) -> bool:
    """Say so of four bytes."""
    return (
        is_text(load8(b, at)) and is_text(load8(b, at + 1)) and is_text(load8(b, at + 2)) and is_text(load8(b, at + 3))
    )


@kernel
def read_text(
    b: Bytes, s: State, w: Words, bits: Words, h: State, shift: np.uint64, room: int, at: int, end: int
) -> None:
    """Read the run of digits and separators around a place, once."""
    begin = max(at, h[TEXT_DONE])
    if begin >= end or not is_text(load8(b, begin)):
        return
    while begin > h[TEXT_DONE] and is_text(load8(b, begin - 1)):
        begin -= 1
    stop = begin
    while stop < end and is_text(load8(b, stop)):
        stop += 1
    h[TEXT_DONE] = stop
    if stop - begin < _SHORTEST:
        return
    _read_hex(b, s, w, bits, h, shift, room, begin, stop)
    for place in range(begin, stop - 1):
        if digit(load8(b, place)) >= 0:
            # The number before a dotted one would be another; a group of digits may follow what is no text at all.
            if place == begin or not _is_decimal(load8(b, place - 1)):
                _read_quad(b, s, w, h, room, place, stop)
            _read_triple(b, s, w, h, room, place, stop)
            _read_groups(b, s, w, h, room, place, stop)
            _read_ipv6(b, s, w, h, room, place, stop)
        elif load8(b, place) == _COLON and load8(b, place + 1) == _COLON:
            _read_ipv6(b, s, w, h, room, place, stop)


@kernel
def _is_decimal(x: int) -> bool:
    return 0x30 <= x <= 0x39  # noqa: PLR2004  # 0 to 9


@kernel
def _read_hex(
    b: Bytes, s: State, w: Words, bits: Words, h: State, shift: np.uint64, room: int, begin: int, end: int
) -> None:
    """Read runs of hexadecimal digits."""
    high, low, count = U(0), U(0), 0
    for place in range(begin, end):
        value = digit(load8(b, place))
        if value < 0:
            count = 0
            continue
        high = (high << U(4)) | (low >> U(60))
        low = (low << U(4)) | U(value)
        count += 1
        if count >= 8 and may_be(bits, shift, low & _WORD):  # noqa: PLR2004  # digits of an IPv4 address
            look_up(s, w, h, room, low & _WORD, place - 7, HEX, 8)
            look_up(s, w, h, room, swap32(low & _WORD), place - 7, HEX, 8)
        if count >= 12:  # noqa: PLR2004  # digits of a MAC address
            mac = low & U(0xFFFFFFFFFFFF)
            look_up_mac(s, w, h, room, mac, place - 11, HEX, 12)
            look_up_mac(s, w, h, room, swap48(mac), place - 11, HEX, 12)
        if count >= 16 and (low >> U(24)) & U(0xFFFF) == U(0xFFFE):  # noqa: PLR2004  # digits of an EUI-64
            look_up_mac(s, w, h, room, mac_of(low), place - 15, EUI64, 16)
        if count >= 32:  # noqa: PLR2004  # digits of an IPv6 address
            look_up_wide(s, w, h, room, high, low, place - 31, HEX, 32)


@kernel
def mac_of(identifier: np.uint64) -> np.uint64:
    """Return the MAC address of an EUI-64 interface id."""
    return (((identifier >> U(40)) << U(24)) | (identifier & U(0xFFFFFF))) ^ _LOCAL


@kernel
def _read_quad(b: Bytes, s: State, w: Words, h: State, room: int, begin: int, end: int) -> None:
    """Read four decimal numbers with dots between them."""
    value, at = U(0), begin
    for part in range(4):
        number, first = 0, at
        while at < end and at - first < 3 and _is_decimal(load8(b, at)):  # noqa: PLR2004  # digits of a byte
            number = number * 10 + load8(b, at) - 0x30
            at += 1
        if at == first or number > 0xFF:  # noqa: PLR2004  # a byte
            return
        value = (value << U(8)) | U(number)
        if part < 3:  # noqa: PLR2004  # the last has no dot behind it
            if at >= end or load8(b, at) != _DOT:
                return
            at += 1
    if at >= end or not _is_decimal(load8(b, at)):
        look_up(s, w, h, room, value, begin, TEXT, at - begin)


@kernel
def _group(b: Bytes, at: int, end: int, most: int) -> tuple[int, int]:
    """Return the number that up to `most` hexadecimal digits spell, and where it ends."""
    number, first = 0, at
    while at < end and at - first < most:
        value = digit(load8(b, at))
        if value < 0:
            break
        number = number * 16 + value
        at += 1
    return number, at


@kernel
def _read_triple(b: Bytes, s: State, w: Words, h: State, room: int, begin: int, end: int) -> None:
    """Read a MAC address in three groups of four digits."""
    number, at = _group(b, begin, end, 4)
    if at - begin != 4 or at >= end or load8(b, at) != _DOT:  # noqa: PLR2004  # digits of a group
        return
    second, middle = _group(b, at + 1, end, 4)
    if middle - at != 5 or middle >= end or load8(b, middle) != _DOT:  # noqa: PLR2004  # a dot and a group
        return
    third, last = _group(b, middle + 1, end, 4)
    if last - middle == 5:  # noqa: PLR2004  # the same
        mac = (U(number) << U(32)) | (U(second) << U(16)) | U(third)
        look_up_mac(s, w, h, room, mac, begin, TEXT, last - begin)


@kernel
def _read_groups(b: Bytes, s: State, w: Words, h: State, room: int, begin: int, end: int) -> None:
    """Read a MAC address or an EUI-64 in groups of one or two digits."""
    number, at = _group(b, begin, end, 4)
    if at >= end:
        return
    separator = load8(b, at)
    if at - begin > 2 or separator not in (_COLON, _HYPHEN):  # noqa: PLR2004  # digits of a group
        return
    value = U(number)
    for part in range(1, 8):
        if at >= end or load8(b, at) != separator:
            return
        number, stop = _group(b, at + 1, end, 2)
        if stop == at + 1 or (stop < end and digit(load8(b, stop)) >= 0):
            return
        value, at = (value << U(8)) | U(number), stop
        if part == 5:  # noqa: PLR2004  # the sixth
            look_up_mac(s, w, h, room, value, begin, TEXT, at - begin)
    if (value >> U(24)) & U(0xFFFF) == U(0xFFFE):
        look_up_mac(s, w, h, room, mac_of(value), begin, EUI64, at - begin)


@kernel
def _place(high: np.uint64, low: np.uint64, number: int, index: int) -> tuple[np.uint64, np.uint64]:
    """Put a 16-bit group into an IPv6 address."""
    if index < 4:  # noqa: PLR2004  # the upper half
        return high | (U(number) << U(48 - 16 * index)), low
    return high, low | (U(number) << U(112 - 16 * index))


@kernel
def _read_ipv6(b: Bytes, s: State, w: Words, h: State, room: int, begin: int, end: int) -> None:
    """Read an IPv6 address; what follows a short one may belong to it or not, so each end is tried."""
    high, low, groups, at = U(0), U(0), 0, begin
    while groups < 8:  # noqa: PLR2004  # groups of an address
        number, stop = _group(b, at, end, 4)
        if stop == at:
            break
        if stop < end and digit(load8(b, stop)) >= 0:
            return
        high, low = _place(high, low, number, groups)
        groups += 1
        at = stop
        if groups == 8:  # noqa: PLR2004  # the same
            look_up_wide(s, w, h, room, high, low, begin, TEXT, at - begin)
            return
        if at >= end or load8(b, at) != _COLON:
            return
        if at + 1 < end and load8(b, at + 1) == _COLON:
            at += 1
            break
        at += 1
    # Here stands the second of two colons, or nothing that is an address.
    if groups == 0:
        at += 1
    if at < end and load8(b, at) == _COLON and load8(b, at - 1) == _COLON:
        _read_tail(b, s, w, h, room, begin, at + 1, end, high, low, groups)


@kernel
def _read_tail(
    b: Bytes,
    s: State,
    w: Words,
    h: State,
    room: int,
    begin: int,
    at: int,
    end: int,
    high: np.uint64,
    low: np.uint64,
    groups: int,
) -> None:
    """Read what follows two colons."""
    look_up_wide(s, w, h, room, high, low, begin, TEXT, at - begin)
    tail_high, tail_low = U(0), U(0)
    while groups < 7:  # noqa: PLR2004  # two colons stand for one group at least
        number, stop = _group(b, at, end, 4)
        if stop == at or (stop < end and digit(load8(b, stop)) >= 0):
            return
        tail_high = (tail_high << U(16)) | (tail_low >> U(48))
        tail_low = (tail_low << U(16)) | U(number)
        groups += 1
        look_up_wide(s, w, h, room, high | tail_high, low | tail_low, begin, TEXT, stop - begin)
        if stop >= end or load8(b, stop) != _COLON:
            return
        at = stop + 1
