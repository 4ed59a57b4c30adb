"""Inspection: what a survey found, for whoever may read the trace."""

import asyncio
import hashlib
import json
from collections import Counter

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import BlobMissing, InvalidInput, NotFound
from gql_server.domain.ids import TraceId, new_id
from gql_server.domain.inspection import Conversation, RowRequest
from gql_server.domain.traces import Trace
from gql_server.services.executions import carry_out
from gql_server.services.inspection import (
    list_conversations,
    list_pairs,
    list_protocols,
    list_subnets,
    list_talkers,
)
from gql_server.services.resources import Resources
from gql_server.services.traces import delete_trace
from tests.conftest import NewActor
from tests.journeys.material import hospital
from tests.journeys.packets import packets
from tests.services.desk import ingest, receive, start, traces_of

ALL = RowRequest(size=1000)


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    """A trace that a real child looked at."""
    _, job = await receive(resources, actor)
    await carry_out(resources, actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    return trace


async def test_the_survey_is_of_this_trace(resources: Resources, actor: Actor, trace: Trace) -> None:
    conversations = await list_conversations(resources, actor, trace.id, ALL)
    protocols = await list_protocols(resources, actor, trace.id, ALL)
    assert conversations is not None
    assert protocols is not None
    assert conversations.is_complete
    ip = sum(IP in packet or IPv6 in packet for packet in packets(hospital()))
    assert sum(row.packets_sent + row.packets_received for row in conversations.items) == ip > 100
    assert {row.name: row.packets for row in protocols.items}["ETHERNET"] == len(packets(hospital()))


async def test_an_output_is_surveyed_like_what_it_came_from_with_other_addresses(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    job = await start(resources, actor, trace)
    await carry_out(resources, actor.client_id, job.id)
    (output,) = await traces_of(resources, actor, job.id)
    before, after = [await list_conversations(resources, actor, each.id, ALL) for each in (trace, output)]
    assert before is not None
    assert after is not None

    def shape(rows: tuple[Conversation, ...]) -> Counter[tuple[int | None, ...]]:
        return Counter((row.protocol, row.packets_sent, row.bytes_received, row.first_time_ns) for row in rows)

    assert shape(before.items) == shape(after.items)
    assert not {row.initiator for row in before.items} & {
        row.initiator for row in after.items if row.initiator.is_global
    }


async def test_the_manifest_lists_the_digests(resources: Resources, actor: Actor, trace: Trace) -> None:
    with resources.blobs.open_trace(trace.id, "manifest.json")[0] as file:
        listed = json.load(file)["inspection"]
    assert len(listed) == 6
    for each in listed:
        with resources.blobs.open_trace(trace.id, each["name"])[0] as file:
            content = file.read()
        assert (each["size_bytes"], each["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


async def test_a_tombstone_has_nothing_inside(resources: Resources, actor: Actor, trace: Trace) -> None:
    await delete_trace(resources, actor, trace_id=trace.id)
    assert await list_talkers(resources, actor, trace.id, ALL) is None
    assert await list_pairs(resources, actor, trace.id, ALL) is None


async def test_a_trace_from_before_there_were_surveys_has_nothing_inside(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    assert await list_conversations(resources, actor, trace.id, ALL) is None


async def test_files_that_are_missing_are_said_to_be(resources: Resources, actor: Actor, trace: Trace) -> None:
    resources.blobs.remove_trace(trace.id)
    with pytest.raises(BlobMissing):
        await list_conversations(resources, actor, trace.id, ALL)


async def test_who_may_download_may_look_and_nobody_else(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    viewer = await new_actor(Role.VIEWER, client_id=actor.client_id)
    assert await list_talkers(resources, viewer, trace.id, ALL) is not None
    for who, trace_id in ((await new_actor(), trace.id), (actor, TraceId(new_id()))):
        with pytest.raises(NotFound):
            await list_talkers(resources, who, trace_id, ALL)


@pytest.mark.parametrize(("length4", "length6"), [(-1, 64), (33, 64), (24, -1), (24, 129)])
async def test_a_prefix_has_a_length_of_its_family(
    resources: Resources, actor: Actor, trace: Trace, length4: int, length6: int
) -> None:
    with pytest.raises(InvalidInput):
        await list_subnets(resources, actor, trace.id, ALL, prefix_length4=length4, prefix_length6=length6)


async def test_the_ends_of_prefix_lengths_are_taken(resources: Resources, actor: Actor, trace: Trace) -> None:
    async def count(length4: int, length6: int) -> int:
        rows = await list_subnets(resources, actor, trace.id, ALL, prefix_length4=length4, prefix_length6=length6)
        assert rows is not None
        return sum(row.addresses for row in rows.items)

    wide, narrow = await asyncio.gather(count(0, 0), count(32, 128))
    assert wide == narrow > 5
