"""Traces: renamed, ruled, previewed, deleted, opened."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.errors import (
    BlobMissing,
    Forbidden,
    GqlServerError,
    InvalidInput,
    NotFound,
    RulesOverlap,
    TraceDeleted,
    TraceInUse,
)
from gql_server.domain.ids import TraceId, new_id
from gql_server.domain.traces import Trace
from gql_server.services.executions import carry_out
from gql_server.services.jobs import cancel_job
from gql_server.services.resources import Resources
from gql_server.services.traces import (
    delete_trace,
    open_capture,
    preview_transformation,
    rename_trace,
    set_address_rules,
)
from tests.conftest import NewActor
from tests.journeys.material import hospital, records
from tests.services.desk import ingest, names_in, start, traces_of, with_child

RULES = [("10.0.0.0/8", "198.0.0.0/8"), ("10.1.0.0/16", "203.1.0.0/16")]


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    return await ingest(resources, actor)


async def test_a_trace_has_another_name_and_is_otherwise_as_it_was(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    renamed = await rename_trace(resources, actor, trace_id=trace.id, name=" Ward 7 ")
    assert renamed.name == "Ward 7"
    assert (renamed.id, renamed.summary, renamed.created_at) == (trace.id, trace.summary, trace.created_at)
    with pytest.raises(InvalidInput):
        await rename_trace(resources, actor, trace_id=trace.id, name="\n")


async def test_rules_are_all_taken_or_none(resources: Resources, actor: Actor, trace: Trace) -> None:
    ruled = await set_address_rules(resources, actor, trace_id=trace.id, rules=RULES)
    assert [str(rule.source) for rule in ruled.address_rules] == ["10.1.0.0/16", "10.0.0.0/8"]
    with pytest.raises(RulesOverlap):
        await set_address_rules(resources, actor, trace_id=trace.id, rules=[RULES[0], RULES[0]])
    again = await rename_trace(resources, actor, trace_id=trace.id, name="x")
    assert again.address_rules == ruled.address_rules


async def test_a_deleted_trace_is_a_tombstone_without_files(resources: Resources, actor: Actor, trace: Trace) -> None:
    opened = await open_capture(resources, actor, trace.id)
    assert (await delete_trace(resources, actor, trace_id=trace.id)).deleted_at is not None
    assert names_in(resources, "traces") == []
    with opened.file as file:
        assert file.read() == hospital(), "an open download finishes"
    with pytest.raises(TraceDeleted):
        await open_capture(resources, actor, trace.id)
    with pytest.raises(TraceDeleted):
        await delete_trace(resources, actor, trace_id=trace.id)
    with pytest.raises(TraceDeleted):
        await rename_trace(resources, actor, trace_id=trace.id, name="x")


async def test_a_trace_that_a_job_reads_cannot_be_deleted_until_it_is_over(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    job = await start(resources, actor, trace)
    with pytest.raises(TraceInUse):
        await delete_trace(resources, actor, trace_id=trace.id)
    await cancel_job(resources, actor, job_id=job.id)
    await delete_trace(resources, actor, trace_id=trace.id)


async def test_a_capture_opens_under_a_name_of_ours(resources: Resources, actor: Actor, trace: Trace) -> None:
    await rename_trace(resources, actor, trace_id=trace.id, name="../../etc/passwd")
    opened = await open_capture(resources, actor, trace.id)
    with opened.file as file:
        content = file.read()
    assert hashlib.sha256(content).hexdigest() == opened.sha256 == trace.summary.sha256
    assert opened.size_bytes == len(content)
    assert opened.file_name == f"capture-{trace.id.hex[:8]}.pcap"


async def test_a_capture_that_is_missing_is_said_to_be(resources: Resources, actor: Actor, trace: Trace) -> None:
    resources.blobs.remove_trace(trace.id)
    with pytest.raises(BlobMissing):
        await open_capture(resources, actor, trace.id)


async def test_a_preview_is_what_the_job_then_writes(resources: Resources, actor: Actor, trace: Trace) -> None:
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[("10.20.0.0/16", "198.18.0.0/16")])
    pairs = await preview_transformation(
        resources,
        actor,
        trace_id=trace.id,
        parameters=AnonymizationParameters(),
        first=100,
    )
    job = await start(resources, actor, trace)
    await carry_out(resources, actor.client_id, job.id)
    (output,) = await traces_of(resources, actor, job.id)
    with (await open_capture(resources, actor, output.id)).file as file:
        written = file.read()
    macs = {pair.original: pair.replacement for pair in pairs if pair.kind == "MAC"}
    assert macs
    for (_, before), (_, after) in zip(records(hospital()), records(written), strict=True):
        assert after[6:12].hex(":") == macs[before[6:12].hex(":")]


async def test_a_preview_waits_for_a_place(resources: Resources, actor: Actor, trace: Trace) -> None:
    crowded = replace(resources, previews=asyncio.Semaphore(1))
    preview = preview_transformation(
        crowded,
        actor,
        trace_id=trace.id,
        parameters=AnonymizationParameters(),
        first=1,
    )
    async with crowded.previews:
        waiting = asyncio.create_task(preview)
        done, _ = await asyncio.wait({waiting}, timeout=3)
        assert done == set()
    assert len(await waiting) == 1


async def test_no_viewer_is_shown_originals(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    with pytest.raises(Forbidden):
        await preview_transformation(
            with_child(resources),
            await new_actor(Role.VIEWER, client_id=actor.client_id),
            trace_id=trace.id,
            parameters=AnonymizationParameters(),
            first=1,
        )


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_preview_shows_one_to_a_hundred_pairs(
    resources: Resources, actor: Actor, trace: Trace, first: int
) -> None:
    with pytest.raises(InvalidInput, match="first"):
        await preview_transformation(
            with_child(resources),
            actor,
            trace_id=trace.id,
            parameters=AnonymizationParameters(),
            first=first,
        )


async def test_who_may_not_changes_nothing(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    cases: tuple[tuple[Actor, TraceId, type[GqlServerError]], ...] = (
        (await new_actor(), trace.id, NotFound),
        (actor, TraceId(new_id()), NotFound),
        (await new_actor(Role.VIEWER, client_id=actor.client_id), trace.id, Forbidden),
    )
    for who, trace_id, refusal in cases:
        with pytest.raises(refusal):
            await rename_trace(resources, who, trace_id=trace_id, name="x")
        with pytest.raises(refusal):
            await set_address_rules(resources, who, trace_id=trace_id, rules=[])
        with pytest.raises(refusal):
            await delete_trace(resources, who, trace_id=trace_id)
    (await open_capture(resources, actor, trace.id)).file.close()
