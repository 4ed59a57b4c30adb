"""Events: append-only facts, read without gaps.

The cursor is the pair (xid, id), compared as numbers, and only events below the snapshot's horizon are read. A
transaction with a smaller xid may still commit later, or take a larger id: a reader that went by id alone would
lose events.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gql_server.domain.errors import GqlServerError
from gql_server.domain.events import Cursor, Event, EventKind
from gql_server.domain.ids import ClientId, FlowId, JobId, TraceId
from gql_server.domain.jobs import Progress
from gql_server.store.database import AnyRow, Connection, Session
from gql_server.store.errors import error_columns, read_error

_APPEND = text(
    "WITH job AS (UPDATE jobs SET seq = seq + 1 WHERE id = :job_id RETURNING client_id, flow_id, id, seq)"
    " INSERT INTO events (client_id, flow_id, job_id, seq, kind, progress_packets, progress_bytes, progress_total,"
    " output_trace_id, error_code, error_facts)"
    " SELECT client_id, flow_id, id, seq, :kind, :packets, :bytes_done, :bytes_total, :output_trace_id,"
    " :error_code, :error_facts FROM job"
).bindparams(
    bindparam("job_id", type_=Uuid()),
    bindparam("kind", type_=Text()),
    bindparam("packets", type_=BigInteger()),
    bindparam("bytes_done", type_=BigInteger()),
    bindparam("bytes_total", type_=BigInteger()),
    bindparam("output_trace_id", type_=Uuid()),
    bindparam("error_code", type_=Text()),
    bindparam("error_facts", type_=JSONB(none_as_null=True)),
)

# ORDER BY names the table's columns: the output column is text, and as text '10' comes before '9'.
_READ = text(
    "SELECT events.id, events.xid::text AS xid, client_id, flow_id, job_id, seq, kind, at, progress_packets,"
    " progress_bytes, progress_total, output_trace_id, error_code, error_facts"
    " FROM events"
    " WHERE (events.xid, events.id) > (CAST(:xid AS text)::xid8, :id)"
    " AND events.xid < pg_snapshot_xmin(pg_current_snapshot())"
    " AND (CAST(:flow_id AS uuid) IS NULL OR flow_id = :flow_id)"
    " AND (CAST(:job_id AS uuid) IS NULL OR job_id = :job_id)"
    " AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY (:kinds))"
    " ORDER BY events.xid, events.id LIMIT :limit"
).bindparams(
    bindparam("xid", type_=Text()),
    bindparam("id", type_=BigInteger()),
    bindparam("flow_id", type_=Uuid()),
    bindparam("job_id", type_=Uuid()),
    bindparam("kinds", type_=ARRAY(Text())),
    bindparam("limit", type_=BigInteger()),
)

# The horizon itself, not the newest event: nothing below it can still appear.
_HEAD = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")


async def append_event(
    session: Session,
    job_id: JobId,
    kind: EventKind,
    *,
    progress: Progress | None = None,
    output_trace_id: TraceId | None = None,
    error: GqlServerError | None = None,
) -> None:
    """Write a fact in the transaction of the change it reports.

    The transaction must hold the job's lock (`store.jobs.lock_job`) since before its first write.
    """
    await session.execute(
        _APPEND,
        {
            "job_id": job_id,
            "kind": kind.value,
            "packets": progress and progress.packets,
            "bytes_done": progress and progress.bytes_done,
            "bytes_total": progress and progress.bytes_total,
            "output_trace_id": output_trace_id,
            **error_columns(error),
        },
    )


def _read(row: AnyRow) -> Event:
    progress = None
    if row.progress_packets is not None:
        progress = Progress(packets=row.progress_packets, bytes_done=row.progress_bytes, bytes_total=row.progress_total)
    return Event(
        cursor=Cursor(int(row.xid), row.id),
        client_id=ClientId(row.client_id),
        flow_id=FlowId(row.flow_id),
        job_id=JobId(row.job_id),
        seq=row.seq,
        kind=EventKind(row.kind),
        at=row.at,
        progress=progress,
        output_trace_id=row.output_trace_id,
        error=read_error(row.error_code, row.error_facts),
    )


async def list_events(
    connection: Connection,
    *,
    after: Cursor,
    kinds: Collection[EventKind] | None = None,
    flow_id: FlowId | None = None,
    job_id: JobId | None = None,
    limit: int = 100,
) -> tuple[Event, ...]:
    """Return events after the cursor, oldest first."""
    values: dict[str, Any] = {
        "xid": str(after.xid),
        "id": after.id,
        "flow_id": flow_id,
        "job_id": job_id,
        "kinds": None if kinds is None else [kind.value for kind in kinds],
        "limit": limit,
    }
    return tuple(_read(row) for row in (await connection.execute(_READ, values)).all())


async def head_cursor(connection: Connection) -> Cursor:
    """Return the cursor of now: every event that commits from here on comes after it."""
    return Cursor(int(await connection.scalar(_HEAD) or 0) - 1, 2**62)
