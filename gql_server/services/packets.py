"""Packets: looked at, and put beside what they came from."""

import asyncio
from datetime import timedelta
from typing import BinaryIO

from gql_server.domain.access import Actor
from gql_server.domain.errors import BlobMissing, InvalidInput, NotFound, OriginDeleted, TraceDeleted, TraceHasNoOrigin
from gql_server.domain.ids import TraceId
from gql_server.domain.inspection import RowRequest, Rows
from gql_server.domain.lineage import Direction, EdgeKind
from gql_server.domain.packets import ConversationKey, DissectedPacket, PacketComparison
from gql_server.domain.traces import Trace
from gql_server.engine.inspect.reading import count_packets
from gql_server.engine.tasks import Compared, CompareTask, Dissected, DissectTask, Result
from gql_server.services.resources import Resources
from gql_server.store import lineage, traces

PAGE_DATA_BYTES = 1600
"""Of each packet on a page: more than an Ethernet frame; a page still fits a message of a child."""
COMPARED_DATA_BYTES = 1 << 16

_LOOK_TIME = timedelta(seconds=20)


async def list_packets(
    resources: Resources,
    actor: Actor,
    trace_id: TraceId,
    request: RowRequest,
    *,
    conversation: ConversationKey | None,
) -> Rows[DissectedPacket] | None:
    """Take packets apart: of the whole trace, or of one listed conversation; None without a trace.

    Raises:
        TraceDeleted, CaptureError, ChildCrashed, ResourceLimit.
    """
    async with resources.database.read(actor.client_id) as connection:
        trace = (await traces.find_traces(connection, [trace_id])).get(trace_id)
    if trace is None:
        return None
    if trace.deleted_at is not None:
        raise TraceDeleted
    total = trace.summary.packets
    if conversation is not None:
        total = await asyncio.to_thread(_count_packets, resources, trace_id, conversation)
    start, stop = request.span(total)
    if start == stop:
        return Rows(items=(), start=start, total=total, is_complete=True)
    task = DissectTask(
        source=resources.blobs.trace_path(trace_id, trace.summary.format.file_name),
        first=start,
        last=stop,
        conversation=conversation,
        data_bytes=PAGE_DATA_BYTES,
        memory_bytes=resources.limits.job_memory_bytes,
    )
    result = await _run(resources, task)
    assert isinstance(result, Dissected)
    return Rows(items=result.packets, start=start, total=total, is_complete=True)


async def compare_packets(resources: Resources, actor: Actor, *, trace_id: TraceId, number: int) -> PacketComparison:
    """Put a packet beside the one of the trace it was derived from.

    Raises:
        NotFound, TraceDeleted, CaptureError, ChildCrashed, ResourceLimit.
        TraceHasNoOrigin, OriginDeleted: there is nothing to put it beside.
        InvalidInput: there is no packet of this number, from 1.
    """
    trace = await _find(resources, actor, trace_id)
    if trace.deleted_at is not None:
        raise TraceDeleted
    origin = await _find_origin(resources, actor, trace_id)
    if not 1 <= number <= trace.summary.packets:
        raise InvalidInput(field="number", reason=f"the trace has packets 1 to {trace.summary.packets}")
    task = CompareTask(
        source=resources.blobs.trace_path(trace_id, trace.summary.format.file_name),
        origin=resources.blobs.trace_path(origin.id, origin.summary.format.file_name),
        number=number,
        data_bytes=COMPARED_DATA_BYTES,
        memory_bytes=resources.limits.job_memory_bytes,
    )
    result = await _run(resources, task)
    assert isinstance(result, Compared)
    if result.comparison is None:
        raise BlobMissing(noun="packet")
    return result.comparison


async def _run(resources: Resources, task: DissectTask | CompareTask) -> Result:
    async with resources.previews:
        return await resources.children.run(task, on_progress=lambda _: None, time_limit=_LOOK_TIME)


def _count_packets(resources: Resources, trace_id: TraceId, conversation: ConversationKey) -> int:
    """Return how many packets a conversation has; 0 where it is not listed, or the trace has no survey."""

    def open_file(name: str) -> BinaryIO:
        return resources.blobs.open_trace(trace_id, name)[0]

    try:
        return count_packets(open_file, conversation)
    except BlobMissing:
        return 0


async def _find(resources: Resources, actor: Actor, trace_id: TraceId) -> Trace:
    async with resources.database.read(actor.client_id) as connection:
        trace = (await traces.find_traces(connection, [trace_id])).get(trace_id)
    if trace is None:
        raise NotFound(noun="trace")
    return trace


async def _find_origin(resources: Resources, actor: Actor, trace_id: TraceId) -> Trace:
    async with resources.database.read(actor.client_id) as connection:
        found = await lineage.walk(
            connection, trace_id=trace_id, execution_id=None, direction=Direction.ANCESTORS, depth=1
        )
    for edge in found.edges:
        if edge.kind is EdgeKind.DERIVED_FROM and edge.source_trace_id == trace_id and edge.target_trace_id:
            origin = await _find(resources, actor, edge.target_trace_id)
            if origin.deleted_at is not None:
                raise OriginDeleted
            return origin
    raise TraceHasNoOrigin
