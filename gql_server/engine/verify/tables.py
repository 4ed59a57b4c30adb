"""The tables of pairs, as Python holds them."""

import mmap
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.verify import layout
from gql_server.engine.verify.pairs import carry_over

_NARROW_SLOTS: Final = 1 << 14
_NARROW_MOST: Final = 1 << 21
_WIDE_SLOTS: Final = 1 << 12
_WIDE_MOST: Final = 1 << 19
_MOST_BYTES: Final = 37 << 20
"""Three quarters of the slots are filled: 1.5 million IPv4 and MAC addresses beside 98,000 IPv6 addresses, or 786,000
beside 393,000."""
_PIECE_SLOTS: Final = 1 << 14
"""So many are looked at, or carried over, at once."""
_GROWTH: Final = 2
_WORD_BITS: Final = 64
_WORD_BYTES: Final = 8
_NUMBER: Final = np.uint64(0xFFFFFFFFFFFF)
_TAG: Final = np.uint64(0xFF)

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Originals of one kind and what they became; `high` and `new_high` are zero but for IPv6."""

    high: Words
    low: Words
    new_high: Words
    new_low: Words
    mapped: npt.NDArray[np.bool_]
    """The others were only met where the output holds zeros."""
    prefix: npt.NDArray[np.int16]
    """Length of a prefix, -1 for an address."""


class Tables:
    """The state of a reading and its tables of pairs."""

    def __init__(self) -> None:
        self.state = np.zeros(layout.STATE_LENGTH, np.int64)
        for seed in (layout.SEED_NARROW, layout.SEED_LOW, layout.SEED_WIDE):
            self.state[seed] = np.uint64(secrets.randbits(_WORD_BITS) | 1).astype(np.int64)
        self._narrow, self._wide = _NARROW_SLOTS, _WIDE_SLOTS
        self._memory, self.words = self._lay_out()

    def make_room(self, packet_bytes: int) -> None:
        """Let the tables grow until what a packet may hold fits, or until they may not grow any more."""
        s, room = self.state, packet_bytes
        narrow, wide = self._narrow, self._wide
        while s[layout.NARROW_USED] + room > self._narrow * 3 // 4 and self._may_grow(
            self._narrow * _GROWTH, self._wide
        ):
            self._narrow *= _GROWTH
        while s[layout.WIDE_USED] + room > self._wide * 3 // 4 and self._may_grow(self._narrow, self._wide * _GROWTH):
            self._wide *= _GROWTH
        if (self._narrow, self._wide) == (narrow, wide):
            s[layout.GROWS] = 0
            return
        memory, words = self._memory, self.words
        self._memory, self.words = self._lay_out()
        self._carry_over(memory, words, narrow * layout.NARROW_WORDS)

    def _may_grow(self, narrow: int, wide: int) -> bool:
        return narrow <= _NARROW_MOST and wide <= _WIDE_MOST and _word_count(narrow, wide) * _WORD_BYTES <= _MOST_BYTES

    def _carry_over(self, memory: mmap.mmap, words: Words, wide_at: int) -> None:
        """Copy outgrown tables piece by piece, and give each piece back: the two are never held at once."""
        none = words[:0]
        for columns, begin, end in (
            (layout.NARROW_WORDS, 0, wide_at),
            (layout.WIDE_WORDS, wide_at, len(words)),
        ):
            for at in range(begin, end, _PIECE_SLOTS * columns):
                stop = min(at + _PIECE_SLOTS * columns, end)
                piece = words[at:stop]
                carry_over(self.state, self.words, *((piece, none) if begin == 0 else (none, piece)))
                done = stop * _WORD_BYTES // mmap.PAGESIZE * mmap.PAGESIZE
                memory.madvise(mmap.MADV_DONTNEED, 0, done)

    def _lay_out(self) -> tuple[mmap.mmap, Words]:
        s = self.state
        s[layout.NARROW_MASK], s[layout.NARROW_LIMIT] = self._narrow - 1, self._narrow * 3 // 4
        s[layout.NARROW_SHIFT] = _WORD_BITS - self._narrow.bit_length() + 1
        s[layout.WIDE_AT] = self._narrow * layout.NARROW_WORDS
        s[layout.WIDE_MASK], s[layout.WIDE_LIMIT] = self._wide - 1, self._wide * 3 // 4
        s[layout.WIDE_SHIFT] = _WORD_BITS - self._wide.bit_length() + 1
        s[layout.GROWS] = 1
        size = _word_count(self._narrow, self._wide) * _WORD_BYTES
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return memory, np.frombuffer(memory, np.uint64)

    def narrow_pairs(self, key: int) -> Iterator[Pairs]:
        """Give out the pairs of IPv4 or of MAC addresses, by the mark in their keys."""
        for slots in self._pieces(0, self._narrow, layout.NARROW_WORDS):
            chosen = slots[slots[:, 0] & np.uint64(key) != 0]
            low, value = chosen[:, 0] & _NUMBER, chosen[:, 1]
            none = np.broadcast_to(np.uint64(0), len(low))
            yield Pairs(
                high=none,
                low=low,
                new_high=none,
                new_low=value & _NUMBER,
                mapped=value & np.uint64(layout.MAPPED) != 0,
                prefix=np.full(len(low), -1, np.int16),
            )

    def wide_pairs(self) -> Iterator[Pairs]:
        """Give out the pairs of IPv6 addresses and prefixes."""
        for slots in self._pieces(self._narrow * layout.NARROW_WORDS, self._wide, layout.WIDE_WORDS):
            chosen = slots[slots[:, layout.WIDE_META] != 0]
            meta = chosen[:, layout.WIDE_META]
            yield Pairs(
                high=chosen[:, 0],
                low=chosen[:, layout.WIDE_LOW],
                new_high=chosen[:, layout.WIDE_NEW_HIGH],
                new_low=chosen[:, layout.WIDE_NEW_LOW],
                mapped=meta & np.uint64(layout.MAPPED) != 0,
                prefix=(meta & _TAG).astype(np.int16) - np.int16(1),
            )

    def _pieces(self, at: int, slots: int, columns: int) -> Iterator[Words]:
        table = self.words[at : at + slots * columns].reshape(-1, columns)
        for first in range(0, slots, _PIECE_SLOTS):
            yield table[first : first + _PIECE_SLOTS]


def _word_count(narrow: int, wide: int) -> int:
    return narrow * layout.NARROW_WORDS + wide * layout.WIDE_WORDS
