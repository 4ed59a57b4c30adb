"""The search for originals, and what explains a hit."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, entry, kernel
from gql_server.engine.memory import load8, load32, load48, load64, pointer
from gql_server.engine.verify.classes import IPV4, IPV6, MAC
from gql_server.engine.verify.hits import (
    BINARY,
    EUI64,
    FORMS,
    HIT_AT,
    HIT_COLUMNS,
    HIT_COUNT,
    HIT_FORM,
    HIT_KIND,
    HIT_LENGTH,
    HIT_SHIFT,
    HITS_HEAD,
    REVERSED,
    TEXT_DONE,
    is_original_narrow,
    is_original_wide,
    may_be,
    note_hit,
    swap32,
    swap48,
    swap64,
)
from gql_server.engine.verify.layout import (
    CLASS_ADDRESS,
    CLASS_EXACT,
    CLASS_JUDGED,
    CLASS_KEPT,
    CLASS_PAYLOAD,
    CLASS_STRUCTURAL,
    CLASS_UNKNOWN,
    JUDGED_AT,
    JUDGED_END,
    KEY_IPV4,
    KEY_MAC,
    NUMBER,
    OUTPUT_BASE,
    PACKET_BEGIN,
    PACKET_COLUMNS,
    PACKET_END,
    PACKET_JUDGED_AT,
    PACKET_JUDGED_END,
    PACKET_LINK,
    SHIFT,
    STOP,
    TARGET_BEGIN,
    TARGET_CLASSES,
    TARGET_END,
)
from gql_server.engine.verify.reading import read_packet, read_packets
from gql_server.engine.verify.sieve import (
    GROUP_BYTES,
    GROUPS,
    HIGHEST,
    REACH,
    groups_that_pass,
    leading_zeros,
    places_that_pass,
    trailing_zeros,
)
from gql_server.engine.verify.texts import are_text, mac_of, read_text

# Where a hit lies, and what a finding counts: hits, first packet, first place in the output.
ADDRESS_FIELD: Final = 0
KEPT_BY_RULE: Final = 1
STRUCTURAL: Final = 2
PAYLOAD: Final = 3
UNEXPLAINED: Final = 4
PLACES: Final = 5
FINDING_COLUMNS: Final = 3
FINDINGS_LENGTH: Final = 3 * FORMS * PLACES * FINDING_COLUMNS

_STRETCH: Final = GROUPS * GROUP_BYTES
_LINE: Final = 64
_LINES: Final = 64
_PAGE: Final = _LINES * _LINE
_EVERY_TOP = U(0x8080808080808080)
_EVERY_LOW = U(0x7F7F7F7F7F7F7F7F)
_LOWER_CASE = U(0x2020202020202020)
_FROM_HYPHEN = U(0x5353535353535353)
_BEYOND_COLON = U(0x4545454545454545)
_FROM_A = U(0x1F1F1F1F1F1F1F1F)
_BEYOND_F = U(0x1919191919191919)
_HALF = U(0x80808080)
_LAST_OF_HALVES = U(0x0000008000000080)
_MANY_BYTES: Final = 4
"""With so many different bytes, six are alike by chance in no capture."""


@kernel
def _probe_ipv6(b: Bytes, s: State, w: Words, h: State, room: int, at: int, end: int) -> None:
    """Look for IPv6 addresses of which a word stands at `at`."""
    for back in (0, 4, 8, 12):
        start = at - back
        if start < 0 or start + 16 > end:
            continue
        high, low = load64(b, start), load64(b, start + 8)
        if back > 0 and is_original_wide(s, w, high, low):
            note_hit(h, room, start, 16, IPV6, BINARY)
        if back < 12 and is_original_wide(s, w, swap64(low), swap64(high)):  # noqa: PLR2004  # the word left out
            note_hit(h, room, start, 16, IPV6, REVERSED)


@kernel
def _probe(b: Bytes, s: State, w: Words, h: State, room: int, at: int, end: int) -> None:
    """Look for originals of which four bytes stand at `at`."""
    value = U(load32(b, at))
    turned = swap32(value)
    if is_original_narrow(s, w, value | U(KEY_IPV4)):
        note_hit(h, room, at, 4, IPV4, BINARY)
    elif is_original_narrow(s, w, turned | U(KEY_IPV4)):
        note_hit(h, room, at, 4, IPV4, REVERSED)
    if at >= 2 and is_original_narrow(s, w, load48(b, at - 2) | U(KEY_MAC)):  # noqa: PLR2004  # its last four
        note_hit(h, room, at - 2, 6, MAC, BINARY)
    if at + 6 <= end and is_original_narrow(s, w, swap48(load48(b, at)) | U(KEY_MAC)):
        note_hit(h, room, at, 6, MAC, REVERSED)
    middle = value >> U(24) == U(0xFE) and at >= 4 and load8(b, at - 1) == 0xFF  # noqa: PLR2004  # of an EUI-64
    if middle and is_original_narrow(s, w, mac_of(load64(b, at - 4)) | U(KEY_MAC)):
        note_hit(h, room, at - 4, 8, MAC, EUI64)
    _probe_ipv6(b, s, w, h, room, at, end)


@kernel
def _ask(b: Bytes, s: State, w: Words, bits: Words, h: State, room: int, at: int, end: int) -> None:
    """Ask the filter about the four bytes at a place."""
    if may_be(bits, U(h[HIT_SHIFT]), U(load32(b, at))):
        _probe(b, s, w, h, room, at, end)


@kernel
def _scan_bytes(b: Bytes, s: State, w: Words, bits: Words, v: Bytes, h: State, room: int, end: int) -> None:
    """Find originals as bytes."""
    at = GROUP_BYTES
    for place in range(min(at - 1, end - 3)):
        _ask(b, s, w, bits, h, room, place, end)
    while end - at >= _STRETCH + REACH:
        groups = groups_that_pass(v, b, at)
        while groups != U(0):
            i = leading_zeros(groups)
            groups ^= HIGHEST >> U(i)
            group = at + GROUP_BYTES * i
            places = places_that_pass(v, b, group)
            while places != U(0):
                k = leading_zeros(places)
                places ^= HIGHEST >> U(k)
                _ask(b, s, w, bits, h, room, group - 1 + k, end)
        at += _STRETCH
    for place in range(at - 1, end - 3):
        _ask(b, s, w, bits, h, room, place, end)


@kernel
def _plausible(x: np.uint64) -> np.uint64:
    """Mark by its highest bit each byte that may be text: hyphen to colon, a to f, and some more."""
    low = (x & _EVERY_LOW) | _LOWER_CASE
    return ((low + _FROM_HYPHEN) & ~(low + _BEYOND_COLON) | (low + _FROM_A) & ~(low + _BEYOND_F)) & ~x


@kernel
def _lines_with_text(b: Bytes, at: int) -> np.uint64:
    """Return a bit for each of 64 lines: whether four bytes in it may be text; no branches, so that vectors tell."""
    lines = U(0)
    for i in range(_LINES):
        found = U(0)
        for k in range(_LINE // 8):
            halves = _plausible(load64(b, at + _LINE * i + 8 * k))
            halves &= halves >> U(8)
            found |= halves & (halves >> U(16))
        lines |= U((found & _LAST_OF_HALVES) != U(0)) << U(i)
    return lines


@kernel
def _scan_line(b: Bytes, s: State, w: Words, bits: Words, h: State, room: int, at: int, stop: int, end: int) -> None:
    """Find originals that are written out, between two places that are multiples of eight."""
    shift = U(h[HIT_SHIFT])
    for place in range(at, stop, 8):
        halves = _plausible(load64(b, place)) & _EVERY_TOP
        if halves >> U(32) == _HALF and are_text(b, place):
            read_text(b, s, w, bits, h, shift, room, place, end)
        if halves & U(0xFFFFFFFF) == _HALF and are_text(b, place + 4):
            read_text(b, s, w, bits, h, shift, room, place + 4, end)


@kernel
def _scan_text(b: Bytes, s: State, w: Words, bits: Words, h: State, room: int, end: int) -> None:
    """Find originals that are written out: seven characters, the shortest, hold four at a multiple of four."""
    at, shift = 0, U(h[HIT_SHIFT])
    while end - at >= _PAGE:
        lines = _lines_with_text(b, at)
        while lines != U(0):
            line = at + _LINE * trailing_zeros(lines)
            lines &= lines - U(1)
            _scan_line(b, s, w, bits, h, room, line, line + _LINE, end)
        at += _PAGE
    _scan_line(b, s, w, bits, h, room, at, end & ~7, end)
    # What is left at the end is of no whole word.
    read_text(b, s, w, bits, h, shift, room, end & ~7, end)
    read_text(b, s, w, bits, h, shift, room, end & ~3, end)


@entry
def scan_window(window: Bytes, state: State, words: Words, filter_bits: Words, sieve: Bytes, hits: State) -> None:
    """List every place of a window where an original stands in any form."""
    b, s, w, bits, h = pointer(window), pointer(state), pointer(words), pointer(filter_bits), pointer(hits)
    end, room = window.shape[0], (hits.shape[0] - HITS_HEAD) // HIT_COLUMNS
    _scan_bytes(b, s, w, bits, pointer(sieve), h, room, end)
    h[TEXT_DONE] = 0
    _scan_text(b, s, w, bits, h, room, end)


@kernel
def _different_bytes(b: Bytes, at: int, length: int) -> int:
    count = 0
    for i in range(at, at + length):
        new = 1
        for k in range(at, i):
            if load8(b, k) == load8(b, i):
                new = 0
        count += new
    return count


@kernel
def _place_of(b: Bytes, classes: int, at: int, length: int, form: int, kind: int, follows: int) -> int:
    """Say what explains a hit."""
    # Short patterns and those of few different bytes occur by chance, others do not.
    chance = (kind == IPV4 and length == 4) or _different_bytes(b, at, length) < _MANY_BYTES  # noqa: PLR2004  # bytes
    if classes & CLASS_UNKNOWN:
        return UNEXPLAINED
    if classes & CLASS_JUDGED:
        # What the reader of DICOM lets stand is no address field: bytes meet by chance, text and whole fields do not.
        return STRUCTURAL if chance or form in (BINARY, REVERSED) else PAYLOAD
    if classes & CLASS_PAYLOAD:
        return PAYLOAD
    if classes & CLASS_KEPT and not (form == EUI64 and follows):
        return KEPT_BY_RULE
    if classes & (CLASS_ADDRESS | CLASS_KEPT) and not classes & CLASS_STRUCTURAL:
        # More than chance in a field, and not all of it: part of an address was left.
        return ADDRESS_FIELD if chance or classes & CLASS_EXACT else UNEXPLAINED
    return STRUCTURAL


@kernel
def _find(f: State, s: State, kind: int, form: int, place: int, packet: int, at: int) -> None:
    i = ((kind * FORMS + form) * PLACES + place) * FINDING_COLUMNS
    if f[i] == 0 or s[OUTPUT_BASE] + at < f[i + 2]:
        f[i + 1] = packet
        f[i + 2] = s[OUTPUT_BASE] + at
    f[i] += 1


@kernel
def _packet_behind(q: State, low: int, high: int, at: int) -> int:
    """Return the first packet that ends behind a place."""
    while low < high:
        middle = (low + high) // 2
        if q[middle * PACKET_COLUMNS + PACKET_END] > at:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _explain_hits(
    a: Bytes,
    o: Bytes,
    r: State,
    q: State,
    s: State,
    w: Words,
    h: State,
    f: State,
    total: int,
    first: int,
    other: int,
    count: int,
    follows: int,
) -> None:
    """Explain the hits in `count` packets; `follows` says that EUI-64 ids of kept addresses should have changed.

    A hit in two packets counts in the first; one in none is chance in a header of a record.
    """
    before = q[(other - 1) * PACKET_COLUMNS + PACKET_END] if other > 0 else 0
    for n in range(total):
        row = HITS_HEAD + n * HIT_COLUMNS
        at, length, kind, form = h[row + HIT_AT], h[row + HIT_LENGTH], h[row + HIT_KIND], h[row + HIT_FORM]
        low = _packet_behind(q, other, other + count, at)
        if low == other + count or at < before:
            continue
        i, j = (first + low - other) * PACKET_COLUMNS, low * PACKET_COLUMNS
        begin, end = r[i + PACKET_BEGIN], r[i + PACKET_END]
        s[SHIFT] = q[j + PACKET_BEGIN] - begin
        s[STOP] = begin + min(end - begin, q[j + PACKET_END] - q[j + PACKET_BEGIN])
        s[JUDGED_AT], s[JUDGED_END] = r[i + PACKET_JUDGED_AT], r[i + PACKET_JUDGED_END]
        s[TARGET_BEGIN], s[TARGET_END], s[TARGET_CLASSES] = at - s[SHIFT], at + length - s[SHIFT], 0
        if at + length > q[j + PACKET_BEGIN]:
            read_packet(a, o, s, w, r[i + PACKET_LINK], begin, end)
        place = _place_of(o, s[TARGET_CLASSES], at, length, form, kind, follows)
        _find(f, s, kind, form, place, s[NUMBER] + low - other + 1, at)


@entry
def read_pairs(
    original: Bytes,
    output: Bytes,
    packets: State,
    others: State,
    state: State,
    words: Words,
    hits: State,
    findings: State,
    first: int,
    other: int,
    count: int,
    follows: int,
) -> int:
    """Read `count` packets of both files from `first` and `other` on, or explain the hits in them, if there are any.

    Return how many packets were read, fewer when the tables must grow. Both is one entry point: what reads a packet
    is compiled once.
    """
    a, o, s, w = pointer(original), pointer(output), pointer(state), pointer(words)
    r, q, h, f = pointer(packets), pointer(others), pointer(hits), pointer(findings)
    total = min(h[HIT_COUNT], (hits.shape[0] - HITS_HEAD) // HIT_COLUMNS)
    if total == 0:
        return read_packets(a, o, r, q, s, w, first, other, count)
    _explain_hits(a, o, r, q, s, w, h, f, total, first, other, count, follows)
    return count
