"""Rounds: interleaved, warmed up, compared."""

from pathlib import Path

import pytest

from benchmarks.contenders import Contender
from benchmarks.rounds import Times, run_rounds


def test_everybody_runs_in_every_round_into_an_empty_directory(tmp_path: Path) -> None:
    order: list[str] = []

    def work(name: str) -> Contender:
        def leave_a_file(_: Path, directory: Path) -> None:
            assert list(directory.iterdir()) == []
            (directory / "capture").touch()
            order.append(name)

        return Contender(name=name, work=leave_a_file)

    absent = Contender(name="absent", work=lambda _, __: order.append("absent"), absent="not installed")
    times = run_rounds([work("one"), absent, work("two")], tmp_path, tmp_path / "output", rounds=2)
    assert order == ["one", "two"] * 3
    assert {name: len(seconds) for name, seconds in times.by_name.items()} == {"one": 2, "two": 2}


def test_a_speed_is_told_by_the_least_times_and_by_the_median_of_the_ratios_within_a_round() -> None:
    times = Times(by_name={"own": [1.0, 10.0, 2.0], "other": [2.0, 30.0, 8.0]})
    assert times.speed("own", "other") == pytest.approx((2.0, 3.0))
    assert times.median("own") == pytest.approx(2.0)
    assert times.speed("own", "nobody") is None
