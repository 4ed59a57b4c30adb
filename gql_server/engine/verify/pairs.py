"""Tables of originals and their pseudonyms.

Open addressing, linear probing, at most three quarters full. The second reader fills them while it harvests and looks
into them while it scans; they are never forgotten, so they are bounded.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

import numpy as np

from gql_server.engine.compilation import State, U, Words, entry, kernel
from gql_server.engine.memory import pointer
from gql_server.engine.verify.layout import (
    IN_USE,
    INCONSISTENT,
    MAPPED,
    NARROW_LIMIT,
    NARROW_MASK,
    NARROW_SHIFT,
    NARROW_USED,
    NARROW_WORDS,
    OVERFLOW,
    SEED_LOW,
    SEED_NARROW,
    SEED_WIDE,
    WIDE_AT,
    WIDE_LIMIT,
    WIDE_LOW,
    WIDE_MASK,
    WIDE_META,
    WIDE_NEW_HIGH,
    WIDE_NEW_LOW,
    WIDE_SHIFT,
    WIDE_USED,
    WIDE_WORDS,
)

_ONE = U(1)
_NONE = U(0)
_NUMBER = U(0xFFFFFFFFFFFF)
_IN_USE = U(IN_USE)
_MAPPED = U(MAPPED)
_TAG = U(0xFF)


@kernel
def narrow_slot(s: State, w: Words, key: np.uint64) -> np.uint64:
    """Return the position of a key, or of the empty slot where it would stand."""
    mask = U(s[NARROW_MASK])
    i = (key * U(s[SEED_NARROW])) >> U(s[NARROW_SHIFT])
    while True:
        position = i * U(NARROW_WORDS)
        found = w[position]
        if found in (key, _NONE):
            return position
        i = (i + _ONE) & mask


@kernel
def wide_slot(s: State, w: Words, high: np.uint64, low: np.uint64, tag: int) -> np.uint64:
    """Return the position of an IPv6 address or prefix, or of the empty slot where it would stand."""
    at, mask = U(s[WIDE_AT]), U(s[WIDE_MASK])
    i = (((high + U(tag)) ^ (low * U(s[SEED_LOW]))) * U(s[SEED_WIDE])) >> U(s[WIDE_SHIFT])
    while True:
        position = at + i * U(WIDE_WORDS)
        meta = w[position + U(WIDE_META)]
        if meta == _NONE:
            return position
        if w[position] == high and w[position + U(WIDE_LOW)] == low and (meta & _TAG) == U(tag):
            return position
        i = (i + _ONE) & mask


@kernel
def note_narrow(s: State, w: Words, key: np.uint64, new: np.uint64) -> None:
    """Note what an IPv4 or MAC address became; 0 is no pseudonym."""
    position = narrow_slot(s, w, key)
    if w[position] == _NONE:
        if s[NARROW_USED] >= s[NARROW_LIMIT]:
            s[OVERFLOW] += 1
            return
        s[NARROW_USED] += 1
        w[position] = key
        w[position + _ONE] = _IN_USE
    if new == _NONE:
        return
    known = w[position + _ONE]
    if not known & _MAPPED:
        w[position + _ONE] = known | _MAPPED | new
    elif (known & _NUMBER) != new:
        s[INCONSISTENT] += 1


@kernel
def note_wide(
    s: State, w: Words, high: np.uint64, low: np.uint64, tag: int, new_high: np.uint64, new_low: np.uint64
) -> None:
    """Note what an IPv6 address (tag 0) or prefix (tag: its length plus one) became; 0 is no pseudonym."""
    position = wide_slot(s, w, high, low, tag)
    meta = w[position + U(WIDE_META)]
    if meta == _NONE:
        if s[WIDE_USED] >= s[WIDE_LIMIT]:
            s[OVERFLOW] += 1
            return
        s[WIDE_USED] += 1
        w[position] = high
        w[position + U(WIDE_LOW)] = low
        meta = _IN_USE | U(tag)
        w[position + U(WIDE_META)] = meta
    if (new_high | new_low) == _NONE:
        return
    if not meta & _MAPPED:
        w[position + U(WIDE_NEW_HIGH)] = new_high
        w[position + U(WIDE_NEW_LOW)] = new_low
        w[position + U(WIDE_META)] = meta | _MAPPED
    elif w[position + U(WIDE_NEW_HIGH)] != new_high or w[position + U(WIDE_NEW_LOW)] != new_low:
        s[INCONSISTENT] += 1


@entry
def carry_over(state: State, words: Words, narrow: Words, wide: Words) -> None:
    """Copy the slots of outgrown tables into those that the state now describes."""
    s, w = pointer(state), pointer(words)
    for slot in range(narrow.shape[0] // NARROW_WORDS):
        first = slot * NARROW_WORDS
        if narrow[first] != _NONE:
            position = narrow_slot(s, w, narrow[first])
            w[position] = narrow[first]
            w[position + _ONE] = narrow[first + 1]
    for slot in range(wide.shape[0] // WIDE_WORDS):
        first = slot * WIDE_WORDS
        meta = wide[first + WIDE_META]
        if meta != _NONE:
            position = wide_slot(s, w, wide[first], wide[first + WIDE_LOW], np.int64(meta & _TAG))  # type: ignore[arg-type]  # an int to numba
            for k in range(WIDE_WORDS):
                w[position + U(k)] = wide[first + k]
