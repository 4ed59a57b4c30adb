"""Hash indexes over the rows of the survey.

Rows lie close together in the order of first sight; an index slot holds a row's number and the upper half of its hash.
Open addressing, linear probing, at most half full. When there are as many rows as there may be, what is new is told
so: rows that are there stay exact.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

import numpy as np

from gql_server.engine.compilation import State, U, Words, entry, kernel
from gql_server.engine.inspect.layout import (
    CONVERSATION_AT,
    CONVERSATION_ENDS,
    CONVERSATION_FIRST,
    CONVERSATION_INDEX,
    CONVERSATION_KEY,
    CONVERSATION_LAST,
    CONVERSATION_WORDS,
    INDEX_AT,
    INDEX_COUNT,
    INDEX_LIMIT,
    INDEX_MASK,
    INDEX_MOST,
    INDEX_SHIFT,
    KEY_TURNED,
    META_IPV6,
    NO_TIME,
    PAIR_AT,
    PAIR_INDEX,
    PAIR_MAC,
    PAIR_TALKER,
    PAIR_WORDS,
    PAIRS_A_QUEUE,
    QUEUE_MOST,
    SEED,
    SEED_LOW,
    TALKER_AT,
    TALKER_INDEX,
    TALKER_META,
    TALKER_WORDS,
    TALKERS_A_QUEUE,
)
from gql_server.engine.memory import pointer, prefetch

_NONE = U(0)
_ONE = U(1)
_HALF = U(32)
_ROW = U(0xFFFFFFFF)


@kernel
def _hash(s: State, high: np.uint64, low: np.uint64) -> np.uint64:
    return (high ^ (low * U(s[SEED_LOW]))) * U(s[SEED])


@kernel
def _insert(s: State, x: Words, index: int, place: np.uint64, mixed: np.uint64) -> int:
    """Give a new row its number, -1 when there are as many as there may be."""
    row = s[index + INDEX_COUNT]
    if row >= s[index + INDEX_MOST]:
        return -1
    x[place] = ((mixed >> _HALF) << _HALF) | U(row + 1)
    s[index + INDEX_COUNT] = row + 1
    return row  # type: ignore[no-any-return]  # an int to numba


@kernel
def _fetch_slot(s: State, x: Words, index: int, mixed: np.uint64) -> None:
    """Have the slot fetched where a hash is looked for first."""
    prefetch(x, np.int64(U(s[index + INDEX_AT]) + (mixed >> U(s[index + INDEX_SHIFT]))))  # type: ignore[arg-type]  # any words


@kernel
def _fetch_row(s: State, w: Words, x: Words, index: int, mixed: np.uint64, at: int, length: int) -> None:
    """Have the row fetched that the first slot of a hash names; another one is fetched when it is read."""
    found = x[U(s[index + INDEX_AT]) + (mixed >> U(s[index + INDEX_SHIFT]))]
    if found != _NONE:
        place = at + (np.int64(found & _ROW) - 1) * length
        prefetch(w, place)  # type: ignore[arg-type]  # any words
        prefetch(w, place + length - 1)  # type: ignore[arg-type]  # any words


@kernel
def fetch_talker_slot(s: State, x: Words, high: int, low: int) -> None:
    """Have fetched what tells the row of an address."""
    _fetch_slot(s, x, TALKER_INDEX, _hash(s, U(high), U(low)))


@kernel
def fetch_talker(s: State, w: Words, x: Words, high: int, low: int) -> None:
    """Have the row of an address fetched."""
    _fetch_row(s, w, x, TALKER_INDEX, _hash(s, U(high), U(low)), TALKER_AT, TALKER_WORDS)


@kernel
def fetch_conversation_slot(s: State, x: Words, ends: int, key: int) -> None:
    """Have fetched what tells the row of a conversation."""
    _fetch_slot(s, x, CONVERSATION_INDEX, _hash(s, U(ends), U(key & ~KEY_TURNED)))


@kernel
def fetch_conversation(s: State, w: Words, x: Words, ends: int, key: int) -> None:
    """Have the row of a conversation fetched."""
    mixed = _hash(s, U(ends), U(key & ~KEY_TURNED))
    _fetch_row(s, w, x, CONVERSATION_INDEX, mixed, CONVERSATION_AT, CONVERSATION_WORDS)


@kernel
def find_talker(s: State, w: Words, x: Words, high: np.uint64, low: np.uint64, version: int) -> int:
    """Return the row of an address, a new one if need be, -1 when there is no room."""
    family = U(META_IPV6) if version == 6 else _NONE  # noqa: PLR2004  # the version
    mixed = _hash(s, high, low)
    at, mask = U(s[TALKER_INDEX + INDEX_AT]), U(s[TALKER_INDEX + INDEX_MASK])
    i = mixed >> U(s[TALKER_INDEX + INDEX_SHIFT])
    while x[at + i] != _NONE:
        found = x[at + i]
        if (found ^ mixed) >> _HALF == _NONE:
            row = (found & _ROW) - _ONE
            j = U(TALKER_AT) + row * U(TALKER_WORDS)
            if w[j] == high and w[j + _ONE] == low and w[j + U(TALKER_META)] & U(META_IPV6) == family:
                return np.int64(row)  # type: ignore[return-value]  # an int to numba
        i = (i + _ONE) & mask
    new = _insert(s, x, TALKER_INDEX, at + i, mixed)
    if new >= 0:
        j = U(TALKER_AT) + U(new) * U(TALKER_WORDS)
        w[j] = high
        w[j + _ONE] = low
        w[j + U(TALKER_META)] = family
    return new


@kernel
def find_conversation(s: State, w: Words, x: Words, ends: np.uint64, key: np.uint64) -> int:
    """Return the row of a conversation, a new one if need be, -1 when there is no room.

    KEY_TURNED is no part of what is looked for; a new row keeps it.
    """
    bare = key & ~U(KEY_TURNED)
    mixed = _hash(s, ends, bare)
    at, mask = U(s[CONVERSATION_INDEX + INDEX_AT]), U(s[CONVERSATION_INDEX + INDEX_MASK])
    i = mixed >> U(s[CONVERSATION_INDEX + INDEX_SHIFT])
    while x[at + i] != _NONE:
        found = x[at + i]
        if (found ^ mixed) >> _HALF == _NONE:
            row = (found & _ROW) - _ONE
            j = U(CONVERSATION_AT) + row * U(CONVERSATION_WORDS)
            if w[j] == ends and w[j + U(CONVERSATION_KEY)] & ~U(KEY_TURNED) == bare:
                return np.int64(row)  # type: ignore[return-value]  # an int to numba
        i = (i + _ONE) & mask
    new = _insert(s, x, CONVERSATION_INDEX, at + i, mixed)
    if new >= 0:
        j = U(CONVERSATION_AT) + U(new) * U(CONVERSATION_WORDS)
        w[j + U(CONVERSATION_ENDS)] = ends
        w[j + U(CONVERSATION_KEY)] = key
        w[j + U(CONVERSATION_FIRST)] = U(NO_TIME)
        w[j + U(CONVERSATION_LAST)] = U(NO_TIME)
    return new


@kernel
def find_pair(s: State, w: Words, x: Words, talker: int, mac: np.uint64) -> int:
    """Return the row of an IP address with a MAC address, a new one if need be, -1 when there is no room."""
    mixed = _hash(s, mac, U(talker))
    at, mask = U(s[PAIR_INDEX + INDEX_AT]), U(s[PAIR_INDEX + INDEX_MASK])
    i = mixed >> U(s[PAIR_INDEX + INDEX_SHIFT])
    while x[at + i] != _NONE:
        found = x[at + i]
        if (found ^ mixed) >> _HALF == _NONE:
            row = (found & _ROW) - _ONE
            j = U(PAIR_AT) + row * U(PAIR_WORDS)
            if w[j + U(PAIR_TALKER)] == U(talker) and w[j + U(PAIR_MAC)] == mac:
                return np.int64(row)  # type: ignore[return-value]  # an int to numba
        i = (i + _ONE) & mask
    new = _insert(s, x, PAIR_INDEX, at + i, mixed)
    if new >= 0:
        j = U(PAIR_AT) + U(new) * U(PAIR_WORDS)
        w[j + U(PAIR_TALKER)] = U(talker)
        w[j + U(PAIR_MAC)] = mac
    return new


@kernel
def has_room(s: State) -> bool:
    """Say whether every index has room for what a full queue of packets may bring."""
    if s[TALKER_INDEX + INDEX_COUNT] + TALKERS_A_QUEUE > s[TALKER_INDEX + INDEX_LIMIT]:
        return False
    if s[CONVERSATION_INDEX + INDEX_COUNT] + QUEUE_MOST > s[CONVERSATION_INDEX + INDEX_LIMIT]:
        return False
    if s[PAIR_INDEX + INDEX_COUNT] + PAIRS_A_QUEUE > s[PAIR_INDEX + INDEX_LIMIT]:  # noqa: SIM103  # numba's bool is none
        return False
    return True


@entry
def index_rows(state: State, rows: Words, index_words: Words, index: int) -> None:
    """Fill one index, which is empty, with the rows that are there."""
    s, w, x = pointer(state), pointer(rows), pointer(index_words)
    at, mask, shift = U(s[index + INDEX_AT]), U(s[index + INDEX_MASK]), U(s[index + INDEX_SHIFT])
    for row in range(s[index + INDEX_COUNT]):
        if index == TALKER_INDEX:
            j = U(TALKER_AT) + U(row) * U(TALKER_WORDS)
            mixed = _hash(s, w[j], w[j + _ONE])
        elif index == CONVERSATION_INDEX:
            j = U(CONVERSATION_AT) + U(row) * U(CONVERSATION_WORDS)
            mixed = _hash(s, w[j], w[j + U(CONVERSATION_KEY)] & ~U(KEY_TURNED))
        else:
            j = U(PAIR_AT) + U(row) * U(PAIR_WORDS)
            mixed = _hash(s, w[j + U(PAIR_MAC)], w[j + U(PAIR_TALKER)])
        i = mixed >> shift
        while x[at + i] != _NONE:
            i = (i + _ONE) & mask
        x[at + i] = ((mixed >> _HALF) << _HALF) | U(row + 1)
