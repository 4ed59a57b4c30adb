"""Events for listeners: only what can be read at that moment."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gql_server.domain.access import Actor
from gql_server.domain.errors import BlobMissing, TraceDeleted
from gql_server.domain.events import Cursor, Event, EventKind
from gql_server.domain.ids import FlowId, JobId
from gql_server.services.dicom import check_lists
from gql_server.services.resources import Resources
from gql_server.services.traces import open_capture

_PATIENCE_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.1


async def follow_events(
    resources: Resources,
    actor: Actor,
    *,
    after: Cursor | None,
    kinds: frozenset[EventKind],
    flow_id: FlowId | None,
    job_id: JobId | None,
) -> AsyncGenerator[Event, None]:
    """Yield the actor's events, first those after the cursor, then as they happen.

    A completion is passed on only once its output opens on this node, or is a tombstone by now; one that made no
    trace, once its lists do.

    Raises:
        BlobMissing: it does not open, even after some patience; the listener resumes with its last cursor.
    """
    followed = resources.hub.follow(actor.client_id, after=after, kinds=kinds, flow_id=flow_id, job_id=job_id)
    async with aclosing(followed):
        async for event in followed:
            await _await_output(resources, actor, event)
            yield event


async def _await_output(resources: Resources, actor: Actor, event: Event) -> None:
    if event.kind is not EventKind.JOB_COMPLETED:
        return
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while True:
        try:
            await _open_output(resources, actor, event)
        except TraceDeleted:
            return
        except BlobMissing:
            # Another machine may see the shared directory a moment later than the database.
            if loop.time() > deadline:
                raise
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return


async def _open_output(resources: Resources, actor: Actor, event: Event) -> None:
    if event.output_trace_id is None:
        await check_lists(resources, actor, event.job_id)
    else:
        (await open_capture(resources, actor, event.output_trace_id)).file.close()
