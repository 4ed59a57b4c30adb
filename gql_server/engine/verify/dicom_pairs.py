"""Pseudonyms of values: one for each original, and back.

Some stay by chance: a keyed permutation leaves one value in as many as there are of its form where it is.
"""

import math
from typing import Final

from gql_server.domain.verification import VerificationReason

MOST_PAIRS: Final = 1_000_000
_LEAST_CHANCE: Final = 1e-5
"""A verification fails wrongly as rarely as this."""
_MANY: Final = 1e12


class Pseudonyms:
    """Collects what originals became, by the space they are mapped in."""

    def __init__(self) -> None:
        self._forward: dict[int, int] = {}
        self._backward: dict[int, int] = {}
        self._stayed: dict[int, float] = {}
        self._expected = 0.0
        self._met: set[int] = set()
        self.reasons: set[VerificationReason] = set()
        self.sizes: dict[str, int] = {}

    def note(self, space: str, was: bytes, now: bytes) -> None:
        """Note one pair."""
        if len(self._forward) >= MOST_PAIRS:
            self.reasons.add(VerificationReason.TOO_MANY_VALUES)
            return
        # Python keys its hashes anew in each process; 64 bits of them are enough to tell a million values apart.
        one, two = hash((space, was)), hash((space, now))
        if one not in self._forward:
            self._forward[one] = two
            kind = space.split(":", maxsplit=1)[0]
            self.sizes[kind] = self.sizes.get(kind, 0) + 1
        elif self._forward[one] != two:
            self.reasons.add(VerificationReason.MAP_INCONSISTENT)
        if self._backward.setdefault(two, one) != one:
            self.reasons.add(VerificationReason.MAP_NOT_INJECTIVE)

    def meet(self, space: str, part: bytes, *, stayed: bool) -> None:
        """Note a part of a value that had to become another of its form."""
        key = hash((space, part))
        if key in self._met or len(self._met) >= MOST_PAIRS:
            return
        forms = forms_of(part)
        self._met.add(key)
        self._expected += 1 / forms
        if stayed:
            self._stayed[key] = forms

    def conclude(self) -> set[VerificationReason]:
        """Return what is wrong, or strange."""
        found = set(self.reasons)
        if self._stayed:
            many = len(self._stayed)
            chance = many * math.log(self._expected) - math.lgamma(many + 1)
            rare = max(self._stayed.values()) > 1 / _LEAST_CHANCE * 10
            wrong = rare or chance < math.log(_LEAST_CHANCE)
            found.add(VerificationReason.VALUE_KEPT if wrong else VerificationReason.FIXED_POINT)
        return found


def forms_of(part: bytes) -> float:
    """Return how many values have the form of one: letters stay letters and digits stay digits."""
    forms = 1.0
    for byte in part:
        if 0x30 <= byte <= 0x39:  # noqa: PLR2004  # digits
            forms *= 10
        elif 0x41 <= byte & ~0x20 <= 0x5A:  # noqa: PLR2004  # letters
            forms *= 26
        elif byte >= 0x80 or byte == 0x1B:  # noqa: PLR2004  # no ASCII
            forms *= 100
    return min(forms, _MANY)
