"""Jobs: queries, and writes fenced by the attempt."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update

from gql_server.domain.dicom_overrides import OverrideText
from gql_server.domain.errors import GqlServerError
from gql_server.domain.ids import ClientId, FlowId, JobId, KeyId, TraceId, UserId
from gql_server.domain.jobs import Job, JobKind, JobState, Lease, Progress, can_move
from gql_server.domain.paging import Page, PageRequest
from gql_server.store.database import AnyRow, Connection, Session
from gql_server.store.errors import error_columns, read_error
from gql_server.store.paging import fetch_page
from gql_server.store.tables import Jobs

_COLUMNS = (
    Jobs.id,
    Jobs.client_id,
    Jobs.flow_id,
    Jobs.created_by,
    Jobs.kind,
    Jobs.state,
    Jobs.attempt,
    Jobs.max_attempts,
    Jobs.progress_packets,
    Jobs.progress_bytes,
    Jobs.progress_total,
    Jobs.input_trace_id,
    Jobs.input_upload_id,
    Jobs.output_trace_id,
    Jobs.error_code,
    Jobs.error_facts,
    Jobs.created_at,
    Jobs.started_at,
    Jobs.finished_at,
)

_WORKED_ON = (JobState.RUNNING.value, JobState.CANCELLING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """What a worker needs to know of a job beyond its record."""

    parameters: dict[str, Any]
    """Versioned, with the snapshot of the rules as pairs of text."""
    key_id: KeyId | None
    output_name: str

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """The rules as they were at submit, as pairs of text (`domain/rules.py`)."""
        return tuple((one, other) for one, other in self.parameters.get("rules", ()))

    @property
    def overrides(self) -> tuple[OverrideText, ...]:
        """The DICOM overrides as they were at submit, as triples of text (`domain/dicom_overrides.py`)."""
        return tuple((element, action, value) for element, action, value in self.parameters.get("overrides", ()))


def _read(row: AnyRow) -> Job:
    return Job(
        id=JobId(row.id),
        client_id=ClientId(row.client_id),
        flow_id=FlowId(row.flow_id),
        created_by=UserId(row.created_by),
        kind=JobKind(row.kind),
        state=JobState(row.state),
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        progress=Progress(packets=row.progress_packets, bytes_done=row.progress_bytes, bytes_total=row.progress_total),
        input_trace_id=row.input_trace_id,
        input_upload_id=row.input_upload_id,
        output_trace_id=row.output_trace_id,
        error=read_error(row.error_code, row.error_facts),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


async def find_jobs(connection: Connection | Session, ids: Collection[JobId]) -> dict[JobId, Job]:
    """Return the jobs with these ids, as far as they exist."""
    rows = (await connection.execute(select(*_COLUMNS).where(Jobs.id.in_(ids)))).all()
    return {JobId(row.id): _read(row) for row in rows}


async def find_order(session: Session, job_id: JobId) -> JobOrder:
    """Return what was asked of the job."""
    statement = select(Jobs.parameters, Jobs.key_id, Jobs.output_name).where(Jobs.id == job_id)
    row = (await session.execute(statement)).one()
    return JobOrder(parameters=row.parameters, key_id=row.key_id, output_name=row.output_name)


def _wanted(flow_id: FlowId | None, state: JobState | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if flow_id is not None:
        wanted.append(Jobs.flow_id == flow_id)
    if state is not None:
        wanted.append(Jobs.state == state.value)
    return wanted


async def list_jobs(
    connection: Connection, *, flow_id: FlowId | None, state: JobState | None, page: PageRequest
) -> Page[Job]:
    """Return one page of jobs, newest first."""
    statement = select(*_COLUMNS).where(*_wanted(flow_id, state))
    return await fetch_page(connection, statement, (Jobs.created_at, Jobs.id), page, _read)


async def count_jobs(connection: Connection, *, flow_id: FlowId | None, state: JobState | None) -> int:
    """Return how many jobs there are."""
    return await connection.scalar(select(func.count()).select_from(Jobs).where(*_wanted(flow_id, state))) or 0


async def is_trace_in_use(session: Session, trace_id: TraceId) -> bool:
    """Say whether an unfinished job reads this trace."""
    statement = select(func.count()).where(Jobs.input_trace_id == trace_id, Jobs.finished_at.is_(None))
    return bool(await session.scalar(statement))


async def lock_job(session: Session, job_id: JobId) -> None:
    """Let nobody else write this job's events until the transaction ends.

    To be called before the first write of the transaction: only then do transaction ids, which order the feed, and
    sequence numbers, which order the job, agree.
    """
    # The upper half of a random id is as good a lock number as any.
    number = (job_id.int >> 64) - (1 << 63)
    await session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


async def add_job(session: Session, job: Job, order: JobOrder) -> None:
    """Add a job, PENDING."""
    session.add(
        Jobs(
            client_id=job.client_id,
            id=job.id,
            flow_id=job.flow_id,
            created_by=job.created_by,
            kind=job.kind.value,
            parameters=order.parameters,
            key_id=order.key_id,
            state=job.state.value,
            max_attempts=job.max_attempts,
            input_trace_id=job.input_trace_id,
            input_upload_id=job.input_upload_id,
            output_name=order.output_name,
            created_at=job.created_at,
        )
    )
    await session.flush()


async def claim_job(session: Session, job_id: JobId, lease_time: timedelta) -> Job | None:
    """Begin the next attempt, when the job is free or its worker has been silent for a lease; else None."""
    silent = Jobs.heartbeat_at < func.clock_timestamp() - lease_time
    free = or_(Jobs.state == JobState.PENDING, and_(Jobs.state == JobState.RUNNING, silent))
    result = await session.execute(
        update(Jobs)
        .where(Jobs.id == job_id, Jobs.attempt < Jobs.max_attempts, free)
        .values(
            state=JobState.RUNNING.value,
            attempt=Jobs.attempt + 1,
            heartbeat_at=func.clock_timestamp(),
            started_at=func.coalesce(Jobs.started_at, func.clock_timestamp()),
            progress_packets=0,
            progress_bytes=0,
            progress_total=0,
        )
        .returning(*_COLUMNS)
    )
    row = result.one_or_none()
    return None if row is None else _read(row)


async def find_dead_job(session: Session, job_id: JobId, lease_time: timedelta) -> Job | None:
    """Return the job when its worker has been silent for a lease and no attempt may follow; hold its row."""
    silent = Jobs.heartbeat_at < func.clock_timestamp() - lease_time
    hopeless = or_(Jobs.state == JobState.CANCELLING, Jobs.attempt >= Jobs.max_attempts)
    statement = (
        select(*_COLUMNS).where(Jobs.id == job_id, Jobs.state.in_(_WORKED_ON), silent, hopeless).with_for_update()
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _read(row)


async def beat(session: Session, lease: Lease, progress: Progress) -> JobState | None:
    """Renew the lease and note the progress; None when the lease is lost."""
    result = await session.execute(
        update(Jobs)
        .where(Jobs.id == lease.job_id, Jobs.attempt == lease.attempt, Jobs.state.in_(_WORKED_ON))
        .values(
            heartbeat_at=func.clock_timestamp(),
            progress_packets=progress.packets,
            progress_bytes=progress.bytes_done,
            progress_total=progress.bytes_total,
        )
        .returning(Jobs.state)
    )
    state = result.scalar_one_or_none()
    return None if state is None else JobState(state)


async def end_job(
    session: Session,
    lease: Lease,
    *,
    before: JobState,
    after: JobState,
    output_trace_id: TraceId | None = None,
    error: GqlServerError | None = None,
) -> bool:
    """Move the job out of the hands of this attempt; False when it is not in its hands, or not in that state.

    Raises:
        ValueError: no job may make this move.
    """
    if not can_move(before, after):
        raise ValueError(after)
    values: dict[str, Any] = {"state": after.value, **error_columns(error)}
    values["heartbeat_at"] = func.clock_timestamp()
    if after.is_final:
        values |= {"finished_at": func.clock_timestamp(), "output_trace_id": output_trace_id}
    if after is JobState.COMPLETED:
        values["progress_bytes"] = func.greatest(Jobs.progress_bytes, Jobs.progress_total)
    result = await session.execute(
        update(Jobs)
        .where(Jobs.id == lease.job_id, Jobs.attempt == lease.attempt, Jobs.state == before.value)
        .values(**values)
        .returning(Jobs.id)
    )
    return result.one_or_none() is not None


async def request_cancel(session: Session, job_id: JobId) -> bool:
    """Move a RUNNING job to CANCELLING; False when it is not running."""
    result = await session.execute(
        update(Jobs)
        .where(Jobs.id == job_id, Jobs.state == JobState.RUNNING)
        .values(state=JobState.CANCELLING.value)
        .returning(Jobs.id)
    )
    return result.one_or_none() is not None


_LOST = text(
    "SELECT client_id, id FROM jobs"
    " WHERE finished_at IS NULL AND heartbeat_at < clock_timestamp() - CAST(:lease_time AS interval)"
    " AND NOT EXISTS (SELECT 1 FROM queue.pgqueuer WHERE status IN ('queued', 'picked')"
    " AND payload = convert_to(jobs.client_id || ':' || jobs.id, 'UTF8')"
    " AND (status = 'queued' OR heartbeat > clock_timestamp() - CAST(:lease_time AS interval)))"
    " LIMIT 100"
)


async def list_lost(connection: Connection, lease_time: timedelta) -> tuple[tuple[ClientId, JobId], ...]:
    """Return unfinished jobs of all tenants that have been silent for a lease and that no queue will deliver."""
    rows = (await connection.execute(_LOST, {"lease_time": lease_time})).all()
    return tuple((ClientId(row.client_id), JobId(row.id)) for row in rows)


async def find_attempts(connection: Connection, ids: Collection[JobId]) -> dict[JobId, int]:
    """Return the current attempt of those jobs, of all tenants, that are being worked on."""
    statement = select(Jobs.id, Jobs.attempt).where(Jobs.id.in_(ids), Jobs.state.in_(_WORKED_ON))
    return {JobId(row.id): row.attempt for row in (await connection.execute(statement)).all()}


async def allow_another_attempt(session: Session, job_id: JobId) -> None:
    """Make up for an attempt that ended through no fault of the job."""
    await session.execute(update(Jobs).where(Jobs.id == job_id).values(max_attempts=Jobs.max_attempts + 1))
