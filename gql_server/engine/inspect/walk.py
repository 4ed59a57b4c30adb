"""The walk of the survey through a window.

The window is read as it is written: whole pcap records, or whole pcapng blocks of one section between two header
blocks. Each packet is walked from the link inwards and entered into the tables.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, entry, kernel
from gql_server.engine.inspect.accounting import account, enqueue
from gql_server.engine.inspect.layout import (
    BEGIN,
    BYTES,
    CLAIM,
    END,
    ENTER_ETHERNET,
    ENTER_LLC,
    ENTER_PROTOCOL,
    FRAGMENT,
    LENGTH,
    LINK_TYPE,
    NEXT,
    NEXT_AT,
    NEXT_END,
    NO_CLAIM,
    NO_PORTS,
    NO_TIME,
    NOTHING,
    PACKETS,
    PORTS,
    QUEUE_MOST,
    SEEN,
    TIME,
    VERSION,
)
from gql_server.engine.inspect.links import (
    TYPE_ARP,
    TYPE_BRIDGED,
    TYPE_IPV4,
    TYPE_IPV6,
    TYPE_MPLS,
    TYPE_MPLS_UPSTREAM,
    TYPE_OLD_PROVIDER_VLAN,
    TYPE_PPPOE,
    TYPE_PROVIDER_VLAN,
    TYPE_RARP,
    TYPE_VLAN,
    arp,
    enter_link,
    ethernet,
    forget_macs,
    llc,
    mpls,
    other_type,
    pppoe,
    vlan,
)
from gql_server.engine.inspect.network import carried, ipv4, ipv6
from gql_server.engine.inspect.tables import has_room
from gql_server.engine.memory import load16, load16_little, load32, load32_little, pointer

DONE: Final = 0
NO_ROOM: Final = 1
HEADER_BLOCK: Final = 2
MARKED: Final = 3
BROKEN: Final = 4
"""A record that is not whole, or does not fit."""

HEADER: Final = -2

LAYERS_MOST: Final = 40
"""Layers of a packet that are walked."""

FACE_COLUMNS: Final = 6
FACE_LINK_TYPE: Final = 0
FACE_MULTIPLIER: Final = 1
"""Nanoseconds are ticks * multiplier // divisor >> shift, plus the offset; a multiplier of 0 means no time."""
FACE_DIVISOR: Final = 2
FACE_SHIFT: Final = 3
FACE_OFFSET: Final = 4
FACE_SNAP_LENGTH: Final = 5
"""0 means no limit."""

_NANOSECONDS: Final = 1_000_000_000
_LARGEST: Final = (1 << 63) - 1
_WORD: Final = 32
_LOW_WORD: Final = 0xFFFFFFFF
_PCAP_RECORD: Final = 16
_BLOCK: Final = 12
_SECTION_BLOCK: Final = 0x0A0D0D0A
_INTERFACE_BLOCK: Final = 1
_PACKET_BLOCK: Final = 2
_SIMPLE_BLOCK: Final = 3
_ENHANCED_BLOCK: Final = 6
_SIMPLE_HEADER: Final = 12
_ENHANCED_HEADER: Final = 28


@kernel
def _layer(b: Bytes, s: State, p: Bytes, kind: int, outermost: bool, at: int, end: int) -> None:
    """Walk one layer."""
    if kind >= ENTER_PROTOCOL:
        carried(b, s, p, kind - ENTER_PROTOCOL, outermost, at, end)
    elif kind == TYPE_IPV4:
        ipv4(b, s, at, end)
    elif kind == TYPE_IPV6:
        ipv6(b, s, at, end)
    elif kind in (ENTER_ETHERNET, TYPE_BRIDGED):
        ethernet(b, s, at, end)
    elif kind in (TYPE_VLAN, TYPE_PROVIDER_VLAN, TYPE_OLD_PROVIDER_VLAN):
        vlan(b, s, at, end)
    elif kind in (TYPE_ARP, TYPE_RARP):
        arp(b, s, at, end)
    elif kind == ENTER_LLC:
        llc(b, s, at, end)
    elif kind in (TYPE_MPLS, TYPE_MPLS_UPSTREAM):
        mpls(b, s, at, end)
    elif kind == TYPE_PPPOE:
        pppoe(b, s, at, end)
    else:
        other_type(s, kind)


@kernel
def walk_packet(b: Bytes, s: State, p: Bytes) -> None:
    """Walk the packet that was read."""
    s[SEEN] = s[VERSION] = s[FRAGMENT] = 0
    s[NEXT], s[PORTS], s[CLAIM] = NOTHING, NO_PORTS, NO_CLAIM
    forget_macs(s)
    enter_link(b, s, s[LINK_TYPE], s[BEGIN], s[END])
    ip_headers = 0
    for _ in range(LAYERS_MOST):
        kind, at, stop = s[NEXT], s[NEXT_AT], s[NEXT_END]
        if kind == NOTHING:
            break
        s[NEXT] = NOTHING
        ip_headers += kind in (TYPE_IPV4, TYPE_IPV6)
        _layer(b, s, p, kind, ip_headers == 1, at, stop)


@kernel
def _survey(b: Bytes, s: State, w: Words, x: Words, p: Bytes, queued: int) -> int:
    """Walk the packet that was read and queue it; return how many are queued then."""
    s[PACKETS] += 1
    s[BYTES] += s[LENGTH]
    walk_packet(b, s, p)
    enqueue(s, x, queued)
    if queued + 1 < QUEUE_MOST:
        return queued + 1
    account(s, w, x, QUEUE_MOST)
    return 0


@kernel
def _word(b: Bytes, o: int, little: bool) -> int:
    return load32_little(b, o) if little else load32(b, o)


@kernel
def read_record(b: Bytes, s: State, link: int, fraction: int, little: bool, position: int, end: int) -> int:
    """Read a pcap record; return where the next one begins, -1 when this one is not whole.

    `fraction` is the length of the file's sub-second unit in nanoseconds.
    """
    if end - position < _PCAP_RECORD:
        return -1
    begin = position + _PCAP_RECORD
    captured = _word(b, position + 8, little)
    if captured > end - begin:
        return -1
    s[LINK_TYPE] = link
    s[BEGIN], s[END] = begin, begin + captured
    s[LENGTH] = _word(b, position + 12, little)
    s[TIME] = _word(b, position, little) * _NANOSECONDS + _word(b, position + 4, little) * fraction
    return begin + captured


@entry
def survey_records(
    window: Bytes,
    state: State,
    rows: Words,
    index: Words,
    services: Bytes,
    position: int,
    end: int,
    mark: int,
    link: int,
    fraction: int,
    little: bool,
) -> tuple[int, int]:
    """Survey pcap records; return where it stands and why it stopped."""
    b, s, w, x, p = pointer(window), pointer(state), pointer(rows), pointer(index), pointer(services)
    queued, reason = 0, DONE
    while position < end and reason == DONE:
        following = read_record(b, s, link, fraction, little, position, end)
        if position >= mark:
            reason = MARKED
        elif not has_room(s):
            reason = NO_ROOM
        elif following < 0:
            reason = BROKEN
        else:
            queued = _survey(b, s, w, x, p, queued)
            position = following
    account(s, w, x, queued)
    return position, reason


@kernel
def _nanoseconds(f: State, face: int, ticks: np.uint64) -> int:
    """Turn a time in an interface's units into nanoseconds; NO_TIME beyond 63 bits."""
    multiplier, divisor = U(f[face + FACE_MULTIPLIER]), U(f[face + FACE_DIVISOR])
    shift = f[face + FACE_SHIFT]
    if multiplier == U(0):
        return NO_TIME
    whole = (ticks >> U(shift)) // divisor
    if whole > U(_LARGEST) // multiplier:
        return NO_TIME
    time = whole * multiplier
    if shift > 0:
        rest = ticks & ((U(1) << U(shift)) - U(1))
        # Two steps: the product has up to 94 bits.
        upper = (rest >> U(_WORD)) * multiplier + (((rest & U(_LOW_WORD)) * multiplier) >> U(_WORD))
        time += (rest * multiplier) >> U(shift) if shift < _WORD else upper >> U(shift - _WORD)
    offset = f[face + FACE_OFFSET]
    if time > U(_LARGEST) or (offset > 0 and time > U(_LARGEST - offset)):
        return NO_TIME
    return np.int64(time) + offset  # type: ignore[no-any-return]  # an int to numba


@kernel
def is_packet_block(kind: int) -> bool:
    """Say whether a block holds a packet."""
    return kind in (_ENHANCED_BLOCK, _SIMPLE_BLOCK, _PACKET_BLOCK)


@kernel
def block_kind(b: Bytes, little: bool, position: int, end: int) -> int:
    """Return what block begins here, -1 for a part of one, HEADER for one that is not for a kernel."""
    if end - position < _BLOCK:
        return -1
    kind = _word(b, position, little)
    if kind in (_SECTION_BLOCK, _INTERFACE_BLOCK):
        return HEADER
    length = _word(b, position + 4, little)
    return -1 if length < _BLOCK or length > end - position else kind


@kernel
def block_length(b: Bytes, little: bool, position: int) -> int:
    """Return the length of a block."""
    return _word(b, position + 4, little)


@kernel
def read_block(b: Bytes, s: State, f: State, known: int, little: bool, position: int) -> bool:
    """Read the packet of a whole packet block; False when it does not fit."""
    kind, length = _word(b, position, little), _word(b, position + 4, little)
    number, time = 0, NO_TIME
    if length < (_SIMPLE_HEADER if kind == _SIMPLE_BLOCK else _ENHANCED_HEADER) + 4:
        return False
    if kind == _ENHANCED_BLOCK:
        number = _word(b, position + 8, little)
    elif kind == _PACKET_BLOCK:
        number = load16_little(b, position + 8) if little else load16(b, position + 8)
    if number >= known:
        return False
    face = number * FACE_COLUMNS
    if kind == _SIMPLE_BLOCK:
        begin, original = position + _SIMPLE_HEADER, _word(b, position + 8, little)
        captured = min(original, length - _SIMPLE_HEADER - 4)
        if f[face + FACE_SNAP_LENGTH] > 0:
            captured = min(captured, f[face + FACE_SNAP_LENGTH])
    else:
        begin, original = position + _ENHANCED_HEADER, _word(b, position + 24, little)
        captured = _word(b, position + 20, little)
        ticks = (U(_word(b, position + 12, little)) << U(_WORD)) | U(_word(b, position + 16, little))
        time = _nanoseconds(f, face, ticks)
    if captured > length - (begin - position) - 4:
        return False
    s[LINK_TYPE] = f[face + FACE_LINK_TYPE]
    s[BEGIN], s[END] = begin, begin + captured
    s[LENGTH], s[TIME] = original, time
    return True


@entry
def survey_blocks(
    window: Bytes,
    state: State,
    rows: Words,
    index: Words,
    services: Bytes,
    faces: State,
    position: int,
    end: int,
    mark: int,
    little: bool,
) -> tuple[int, int]:
    """Survey pcapng blocks up to the next header block; return where it stands and why it stopped."""
    b, s, w, x = pointer(window), pointer(state), pointer(rows), pointer(index)
    p, f = pointer(services), pointer(faces)
    known = faces.shape[0] // FACE_COLUMNS
    queued, reason = 0, DONE
    while position < end and reason == DONE:
        kind = block_kind(b, little, position, end)
        if position >= mark:
            reason = MARKED
        elif kind == HEADER:
            reason = HEADER_BLOCK
        elif kind < 0:
            reason = BROKEN
        elif not is_packet_block(kind):
            position += block_length(b, little, position)
        elif not has_room(s):
            reason = NO_ROOM
        elif not read_block(b, s, f, known, little, position):
            reason = BROKEN
        else:
            queued = _survey(b, s, w, x, p, queued)
            position += block_length(b, little, position)
    account(s, w, x, queued)
    return position, reason
