"""Flow states: what follows what."""

from gql_server.domain.flows import FlowState, can_move


def test_a_flow_that_is_over_stays_over() -> None:
    assert not any(can_move(FlowState.COMPLETED, after) for after in FlowState)
    assert not any(can_move(FlowState.CANCELLED, after) for after in FlowState)


def test_a_failed_flow_can_be_taken_up_again() -> None:
    assert can_move(FlowState.FAILED, FlowState.ACTIVE)
    assert not can_move(FlowState.FAILED, FlowState.COMPLETED)


def test_every_state_can_be_reached() -> None:
    reached = {FlowState.PENDING} | {after for before in FlowState for after in FlowState if can_move(before, after)}
    assert reached == set(FlowState)
