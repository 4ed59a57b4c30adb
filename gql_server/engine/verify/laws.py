"""Laws that all pairs of one kind hold together.

Both go through the pairs more than once and keep a part of them at a time: all would take memory.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from gql_server.engine.verify import classes
from gql_server.engine.verify.expectations import Flags, are_ordinary
from gql_server.engine.verify.tables import Pairs, Words

Pieces = Callable[[], Iterator[Pairs]]

_SORTED_AT_ONCE: Final = 1 << 18
_WALKED_BITS: Final = 16
"""Addresses that share fewer first bits may share others afterwards: one of them may have stepped past a class."""
_IPV4_BITS: Final = 32
_WORD_BITS: Final = 64


def has_doubles(pieces: Pieces, count: int) -> bool:
    """Say whether two originals of as many pairs share a pseudonym."""
    parts = _part_count(count)
    return any(_part_has_doubles(pieces(), part, parts) for part in range(parts))


def breaks_prefixes(kind: int, pieces: Pieces, count: int) -> bool:
    """Say whether two ordinary addresses that share 16 first bits or more share another number of them afterwards.

    Of IPv6 addresses the first 64 bits count: behind them, interface ids follow MAC addresses.
    """
    parts = _part_count(count)
    return any(_part_breaks_prefixes(kind, pieces(), part, parts) for part in range(parts))


def _part_count(count: int) -> int:
    return 1 + count // _SORTED_AT_ONCE


def _part_has_doubles(pieces: Iterator[Pairs], part: int, parts: int) -> bool:
    highs, lows = [], []
    for pairs in pieces:
        chosen = _is_address(pairs) & (pairs.new_low % np.uint64(parts) == part)
        highs.append(pairs.new_high[chosen])
        lows.append(pairs.new_low[chosen])
    high, low = np.concatenate(highs), np.concatenate(lows)
    order = np.lexsort((low, high)) if high.any() else np.argsort(low)
    high, low = high[order], low[order]
    return bool(((high[1:] == high[:-1]) & (low[1:] == low[:-1])).any())


def _part_breaks_prefixes(kind: int, pieces: Iterator[Pairs], part: int, parts: int) -> bool:
    tail = np.uint64((_IPV4_BITS if kind == classes.IPV4 else _WORD_BITS) - _WALKED_BITS)
    was, now = [], []
    for pairs in pieces:
        old, new = (pairs.low, pairs.new_low) if kind == classes.IPV4 else (pairs.high, pairs.new_high)
        chosen = _is_address(pairs) & are_ordinary(kind, pairs) & ((old >> tail) % np.uint64(parts) == part)
        was.append(old[chosen])
        now.append(new[chosen])
    originals, pseudonyms = np.concatenate(was), np.concatenate(now)
    order = np.argsort(originals)
    return _differ(originals[order], pseudonyms[order], tail)


def _differ(originals: Words, pseudonyms: Words, tail: np.uint64) -> bool:
    """Compare neighbours; in order of the originals, that settles all pairs."""
    before, after = originals[1:] ^ originals[:-1], pseudonyms[1:] ^ pseudonyms[:-1]
    # The highest bits of two numbers are the same, or both are zero, exactly where this does not hold.
    other = (before ^ after) > (before & after)
    return bool(np.any(other & (before >> tail == 0)))


def _is_address(pairs: Pairs) -> Flags:
    return np.asarray((pairs.prefix < 0) & pairs.mapped)
