import numpy as np
import numpy.typing as npt

from gql_server.engine.addresses.cycle_walking import cycle_walk, walk_on

CYCLE = np.array([3, 0, 1, 4, 2, 5], np.uint64)
"""0 → 3 → 4 → 2 → 1 → 0, and 5 alone."""


def step(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return CYCLE[numbers.astype(np.intp)]


def test_a_permutation_held_within_a_set_skips_what_is_outside() -> None:
    allowed = np.array([True, True, False, False, True, True])
    inside = np.array([0, 1, 4, 5], np.uint64)
    walked = cycle_walk(inside, step, lambda a: allowed[a.astype(np.intp)])
    assert walked.tolist() == [4, 0, 1, 5]


def test_a_walk_goes_on_from_the_first_step() -> None:
    allowed = np.array([True, True, False, False, True, True])
    inside = np.array([0, 1, 4, 5], np.uint64)
    walked = walk_on(step(inside), step, lambda a: allowed[a.astype(np.intp)])
    assert walked.tolist() == [4, 0, 1, 5]


def test_where_everything_is_allowed_it_is_the_permutation() -> None:
    every = np.arange(6, dtype=np.uint64)
    assert np.array_equal(cycle_walk(every, step, lambda a: np.ones(len(a), np.bool_)), CYCLE)
