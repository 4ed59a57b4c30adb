"""Pairs as they stand in the second reader's tables."""

import numpy as np
import numpy.typing as npt

from gql_server.engine.verify.tables import Pairs

Words = npt.NDArray[np.uint64]


def pairs_of(changes: list[tuple[int, int]], prefix: int = -1) -> Pairs:
    """Return originals of up to 128 bits with their pseudonyms."""
    high, low = _words([was for was, _ in changes])
    new_high, new_low = _words([now for _, now in changes])
    return pairs_of_words(high, low, new_high, new_low, prefix)


def pairs_of_words(high: Words, low: Words, new_high: Words, new_low: Words, prefix: int = -1) -> Pairs:
    """Return the same, given as words; what became zero was never mapped."""
    mapped, prefixes = (new_high | new_low) != 0, np.full(len(low), prefix, np.int16)
    return Pairs(high=high, low=low, new_high=new_high, new_low=new_low, mapped=mapped, prefix=prefixes)


def _words(numbers: list[int]) -> tuple[Words, Words]:
    high, low = [n >> 64 for n in numbers], [n & 0xFFFFFFFFFFFFFFFF for n in numbers]
    return np.array(high, np.uint64), np.array(low, np.uint64)
