"""Packets: looked at by a child behind its fence, within its limits."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.errors import ChildCrashed, InvalidInput, OriginDeleted, TraceDeleted, TraceHasNoOrigin
from gql_server.domain.ids import TraceId, new_id
from gql_server.domain.inspection import RowRequest
from gql_server.domain.packets import ConversationKey
from gql_server.domain.traces import Trace
from gql_server.engine.tasks import Compared, Dissected, DissectTask, Result, Task
from gql_server.services.executions import carry_out
from gql_server.services.packets import PAGE_DATA_BYTES, compare_packets, list_packets
from gql_server.services.resources import Resources
from gql_server.services.traces import delete_trace
from tests.captures import ethernet, packets, pcap, udp4
from tests.services.desk import NOTE, ingest, receive, start, traces_of, with_child

FRAMES = [ethernet(udp4(bytes(n), source=f"10.0.0.{n % 3}")) for n in range(9)]


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    _, job = await receive(resources, actor, pcap(packets(*FRAMES)))
    await carry_out(resources, actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    return trace


async def test_a_page_is_taken_apart(resources: Resources, actor: Actor, trace: Trace) -> None:
    rows = await list_packets(resources, actor, trace.id, RowRequest(size=3, after=1), conversation=None)
    assert rows is not None
    assert (rows.start, rows.total) == (2, 9)
    assert [(packet.number, packet.data) for packet in rows.items] == [(n + 1, FRAMES[n].hex()) for n in (2, 3, 4)]


async def test_a_conversation_counts_its_own_packets(resources: Resources, actor: Actor, trace: Trace) -> None:
    key = ConversationKey.parse("17 10.0.0.1 1111 198.51.100.88 2222")
    for one in (key, key.turned()):
        rows = await list_packets(resources, actor, trace.id, RowRequest(size=2, after=0), conversation=one)
        assert rows is not None
        assert (rows.total, [packet.number for packet in rows.items]) == (3, [5, 8])


async def test_no_child_is_asked_for_nothing(resources: Resources, actor: Actor, trace: Trace) -> None:
    async def refuse(task: Task, note: NOTE) -> Result:
        raise ChildCrashed

    idle = with_child(resources, refuse)
    beyond = await list_packets(idle, actor, trace.id, RowRequest(size=5, after=99), conversation=None)
    assert beyond is not None
    assert beyond.items == ()
    assert await list_packets(idle, actor, TraceId(new_id()), RowRequest(size=5), conversation=None) is None


async def test_what_is_asked_of_a_child_is_bounded(resources: Resources, actor: Actor, trace: Trace) -> None:
    asked: list[Task] = []

    async def answer(task: Task, note: NOTE) -> Result:
        asked.append(task)
        return Dissected(packets=())

    await list_packets(with_child(resources, answer), actor, trace.id, RowRequest(size=100), conversation=None)
    (task,) = asked
    assert isinstance(task, DissectTask)
    assert (task.first, task.last, task.data_bytes) == (0, 9, PAGE_DATA_BYTES)
    assert task.memory_bytes == resources.limits.job_memory_bytes


async def test_who_looks_waits_for_a_place(resources: Resources, actor: Actor, trace: Trace) -> None:
    async def answer(task: Task, note: NOTE) -> Result:
        return Dissected(packets=())

    crowded = replace(with_child(resources, answer), previews=asyncio.Semaphore(1))
    look = list_packets(crowded, actor, trace.id, RowRequest(size=1), conversation=None)
    async with crowded.previews:
        waiting = asyncio.create_task(look)
        done, _ = await asyncio.wait({waiting}, timeout=timedelta(seconds=1).total_seconds())
        assert done == set()
    assert await waiting is not None


async def test_a_trace_without_a_survey_is_searched_from_the_front(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor, pcap(packets(*FRAMES)))
    async with resources.database.transaction(actor.client_id) as session:
        await session.execute(text("UPDATE traces SET packets = 9 WHERE id = :id"), {"id": trace.id})
    rows = await list_packets(resources, actor, trace.id, RowRequest(size=2, after=5), conversation=None)
    assert rows is not None
    assert [packet.number for packet in rows.items] == [7, 8]
    key = ConversationKey.parse("17 10.0.0.1 1111 198.51.100.88 2222")
    without = await list_packets(resources, actor, trace.id, RowRequest(size=2), conversation=key)
    assert without is not None
    assert without.total == 0


async def test_a_packet_is_compared_with_the_one_it_came_from(resources: Resources, actor: Actor, trace: Trace) -> None:
    job = await start(resources, actor, trace)
    await carry_out(resources, actor.client_id, job.id)
    (output,) = await traces_of(resources, actor, job.id)
    found = await compare_packets(resources, actor, trace_id=output.id, number=4)
    assert (found.before.data, found.before.number, found.after.number) == (FRAMES[3].hex(), 4, 4)
    assert found.after.data != found.before.data
    with pytest.raises(InvalidInput, match="number"):
        await compare_packets(resources, actor, trace_id=output.id, number=10)
    await delete_trace(resources, actor, trace_id=trace.id)
    with pytest.raises(OriginDeleted):
        await compare_packets(resources, actor, trace_id=output.id, number=4)
    await delete_trace(resources, actor, trace_id=output.id)
    with pytest.raises(TraceDeleted):
        await compare_packets(resources, actor, trace_id=output.id, number=4)


async def test_a_trace_that_was_uploaded_has_nothing_beside_it(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    async def answer(task: Task, note: NOTE) -> Result:
        return Compared(comparison=None)

    with pytest.raises(TraceHasNoOrigin):
        await compare_packets(with_child(resources, answer), actor, trace_id=trace.id, number=1)
