"""Plans: what the child is told, and what keeps it from it."""

import hashlib

import pytest
from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AddressMapping
from gql_server.domain.errors import DigestMismatch, KeyDestroyed, TraceDeleted
from gql_server.engine.tasks import AnonymizeTask, InspectTask
from gql_server.services.plans import make_plan, run_plan
from gql_server.services.resources import Resources
from gql_server.services.traces import set_address_rules
from gql_server.store import traces
from tests.services.desk import Puppet, claim, ingest, names_in, receive, start, with_child


async def test_an_upload_is_looked_at_within_the_limits(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor, b"bytes")
    plan = await make_plan(resources, await claim(resources, job))
    assert isinstance(plan.task, InspectTask)
    assert plan.task.source == resources.blobs.upload_path(upload.id)
    assert plan.task.output_directory == plan.staging
    assert plan.task.unpacked_ratio == resources.limits.unpacked_ratio
    run, _ = await run_plan(with_child(resources), plan, lambda _: None)
    assert run.input_sha256 == hashlib.sha256(b"bytes").hexdigest()


async def test_bytes_that_were_declared_otherwise_never_reach_a_child(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor, b"bytes", sha256="0" * 64)
    plan = await make_plan(resources, await claim(resources, job))
    watched = with_child(resources)
    with pytest.raises(DigestMismatch):
        await run_plan(watched, plan, lambda _: None)
    assert isinstance(watched.children, Puppet)
    assert watched.children.tasks == []


async def test_a_job_obeys_the_rules_as_they_were_when_it_was_started(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[("10.0.0.0/8", "198.0.0.0/8")])
    job = await start(resources, actor, trace)
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[])
    plan = await make_plan(resources, await claim(resources, job))
    assert isinstance(plan.task, AnonymizeTask)
    assert plan.task.rules == (("10.0.0.0/8", "198.0.0.0/8"),)
    assert plan.task.mapping is AddressMapping.IPCRYPT_PFX
    assert len(plan.task.key) == 32
    assert plan.task.key.hex() not in repr(plan)
    assert repr(plan.task.key) not in repr(plan)


async def test_a_trace_that_is_gone_cannot_be_worked_on(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    attempt = await claim(resources, await start(resources, actor, trace))
    async with resources.database.transaction(actor.client_id) as session:
        await traces.bury_trace(session, trace.id)
    with pytest.raises(TraceDeleted):
        await make_plan(resources, attempt)


async def test_a_key_that_is_gone_cannot_be_worked_with(resources: Resources, actor: Actor) -> None:
    attempt = await claim(resources, await start(resources, actor, await ingest(resources, actor)))
    async with resources.database.transaction(actor.client_id) as session:
        await session.execute(text("UPDATE engagement_keys SET wrapped = NULL, destroyed_at = now()"))
    with pytest.raises(KeyDestroyed):
        await make_plan(resources, attempt)


async def test_the_next_attempt_finds_nothing_of_the_one_before(resources: Resources, actor: Actor) -> None:
    attempt = await claim(resources, (await receive(resources, actor))[1])
    plan = await make_plan(resources, attempt)
    (plan.staging / "left over").write_bytes(b"x")
    again = await make_plan(resources, attempt)
    assert list(again.staging.iterdir()) == []
    assert names_in(resources, "staging") == [f"{attempt.job.id}.1"]
