"""Kernels that find the records of a window.

One pass writes down where each packet lies and keeps the totals of the capture.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

import numpy as np

from gql_server.engine.capture.records import (
    BAD_CAPTURED,
    BAD_INTERFACE,
    BAD_LENGTH,
    BAD_TRAILER,
    FRAMED,
    HEADER_BLOCK,
    INTERFACE_COLUMNS,
    INTERFACE_FIRST,
    INTERFACE_LAST,
    INTERFACE_LINK_TYPE,
    INTERFACE_SNAP_LENGTH,
    INTERFACE_TIMED,
    LIST_FULL,
    PACKET_HEADER,
    PCAP_HEADER,
    RECORD_BEGIN,
    RECORD_COLUMNS,
    RECORD_END,
    RECORD_HEADER,
    RECORD_LINK_TYPE,
    RECORD_SOURCE,
    SIMPLE_HEADER,
    TOO_LARGE,
    TOTAL_CAPTURED,
    TOTAL_DECLARED,
    TOTAL_DROPPED,
    TOTAL_ORIGINAL,
    TOTAL_PACKETS,
    TOTAL_RECORDS,
    TOTAL_TRUNCATED,
)
from gql_server.engine.compilation import Bytes, State, U, entry, kernel
from gql_server.engine.memory import (
    load8,
    load16,
    load16_little,
    load32,
    load32_little,
    load64,
    pointer,
    store8,
    store32,
    store64,
)

NANOSECONDS = 1_000_000_000

PACKET_BLOCK = 2
SIMPLE_PACKET_BLOCK = 3
ENHANCED_PACKET_BLOCK = 6
INTERFACE_BLOCK = 1
SECTION_BLOCK = 0x0A0D0D0A
BLOCK_HEADER = 8
BLOCK_OVERHEAD = 12
SIMPLE_OVERHEAD = 16
PACKET_OVERHEAD = 32
"""Of an enhanced and of an obsolete packet block without options."""


@kernel
def load_word(b: Bytes, o: int, little: bool) -> int:
    """Load four bytes in the byte order of a file."""
    return load32_little(b, o) if little else load32(b, o)


@kernel
def store_word(b: Bytes, o: int, value: int, little: bool) -> None:
    """Store four bytes in the byte order of a file."""
    if little:
        value = ((value & 0xFF) << 24) | ((value & 0xFF00) << 8) | ((value >> 8) & 0xFF00) | (value >> 24)
    store32(b, o, value)


@kernel
def _note(
    r: State, t: State, begin: int, captured: int, original: int, link_type: int, source: int, header: int
) -> None:
    i = t[TOTAL_RECORDS] * RECORD_COLUMNS
    r[i + RECORD_BEGIN] = begin
    r[i + RECORD_END] = begin + captured
    r[i + RECORD_LINK_TYPE] = link_type
    r[i + RECORD_SOURCE] = source
    r[i + RECORD_HEADER] = header
    t[TOTAL_RECORDS] += 1
    t[TOTAL_PACKETS] += 1
    t[TOTAL_CAPTURED] += captured
    t[TOTAL_ORIGINAL] += original
    if captured < original:
        t[TOTAL_TRUNCATED] += 1


@kernel
def _note_time(f: State, i: int, time: np.uint64) -> None:
    if time < U(f[i + INTERFACE_FIRST]):
        f[i + INTERFACE_FIRST] = np.int64(time)
    if time > U(f[i + INTERFACE_LAST]):
        f[i + INTERFACE_LAST] = np.int64(time)
    f[i + INTERFACE_TIMED] += 1


@entry
def frame_records(
    window: Bytes,
    records: State,
    interfaces: State,
    totals: State,
    position: int,
    end: int,
    limit: int,
    fraction: int,
    little: bool,
) -> tuple[int, int]:
    """Find pcap records from `position` on; return where the next one begins and why it stopped.

    Times are noted in nanoseconds; `fraction` is the length of the file's sub-second unit in them.
    """
    b, r, f, t = pointer(window), pointer(records), pointer(interfaces), pointer(totals)
    room = records.shape[0] // RECORD_COLUMNS
    while end - position >= PCAP_HEADER:
        captured = load_word(b, position + 8, little)
        t[TOTAL_DECLARED] = captured
        if captured > limit:
            return position, TOO_LARGE
        begin = position + PCAP_HEADER
        if end - begin < captured:
            return position, FRAMED
        if t[TOTAL_RECORDS] >= room:
            return position, LIST_FULL
        original = load_word(b, position + 12, little)
        _note(r, t, begin, captured, original, f[INTERFACE_LINK_TYPE], position, PCAP_HEADER)
        time = U(load_word(b, position, little)) * U(NANOSECONDS) + U(load_word(b, position + 4, little)) * U(fraction)
        _note_time(f, 0, time)
        position = begin + captured
    t[TOTAL_DECLARED] = 0
    return position, FRAMED


@kernel
def _interface_of(b: Bytes, position: int, kind: int, little: bool) -> int:
    if kind == SIMPLE_PACKET_BLOCK:
        return 0
    if kind == ENHANCED_PACKET_BLOCK:
        return load_word(b, position + 8, little)
    if little:
        return load16_little(b, position + 8)
    return load16(b, position + 8)


@kernel
def _captured_of(b: Bytes, position: int, kind: int, length: int, snap: int, little: bool) -> int:
    """Return how many packet bytes a packet block holds, or -1 when they do not fit it."""
    if kind == SIMPLE_PACKET_BLOCK:
        if length < SIMPLE_OVERHEAD:
            return -1
        captured = load_word(b, position + 8, little)
        if snap > 0:
            captured = min(captured, snap)
        # The captured length is not written: a block without an interface limit may still have been cut.
        return min(captured, length - SIMPLE_OVERHEAD)
    if length < PACKET_OVERHEAD:
        return -1
    captured = load_word(b, position + 20, little)
    return captured if captured <= length - PACKET_OVERHEAD else -1


@kernel
def move_down(b: Bytes, source: int, target: int, count: int) -> None:
    """Move bytes to a lower place; the two may overlap."""
    if source == target:
        return
    i = 0
    while count - i >= 8:  # noqa: PLR2004  # a word; what it overwrites was read before
        store64(b, target + i, load64(b, source + i))
        i += 8
    while i < count:
        store8(b, target + i, load8(b, source + i))
        i += 1


@kernel
def _keep_packet(b: Bytes, position: int, out: int, begin: int, captured: int, little: bool) -> int:
    """Move a packet block to `out` without its options and return its new length."""
    padded = (captured + 3) & ~3
    length = begin + padded + 4
    move_down(b, position, out, begin + captured)
    for i in range(captured, padded):
        store8(b, out + begin + i, 0)
    store_word(b, out + 4, length, little)
    store_word(b, out + length - 4, length, little)
    return length


@entry
def frame_blocks(  # noqa: C901, PLR0911, PLR0912  # one loop over blocks: state in locals keeps it fast
    window: Bytes,
    records: State,
    interfaces: State,
    totals: State,
    position: int,
    out: int,
    end: int,
    limit: int,
    little: bool,
    strip: bool,
) -> tuple[int, int, int]:
    """Find pcapng packets from `position` on; return where it stands, where output ends and why it stopped.

    With `strip`, packet blocks are moved together to `out` without their options and every other block is left out;
    the output never grows past what was read. Without it, nothing is changed.
    """
    b, r, f, t = pointer(window), pointer(records), pointer(interfaces), pointer(totals)
    room = records.shape[0] // RECORD_COLUMNS
    known = interfaces.shape[0] // INTERFACE_COLUMNS
    while end - position >= BLOCK_OVERHEAD:
        kind = load_word(b, position, little)
        if kind == SECTION_BLOCK:  # its length is in the byte order it declares itself
            return position, out, HEADER_BLOCK
        length = load_word(b, position + 4, little)
        t[TOTAL_DECLARED] = length
        if length < BLOCK_OVERHEAD or (length & 3) != 0:
            return position, out, BAD_LENGTH
        if length > limit:
            return position, out, TOO_LARGE
        if end - position < length:
            return position, out, FRAMED
        if load_word(b, position + length - 4, little) != length:
            return position, out, BAD_TRAILER
        if kind == INTERFACE_BLOCK:
            return position, out, HEADER_BLOCK
        if kind in (ENHANCED_PACKET_BLOCK, SIMPLE_PACKET_BLOCK, PACKET_BLOCK):
            if t[TOTAL_RECORDS] >= room:
                return position, out, LIST_FULL
            if length < SIMPLE_OVERHEAD:
                return position, out, BAD_CAPTURED
            number = _interface_of(b, position, kind, little)
            if number >= known:
                return position, out, BAD_INTERFACE
            face = number * INTERFACE_COLUMNS
            captured = _captured_of(b, position, kind, length, f[face + INTERFACE_SNAP_LENGTH], little)
            if captured < 0:
                return position, out, BAD_CAPTURED
            original = load_word(b, position + (8 if kind == SIMPLE_PACKET_BLOCK else 24), little)
            if kind != SIMPLE_PACKET_BLOCK:
                high = U(load_word(b, position + 12, little))
                _note_time(f, face, (high << U(32)) | U(load_word(b, position + 16, little)))
            header = SIMPLE_HEADER if kind == SIMPLE_PACKET_BLOCK else PACKET_HEADER
            _note(r, t, out + header, captured, original, f[face + INTERFACE_LINK_TYPE], position, header)
            kept = _keep_packet(b, position, out, header, captured, little) if strip else length
            out += kept
        elif strip:
            t[TOTAL_DROPPED] += 1
        else:
            out += length
        position += length
    t[TOTAL_DECLARED] = 0
    return position, out, FRAMED
