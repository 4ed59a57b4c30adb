"""Rounds: everybody in turn, again and again.

What else the machine does only ever takes time, and from a program that computes more than from one that copies. So
what counts is the least time of each; the median of the rounds' own ratios stands beside it and tells how quiet it was.
The first round warms up and is left out.
"""

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import Contender


class Speed(NamedTuple):
    """How many times as fast one contender is as another."""

    least: float
    """By the least time of each."""
    median: float
    """By the median of the rounds' own ratios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of each contender, round by round."""

    by_name: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median time."""
        return statistics.median(self.by_name[name])

    def least(self, name: str) -> float:
        """Return the least time."""
        return min(self.by_name[name])

    def speed(self, name: str, against: str) -> Speed | None:
        """Return how many times as fast one is as the other; None when one was not measured."""
        if name not in self.by_name or against not in self.by_name:
            return None
        pairs = zip(self.by_name[name], self.by_name[against], strict=True)
        median = statistics.median(other / own for own, other in pairs)
        return Speed(least=self.least(against) / self.least(name), median=median)


def run_rounds(contenders: Sequence[Contender], source: Path, scratch: Path, *, rounds: int) -> Times:
    """Run all contenders that are there on one capture."""
    present = [contender for contender in contenders if not contender.absent]
    by_name: dict[str, list[float]] = {contender.name: [] for contender in present}
    for number in range(rounds + 1):
        for contender in present:
            seconds = timed(lambda contender=contender: contender.work(source, scratch), scratch)  # type: ignore[misc]  # bound now
            if number:
                by_name[contender.name].append(seconds)
    return Times(by_name=by_name)


def timed(work: Callable[[], object], *scratches: Path) -> float:
    """Return the seconds that a work takes, each time into empty directories."""
    for scratch in scratches:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
