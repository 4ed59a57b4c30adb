"""Execution rows: opened once, closed once."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from gql_server.domain.access import Actor
from gql_server.domain.errors import CaptureCut
from gql_server.domain.ids import ArtifactId, ExecutionId, FlowId, new_id
from gql_server.domain.jobs import Artifact, Execution, ExecutionState
from gql_server.domain.paging import PageRequest
from gql_server.store import executions
from gql_server.store.database import Database
from tests.factories import make_chain


@pytest.fixture
async def execution(database: Database, actor: Actor) -> Execution:
    """An execution under way."""
    (execution_id,) = (await make_chain(database, actor, 1)).executions
    return await _get(database, actor, execution_id)


async def _get(database: Database, actor: Actor, execution_id: ExecutionId) -> Execution:
    async with database.read(actor.client_id) as connection:
        return (await executions.find_executions(connection, [execution_id]))[execution_id]


async def test_an_execution_ends_once(database: Database, actor: Actor, execution: Execution) -> None:
    assert (execution.state, execution.finished_at) == (ExecutionState.RUNNING, None)
    error = CaptureCut(offset=24, packets=0)
    async with database.transaction(actor.client_id) as session:
        await executions.end_execution(session, execution.id, ExecutionState.FAILED, error)
        await executions.end_execution(session, execution.id, ExecutionState.COMPLETED, None)
        assert await executions.abandon_executions(session, execution.job_id) == ()
    ended = await _get(database, actor, execution.id)
    assert ended.error is not None
    assert (ended.state, ended.error.facts()) == (ExecutionState.FAILED, error.facts())
    assert ended.finished_at is not None
    assert ended.finished_at >= ended.started_at


async def test_what_a_dead_worker_left_open_is_abandoned(
    database: Database, actor: Actor, execution: Execution
) -> None:
    async with database.transaction(actor.client_id) as session:
        (abandoned,) = await executions.abandon_executions(session, execution.job_id)
    assert (abandoned.id, abandoned.state) == (execution.id, ExecutionState.ABANDONED)
    assert (await _get(database, actor, execution.id)).state is ExecutionState.ABANDONED


async def test_neither_attempt_nor_name_comes_twice(database: Database, actor: Actor, execution: Execution) -> None:
    same_attempt = replace(execution, id=ExecutionId(new_id()), name="exec_20260101T000000Z_00000000")
    same_name = replace(execution, id=ExecutionId(new_id()), attempt=2)
    for double in (same_attempt, same_name):
        with pytest.raises(IntegrityError):
            async with database.transaction(actor.client_id) as session:
                await executions.add_execution(session, double)


async def test_executions_are_listed_by_flow_and_by_job(database: Database, actor: Actor) -> None:
    made = (await make_chain(database, actor, 3)).executions
    one = await _get(database, actor, made[1])
    async with database.read(actor.client_id) as connection:
        page = await executions.list_executions(connection, flow_id=one.flow_id, job_id=None, page=PageRequest())
        of_job = await executions.list_executions(connection, flow_id=None, job_id=one.job_id, page=PageRequest())
        assert await executions.count_executions(connection, flow_id=one.flow_id, job_id=None) == 3
        assert await executions.count_executions(connection, flow_id=FlowId(new_id()), job_id=None) == 0
    assert [each.id for each in page.items] == list(reversed(made))
    assert [each.id for each in of_job.items] == [one.id]


async def test_artifacts_come_by_name_with_their_execution(
    database: Database, actor: Actor, execution: Execution
) -> None:
    def artifact(name: str) -> Artifact:
        return Artifact(
            id=ArtifactId(new_id()),
            client_id=actor.client_id,
            execution_id=execution.id,
            name=name,
            media_type="application/json",
            size_bytes=2,
            sha256="cd" * 32,
        )

    made = [artifact(name) for name in ("rules.json", "manifest.json")]
    async with database.transaction(actor.client_id) as session:
        for each in made:
            await executions.add_artifact(session, each)
    async with database.read(actor.client_id) as connection:
        found = await executions.find_artifacts(connection, [execution.id, ExecutionId(new_id())])
    assert found == {execution.id: tuple(reversed(made))}
    with pytest.raises(IntegrityError):
        async with database.transaction(actor.client_id) as session:
            await executions.add_artifact(session, artifact("rules.json"))
