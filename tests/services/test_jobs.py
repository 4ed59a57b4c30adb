"""Jobs: started with a snapshot, cancelled in any state."""

import asyncio

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.anonymization import (
    AddressMapping,
    AnonymizationParameters,
    MacTransformationParameters,
    NicPolicy,
)
from gql_server.domain.errors import (
    Forbidden,
    GqlServerError,
    IdempotencyConflict,
    InvalidInput,
    JobNotCancellable,
    NotFound,
    RuleTargetsCollide,
    TraceDeleted,
)
from gql_server.domain.events import EventKind
from gql_server.domain.ids import JobId, TraceId, new_id
from gql_server.domain.jobs import Job, JobState
from gql_server.domain.traces import Trace
from gql_server.domain.uploads import UploadState
from gql_server.services.executions import carry_out
from gql_server.services.jobs import cancel_job, start_address_anonymization, start_mac_transformation
from gql_server.services.resources import Resources
from gql_server.services.traces import WantedMacRule, delete_trace, rename_trace, set_address_rules, set_mac_rules
from gql_server.services.uploads import find_upload
from gql_server.store import jobs as stored
from tests.conftest import NewActor
from tests.services.desk import claim, events_of, ingest, job_now, messages_for, receive, start, told, with_child


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    return await ingest(resources, actor)


async def begin(
    resources: Resources,
    actor: Actor,
    trace_id: TraceId,
    *,
    mapping: AddressMapping = AddressMapping.IPCRYPT_PFX,
    name: str | None = None,
    key: str | None = None,
) -> Job:
    return await start_address_anonymization(
        resources,
        actor,
        trace_id=trace_id,
        parameters=AnonymizationParameters(mapping=mapping),
        name=name,
        idempotency_key=key,
    )


async def test_a_job_holds_what_was_asked_as_it_was_then(resources: Resources, actor: Actor, trace: Trace) -> None:
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[("10.0.0.0/8", "198.0.0.0/8")])
    job = await begin(resources, actor, trace.id, mapping=AddressMapping.CRYPTO_PAN, name="  A name  ")
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[])
    async with resources.database.transaction(actor.client_id) as session:
        order = await stored.find_order(session, job.id)
    assert order.parameters == {
        "version": 2,
        "mapping": "CRYPTO_PAN",
        "mac_mapping": "PERMUTATION",
        "payload": "KEEP",
        "names": "KEEP",
        "rules": [["10.0.0.0/8", "198.0.0.0/8"]],
    }
    assert (order.output_name, job.input_trace_id) == ("A name", trace.id)
    assert await messages_for(resources, job) == 1


async def test_jobs_of_one_engagement_share_its_key(resources: Resources, actor: Actor, trace: Trace) -> None:
    jobs = [await start(resources, actor, trace) for _ in range(2)]
    async with resources.database.transaction(actor.client_id) as session:
        keys = {(await stored.find_order(session, job.id)).key_id for job in jobs}
    assert len(keys) == 1
    assert None not in keys


async def test_a_start_sent_ten_times_at_once_with_one_key_starts_one_job(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    started = await asyncio.gather(*(begin(resources, actor, trace.id, key="once") for _ in range(10)))
    assert len({job.id for job in started}) == 1
    with pytest.raises(IdempotencyConflict):
        await begin(resources, actor, trace.id, key="once", name="another")


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb"])
async def test_a_bad_name_starts_nothing(resources: Resources, actor: Actor, trace: Trace, name: str) -> None:
    with pytest.raises(InvalidInput):
        await begin(resources, actor, trace.id, name=name)


async def test_the_longest_name_of_a_trace_still_leaves_room_for_its_outputs(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    await rename_trace(resources, actor, trace_id=trace.id, name="x" * 200)
    job = await start(resources, actor, trace)
    async with resources.database.transaction(actor.client_id) as session:
        assert (await stored.find_order(session, job.id)).output_name == "x" * 177 + " (addresses anonymized)"


async def test_what_cannot_be_worked_on_is_refused(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    stranger, viewer = await new_actor(), await new_actor(Role.VIEWER, client_id=actor.client_id)
    cases: tuple[tuple[Actor, TraceId, type[GqlServerError]], ...] = (
        (actor, TraceId(new_id()), NotFound),
        (stranger, trace.id, NotFound),
        (viewer, trace.id, Forbidden),
    )
    for who, trace_id, refusal in cases:
        with pytest.raises(refusal):
            await begin(resources, who, trace_id)
    await delete_trace(resources, actor, trace_id=trace.id)
    with pytest.raises(TraceDeleted):
        await begin(resources, actor, trace.id)


async def test_a_waiting_job_is_cancelled_at_once(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor)
    cancelled = await cancel_job(resources, actor, job_id=job.id)
    assert (cancelled.state, told(cancelled.error)) == (JobState.CANCELLED, ("JOB_CANCELLED", {}))
    assert (await find_upload(resources, actor, upload.id)).state is UploadState.ABORTED
    assert [event.kind for event in await events_of(resources, job)][-1] is EventKind.JOB_CANCELLED
    await carry_out(with_child(resources), actor.client_id, job.id)
    assert (await job_now(resources, job)).state is JobState.CANCELLED


async def test_a_running_job_is_asked_to_stop_and_once_is_enough(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await claim(resources, job)
    assert (await cancel_job(resources, actor, job_id=job.id)).state is JobState.CANCELLING
    with pytest.raises(JobNotCancellable, match="CANCELLING"):
        await cancel_job(resources, actor, job_id=job.id)
    kinds = [event.kind for event in await events_of(resources, job)]
    assert kinds[-1] is EventKind.JOB_CANCEL_REQUESTED
    assert kinds.count(EventKind.JOB_CANCEL_REQUESTED) == 1


async def test_a_job_that_is_over_stays_as_it_ended(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await carry_out(with_child(resources), actor.client_id, job.id)
    with pytest.raises(JobNotCancellable, match="COMPLETED"):
        await cancel_job(resources, actor, job_id=job.id)


async def test_of_a_cancellation_and_a_claim_at_once_one_comes_first(resources: Resources, actor: Actor) -> None:
    for _ in range(5):
        _, job = await receive(resources, actor)
        await asyncio.gather(
            cancel_job(resources, actor, job_id=job.id), carry_out(with_child(resources), actor.client_id, job.id)
        )
        now = await job_now(resources, job)
        assert now.state is JobState.CANCELLED
        kinds = [event.kind for event in await events_of(resources, job)]
        assert kinds.count(EventKind.JOB_CANCELLED) == 1
        assert [event.seq for event in await events_of(resources, job)] == list(range(1, len(kinds) + 1))


async def test_who_may_not_cancels_nothing(resources: Resources, actor: Actor, new_actor: NewActor) -> None:
    _, job = await receive(resources, actor)
    cases: tuple[tuple[Actor, JobId, type[GqlServerError]], ...] = (
        (await new_actor(), job.id, NotFound),
        (actor, JobId(new_id()), NotFound),
        (await new_actor(Role.VIEWER, client_id=actor.client_id), job.id, Forbidden),
    )
    for who, job_id, refusal in cases:
        with pytest.raises(refusal):
            await cancel_job(resources, who, job_id=job_id)
    assert (await job_now(resources, job)).state is JobState.PENDING


async def test_mac_rules_that_make_one_address_start_nothing(resources: Resources, actor: Actor, trace: Trace) -> None:
    wanted = [
        WantedMacRule(original=original, vendor=None, oui="00:00:5e")
        for original in ("ac:de:48:00:11:22", "ac:de:47:00:11:22")
    ]
    await set_mac_rules(resources, actor, trace_id=trace.id, rules=wanted)

    async def begun(nic: NicPolicy) -> Job:
        return await start_mac_transformation(
            resources,
            actor,
            trace_id=trace.id,
            parameters=MacTransformationParameters(nic=nic),
            name=None,
            idempotency_key=None,
        )

    with pytest.raises(RuleTargetsCollide):
        await begun(NicPolicy.KEEP)
    assert (await begun(NicPolicy.MAP)).state is JobState.PENDING
