"""Job states: the full table of moves."""

import itertools

import pytest

from gql_server.domain.jobs import FINAL_STATES, JobState, Progress, can_move

ALLOWED = {
    ("PENDING", "RUNNING"),
    ("PENDING", "CANCELLED"),
    ("PENDING", "FAILED"),
    ("RUNNING", "RUNNING"),
    ("RUNNING", "PENDING"),
    ("RUNNING", "CANCELLING"),
    ("RUNNING", "COMPLETED"),
    ("RUNNING", "FAILED"),
    ("CANCELLING", "CANCELLED"),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(JobState, JobState)))
def test_a_job_moves_only_along_the_drawn_lines(before: JobState, after: JobState) -> None:
    assert can_move(before, after) is ((before.value, after.value) in ALLOWED)


def test_final_states_have_no_way_out() -> None:
    assert {state for state in JobState if state.is_final} == FINAL_STATES
    assert not any(can_move(state, after) for state in FINAL_STATES for after in JobState)


def test_fraction_is_between_nothing_and_all() -> None:
    assert Progress(packets=0, bytes_done=5, bytes_total=0).fraction == 0.0
    assert Progress(packets=1, bytes_done=5, bytes_total=10).fraction == 0.5
    assert Progress(packets=1, bytes_done=20, bytes_total=10).fraction == 1.0
