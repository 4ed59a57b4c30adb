"""Kernels that find the packets of a window.

draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.memory import load8, load16, load16_little, load32, load32_little, pointer
from gql_server.engine.verify.layout import (
    PACKET_BEGIN,
    PACKET_COLUMNS,
    PACKET_END,
    PACKET_FACE,
    PACKET_HIGH,
    PACKET_KIND,
    PACKET_LINK,
    PACKET_LOW,
    PACKET_ORIGINAL,
)

# What a framing kernel says, in its state of int64.
COUNT: Final = 0
"""Packets in the list."""
POSITION: Final = 1
"""Where the next record or block begins."""
NEEDED: Final = 2
"""Bytes that it takes, when there are too few."""
METADATA: Final = 3
"""Bytes of blocks, options and padding that are neither packets nor describe them."""
HEADERS: Final = 4
"""Bytes of records and blocks around packets."""
FIRST_FACE: Final = 5
"""Number in the file of the section's first interface."""
FACES: Final = 6
"""Interfaces of the section so far."""
FRAMING_LENGTH: Final = 8

FACE_COLUMNS: Final = 2
FACE_LINK: Final = 0
FACE_SNAP: Final = 1

MORE: Final = 0
"""The window holds no further whole record."""
FULL: Final = 1
"""The list of packets is full."""
DESCRIPTION: Final = 2
"""A section header or interface description."""
MALFORMED: Final = 3

LARGEST: Final = 64 << 20
"""Longest record or block, in bytes."""
SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
_OBSOLETE: Final = 2
_SIMPLE: Final = 3
_ENHANCED: Final = 6
_OVERHEAD: Final = 12


@kernel
def _word(b: Bytes, at: int, little: bool) -> int:
    return load32_little(b, at) if little else load32(b, at)


@kernel
def _half(b: Bytes, at: int, little: bool) -> int:
    return load16_little(b, at) if little else load16(b, at)


@entry
def frame_pcap(window: Bytes, end: int, packets: State, framing: State, link: int, little: bool) -> int:
    """List the packets of a pcap file from POSITION on."""
    b, r, f = pointer(window), pointer(packets), pointer(framing)
    room = packets.shape[0] // PACKET_COLUMNS
    at = f[POSITION]
    while True:
        f[POSITION], f[NEEDED] = at, 16
        if end - at < 16:  # noqa: PLR2004  # a record header
            return MORE
        length = _word(b, at + 8, little)
        if length > LARGEST:
            return MALFORMED
        f[NEEDED] = 16 + length
        if end - at < f[NEEDED]:
            return MORE
        if f[COUNT] >= room:
            return FULL
        i = f[COUNT] * PACKET_COLUMNS
        r[i + PACKET_BEGIN], r[i + PACKET_END] = at + 16, at + 16 + length
        r[i + PACKET_ORIGINAL] = _word(b, at + 12, little)
        r[i + PACKET_HIGH], r[i + PACKET_LOW] = _word(b, at, little), _word(b, at + 4, little)
        r[i + PACKET_FACE], r[i + PACKET_KIND], r[i + PACKET_LINK] = 0, 0, link
        f[COUNT] += 1
        f[HEADERS] += 16
        at += 16 + length


@kernel
def _frame_packet(b: Bytes, r: State, f: State, t: State, at: int, length: int, kind: int, little: bool) -> bool:
    """List one packet block; say whether it is sound."""
    simple = kind == _SIMPLE
    if length < (16 if simple else 32):
        return False
    face, drops = 0, 0
    if kind == _OBSOLETE:
        face, drops = _half(b, at + 8, little), _half(b, at + 10, little)
    elif not simple:
        face = _word(b, at + 8, little)
    if face >= f[FACES]:
        return False
    number = (f[FIRST_FACE] + face) * FACE_COLUMNS
    original = _word(b, at + (8 if simple else 24), little)
    begin = at + (12 if simple else 28)
    if simple:
        snap = t[number + FACE_SNAP]
        captured = min(original if snap == 0 else min(original, snap), length - 16)
    else:
        captured = _word(b, at + 20, little)
    stop = at + length - 4
    if captured > stop - begin:
        return False
    i = f[COUNT] * PACKET_COLUMNS
    r[i + PACKET_BEGIN], r[i + PACKET_END], r[i + PACKET_ORIGINAL] = begin, begin + captured, original
    r[i + PACKET_HIGH] = 0 if simple else _word(b, at + 12, little)
    r[i + PACKET_LOW] = 0 if simple else _word(b, at + 16, little)
    r[i + PACKET_FACE], r[i + PACKET_KIND] = f[FIRST_FACE] + face, kind | (drops << 8)
    r[i + PACKET_LINK] = t[number + FACE_LINK]
    f[COUNT] += 1
    _count_rest(b, f, at, begin + captured, stop, length - captured)
    return True


@kernel
def _count_rest(b: Bytes, f: State, at: int, end: int, stop: int, around: int) -> None:
    """Count what stands around a packet: padding that is not zero, and options, are more than it needs."""
    padded = min(stop, end + (-(end - at) & 3))
    extra = stop - padded
    for i in range(end, padded):
        extra += load8(b, i) != 0
    f[METADATA] += extra
    f[HEADERS] += around - extra


@entry
def frame_pcapng(  # noqa: C901, PLR0911  # one loop over blocks
    window: Bytes, end: int, packets: State, framing: State, faces: State, little: bool
) -> int:
    """List the packets of a pcapng section from POSITION on; other blocks are passed over and counted."""
    b, r, f, t = pointer(window), pointer(packets), pointer(framing), pointer(faces)
    room = packets.shape[0] // PACKET_COLUMNS
    at = f[POSITION]
    while True:
        f[POSITION], f[NEEDED] = at, _OVERHEAD
        if end - at < _OVERHEAD:
            return MORE
        kind, length = _word(b, at, little), _word(b, at + 4, little)
        if kind == SECTION:
            return DESCRIPTION
        if length < _OVERHEAD or (length & 3) != 0 or length > LARGEST:
            return MALFORMED
        f[NEEDED] = length
        if end - at < length:
            return MORE
        if _word(b, at + length - 4, little) != length:
            return MALFORMED
        if kind == INTERFACE:
            return DESCRIPTION
        if kind in (_OBSOLETE, _SIMPLE, _ENHANCED):
            if f[COUNT] >= room:
                return FULL
            if not _frame_packet(b, r, f, t, at, length, kind, little):
                return MALFORMED
        else:
            f[METADATA] += length
        at += length
