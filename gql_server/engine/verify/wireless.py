"""Kernels that read IEEE 802.11 frames.

IEEE 802.11-2016 section 9, bare or behind radiotap (radiotap.org).
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load16_little, load32, load32_little
from gql_server.engine.verify.claims import enter, remnant, same
from gql_server.engine.verify.fields import mac_address, sender_address
from gql_server.engine.verify.layout import READ_LLC

LINK_WIRELESS: Final = 105
LINK_RADIOTAP: Final = 127

_ENDS_WITH_CHECK: Final = 0x10
_IS_PADDED: Final = 0x20
# Sizes and alignments of the fields of the standard namespace, by number.
_SIZES: Final = (8, 1, 1, 4, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 8, 3, 8, 12, 12, 12, 12, 6, 1, 4)
_ALIGNMENTS: Final = (8, 1, 1, 2, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 4, 1, 4, 2, 8, 2, 2, 2, 1, 2)


@kernel
def read_radiotap(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read a radiotap header and the frame behind it."""
    if end - at < 8 or load8(a, at) != 0:  # noqa: PLR2004  # the fixed part
        return
    length = load16_little(a, at + 2)
    if length < 8 or end - at < length:  # noqa: PLR2004  # the same
        remnant(a, o, s, at, at + 4)
        return
    flags = _read_fields(a, o, s, at, at + length)
    read_wireless(a, o, s, w, at + length, end, flags)


@kernel
def _read_fields(a: Bytes, o: Bytes, s: State, at: int, end: int) -> int:
    """Read the fields of the standard namespace; return the frame's flags."""
    words, known = 1, 1
    while end - at >= 8 + 4 * words and load32_little(a, at + 4 * words) >> 31:
        words += 1
    # Words behind one that leaves the namespace mean something else.
    while known < words and (load32_little(a, at + 4 * known) >> 28) & 7 == 2:  # noqa: PLR2004  # the standard one
        known += 1
    same(a, o, s, at, 4 + 4 * known)
    place, flags = at + 4 + 4 * words, 0
    for number in range(32 * known):
        bit = number & 31
        if bit >= 28 or not (load32_little(a, at + 4 + 4 * (number >> 5)) >> bit) & 1:  # noqa: PLR2004  # of the word
            continue
        place += -(place - at) & (_ALIGNMENTS[bit] - 1)
        if place + _SIZES[bit] > end:
            return flags
        same(a, o, s, place, _SIZES[bit])
        if number == 1:
            flags = load8(a, place)
        place += _SIZES[bit]
    return flags


@kernel
def read_wireless(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int, flags: int) -> None:
    """Read a frame; flags as in radiotap."""
    if flags & _ENDS_WITH_CHECK:
        end = max(at, end - 4)
    if end <= at or load8(a, at) & 3:
        return
    kind, subtype = (load8(a, at) >> 2) & 3, load8(a, at) >> 4
    if end - at < 10 or kind == 3:  # noqa: PLR2004  # the shortest; no kind
        remnant(a, o, s, at, min(end, at + (2 if kind == 3 else 4)))  # noqa: PLR2004  # the same
    elif kind == 1:
        _read_control(a, o, s, w, subtype, at, end)
    elif kind == 0:
        _read_management(a, o, s, w, subtype, at, end)
    else:
        _read_data(a, o, s, w, subtype, at, end, flags)


@kernel
def _read_control(a: Bytes, o: Bytes, s: State, w: Words, subtype: int, at: int, end: int) -> None:
    # Clear to send, acknowledgment and wrapper have the receiver alone.
    one = subtype in (7, 12, 13)
    if not one and subtype >= 4 and end - at < 16:  # noqa: PLR2004  # the first with two addresses
        remnant(a, o, s, at, at + 4)
        return
    same(a, o, s, at, 4)
    if one or subtype >= 4:  # noqa: PLR2004  # the same
        mac_address(a, o, s, w, at + 4)
    if not one and subtype >= 4:  # noqa: PLR2004  # the same
        sender_address(a, o, s, w, at + 10)


@kernel
def _read_addresses(a: Bytes, o: Bytes, s: State, w: Words, at: int) -> None:
    same(a, o, s, at, 4)
    mac_address(a, o, s, w, at + 4)
    sender_address(a, o, s, w, at + 10)
    mac_address(a, o, s, w, at + 16)
    same(a, o, s, at + 22, 2)


@kernel
def _fixed_bytes(subtype: int) -> int:
    """Return how long the fixed fields of a management frame are (section 9.3.3)."""
    if subtype in (5, 8):  # probe response, beacon
        return 12
    if subtype in (1, 3, 11):  # responses to associations, authentication
        return 6
    if subtype in (0, 2):  # requests
        return 4
    return 2 if subtype in (10, 12) else 0  # reasons


@kernel
def _read_management(a: Bytes, o: Bytes, s: State, w: Words, subtype: int, at: int, end: int) -> None:
    control = load8(a, at + 1)
    body = at + (28 if control & 0x80 else 24)  # with HT control
    if body > end:
        remnant(a, o, s, at, at + 4)
        return
    _read_addresses(a, o, s, w, at)
    same(a, o, s, at + 24, body - at - 24)
    if not control & 0x40 and not load8(a, at + 22) & 15:  # protected; a later fragment
        fixed = min(_fixed_bytes(subtype), end - body)
        same(a, o, s, body, fixed)
        if subtype == 2 and end - body >= fixed + 6:  # noqa: PLR2004  # the access point that is left
            mac_address(a, o, s, w, body + fixed)


@kernel
def _read_data(a: Bytes, o: Bytes, s: State, w: Words, subtype: int, at: int, end: int, flags: int) -> None:
    control = load8(a, at + 1)
    four, quality = control & 3 == 3, subtype & 8 != 0  # noqa: PLR2004  # between distribution systems
    place = at + (30 if four else 24)
    header = place - at + ((6 if control & 0x80 else 2) if quality else 0)  # with HT control
    body = at + (header + (-header & 3) if flags & _IS_PADDED else header)
    if body > end:
        remnant(a, o, s, at, at + 4)
        return
    _read_addresses(a, o, s, w, at)
    if four:
        mac_address(a, o, s, w, at + 24)
    same(a, o, s, place, at + header - place)
    if subtype & 4 or control & 0x40 or load8(a, at + 22) & 15:  # null; protected; later fragment
        return
    if quality and load8(a, place) & 0x80:  # an aggregate
        return
    if quality and load8(a, place + 1) & 1 and control & 2:  # mesh control, from the mesh
        body = _read_mesh(a, o, s, w, body, end)
    enter(s, READ_LLC, body, end)


@kernel
def _is_snap(a: Bytes, at: int, end: int) -> bool:
    return end - at >= 8 and load32(a, at) == 0xAAAA0300 and load16(a, at + 4) == 0  # noqa: PLR2004  # RFC 1042


@kernel
def _read_mesh(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> int:
    """Read a mesh control field with SNAP behind it; return where it ends."""
    if end - at < 6 or _is_snap(a, at, end):  # noqa: PLR2004  # without addresses
        return at
    count = load8(a, at) & 3
    stop = at + 6 + 6 * count
    if count == 3 or not _is_snap(a, stop, end):  # noqa: PLR2004  # reserved
        return at
    same(a, o, s, at, 6)
    for i in range(count):
        mac_address(a, o, s, w, at + 6 + 6 * i)
    return stop
