"""Kernels that rewrite one field, and the checksums above it.

A changed field adds its change to DELTA. All deltas are kept as words at even places of the window; a field or a
checksum at an odd place turns its bytes around (RFC 1071 section 2B). A layer whose checksum covers what follows
opens a level; when the walk comes back out, the level's delta goes into that checksum by RFC 1624 equation 3, so a
right checksum stays right and a wrong one stays wrong.

With `wet` false nothing is written: unseen addresses are noted, that is all.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

import numpy as np

from gql_server.engine.addresses.layout import (
    BYTES_ZEROED,
    CUT,
    DELTA,
    DEPTH,
    KEY_IPV4,
    KEY_MAC,
    LEVEL_CHECKSUM,
    LEVEL_COLUMNS,
    LEVEL_KIND,
    LEVEL_OUTER,
    LEVEL_PSEUDO,
    NEXT,
    NEXT_AT,
    NEXT_END,
    OPAQUE,
    PARTIAL_CHECKSUM,
    STACK,
    UDP_CHECKSUM,
    WIDE_META,
    WIDE_NEW_HIGH,
    WIDE_NEW_LOW,
)
from gql_server.engine.addresses.tables import find_narrow, find_wide, fold, words_of
from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load8, load16, load32, load48, load64, store8, store16, store32, store48, store64

IPV6_BYTES = 16
_ALL_ONES = 0xFFFF
_MAC = U(0xFFFFFFFFFFFF)
_LOWEST_BITS = U(0x0101010101010101)


@kernel
def turned(delta: int, place: int) -> int:
    """Turn the bytes of a delta around when it belongs to an odd place."""
    return (((delta & 0xFF) << 8) | (delta >> 8)) if place & 1 else delta


@kernel
def apply_delta(b: Bytes, place: int, delta: int, kind: int) -> None:
    """Bring a checksum up to date."""
    change = turned(fold(delta), place)
    old = load16(b, place)
    if change in (0, _ALL_ONES) or (kind == UDP_CHECKSUM and old == 0):
        return
    new = fold(old + change) if kind == PARTIAL_CHECKSUM else (~fold(((~old) & _ALL_ONES) + change)) & _ALL_ONES
    store16(b, place, _ALL_ONES if kind == UDP_CHECKSUM and new == 0 else new)


@kernel
def open_level(s: State, place: int, kind: int, pseudo: int) -> None:
    """Begin a level whose checksum lies at `place`, 0 for none."""
    i = STACK + s[DEPTH] * LEVEL_COLUMNS
    s[i + LEVEL_CHECKSUM] = place
    s[i + LEVEL_KIND] = kind
    s[i + LEVEL_PSEUDO] = pseudo
    s[i + LEVEL_OUTER] = s[DELTA]
    s[DEPTH] += 1
    s[DELTA] = 0


@kernel
def close_level(b: Bytes, s: State, wet: bool) -> None:
    """End the innermost level: update its checksum, and tell the level around it what changed."""
    s[DEPTH] -= 1
    i = STACK + s[DEPTH] * LEVEL_COLUMNS
    place, kind, pseudo = s[i + LEVEL_CHECKSUM], s[i + LEVEL_KIND], s[i + LEVEL_PSEUDO]
    if place == 0:
        s[DELTA] = s[i + LEVEL_OUTER] + fold(s[DELTA])
        return
    # One left to the card covers the pseudo-header alone.
    delta = pseudo if kind == PARTIAL_CHECKSUM else fold(s[DELTA] + pseudo)
    if wet:
        before = load16(b, place)
        apply_delta(b, place, delta, kind)
        # Seen from outside, the level changed by its own delta and by what its checksum field changed.
        own = fold(((~before) & _ALL_ONES) + load16(b, place))
        s[DELTA] = s[i + LEVEL_OUTER] + fold(s[DELTA]) + turned(own, place)
    else:
        s[DELTA] = s[i + LEVEL_OUTER]


@kernel
def enter(s: State, kind: int, at: int, end: int) -> None:
    """Say what the walk enters next."""
    s[NEXT] = kind
    s[NEXT_AT] = at
    s[NEXT_END] = end


@kernel
def overwrite(b: Bytes, s: State, o: int, value: int, reason: int, wet: bool) -> None:
    """Overwrite a byte, counted as one that was zeroed."""
    old = load8(b, o)
    if wet and old != value:
        change = _ALL_ONES - (old if o & 1 else old << 8) + (value if o & 1 else value << 8)
        store8(b, o, value)
        s[BYTES_ZEROED] += 1
        s[reason] = 1
        s[DELTA] += fold(change)


@kernel
def _bytes_in(word: np.uint64) -> int:
    """Count the bytes of a word that are not zero."""
    word |= word >> U(4)
    word |= word >> U(2)
    word |= word >> U(1)
    return np.int64(((word & _LOWEST_BITS) * _LOWEST_BITS) >> U(56))  # type: ignore[return-value]  # an int to numba


@kernel
def blank(b: Bytes, s: State, begin: int, end: int, reason: int, wet: bool) -> None:
    """Zero bytes; those that were not zero are counted, and the packet marked with the reason."""
    if not wet or end <= begin:
        return
    delta, zeroed, i = 0, 0, begin
    while end - i >= 8:  # noqa: PLR2004  # a word
        word = load64(b, i)
        if word != U(0):
            delta += words_of(~word)
            zeroed += _bytes_in(word)
            store64(b, i, U(0))
        i += 8
    while i < end:
        value = load8(b, i)
        if value != 0:
            delta += _ALL_ONES - (value if (i - begin) & 1 else value << 8)
            zeroed += 1
            store8(b, i, 0)
        i += 1
    if zeroed > 0:
        s[BYTES_ZEROED] += zeroed
        s[reason] = 1
        s[DELTA] += turned(fold(delta), begin)


@kernel
def cut(b: Bytes, s: State, begin: int, end: int, wet: bool) -> None:
    """Zero what the snap length left of a header's addresses."""
    s[CUT] = 1
    blank(b, s, begin, end, CUT, wet)


@kernel
def rewrite_ipv4(b: Bytes, s: State, w: Words, o: int, wet: bool) -> int:
    """Rewrite an IPv4 address and return its delta, as at an even place."""
    slot = find_narrow(s, w, U(load32(b, o)) | U(KEY_IPV4))
    if not wet:
        return 0
    if slot == U(0):  # never: the dry pass noted it; if ever, no original stays
        blank(b, s, o, o + 4, OPAQUE, wet)
        return 0
    store32(b, o, np.int64(slot & U(0xFFFFFFFF)))  # type: ignore[arg-type]  # an int to numba
    delta = np.int64((slot >> U(32)) & U(_ALL_ONES))
    s[DELTA] += turned(delta, o)  # type: ignore[arg-type]  # an int to numba
    return delta  # type: ignore[return-value]  # an int to numba


@kernel
def rewrite_ipv6(b: Bytes, s: State, w: Words, o: int, wet: bool) -> int:
    """Rewrite an IPv6 address and return its delta, as at an even place."""
    position = find_wide(s, w, load64(b, o), load64(b, o + 8))
    if not wet:
        return 0
    if position < 0:  # never, as above
        blank(b, s, o, o + 16, OPAQUE, wet)
        return 0
    j = U(position)
    store64(b, o, w[j + U(WIDE_NEW_HIGH)])
    store64(b, o + 8, w[j + U(WIDE_NEW_LOW)])
    delta = np.int64(w[j + U(WIDE_META)] & U(_ALL_ONES))
    s[DELTA] += turned(delta, o)  # type: ignore[arg-type]  # an int to numba
    return delta  # type: ignore[return-value]  # an int to numba


@kernel
def rewrite_prefix(b: Bytes, s: State, w: Words, o: int, length: int, wet: bool) -> None:
    """Rewrite an IPv6 prefix; bits beyond its length that were zero stay zero."""
    high, low = load64(b, o), load64(b, o + 8)
    keep_high, keep_low = U(0), U(0)
    if length > 0:
        keep_high = ~U(0) << U(max(64 - length, 0))
    if length > 64:  # noqa: PLR2004  # the low half
        keep_low = ~U(0) << U(max(128 - length, 0))
    position = find_wide(s, w, high, low)
    if not wet:
        return
    if position < 0:  # never, as above
        blank(b, s, o, o + 16, OPAQUE, wet)
        return
    j = U(position)
    new_high, new_low = w[j + U(WIDE_NEW_HIGH)], w[j + U(WIDE_NEW_LOW)]
    if (high & ~keep_high) == U(0) and (low & ~keep_low) == U(0):
        new_high, new_low = new_high & keep_high, new_low & keep_low
    store64(b, o, new_high)
    store64(b, o + 8, new_low)
    s[DELTA] += turned(fold(words_of(~high) + words_of(~low) + words_of(new_high) + words_of(new_low)), o)


@kernel
def rewrite_mac(b: Bytes, s: State, w: Words, o: int, wet: bool) -> None:
    """Rewrite a MAC address."""
    old = load48(b, o)
    slot = find_narrow(s, w, old | U(KEY_MAC))
    if not wet:
        return
    if slot == U(0):  # never, as above
        blank(b, s, o, o + 6, OPAQUE, wet)
        return
    new = slot & _MAC
    store48(b, o, new)
    s[DELTA] += turned(fold(words_of(old ^ _MAC) + words_of(new)), o)


@kernel
def rewrite_list4(b: Bytes, s: State, w: Words, o: int, end: int, step: int, count: int, wet: bool) -> int:
    """Rewrite up to `count` whole IPv4 addresses, `step` apart; return where the next would begin."""
    while count > 0 and o + 4 <= end:
        rewrite_ipv4(b, s, w, o, wet)
        o += step
        count -= 1
    return min(o, end)


@kernel
def rewrite_list6(b: Bytes, s: State, w: Words, o: int, end: int, count: int, wet: bool) -> int:
    """Rewrite up to `count` whole IPv6 addresses; return where the next would begin."""
    while count > 0 and o + IPV6_BYTES <= end:
        rewrite_ipv6(b, s, w, o, wet)
        o += IPV6_BYTES
        count -= 1
    return o
