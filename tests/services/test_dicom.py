"""DICOM: listed, previewed, overridden, de-identified."""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.anonymization import AddressMapping, AnonymizationParameters
from gql_server.domain.deidentification import DeidentificationParameters
from gql_server.domain.dicom import DatePolicy, DicomOverride, DicomParameters, OverrideAction, PixelPolicy
from gql_server.domain.dicom_errors import OverrideMalformed
from gql_server.domain.errors import BlobMissing, Forbidden, InvalidInput, JobCancelled, NotFound
from gql_server.domain.events import EventKind
from gql_server.domain.ids import TraceId, new_id
from gql_server.domain.inspection import RowRequest
from gql_server.domain.jobs import Job, JobKind, JobState
from gql_server.domain.lineage import Direction, EdgeKind
from gql_server.domain.traces import Trace, TraceOrigin
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)
from gql_server.engine.tasks import Inspected, Result, Task, VerifyTask
from gql_server.services import executions
from gql_server.services.dicom import (
    check_lists,
    find_overrides,
    list_associations,
    list_devices,
    preview_dicom_deidentification,
    set_dicom_overrides,
    start_deidentification,
    start_dicom_extraction,
)
from gql_server.services.jobs import cancel_job
from gql_server.services.plans import make_plan, run_plan
from gql_server.services.publication import publish
from gql_server.services.resources import Resources
from gql_server.services.traces import delete_trace, set_address_rules
from gql_server.store import executions as stored_executions
from gql_server.store import lineage, traces
from tests.conftest import NewActor
from tests.dicom_rows import EXTRACTED, MANY
from tests.engine.test_dicom_messages import PROPOSAL
from tests.services.desk import (
    NOTE,
    Puppet,
    claim,
    copy,
    events_of,
    executions_of,
    ingest,
    job_now,
    manifest_of,
    names_in,
    receive,
    start,
    told,
    traces_of,
    with_child,
)

WANTED = RowRequest(size=100)
DICOM = DeidentificationParameters(dicom=DicomParameters(pixels=PixelPolicy.KEEP, dates=DatePolicy.SHIFT))
BOTH = replace(DICOM, addresses=AnonymizationParameters(mapping=AddressMapping.PERMUTATION))
ELEMENT = "ab" * 16


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    return await ingest(resources, actor)


async def _now(resources: Resources, trace: Trace) -> Trace:
    async with resources.database.read(trace.client_id) as connection:
        return (await traces.find_traces(connection, [trace.id]))[trace.id]


def _lose(directory: Path, name: str) -> None:
    directory.chmod(0o700)
    (directory / name).unlink()


async def _extract(resources: Resources, actor: Actor, trace: Trace) -> Job:
    job = await start_dicom_extraction(resources, actor, trace_id=trace.id, idempotency_key=None)
    await executions.carry_out(with_child(resources), actor.client_id, job.id)
    return await job_now(resources, job)


async def _deidentify(resources: Resources, actor: Actor, trace: Trace, asked: DeidentificationParameters) -> Job:
    return await start_deidentification(
        resources, actor, trace_id=trace.id, parameters=asked, name=None, idempotency_key=None
    )


async def test_an_extraction_completes_without_a_trace_and_its_lists_lie_with_the_one_it_read(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    assert await list_associations(resources, actor, trace, WANTED) is None
    job = await _extract(resources, actor, trace)
    assert (job.kind, job.state, job.output_trace_id) == (JobKind.DICOM_EXTRACTION, JobState.COMPLETED, None)
    (*_, last) = await events_of(resources, job)
    assert (last.kind, last.output_trace_id) == (EventKind.JOB_COMPLETED, None)
    (execution,) = await executions_of(resources, job)
    now = await _now(resources, trace)
    assert now == replace(trace, dicom_execution_id=execution.id)
    page = await list_associations(resources, actor, now, replace(WANTED, after=99))
    assert page is not None
    assert (page.items, page.total) == (EXTRACTED.associations[100:200], MANY)
    devices = await list_devices(resources, actor, now, WANTED)
    assert devices is not None
    assert devices.items == EXTRACTED.devices
    assert await traces_of(resources, actor, job.id) == []
    assert names_in(resources, "traces") == [str(trace.id)]
    assert names_in(resources, "staging") == []


async def test_the_lists_are_artifacts_of_an_execution_that_used_the_trace(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    (execution,) = await executions_of(resources, await _extract(resources, actor, trace))
    async with resources.database.read(actor.client_id) as connection:
        artifacts = (await stored_executions.find_artifacts(connection, [execution.id]))[execution.id]
        walked = await lineage.walk(
            connection, trace_id=trace.id, execution_id=None, direction=Direction.DESCENDANTS, depth=1
        )
    media = {artifact.name: artifact.media_type for artifact in artifacts}
    assert media["associations.json"] == media["devices.json"] == media["manifest.json"] == "application/json"
    assert media["associations.index"] == "application/octet-stream"
    edges = [(edge.kind, edge.source_execution_id) for edge in walked.edges]
    assert edges == [(EdgeKind.USED, execution.id)]
    read = manifest_of(resources, execution)
    assert (read["lists"]["associations"], read["lists"]["devices"]) == (MANY, 2)
    assert read["input"] == {"traceId": str(trace.id), "sha256": trace.summary.sha256}
    assert "10.0.0.1" not in json.dumps(read)


async def test_the_latest_extraction_is_shown(resources: Resources, actor: Actor, trace: Trace) -> None:
    await _extract(resources, actor, trace)
    (second,) = await executions_of(resources, await _extract(resources, actor, trace))
    assert (await _now(resources, trace)).dicom_execution_id == second.id


async def test_a_tombstone_shows_no_lists(resources: Resources, actor: Actor, trace: Trace) -> None:
    await _extract(resources, actor, trace)
    await delete_trace(resources, actor, trace_id=trace.id)
    now = await _now(resources, trace)
    assert await list_associations(resources, actor, now, WANTED) is None
    assert await list_devices(resources, actor, now, WANTED) is None


async def test_an_extraction_that_is_cancelled_before_the_commit_is_never_shown(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    job = await start_dicom_extraction(resources, actor, trace_id=trace.id, idempotency_key=None)
    attempt = await claim(resources, job)
    plan, result = await run_plan(with_child(resources), await make_plan(resources, attempt), lambda _: None)
    await cancel_job(resources, actor, job_id=job.id)
    with pytest.raises(JobCancelled):
        await publish(resources, attempt, plan, result)
    assert (await _now(resources, trace)).dicom_execution_id is None


async def test_lists_that_cannot_be_seen_from_here_keep_an_end_from_being_told(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    job = await _extract(resources, actor, trace)
    await check_lists(resources, actor, job.id)
    (execution,) = await executions_of(resources, job)
    _lose(resources.blobs._root / "executions" / execution.name, "devices.index")
    with pytest.raises(BlobMissing):
        await check_lists(resources, actor, job.id)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (DICOM, (JobKind.DICOM_DEIDENTIFICATION, TraceOrigin.DICOM_DEIDENTIFIED, " (DICOM de-identified)", set())),
        (BOTH, (JobKind.DEIDENTIFICATION, TraceOrigin.DEIDENTIFIED, " (de-identified)", {"report.json"})),
    ],
    ids=["dicom", "both"],
)
async def test_a_deidentification_ends_in_a_proven_trace_with_its_reports(
    resources: Resources,
    actor: Actor,
    trace: Trace,
    asked: DeidentificationParameters,
    expected: tuple[JobKind, TraceOrigin, str, set[str]],
) -> None:
    kind, origin, suffix, reports = expected
    reports = reports | {"dicom_report.json", "verification.json"}
    job = await _deidentify(resources, actor, trace, asked)
    assert job.kind is kind
    watched = with_child(resources)
    await executions.carry_out(watched, actor.client_id, job.id)
    (made,) = await traces_of(resources, actor, job.id)
    assert (made.origin, made.name) == (origin, trace.name + suffix)
    assert made.verification is not None
    assert isinstance(watched.children, Puppet)
    assert [type(task) for task in watched.children.tasks] == [DeidentifyTask, VerifyTask]
    (execution,) = await executions_of(resources, job)
    async with resources.database.read(actor.client_id) as connection:
        artifacts = (await stored_executions.find_artifacts(connection, [execution.id]))[execution.id]
    assert {each.name for each in artifacts} == reports | {"manifest.json", "rules.json", "overrides.json"}


async def test_a_job_obeys_rules_and_overrides_as_they_were_when_it_was_started(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    set_overrides = partial(set_dicom_overrides, resources, actor, trace_id=trace.id)
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[("10.0.0.0/8", "KEEP")])
    await set_overrides(overrides=[(ELEMENT, "REPLACE", "Thorax")])
    job = await _deidentify(resources, actor, trace, BOTH)
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[])
    await set_overrides(overrides=[])
    plan = await make_plan(resources, await claim(resources, job))
    assert isinstance(plan.task, DeidentifyTask)
    assert (plan.task.dicom, plan.task.addresses) == (BOTH.dicom, BOTH.addresses)
    assert plan.task.rules == (("10.0.0.0/8", "KEEP"),)
    assert plan.task.overrides == (DicomOverride(element=ELEMENT, action=OverrideAction.REPLACE, value="Thorax"),)


async def test_without_addresses_their_rules_are_none_of_the_jobs_business(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[("10.0.0.0/8", "KEEP")])
    job = await _deidentify(resources, actor, await _now(resources, trace), DICOM)
    plan = await make_plan(resources, await claim(resources, job))
    assert isinstance(plan.task, DeidentifyTask)
    assert (plan.task.addresses, plan.task.rules) == (None, ())


async def test_overrides_go_on_to_what_is_made_of_the_trace(resources: Resources, actor: Actor, trace: Trace) -> None:
    await set_dicom_overrides(resources, actor, trace_id=trace.id, overrides=[("00100010", "KEEP", None)])
    expected = (DicomOverride(element="00100010", action=OverrideAction.KEEP),)
    for job in (await start(resources, actor, trace), await _deidentify(resources, actor, trace, DICOM)):
        await executions.carry_out(with_child(resources), actor.client_id, job.id)
        (made,) = await traces_of(resources, actor, job.id)
        assert await find_overrides(resources, actor, made.id) == expected


async def test_what_people_wrote_into_overrides_is_in_no_manifest(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    await set_dicom_overrides(resources, actor, trace_id=trace.id, overrides=[("00100010", "REPLACE", "Secret^Name")])
    job = await _deidentify(resources, actor, trace, DICOM)
    await executions.carry_out(with_child(resources), actor.client_id, job.id)
    (execution,) = await executions_of(resources, job)
    read = manifest_of(resources, execution)
    assert "Secret" not in json.dumps(read)
    assert read["parameters"]["dicom"]["pixels"] == "KEEP"
    file, _ = resources.blobs.open_artifact(execution.name, "overrides.json")
    with file:
        body = file.read()
    assert json.loads(body) == [{"element": "00100010", "action": "REPLACE", "value": "Secret^Name"}]
    assert len(read["overridesSha256"]) == len(read["rulesSha256"]) == 64


async def test_overrides_that_cannot_be_taken_change_nothing(resources: Resources, actor: Actor, trace: Trace) -> None:
    await set_dicom_overrides(resources, actor, trace_id=trace.id, overrides=[("00100010", "KEEP", None)])
    with pytest.raises(OverrideMalformed):
        await set_dicom_overrides(resources, actor, trace_id=trace.id, overrides=[("00100010", "REPLACE", None)])
    assert len(await find_overrides(resources, actor, trace.id)) == 1


async def test_there_must_be_room_for_a_working_copy_and_the_output(
    resources: Resources, actor: Actor, tmp_path: Path
) -> None:
    status = os.statvfs(tmp_path)
    size = status.f_bavail * status.f_frsize * 3 // 4

    async def huge(task: Task, note: NOTE) -> Result:
        result = await copy(task, note)
        assert isinstance(result, Inspected)
        return replace(result, summary=replace(result.summary, size_bytes=size))

    _, job = await receive(resources, actor)
    await executions.carry_out(with_child(resources, huge), actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    # One copy would fit, two do not.
    resources.blobs.check_room(size)
    for asked in (DICOM, BOTH):
        started = await _deidentify(resources, actor, trace, asked)
        watched = with_child(resources)
        await executions.carry_out(watched, actor.client_id, started.id)
        assert told((await job_now(resources, started)).error) == ("STORAGE_FULL", {})
        assert isinstance(watched.children, Puppet)
        assert watched.children.tasks == []
    assert (await _extract(resources, actor, trace)).state is JobState.COMPLETED


async def test_the_second_reader_is_told_which_elements_a_person_decided_about(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    async def deciding(task: Task, note: NOTE) -> Result:
        result = await copy(task, note)
        return replace(result, overridden=("00100010",)) if isinstance(result, Deidentified) else result

    job = await _deidentify(resources, actor, trace, DICOM)
    watched = with_child(resources, deciding)
    await executions.carry_out(watched, actor.client_id, job.id)
    assert isinstance(watched.children, Puppet)
    (_, proof) = watched.children.tasks
    assert isinstance(proof, VerifyTask)
    assert proof.dicom is not None
    assert (proof.dicom.overridden, proof.dicom.pixels) == (("00100010",), PixelPolicy.KEEP)


async def test_an_extraction_knows_no_key(resources: Resources, actor: Actor, trace: Trace) -> None:
    job = await start_dicom_extraction(resources, actor, trace_id=trace.id, idempotency_key=None)
    plan = await make_plan(resources, await claim(resources, job))
    assert isinstance(plan.task, ExtractDicomTask)
    assert plan.task.output_directory == plan.staging


async def _proposing(task: Task, _: NOTE) -> Result:
    assert isinstance(task, PreviewDicomTask)
    return DicomPreviewed(proposals=(PROPOSAL,), total=9)


async def test_a_preview_asks_for_what_a_job_would_do_now(resources: Resources, actor: Actor, trace: Trace) -> None:
    await set_dicom_overrides(resources, actor, trace_id=trace.id, overrides=[(ELEMENT, "KEEP", None)])
    watched = with_child(resources, _proposing)
    rows = await preview_dicom_deidentification(
        watched, actor, trace_id=trace.id, parameters=DICOM.dicom, first=5, skip=3
    )
    assert (rows.items, rows.start, rows.total) == ((PROPOSAL,), 3, 9)
    assert isinstance(watched.children, Puppet)
    (task,) = watched.children.tasks
    assert isinstance(task, PreviewDicomTask)
    assert (task.dicom, task.first, task.skip) == (DICOM.dicom, 5, 3)
    assert task.overrides == (DicomOverride(element=ELEMENT, action=OverrideAction.KEEP),)
    job = await _deidentify(resources, actor, trace, DICOM)
    plan = await make_plan(resources, await claim(resources, job))
    assert isinstance(plan.task, DeidentifyTask)
    assert plan.task.key == task.key


@pytest.mark.parametrize(("first", "skip"), [(0, 0), (101, 0), (1, -1), (1, 1_000_001)])
async def test_a_page_of_a_preview_has_its_bounds(
    resources: Resources, actor: Actor, trace: Trace, first: int, skip: int
) -> None:
    with pytest.raises(InvalidInput):
        await preview_dicom_deidentification(
            with_child(resources, _proposing),
            actor,
            trace_id=trace.id,
            parameters=DICOM.dicom,
            first=first,
            skip=skip,
        )


async def test_originals_are_shown_to_who_may_change_them_alone(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    for role in Role:
        who = await new_actor(role, client_id=actor.client_id)
        asked = preview_dicom_deidentification(
            with_child(resources, _proposing), who, trace_id=trace.id, parameters=DICOM.dicom, first=1, skip=0
        )
        if role is Role.VIEWER:
            with pytest.raises(Forbidden):
                await asked
        else:
            assert (await asked).items == (PROPOSAL,)


async def test_who_may_not_changes_and_starts_nothing(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    viewer = await new_actor(Role.VIEWER, client_id=actor.client_id)
    for who, refusal in ((viewer, Forbidden), (await new_actor(), NotFound)):
        with pytest.raises(refusal):
            await set_dicom_overrides(resources, who, trace_id=trace.id, overrides=[])
        with pytest.raises(refusal):
            await start_dicom_extraction(resources, who, trace_id=trace.id, idempotency_key=None)
        with pytest.raises(refusal):
            await _deidentify(resources, who, trace, DICOM)
    with pytest.raises(NotFound):
        await find_overrides(resources, actor, TraceId(new_id()))
