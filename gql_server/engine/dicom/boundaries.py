"""Where a PDU begins in the middle of a stream.

Nothing marks a PDU (PS3.8 §9.3), so a place counts as a boundary only if what stands there makes sense to its end and
what follows does too. A false one would leave a few bytes of a value in place as if they were a header.
"""
# kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, entry
from gql_server.engine.dicom.sources import ByteStream
from gql_server.engine.memory import load8, load16, load32, pointer

ASSOCIATE_RQ: Final = 1
ASSOCIATE_AC: Final = 2
ASSOCIATE_RJ: Final = 3
P_DATA: Final = 4
RELEASE_RQ: Final = 5
RELEASE_RP: Final = 6
ABORT: Final = 7

HEADER: Final = 6
"""Bytes of the header of a PDU, and of that of a fragment with its control header (PS3.8 §9.3.5.1, Annex E)."""
SMALLEST_ASSOCIATE: Final = 68
LARGEST_ASSOCIATE: Final = 1 << 20
SHORT: Final = 4
"""Length of all other PDUs but P-DATA-TF."""
SMALLEST_FRAGMENT: Final = 2
MOST_CONTROL: Final = 3

_ASSOCIATE: Final = (ASSOCIATE_RQ, ASSOCIATE_AC)
_SHORT_PDU: Final = HEADER + SHORT
_FIXED: Final = 74
"""Bytes of an association PDU before its items (PS3.8 §9.3.2)."""
_LARGEST_DATA: Final = 1 << 28
_MOST_FRAGMENTS: Final = 64
_MOST_ITEMS: Final = 1024
_ITEMS: Final = (0x10, 0x20, 0x21, 0x50)
_SIGNATURE: Final = b"\0\0\0\0\4\0\0\0"
"""How every command set begins: Command Group Length, four bytes (PS3.7 §6.3.1)."""
_SIGNATURE_AT: Final = 12
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_FIRST_WINDOW: Final = 1 << 12
_WINDOW: Final = 1 << 18
_OVERLAP: Final = 16
_NONE: Final = -1


def is_boundary(stream: ByteStream, at: int) -> bool:
    """Say whether a PDU begins here, and whether another one or the end of the stream follows it."""
    length = pdu_length(stream, at)
    if length is None:
        return False
    head = stream.read(at, _SIGNATURE_AT + len(_SIGNATURE))
    after = at + length
    covered = stream.next_covered(after) == after
    if covered:
        next_head = stream.read(after, HEADER)
        if len(next_head) < HEADER:
            return ASSOCIATE_RQ <= next_head[0] <= ABORT and not any(next_head[1:2])
        return pdu_length(stream, after) is not None
    if after == stream.end:
        return True
    # What follows was not captured: only what can hardly be anything else counts.
    return head[0] in _ASSOCIATE or (head[0] == P_DATA and head[_SIGNATURE_AT:] == _SIGNATURE and head[11] & 1 == 1)


def pdu_length(stream: ByteStream, at: int) -> int | None:
    """Return the bytes of the PDU that begins here; None if what is there of it is no PDU."""
    head = stream.read(at, _SHORT_PDU)
    if len(head) < HEADER or head[1] != 0:
        return None
    length = int.from_bytes(head[2:6], "big")
    if head[0] in _ASSOCIATE:
        fits = SMALLEST_ASSOCIATE <= length <= LARGEST_ASSOCIATE and _is_associate(stream, at, length)
    elif head[0] == P_DATA:
        fits = HEADER <= length <= _LARGEST_DATA and _has_fragments(stream, at + HEADER, at + HEADER + length)
    else:
        fits = length == SHORT and is_sound(head)
    return HEADER + length if fits else None


def is_sound(pdu: bytes) -> bool:
    """Check a rejection, a release or an abort (PS3.8 §9.3.4, §9.3.6 to §9.3.8)."""
    rest = pdu[HEADER:].ljust(4, b"\0")
    if pdu[0] == ASSOCIATE_RJ:
        return rest[0] == 0 and 1 <= rest[1] <= 2 and 1 <= rest[2] <= 3 and 1 <= rest[3] <= 10  # noqa: PLR2004  # §9.3.4
    if pdu[0] in {RELEASE_RQ, RELEASE_RP}:
        return not any(rest)
    return pdu[0] == ABORT and rest[:2] == b"\0\0" and rest[2] <= 2 and rest[3] <= 6  # noqa: PLR2004  # §9.3.8


def _is_associate(stream: ByteStream, at: int, length: int) -> bool:
    """Check version, titles and the headers of the items that are there."""
    pdu = stream.read(at, HEADER + length)
    if len(pdu) < _SHORT_PDU or not pdu[7] & 1 or pdu[8:10] != b"\0\0":
        return False
    if pdu[10:42].rstrip(b"\0 ").translate(None, _PRINTABLE):
        return False
    place = _FIXED
    if length == SMALLEST_ASSOCIATE or (len(pdu) > place and pdu[place] != _ITEMS[0]):
        return False
    for _ in range(_MOST_ITEMS):
        if place + 4 > len(pdu):
            break
        if pdu[place] not in _ITEMS:
            return False
        place += 4 + int.from_bytes(pdu[place + 2 : place + 4], "big")
    whole = len(pdu) == HEADER + length
    return place == len(pdu) if whole else place <= HEADER + length


def _has_fragments(stream: ByteStream, at: int, end: int) -> bool:
    """Check that fragments fill a P-DATA-TF, as far as their headers are there."""
    for number in range(_MOST_FRAGMENTS):
        if at == end:
            break
        head = stream.read(at, HEADER)
        if end - at < HEADER:
            return False
        if len(head) < HEADER:
            return number > 0
        count = int.from_bytes(head[:4], "big")
        if count < SMALLEST_FRAGMENT or at + 4 + count > end or not head[4] & 1 or head[5] > MOST_CONTROL:
            return False
        at += 4 + count
    return True


@entry
def _next_candidate(window: Bytes, at: int, length: int) -> int:  # one arm a PDU
    """Return the next place in a window that looks like the header of a PDU, or -1."""
    b = pointer(window)
    for p in range(at, length - _SIGNATURE_AT + 1):
        kind = load8(b, p)
        if kind == 0 or kind > ABORT or load8(b, p + 1) != 0:
            continue
        size = load32(b, p + 2)
        if kind == P_DATA:
            count = load32(b, p + 6)
            if size > _LARGEST_DATA or count + 4 > size or count < SMALLEST_FRAGMENT:
                continue
            if load8(b, p + 10) & 1 == 1 and load8(b, p + 11) <= MOST_CONTROL:
                return p
        elif kind < ASSOCIATE_RJ:
            if size <= LARGEST_ASSOCIATE and load8(b, p + 7) & 1 == 1 and load16(b, p + 8) == 0:
                return p
        elif size == SHORT:
            return p
    return _NONE


def find_boundary(stream: ByteStream, at: int) -> int | None:
    """Return the first boundary from a place on; None if there is none."""
    size = _FIRST_WINDOW
    window = np.empty(size + _OVERLAP, np.uint8)
    place = stream.next_covered(at)
    while place is not None:
        count = min(size, stream.end - place)
        loaded = stream.gather(np.array([(place, count)], np.int64), window)
        found = _boundary_in(stream, window, place, loaded)
        if found is not None:
            return found
        reached = place + loaded
        if reached >= stream.end:
            return None
        # The last bytes may begin a header that goes on in the next window.
        torn = loaded < count or loaded <= _OVERLAP
        place = stream.next_covered(reached if torn else reached - _OVERLAP)
        if size < _WINDOW:
            size *= 4
            window = np.empty(size + _OVERLAP, np.uint8)
    return None


def _boundary_in(stream: ByteStream, window: Bytes, place: int, loaded: int) -> int | None:
    window[loaded : loaded + _OVERLAP] = 0
    length = loaded + _SIGNATURE_AT
    found = _next_candidate(window, 0, length)
    while found != _NONE and found < loaded:
        if is_boundary(stream, place + found):
            return place + found
        found = _next_candidate(window, found + 1, length)
    return None
