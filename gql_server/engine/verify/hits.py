"""Kernels that note where an original was found.

A probe is only worth its time where two filters let it through. Both know four bytes of each original: the whole of
an IPv4 address, the last four bytes of a MAC address, one 32-bit word of an IPv6 address, and the same from last to
first. The filter behind the sieve (Bloom) is asked about all four at once.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, entry, kernel
from gql_server.engine.memory import pointer
from gql_server.engine.verify.classes import (
    LINK_LOCAL,
    ORDINARY,
    RESERVED,
    class_of_ipv4,
    class_of_ipv6,
    class_of_mac,
)
from gql_server.engine.verify.layout import (
    KEY_IPV4,
    KEY_MAC,
    NARROW_MASK,
    NARROW_WORDS,
    SEARCHED,
    WIDE_AT,
    WIDE_LOW,
    WIDE_MASK,
    WIDE_META,
    WIDE_NEW_HIGH,
    WIDE_NEW_LOW,
    WIDE_WORDS,
)
from gql_server.engine.verify.pairs import narrow_slot, wide_slot
from gql_server.engine.verify.sieve import admit

# The kinds of originals, as in `classes`, and the forms in which they are found.
BINARY: Final = 0
REVERSED: Final = 1
TEXT: Final = 2
HEX: Final = 3
EUI64: Final = 4
FORMS: Final = 5

# The list of hits: a head, then rows.
HIT_COUNT: Final = 0
HIT_SHIFT: Final = 1
"""How far a hash is shifted to be a bit of the filter."""
TEXT_DONE: Final = 2
"""Text before it was read."""
HITS_HEAD: Final = 3
HIT_COLUMNS: Final = 4
HIT_AT: Final = 0
HIT_LENGTH: Final = 1
HIT_KIND: Final = 2
HIT_FORM: Final = 3

_IPV4: Final = 0
_IPV6: Final = 1
_MAC: Final = 2
_NUMBER = U(0xFFFFFFFFFFFF)
_WORD = U(0xFFFFFFFF)
_SEARCHED = U(SEARCHED)
_FIRST = U(0x9E3779B97F4A7C15)
_SECOND = U(0xD6E8FEB86659FD93)


@kernel
def swap32(x: np.uint64) -> np.uint64:
    """Turn four bytes around."""
    return ((x & U(0xFF)) << U(24)) | ((x & U(0xFF00)) << U(8)) | ((x >> U(8)) & U(0xFF00)) | ((x >> U(24)) & U(0xFF))


@kernel
def swap48(x: np.uint64) -> np.uint64:
    """Turn six bytes around."""
    return (swap32(x & _WORD) << U(16)) | ((x >> U(40)) & U(0xFF)) | ((x >> U(24)) & U(0xFF00))


@kernel
def swap64(x: np.uint64) -> np.uint64:
    """Turn eight bytes around."""
    return (swap32(x & _WORD) << U(32)) | swap32(x >> U(32))


@kernel
def may_be(bits: Words, shift: np.uint64, value: np.uint64) -> bool:
    """Say whether four bytes may belong to an original."""
    one = (value * _FIRST) >> shift
    if not (bits[one >> U(6)] >> (one & U(63))) & U(1):
        return False
    other = (value * _SECOND) >> shift
    return bool((bits[other >> U(6)] >> (other & U(63))) & U(1))


@kernel
def _admit(bits: Words, v: Bytes, h: State, value: np.uint64) -> None:
    admit(v, value)
    shift = U(h[HIT_SHIFT])
    one, other = (value * _FIRST) >> shift, (value * _SECOND) >> shift
    bits[one >> U(6)] |= U(1) << (one & U(63))
    bits[other >> U(6)] |= U(1) << (other & U(63))


@kernel
def note_hit(h: State, room: int, at: int, length: int, kind: int, form: int) -> None:
    """Write a hit down; the count goes on when there is no room."""
    n = h[HIT_COUNT]
    h[HIT_COUNT] = n + 1
    if n < room:
        i = HITS_HEAD + n * HIT_COLUMNS
        h[i + HIT_AT], h[i + HIT_LENGTH], h[i + HIT_KIND], h[i + HIT_FORM] = at, length, kind, form


@kernel
def is_original_narrow(s: State, w: Words, key: np.uint64) -> bool:
    """Say whether an IPv4 or MAC address is one that is searched for."""
    position = narrow_slot(s, w, key)
    return bool(w[position] == key and (w[position + U(1)] & _SEARCHED) != U(0))


@kernel
def is_original_wide(s: State, w: Words, high: np.uint64, low: np.uint64) -> bool:
    """Say whether an IPv6 address is one that is searched for."""
    return bool((w[wide_slot(s, w, high, low, 0) + U(WIDE_META)] & _SEARCHED) != U(0))


@kernel
def _is_searched_class(kind: int) -> bool:
    return kind in (ORDINARY, LINK_LOCAL, RESERVED)


@kernel
def _nonzero_bytes(x: np.uint64) -> int:
    count = 0
    for i in range(8):
        count += ((x >> U(8 * i)) & U(0xFF)) != U(0)
    return count


@kernel
def fingerprint_word(high: np.uint64, low: np.uint64) -> int:
    """Return which 32-bit word of an IPv6 address is looked for: of the last three the fullest."""
    best, most = 3, _nonzero_bytes(low & _WORD)
    for word in (2, 1):
        value = low >> U(32) if word == 2 else high & _WORD  # noqa: PLR2004  # the third word
        count = _nonzero_bytes(value)
        if count > most:
            best, most = word, count
    return best


@kernel
def _choose_narrow(s: State, w: Words, bits: Words, v: Bytes, h: State, counts: State) -> None:
    for slot in range(s[NARROW_MASK] + 1):
        position = U(slot * NARROW_WORDS)
        key, value = w[position], w[position + U(1)]
        number = key & _NUMBER
        if key == U(0) or (value & _NUMBER) == number:
            continue
        if key & U(KEY_IPV4):
            # Fewer than two bytes that are not zero would be found everywhere.
            if _is_searched_class(class_of_ipv4(number)) and _nonzero_bytes(number) >= 2:  # noqa: PLR2004  # see above
                _admit(bits, v, h, number)
                _admit(bits, v, h, swap32(number))
                counts[_IPV4] += 1
                w[position + U(1)] = value | _SEARCHED
        elif class_of_mac(number) == ORDINARY and _nonzero_bytes(number) >= 3:  # noqa: PLR2004  # as above
            _admit(bits, v, h, number & _WORD)
            _admit(bits, v, h, swap48(number) >> U(16))
            _admit(bits, v, h, U(0xFE000000) | (number & U(0xFFFFFF)))
            counts[_MAC] += 1
            w[position + U(1)] = value | _SEARCHED


@kernel
def _choose_wide(s: State, w: Words, bits: Words, v: Bytes, h: State, counts: State) -> None:
    for slot in range(s[WIDE_MASK] + 1):
        position = U(s[WIDE_AT] + slot * WIDE_WORDS)
        meta = w[position + U(WIDE_META)]
        high, low = w[position], w[position + U(WIDE_LOW)]
        if meta == U(0) or (w[position + U(WIDE_NEW_HIGH)] == high and w[position + U(WIDE_NEW_LOW)] == low):
            continue
        if not _is_searched_class(class_of_ipv6(high, low)) or _nonzero_bytes(high) + _nonzero_bytes(low) < 4:  # noqa: PLR2004  # as above
            continue
        word = fingerprint_word(high, low)
        value = low & _WORD if word == 3 else low >> U(32) if word == 2 else high & _WORD  # noqa: PLR2004  # by word
        _admit(bits, v, h, value)
        _admit(bits, v, h, swap32(value))
        counts[_IPV6] += 1
        w[position + U(WIDE_META)] = meta | _SEARCHED


@entry
def choose_searched(state: State, words: Words, filter_bits: Words, sieve: Bytes, hits: State, counts: State) -> None:
    """Mark the originals that are searched for, let them through both filters and count them by kind.

    Those that kept their value are not searched for: they stand in their own fields, by rule or class. Groups and
    fixed addresses name no host.
    """
    s, w, bits, v = pointer(state), pointer(words), pointer(filter_bits), pointer(sieve)
    h, c = pointer(hits), pointer(counts)
    _choose_narrow(s, w, bits, v, h, c)
    _choose_wide(s, w, bits, v, h, c)


@kernel
def look_up(s: State, w: Words, h: State, room: int, value: np.uint64, at: int, form: int, length: int) -> None:
    """Look an IPv4 address up that stands somewhere in another form than plain bytes."""
    if is_original_narrow(s, w, value | U(KEY_IPV4)):
        note_hit(h, room, at, length, _IPV4, form)


@kernel
def look_up_mac(s: State, w: Words, h: State, room: int, value: np.uint64, at: int, form: int, length: int) -> None:
    """Look a MAC address up."""
    if is_original_narrow(s, w, value | U(KEY_MAC)):
        note_hit(h, room, at, length, _MAC, form)


@kernel
def look_up_wide(
    s: State, w: Words, h: State, room: int, high: np.uint64, low: np.uint64, at: int, form: int, length: int
) -> None:
    """Look an IPv6 address up."""
    if is_original_wide(s, w, high, low):
        note_hit(h, room, at, length, _IPV6, form)
