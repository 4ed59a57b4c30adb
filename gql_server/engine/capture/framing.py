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
    RECORD_BEGIN,
    RECORD_COLUMNS,
    RECORD_END,
    RECORD_LINK_TYPE,
    RECORD_SOURCE,
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
from gql_server.engine.memory import load8, load16, load32, load32_little, pointer, store8, store32

NANOSECONDS = 1_000_000_000
PCAP_RECORD_HEADER = 16

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
def _word(b: Bytes, o: int, little: bool) -> int:
    return load32_little(b, o) if little else load32(b, o)


@kernel
def _note(r: State, t: State, begin: int, captured: int, original: int, link_type: int, source: int) -> None:
    i = t[TOTAL_RECORDS] * RECORD_COLUMNS
    r[i + RECORD_BEGIN] = begin
    r[i + RECORD_END] = begin + captured
    r[i + RECORD_LINK_TYPE] = link_type
    r[i + RECORD_SOURCE] = source
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
    while end - position >= PCAP_RECORD_HEADER:
        captured = _word(b, position + 8, little)
        t[TOTAL_DECLARED] = captured
        if captured > limit:
            return position, TOO_LARGE
        begin = position + PCAP_RECORD_HEADER
        if end - begin < captured:
            return position, FRAMED
        if t[TOTAL_RECORDS] >= room:
            return position, LIST_FULL
        _note(r, t, begin, captured, _word(b, position + 12, little), f[INTERFACE_LINK_TYPE], position)
        time = U(_word(b, position, little)) * U(NANOSECONDS) + U(_word(b, position + 4, little)) * U(fraction)
        _note_time(f, 0, time)
        position = begin + captured
    t[TOTAL_DECLARED] = 0
    return position, FRAMED


@kernel
def _interface_of(b: Bytes, position: int, kind: int, little: bool) -> int:
    if kind == SIMPLE_PACKET_BLOCK:
        return 0
    if kind == ENHANCED_PACKET_BLOCK:
        return _word(b, position + 8, little)
    if little:
        return load8(b, position + 8) | (load8(b, position + 9) << 8)
    return load16(b, position + 8)


@kernel
def _captured_of(b: Bytes, position: int, kind: int, length: int, snap: int, little: bool) -> int:
    """Return how many packet bytes a packet block holds, or -1 when they do not fit it."""
    if kind == SIMPLE_PACKET_BLOCK:
        if length < SIMPLE_OVERHEAD:
            return -1
        captured = _word(b, position + 8, little)
        if snap > 0:
            captured = min(captured, snap)
        # The captured length is not written: a block without an interface limit may still have been cut.
        return min(captured, length - SIMPLE_OVERHEAD)
    if length < PACKET_OVERHEAD:
        return -1
    captured = _word(b, position + 20, little)
    return captured if captured <= length - PACKET_OVERHEAD else -1


@kernel
def _move(b: Bytes, source: int, target: int, count: int) -> None:
    if source != target:
        for i in range(count):
            store8(b, target + i, load8(b, source + i))


@kernel
def _keep_packet(b: Bytes, position: int, out: int, begin: int, captured: int, little: bool) -> int:
    """Move a packet block to `out` without its options and return its new length."""
    padded = (captured + 3) & ~3
    length = begin + padded + 4
    _move(b, position, out, begin + captured)
    for i in range(captured, padded):
        store8(b, out + begin + i, 0)
    word = length
    if little:
        word = ((length & 0xFF) << 24) | ((length & 0xFF00) << 8) | ((length >> 8) & 0xFF00) | (length >> 24)
    store32(b, out + 4, word)
    store32(b, out + length - 4, word)
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
        kind = _word(b, position, little)
        if kind == SECTION_BLOCK:  # its length is in the byte order it declares itself
            return position, out, HEADER_BLOCK
        length = _word(b, position + 4, little)
        t[TOTAL_DECLARED] = length
        if length < BLOCK_OVERHEAD or (length & 3) != 0:
            return position, out, BAD_LENGTH
        if length > limit:
            return position, out, TOO_LARGE
        if end - position < length:
            return position, out, FRAMED
        if _word(b, position + length - 4, little) != length:
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
            original = _word(b, position + (8 if kind == SIMPLE_PACKET_BLOCK else 24), little)
            if kind != SIMPLE_PACKET_BLOCK:
                high = U(_word(b, position + 12, little))
                _note_time(f, face, (high << U(32)) | U(_word(b, position + 16, little)))
            header = BLOCK_OVERHEAD if kind == SIMPLE_PACKET_BLOCK else PACKET_OVERHEAD - 4
            _note(r, t, out + header, captured, original, f[face + INTERFACE_LINK_TYPE], position)
            kept = _keep_packet(b, position, out, header, captured, little) if strip else length
            out += kept
        elif strip:
            t[TOTAL_DROPPED] += 1
        else:
            out += length
        position += length
    t[TOTAL_DECLARED] = 0
    return position, out, FRAMED
