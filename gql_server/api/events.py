"""Events: the log by query, and by subscription."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Self

import strawberry

from gql_server.api.context import Context, Info
from gql_server.api.enums import EventKind, JobState
from gql_server.api.errors import UserError, stored_error
from gql_server.api.fields import field, subscription
from gql_server.api.ids import GlobalId
from gql_server.api.jobs import JobsId, OfJob
from gql_server.api.loaders import one
from gql_server.api.paging import check_page_size
from gql_server.api.traces import OfFlow
from gql_server.api.types import Job, Trace
from gql_server.api.values import JobProgress
from gql_server.domain import events
from gql_server.domain.errors import NotFound
from gql_server.domain.events import FINAL_EVENTS, START, Cursor
from gql_server.domain.ids import FlowId, JobId
from gql_server.domain.paging import DEFAULT_PAGE_SIZE
from gql_server.services.events import follow_events
from gql_server.store.events import head_cursor, list_events

AfterEvent = Annotated[
    Cursor | None,
    strawberry.argument(description="Only what comes after this cursor: what was missed is told first, then news."),
]
Number = Annotated[int, strawberry.argument(description="How many at most, 1 to 100.")]

STATE_AFTER: dict[EventKind, JobState] = {
    EventKind.JOB_SUBMITTED: JobState.PENDING,
    EventKind.JOB_STARTED: JobState.RUNNING,
    EventKind.JOB_PROGRESSED: JobState.RUNNING,
    EventKind.JOB_RETRIED: JobState.PENDING,
    EventKind.JOB_CANCEL_REQUESTED: JobState.CANCELLING,
    EventKind.JOB_COMPLETED: JobState.COMPLETED,
    EventKind.JOB_FAILED: JobState.FAILED,
    EventKind.JOB_CANCELLED: JobState.CANCELLED,
}


@strawberry.type(description="One committed fact about a job.")
class JobEvent:
    """An event."""

    cursor: Cursor = strawberry.field(description="Its place in the log: keep the last one, and go on `after` it.")
    kind: EventKind = strawberry.field(description="What happened.")
    sequence: int = strawberry.field(description="Its number within the job, from 1, without gaps.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    job_id: GlobalId = strawberry.field(description="The id of the job.")
    state: JobState = strawberry.field(description="The state that the job went into; it may be in a later one by now.")
    progress: JobProgress | None = strawberry.field(description="How far the attempt had come, where that is known.")
    output_trace_id: GlobalId | None = strawberry.field(
        description="The id of the trace that was made; null for a job that made none, failed or was cancelled."
    )
    error: UserError | None = strawberry.field(description="Why the job failed or stopped, if it did.")
    row: strawberry.Private[events.Event]

    @classmethod
    def of(cls, row: events.Event) -> Self:
        """Show a row."""
        output = row.output_trace_id
        return cls(
            cursor=row.cursor,
            kind=row.kind,
            sequence=row.seq,
            occurred_at=row.at,
            job_id=GlobalId("Job", row.job_id),
            state=STATE_AFTER[row.kind],
            progress=None if row.progress is None else JobProgress.of(row.progress),
            output_trace_id=None if output is None else GlobalId("Trace", output),
            error=stored_error(row.error),
            row=row,
        )

    @field("The job, as it is now.")
    async def job(self, info: Info) -> Job | None:
        """Load it."""
        return await one(info.context.loaders.jobs, self.row.job_id, Job.of)

    @field("The trace that was made, if one was; a tombstone if it has been deleted since.")
    async def output_trace(self, info: Info) -> Trace | None:
        """Load it."""
        return await one(info.context.loaders.traces, self.row.output_trace_id, Trace.of)


@strawberry.type(description="A stretch of the event log, oldest first.")
class EventPage:
    """Events."""

    events: list[JobEvent] = strawberry.field(description="The events, oldest first.")
    end_cursor: Cursor = strawberry.field(description="Where to go on from.")

    @field("The end of the log as it is now: what comes after it has not happened yet.")
    async def latest_cursor(self, info: Info) -> Cursor:
        """Ask for it."""
        async with info.context.read() as connection:
            return await head_cursor(connection)


@strawberry.type
class EventQueries:
    """Queries of the log."""

    @field("The same facts that the subscriptions tell, for those who would rather ask.")
    async def events(
        self,
        info: Info,
        after: AfterEvent = None,
        first: Number = DEFAULT_PAGE_SIZE,
        flow_id: OfFlow = None,
        job_id: OfJob = None,
    ) -> EventPage:
        """Read on.

        Raises:
            InvalidInput: the number is out of bounds.
        """
        check_page_size("first", first)
        start = after or START
        async with info.context.read() as connection:
            rows = await list_events(
                connection,
                after=start,
                kinds=None,
                flow_id=None if flow_id is None else FlowId(flow_id.of("Flow")),
                job_id=None if job_id is None else JobId(job_id.of("Job")),
                limit=first,
            )
        return EventPage(events=[JobEvent.of(row) for row in rows], end_cursor=rows[-1].cursor if rows else start)


async def follow(
    context: Context, *, after: Cursor | None, kinds: frozenset[EventKind], flow_id: FlowId | None, job_id: JobId | None
) -> AsyncGenerator[JobEvent, None]:
    """Yield events; those of one job end with the job.

    Each event is answered from freshly loaded rows: what an earlier one saw is forgotten before it is handed out.
    """
    stream = follow_events(context.resources, context.actor, after=after, kinds=kinds, flow_id=flow_id, job_id=job_id)
    async with aclosing(stream):
        async for row in stream:
            context.loaders.forget()
            yield JobEvent.of(row)
            if job_id is not None and row.kind in FINAL_EVENTS:
                return


async def _known_job(context: Context, id_: GlobalId) -> JobId:
    job_id = JobId(id_.of("Job"))
    if await context.loaders.jobs.load(job_id) is None:
        raise NotFound(noun="job")
    return job_id


async def _known_flow(context: Context, id_: GlobalId) -> FlowId:
    flow_id = FlowId(id_.of("Flow"))
    if await context.loaders.flows.load(flow_id) is None:
        raise NotFound(noun="flow")
    return flow_id


@strawberry.type(description="What can be listened to. Whoever comes back with the last `cursor` misses nothing.")
class Subscription:
    """Subscriptions."""

    @subscription("Everything that happens to one job, from its beginning or after a cursor. It ends with the job.")
    async def job_progress(
        self, info: Info, job_id: JobsId, after: AfterEvent = None
    ) -> AsyncGenerator[JobEvent, None]:
        """Follow the job.

        Raises:
            NotFound: there is no such job that the actor may see.
        """
        known = await _known_job(info.context, job_id)
        stream = follow(info.context, after=after, kinds=frozenset(EventKind), flow_id=None, job_id=known)
        async with aclosing(stream):
            async for event in stream:
                yield event

    @subscription(
        "Jobs that are over: completed (with the output trace, if the job makes one; what was made can be read at this "
        "moment), failed or cancelled (with the error and no trace). Of all jobs, of one flow, or of one job: that one "
        "is told of even if it is already over, and ends the stream."
    )
    async def job_completed(
        self, info: Info, flow_id: OfFlow = None, job_id: OfJob = None, after: AfterEvent = None
    ) -> AsyncGenerator[JobEvent, None]:
        """Follow the ends of jobs.

        Raises:
            NotFound: there is no such flow or job that the actor may see.
        """
        flow = None if flow_id is None else await _known_flow(info.context, flow_id)
        job = None if job_id is None else await _known_job(info.context, job_id)
        stream = follow(info.context, after=after, kinds=FINAL_EVENTS, flow_id=flow, job_id=job)
        async with aclosing(stream):
            async for event in stream:
                yield event
