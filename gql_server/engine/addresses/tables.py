"""Hash tables from addresses to what they become.

Open addressing, linear probing, at most half full. A look-up that finds nothing notes the address as new and takes a
slot; Python maps all new addresses of a window at once and `settle` writes the results. The tables are a cache of a
pure function: they may be thrown away at any time.
"""

import numpy as np

from gql_server.engine.addresses.layout import (
    FULL,
    KEY_IPV4,
    NARROW_AT,
    NARROW_LIMIT,
    NARROW_MASK,
    NARROW_SHIFT,
    NARROW_USED,
    NARROW_WORDS,
    NEW_AT,
    NEW_COUNT,
    NEW_LIMIT,
    READY,
    SEED_LOW,
    SEED_NARROW,
    SEED_WIDE,
    SEEN_IPV4,
    SEEN_IPV6,
    SEEN_MAC,
    WAITING,
    WIDE_AT,
    WIDE_ENTRY,
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
from gql_server.engine.compilation import State, U, Words, entry, kernel
from gql_server.engine.memory import pointer

_ONE = U(1)
_NONE = U(0)
_WORD = U(0xFFFF)
_ADDRESS = U(0xFFFFFFFF)
_MAC = U(0xFFFFFFFFFFFF)
_READY = U(READY)


@kernel
def fold(x: int) -> int:
    """Fold a sum into 16 bits, ones' complement (RFC 1071)."""
    x = (x & 0xFFFFFFFF) + (x >> 32)
    x = (x & 0xFFFF) + (x >> 16)
    x = (x & 0xFFFF) + (x >> 16)
    return (x & 0xFFFF) + (x >> 16)


@kernel
def words_of(x: np.uint64) -> int:
    """Add the four 16-bit words of a number."""
    total = (x >> U(48)) + ((x >> U(32)) & _WORD) + ((x >> U(16)) & _WORD) + (x & _WORD)
    return np.int64(total)  # type: ignore[return-value]  # an int to numba


@kernel
def _note_new(s: State, position: np.uint64, tag: int) -> None:
    s[NEW_AT + s[NEW_COUNT]] = np.int64(position) + tag
    s[NEW_COUNT] += 1


@kernel
def find_narrow(s: State, w: Words, key: np.uint64) -> np.uint64:
    """Return the slot value of an IPv4 or MAC key, 0 when it waits; take a slot when it is new."""
    at, mask = U(s[NARROW_AT]), U(s[NARROW_MASK])
    i = (key * U(s[SEED_NARROW])) >> U(s[NARROW_SHIFT])
    while True:
        position = at + i * U(NARROW_WORDS)
        found = w[position]
        if found == key:
            value = U(w[position + _ONE])
            if value == _NONE:
                s[WAITING] = 1
            return value
        if found == _NONE:
            s[WAITING] = 1
            if s[NARROW_USED] >= s[NARROW_LIMIT] or s[NEW_COUNT] >= s[NEW_LIMIT]:
                s[FULL] = 1
                return _NONE
            w[position] = key
            w[position + _ONE] = _NONE
            s[NARROW_USED] += 1
            if key & U(KEY_IPV4):
                s[SEEN_IPV4] += 1
            else:
                s[SEEN_MAC] += 1
            _note_new(s, position, 0)
            return _NONE
        i = (i + _ONE) & mask


@kernel
def find_wide(s: State, w: Words, high: np.uint64, low: np.uint64) -> int:
    """Return the position of an IPv6 address whose slot is ready, -1 when it waits; take a slot when it is new."""
    at, mask = U(s[WIDE_AT]), U(s[WIDE_MASK])
    i = ((high ^ (low * U(s[SEED_LOW]))) * U(s[SEED_WIDE])) >> U(s[WIDE_SHIFT])
    while True:
        position = at + i * U(WIDE_WORDS)
        meta = w[position + U(WIDE_META)]
        if meta == _NONE:
            s[WAITING] = 1
            if s[WIDE_USED] >= s[WIDE_LIMIT] or s[NEW_COUNT] >= s[NEW_LIMIT]:
                s[FULL] = 1
                return -1
            w[position] = high
            w[position + U(WIDE_LOW)] = low
            w[position + U(WIDE_META)] = _ONE
            s[WIDE_USED] += 1
            s[SEEN_IPV6] += 1
            _note_new(s, position, WIDE_ENTRY)
            return -1
        if w[position] == high and w[position + U(WIDE_LOW)] == low:
            if meta & _READY:
                return np.int64(position)  # type: ignore[return-value]  # an int to numba
            s[WAITING] = 1
            return -1
        i = (i + _ONE) & mask


@entry
def list_new(state: State, words: Words, order: State, originals: Words) -> tuple[int, int]:
    """Write the new addresses by kind, each kind in the order in which it was met.

    First the IPv6 addresses, two words each, then the IPv4 and then the MAC addresses. `order` tells the place of each
    in the list of the state. Returns how many there are of the first two kinds.
    """
    s, w, o, out = pointer(state), pointer(words), pointer(order), pointer(originals)
    count, six, four = s[NEW_COUNT], 0, 0
    for i in range(count):
        position = s[NEW_AT + i]
        if position >= WIDE_ENTRY:
            six += 1
        elif w[U(position)] & U(KEY_IPV4):
            four += 1
    wide, narrow, mac = 0, six, six + four
    for i in range(count):
        position = s[NEW_AT + i]
        if position >= WIDE_ENTRY:
            j = U(position - WIDE_ENTRY)
            out[2 * wide], out[2 * wide + 1] = w[j], w[j + U(WIDE_LOW)]
            o[wide] = i
            wide += 1
            continue
        key = w[U(position)]
        if key & U(KEY_IPV4):
            out[six + narrow] = key & _ADDRESS
            o[narrow] = i
            narrow += 1
        else:
            out[six + mac] = key & _MAC
            o[mac] = i
            mac += 1
    return six, four


@entry
def settle(state: State, words: Words, order: State, six: int, mapped: Words) -> None:
    """Write what the new addresses became, listed as `list_new` does, and begin a new list."""
    s, w = pointer(state), pointer(words)
    for i in range(s[NEW_COUNT]):
        position = s[NEW_AT + order[i]]
        if i < six:
            high, low = mapped[2 * i], mapped[2 * i + 1]
            j = U(position - WIDE_ENTRY)
            delta = words_of(~w[j]) + words_of(~w[j + U(WIDE_LOW)]) + words_of(high) + words_of(low)
            w[j + U(WIDE_NEW_HIGH)] = high
            w[j + U(WIDE_NEW_LOW)] = low
            w[j + U(WIDE_META)] = _READY | U(fold(delta))
        else:
            j, low = U(position), mapped[six + i]
            if w[j] & U(KEY_IPV4):
                delta = words_of((w[j] & _ADDRESS) ^ _ADDRESS) + words_of(low)
                w[j + _ONE] = _READY | (U(fold(delta)) << U(32)) | low
            else:
                w[j + _ONE] = _READY | low
    s[NEW_COUNT] = 0


@entry
def transfer(state: State, words: Words, old: Words, wide: bool) -> None:  # noqa: FBT001  # kernels take positions
    """Carry the settled slots of an old table over into the one the state now describes."""
    s, w = pointer(state), pointer(words)
    step = WIDE_WORDS if wide else NARROW_WORDS
    for slot in range(old.shape[0] // step):
        first = slot * step
        if old[first + (WIDE_META if wide else 0)] == _NONE:
            continue
        if wide:
            at, mask = U(s[WIDE_AT]), U(s[WIDE_MASK])
            i = ((old[first] ^ (old[first + WIDE_LOW] * U(s[SEED_LOW]))) * U(s[SEED_WIDE])) >> U(s[WIDE_SHIFT])
            while w[at + i * U(WIDE_WORDS) + U(WIDE_META)] != _NONE:
                i = (i + _ONE) & mask
            target = at + i * U(WIDE_WORDS)
        else:
            at, mask = U(s[NARROW_AT]), U(s[NARROW_MASK])
            i = (old[first] * U(s[SEED_NARROW])) >> U(s[NARROW_SHIFT])
            while w[at + i * U(NARROW_WORDS)] != _NONE:
                i = (i + _ONE) & mask
            target = at + i * U(NARROW_WORDS)
        for k in range(step):
            w[target + U(k)] = old[first + k]
