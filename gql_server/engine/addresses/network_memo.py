"""The flips of networks that were met before.

A few networks hold most IPv6 addresses of a capture, and the flips of a network take 48 blocks of a cipher.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from gql_server.engine.addresses.ranges import Numbers, Pairs
from gql_server.engine.compilation import State, U, Words, entry, kernel
from gql_server.engine.memory import pointer

_BITS: Final = 12
_SHIFT: Final = U(64 - _BITS)
_SPREAD: Final = U(0x9E3779B97F4A7C15)
_NO_NETWORK: Final = U(0xFF << 56)
"""No ordinary address begins so."""


@kernel
def _slot_of(high: np.uint64) -> np.uint64:
    return U((high * _SPREAD) >> _SHIFT) << U(1)


@entry
def recall(memo: Words, addresses: Words, flips: Words, missed: State) -> int:
    """Write the flips of known networks and the places of other addresses; return how many of those there are."""
    known, address, out, place = pointer(memo), pointer(addresses), pointer(flips), pointer(missed)
    count = 0
    for i in range(flips.shape[0]):
        slot = _slot_of(address[2 * i])
        if known[slot] == address[2 * i]:
            out[i] = known[slot + U(1)]
        else:
            place[count] = i
            count += 1
    return count


@entry
def remember(memo: Words, addresses: Words, flips: Words) -> None:
    """Note the flips of networks; where two meet in a slot, the last one stays."""
    known, address, flip = pointer(memo), pointer(addresses), pointer(flips)
    for i in range(flips.shape[0]):
        slot = _slot_of(address[2 * i])
        known[slot], known[slot + U(1)] = address[2 * i], flip[i]


class NetworkMemo:
    """Remembers the flips of some networks."""

    def __init__(self) -> None:
        self._memo = np.full(2 << _BITS, _NO_NETWORK, np.uint64)

    def flips(self, addresses: Pairs, compute: Callable[[Pairs], Numbers]) -> Numbers:
        """Return the flips of the networks of contiguous addresses; those that are not known are computed."""
        flips, missed = np.empty(len(addresses), np.uint64), np.empty(len(addresses), np.int64)
        count = recall(self._memo, addresses.reshape(-1), flips, missed)
        if count:
            places = missed[:count]
            new = addresses[places]
            flips[places] = computed = compute(new)
            remember(self._memo, new.reshape(-1), computed)
        return flips
