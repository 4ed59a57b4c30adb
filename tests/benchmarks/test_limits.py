"""Limits: kept, missed, or without a figure."""

import pytest

from benchmarks.limits import LIMITS, Limit, Part


@pytest.mark.parametrize(
    ("at_most", "figure", "verdict"),
    [
        (False, 1.8, "ok"),
        (False, 1.79, "BELOW"),
        (True, 1.8, "ok"),
        (True, 1.81, "ABOVE"),
        (False, None, "not measured"),
    ],
)
def test_a_figure_is_held_against_its_bound(figure: float | None, verdict: str, *, at_most: bool) -> None:
    limit = Limit(part=Part.IMIX, what="something", bound=1.8, at_most=at_most)
    assert limit.verdict(figure) == verdict


def test_every_part_has_a_bound() -> None:
    assert {limit.part for limit in LIMITS} == set(Part)
