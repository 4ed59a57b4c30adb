"""Executions and their artifacts: queries and writes."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from gql_server.domain.errors import GqlServerError
from gql_server.domain.ids import ArtifactId, ClientId, ExecutionId, FlowId, JobId
from gql_server.domain.jobs import Artifact, Execution, ExecutionState
from gql_server.domain.paging import Page, PageRequest
from gql_server.store.database import AnyRow, Connection, Session
from gql_server.store.errors import error_columns, read_error
from gql_server.store.paging import fetch_page
from gql_server.store.tables import Artifacts, Executions

_COLUMNS = (
    Executions.id,
    Executions.client_id,
    Executions.flow_id,
    Executions.job_id,
    Executions.attempt,
    Executions.name,
    Executions.state,
    Executions.error_code,
    Executions.error_facts,
    Executions.started_at,
    Executions.finished_at,
)


def _read(row: AnyRow) -> Execution:
    return Execution(
        id=ExecutionId(row.id),
        client_id=ClientId(row.client_id),
        flow_id=FlowId(row.flow_id),
        job_id=JobId(row.job_id),
        attempt=row.attempt,
        name=row.name,
        state=ExecutionState(row.state),
        error=read_error(row.error_code, row.error_facts),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


async def find_executions(
    connection: Connection | Session, ids: Collection[ExecutionId]
) -> dict[ExecutionId, Execution]:
    """Return the executions with these ids, as far as they exist."""
    rows = (await connection.execute(select(*_COLUMNS).where(Executions.id.in_(ids)))).all()
    return {ExecutionId(row.id): _read(row) for row in rows}


def _wanted(flow_id: FlowId | None, job_id: JobId | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if flow_id is not None:
        wanted.append(Executions.flow_id == flow_id)
    if job_id is not None:
        wanted.append(Executions.job_id == job_id)
    return wanted


async def list_executions(
    connection: Connection, *, flow_id: FlowId | None, job_id: JobId | None, page: PageRequest
) -> Page[Execution]:
    """Return one page of executions, newest first."""
    statement = select(*_COLUMNS).where(*_wanted(flow_id, job_id))
    return await fetch_page(connection, statement, (Executions.started_at, Executions.id), page, _read)


async def count_executions(connection: Connection, *, flow_id: FlowId | None, job_id: JobId | None) -> int:
    """Return how many executions there are."""
    statement = select(func.count()).select_from(Executions).where(*_wanted(flow_id, job_id))
    return await connection.scalar(statement) or 0


async def add_execution(session: Session, execution: Execution) -> None:
    """Add an execution, RUNNING."""
    session.add(
        Executions(
            client_id=execution.client_id,
            id=execution.id,
            flow_id=execution.flow_id,
            job_id=execution.job_id,
            attempt=execution.attempt,
            name=execution.name,
            state=execution.state.value,
            started_at=execution.started_at,
        )
    )
    await session.flush()


async def abandon_executions(session: Session, job_id: JobId) -> tuple[Execution, ...]:
    """Close every execution of the job that its worker left open, and return them."""
    result = await session.execute(
        update(Executions)
        .where(Executions.job_id == job_id, Executions.state == ExecutionState.RUNNING)
        .values(state=ExecutionState.ABANDONED.value, finished_at=func.clock_timestamp())
        .returning(*_COLUMNS)
    )
    return tuple(_read(row) for row in result.all())


async def end_execution(
    session: Session, execution_id: ExecutionId, state: ExecutionState, error: GqlServerError | None
) -> None:
    """Close an execution."""
    values: dict[str, Any] = {"state": state.value, **error_columns(error)}
    await session.execute(
        update(Executions)
        .where(Executions.id == execution_id, Executions.state == ExecutionState.RUNNING)
        .values(finished_at=func.clock_timestamp(), **values)
    )


async def add_artifact(session: Session, artifact: Artifact) -> None:
    """Add a file that an execution made."""
    session.add(
        Artifacts(
            client_id=artifact.client_id,
            id=artifact.id,
            execution_id=artifact.execution_id,
            name=artifact.name,
            media_type=artifact.media_type,
            size_bytes=artifact.size_bytes,
            sha256=artifact.sha256,
        )
    )
    await session.flush()


async def find_artifacts(
    connection: Connection, execution_ids: Collection[ExecutionId]
) -> dict[ExecutionId, tuple[Artifact, ...]]:
    """Return the artifacts of these executions, by name."""
    columns = (
        Artifacts.id,
        Artifacts.client_id,
        Artifacts.execution_id,
        Artifacts.name,
        Artifacts.media_type,
        Artifacts.size_bytes,
        Artifacts.sha256,
    )
    statement = select(*columns).where(Artifacts.execution_id.in_(execution_ids)).order_by(Artifacts.name)
    found: dict[ExecutionId, tuple[Artifact, ...]] = {}
    for row in (await connection.execute(statement)).all():
        artifact = Artifact(
            id=ArtifactId(row.id),
            client_id=ClientId(row.client_id),
            execution_id=ExecutionId(row.execution_id),
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
        )
        found[artifact.execution_id] = (*found.get(artifact.execution_id, ()), artifact)
    return found
