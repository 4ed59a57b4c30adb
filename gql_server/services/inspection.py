"""Inspection: what a trace's survey found, a page at a time."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, TypeVar

from gql_server.domain.access import Actor
from gql_server.domain.errors import BlobMissing, InvalidInput, NotFound
from gql_server.domain.ids import TraceId
from gql_server.domain.inspection import Conversation, IpMacPair, ProtocolCount, RowRequest, Rows, Subnet, Talker
from gql_server.domain.traces import Trace
from gql_server.engine.inspect import reading
from gql_server.services.resources import Resources
from gql_server.store import traces

IPV4_BITS = 32
IPV6_BITS = 128

T = TypeVar("T")


async def list_conversations(
    resources: Resources, actor: Actor, trace_id: TraceId, request: RowRequest
) -> Rows[Conversation] | None:
    """List conversations; None for a tombstone, and for a trace from before there were surveys.

    Raises:
        NotFound, BlobMissing.
    """
    return await _read(resources, actor, trace_id, partial(reading.read_conversations, request=request))


async def list_talkers(
    resources: Resources, actor: Actor, trace_id: TraceId, request: RowRequest
) -> Rows[Talker] | None:
    """List talkers; None as above.

    Raises:
        NotFound, BlobMissing.
    """
    return await _read(resources, actor, trace_id, partial(reading.read_talkers, request=request))


async def list_pairs(
    resources: Resources, actor: Actor, trace_id: TraceId, request: RowRequest
) -> Rows[IpMacPair] | None:
    """List IP addresses at MAC addresses; None as above.

    Raises:
        NotFound, BlobMissing.
    """
    return await _read(resources, actor, trace_id, partial(reading.read_pairs, request=request))


async def list_protocols(
    resources: Resources, actor: Actor, trace_id: TraceId, request: RowRequest
) -> Rows[ProtocolCount] | None:
    """List counts of protocols; None as above.

    Raises:
        NotFound, BlobMissing.
    """
    return await _read(resources, actor, trace_id, partial(reading.read_protocols, request=request))


async def list_subnets(
    resources: Resources,
    actor: Actor,
    trace_id: TraceId,
    request: RowRequest,
    *,
    prefix_length4: int,
    prefix_length6: int,
) -> Rows[Subnet] | None:
    """Sum the talkers up by prefix; None as above.

    Raises:
        NotFound, BlobMissing, InvalidInput.
    """
    for field, length, bits in (
        ("prefix_length4", prefix_length4, IPV4_BITS),
        ("prefix_length6", prefix_length6, IPV6_BITS),
    ):
        if not 0 <= length <= bits:
            raise InvalidInput(field=field, reason=f"a prefix has 0 to {bits} bits")
    read = partial(reading.read_subnets, request=request, prefix_length4=prefix_length4, prefix_length6=prefix_length6)
    return await _read(resources, actor, trace_id, read)


async def _read(
    resources: Resources, actor: Actor, trace_id: TraceId, read: Callable[[reading.OpenFile], Rows[T]]
) -> Rows[T] | None:
    if (await _find(resources, actor, trace_id)).deleted_at is not None:
        return None

    def open_file(name: str) -> BinaryIO:
        file, _ = resources.blobs.open_trace(trace_id, name)
        return file

    try:
        return await asyncio.to_thread(read, open_file)
    except BlobMissing:
        # Deleted meanwhile, or made before there were surveys; a capture that is missing too is another matter.
        trace = await _find(resources, actor, trace_id)
        if trace.deleted_at is None:
            await asyncio.to_thread(lambda: open_file(trace.summary.format.file_name).close())
        return None


async def _find(resources: Resources, actor: Actor, trace_id: TraceId) -> Trace:
    async with resources.database.read(actor.client_id) as connection:
        trace = (await traces.find_traces(connection, [trace_id])).get(trace_id)
    if trace is None:
        raise NotFound(noun="trace")
    return trace
