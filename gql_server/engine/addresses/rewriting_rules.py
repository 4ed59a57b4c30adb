"""Rules of one IP version, for many addresses at once.

The sources of rules, the longest prefix winning, cut the addresses into intervals, each with the rule that owns it; so
do their images. IPv4 addresses are handled as IPv6 ones are: rows of high and low word, the high one zero.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.rules import AddressRule, Network, RuleAction, image_of
from gql_server.engine.addresses.ranges import Flags, Pairs
from gql_server.engine.compilation import State, Words, entry
from gql_server.engine.memory import pointer

Owners = npt.NDArray[np.int64]
"""The rule that owns each address, by index, or NONE."""

NONE: Final = -1
_WORD: Final = (1 << 64) - 1
_ID_BITS: Final = 64


@entry
def find_intervals(starts: Words, owners: State, addresses: Words, found: State) -> None:
    """Write for each address the owner of the interval that it lies in; the first interval begins at 0."""
    first, owner, at, out = pointer(starts), pointer(owners), pointer(addresses), pointer(found)
    for i in range(found.shape[0]):
        high, low = at[2 * i], at[2 * i + 1]
        begin, end = 0, owners.shape[0]
        while end - begin > 1:
            middle = (begin + end) >> 1
            start = first[2 * middle]
            if start < high or (start == high and first[2 * middle + 1] <= low):
                begin = middle
            else:
                end = middle
        out[i] = owner[begin]


class Intervals:
    """Disjoint intervals of addresses and who owns them."""

    def __init__(self, marks: dict[int, int]) -> None:
        ordered = sorted(marks.items())
        self._starts = _rows([start for start, _ in ordered])
        self._owners = np.array([owner for _, owner in ordered], np.int64)

    def owners(self, addresses: Pairs) -> Owners:
        """Return the owner of each address."""
        found = np.empty(len(addresses), np.int64)
        words = np.ascontiguousarray(addresses).reshape(-1)
        find_intervals(self._starts.reshape(-1), self._owners, words, found)
        return found


class RuleTable:
    """What the rules do with ordinary addresses.

    The addresses that rules translate or keep have images of their own. Where the default map sends another address
    to one of those, it takes the image of the rule's source instead, again and again until no rule owns it. Since
    rules own at most half of all addresses, that takes two steps on average at most; and as the default map and the
    way from image to source are injective, so is the whole. Only zeroed addresses become one.
    """

    def __init__(self, rules: Sequence[AddressRule], *, version: int) -> None:
        chosen = [rule for rule in rules if rule.source.version == version]
        self._sources = Intervals(_source_marks(chosen))
        self._images = Intervals(_image_marks(chosen))
        self._source = _rows([int(rule.source.network_address) for rule in chosen])
        self._target = _rows([0 if rule.target is None else int(rule.target.network_address) for rule in chosen])
        self._hosts = _rows([int(rule.source.hostmask) for rule in chosen])
        self._default = _flags(rule.action is RuleAction.MAP for rule in chosen)
        self._zero = _flags(rule.action is RuleAction.ZERO for rule in chosen)
        self._moves_ids = _flags(_moves_ids(rule) for rule in chosen)

    def __bool__(self) -> bool:
        return bool(len(self._source))

    def apply(self, addresses: Pairs, default: Callable[[Pairs], Pairs], follow: Callable[[Pairs], Pairs]) -> Pairs:
        """Return the images of ordinary addresses.

        `default` is the map where there are no rules; `follow` moves interface ids below their prefix as MAC
        addresses are moved, and is asked only by rules that leave the whole id to the host.
        """
        owners = self._sources.owners(addresses)
        out = np.zeros_like(addresses)
        free = np.flatnonzero((owners == NONE) | self._default[owners])
        out[free] = self._step_out(default(addresses[free]), default)
        owned = (owners != NONE) & ~self._default[owners] & ~self._zero[owners]
        exact = np.flatnonzero(owned & ~self._moves_ids[owners])
        out[exact] = self._translated(addresses[exact], owners[exact])
        moving = np.flatnonzero(owned & self._moves_ids[owners])
        if len(moving):
            moved = self._follow(addresses[moving], owners[moving], follow)
            out[moving] = self._translated(moved, owners[moving])
        return out

    def _translated(self, addresses: Pairs, owners: Owners) -> Pairs:
        return self._target[owners] | (addresses & self._hosts[owners])

    def _step_out(self, images: Pairs, default: Callable[[Pairs], Pairs]) -> Pairs:
        """Move images that belong to rules."""
        waiting = np.arange(len(images))
        owners = self._images.owners(images)
        while len(waiting := waiting[owners != NONE]):
            owners = owners[owners != NONE]
            sources = self._source[owners] | (images[waiting] & self._hosts[owners])
            images[waiting] = default(sources)
            owners = self._images.owners(images[waiting])
        return images

    def _follow(self, addresses: Pairs, owners: Owners, follow: Callable[[Pairs], Pairs]) -> Pairs:
        """Move ids within what is the rule's: an id that would enter the hole of an inner rule goes on."""
        moved = follow(addresses)
        waiting = np.flatnonzero(self._sources.owners(moved) != owners)
        while len(waiting):
            moved[waiting] = follow(moved[waiting])
            waiting = waiting[self._sources.owners(moved[waiting]) != owners[waiting]]
        return moved


def _moves_ids(rule: AddressRule) -> bool:
    whole = rule.source.version == 6 and rule.source.prefixlen <= _ID_BITS  # noqa: PLR2004  # the IP version
    return whole and rule.action is RuleAction.TRANSLATE


def _source_marks(rules: list[AddressRule]) -> dict[int, int]:
    """Say where intervals of sources begin, and whose they are."""
    marks = {0: NONE}
    around: list[tuple[int, int]] = []

    def leave(place: int) -> None:
        while around and around[-1][0] <= place:
            end, _ = around.pop()
            marks[end] = around[-1][1] if around else NONE

    order = sorted(range(len(rules)), key=lambda index: (_first(rules[index].source), rules[index].source.prefixlen))
    for index in order:
        first = _first(rules[index].source)
        leave(first)
        marks[first] = index
        around.append((first + rules[index].source.num_addresses, index))
    leave(1 << 128)
    marks.pop(1 << 128, None)
    return marks


def _image_marks(rules: list[AddressRule]) -> dict[int, int]:
    """Say where intervals of images begin; an inner rule's source leaves a hole in the outer one's image."""
    sources = sorted(_source_marks(rules).items())
    marks = {0: NONE}
    for (start, index), end in zip(sources, [start for start, _ in sources[1:]] + [1 << 128], strict=True):
        if index == NONE or rules[index].target is None:
            continue
        shift = _first(image_of(rules[index])) - _first(rules[index].source)
        marks[start + shift] = index
        marks.setdefault(end + shift, NONE)
    marks.pop(1 << 128, None)
    return marks


def _first(network: Network) -> int:
    return int(network.network_address)


def _rows(numbers: list[int]) -> Pairs:
    words = [(number >> 64, number & _WORD) for number in numbers]
    return np.array(words, np.uint64).reshape(-1, 2)


def _flags(values: Iterable[bool]) -> Flags:
    # One more, so that NONE finds a place.
    return np.array([*values, False], np.bool_)
