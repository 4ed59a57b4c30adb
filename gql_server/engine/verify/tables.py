"""The tables of pairs, as Python holds them."""

import secrets
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
"""32 and 24 MiB: three quarters of them are filled, 1.5 million IPv4 and MAC addresses and 390,000 IPv6 addresses."""
_GROWTH: Final = 2
_WORD_BITS: Final = 64
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
        self.words = self._lay_out()

    def make_room(self, packet_bytes: int) -> None:
        """Let the tables grow until what a packet may hold fits, or until they may not grow any more."""
        s, room = self.state, packet_bytes
        narrow, wide = self._narrow, self._wide
        old_narrow, old_wide = self.words[: 2 * narrow], self.words[2 * narrow :]
        while self._narrow < _NARROW_MOST and s[layout.NARROW_USED] + room > self._narrow * 3 // 4:
            self._narrow = min(self._narrow * _GROWTH, _NARROW_MOST)
        while self._wide < _WIDE_MOST and s[layout.WIDE_USED] + room > self._wide * 3 // 4:
            self._wide = min(self._wide * _GROWTH, _WIDE_MOST)
        if (self._narrow, self._wide) == (narrow, wide):
            s[layout.GROWS] = 0
            return
        self.words = self._lay_out()
        carry_over(s, self.words, old_narrow, old_wide)

    def _lay_out(self) -> Words:
        s = self.state
        s[layout.NARROW_MASK], s[layout.NARROW_LIMIT] = self._narrow - 1, self._narrow * 3 // 4
        s[layout.NARROW_SHIFT] = _WORD_BITS - self._narrow.bit_length() + 1
        s[layout.WIDE_AT] = self._narrow * layout.NARROW_WORDS
        s[layout.WIDE_MASK], s[layout.WIDE_LIMIT] = self._wide - 1, self._wide * 3 // 4
        s[layout.WIDE_SHIFT] = _WORD_BITS - self._wide.bit_length() + 1
        s[layout.GROWS] = 1
        return np.zeros(self._narrow * layout.NARROW_WORDS + self._wide * layout.WIDE_WORDS, np.uint64)

    def narrow_pairs(self, key: int) -> Pairs:
        """Return the pairs of IPv4 or of MAC addresses, by the mark in their keys."""
        slots = self.words[: self._narrow * layout.NARROW_WORDS].reshape(-1, layout.NARROW_WORDS)
        slots = slots[slots[:, 0] & np.uint64(key) != 0]
        low, value = slots[:, 0] & _NUMBER, slots[:, 1]
        none = np.broadcast_to(np.uint64(0), len(low))
        return Pairs(
            high=none,
            low=low,
            new_high=none,
            new_low=value & _NUMBER,
            mapped=value & np.uint64(layout.MAPPED) != 0,
            prefix=np.full(len(low), -1, np.int16),
        )

    def wide_pairs(self) -> Pairs:
        """Return the pairs of IPv6 addresses and prefixes."""
        slots = self.words[self._narrow * layout.NARROW_WORDS :].reshape(-1, layout.WIDE_WORDS)
        slots = slots[slots[:, layout.WIDE_META] != 0]
        meta = slots[:, layout.WIDE_META]
        return Pairs(
            high=slots[:, 0],
            low=slots[:, layout.WIDE_LOW],
            new_high=slots[:, layout.WIDE_NEW_HIGH],
            new_low=slots[:, layout.WIDE_NEW_LOW],
            mapped=meta & np.uint64(layout.MAPPED) != 0,
            prefix=(meta & _TAG).astype(np.int16) - np.int16(1),
        )
