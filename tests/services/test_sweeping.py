"""Sweeping: what has no row goes, what has one stays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.ids import JobId, TraceId, UploadId, new_id
from gql_server.domain.uploads import UploadState
from gql_server.services.resources import Resources
from gql_server.services.sweeping import sweep
from gql_server.services.traces import open_capture
from gql_server.services.uploads import create_upload, find_upload
from gql_server.store import traces
from tests.services.desk import claim, ingest, names_in, receive


@pytest.fixture
def later(resources: Resources) -> Resources:
    """The resources as they are to a sweeper to whom all that lies there is old."""
    return replace(resources, limits=replace(resources.limits, lease_time=timedelta(days=-1)))


async def test_what_no_row_knows_goes_once_it_is_old(resources: Resources, later: Resources) -> None:
    resources.blobs.create_upload(UploadId(new_id()))
    resources.blobs.publish(resources.blobs.stage(JobId(new_id()), 1), TraceId(new_id()))
    resources.blobs.stage(JobId(new_id()), 1)
    await sweep(resources)
    assert [len(names_in(resources, folder)) for folder in ("uploads", "traces", "staging")] == [1, 1, 1]
    await sweep(later)
    assert [names_in(resources, folder) for folder in ("uploads", "traces", "staging")] == [[], [], []]


async def test_what_a_row_needs_stays_however_old(resources: Resources, later: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    upload, job = await receive(resources, actor)
    attempt = await claim(resources, job)
    resources.blobs.stage(job.id, attempt.job.attempt)
    await sweep(later)
    (await open_capture(resources, actor, trace.id)).file.close()
    assert names_in(resources, "uploads") == [str(upload.id)]
    assert names_in(resources, "staging") == [f"{job.id}.1"]


async def test_the_stage_of_an_attempt_that_is_over_goes(resources: Resources, later: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await claim(resources, job)
    resources.blobs.stage(job.id, 1)
    resources.blobs.stage(job.id, 2)
    await sweep(later)
    assert names_in(resources, "staging") == [f"{job.id}.1"]


async def test_what_is_not_ours_is_left_alone(resources: Resources, later: Resources) -> None:
    for folder in ("uploads", "traces", "staging"):
        (resources.blobs._root / folder / "notes of somebody").write_bytes(b"x")
    await sweep(later)
    assert [len(names_in(resources, folder)) for folder in ("uploads", "traces", "staging")] == [1, 1, 1]


async def test_a_tombstones_files_that_a_crash_left_go(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    async with resources.database.transaction(actor.client_id) as session:
        await traces.bury_trace(session, trace.id)
    assert names_in(resources, "traces") == [str(trace.id)]
    await sweep(resources)
    assert names_in(resources, "traces") == []
    async with resources.database.read_across_tenants() as connection:
        assert (actor.client_id, trace.id) not in await traces.list_doomed(connection)


async def test_an_interrupted_removal_is_finished(resources: Resources) -> None:
    trash = resources.blobs._root / "staging" / f"{new_id()}.trash"
    trash.mkdir()
    (trash / "capture.pcap").write_bytes(b"x")
    await sweep(resources)
    assert names_in(resources, "staging") == []


async def test_an_upload_that_nobody_went_on_with_expires_and_a_finished_one_does_not(
    resources: Resources, actor: Actor
) -> None:
    hasty = replace(resources, limits=replace(resources.limits, upload_time=timedelta(seconds=-1)))
    forgotten = await create_upload(
        hasty,
        actor,
        flow_id=None,
        name="x",
        length_bytes=1,
        declared_sha256=None,
        idempotency_key=None,
    )
    finished, _ = await receive(resources, actor)
    await sweep(resources)
    assert (await find_upload(resources, actor, forgotten.id)).state is UploadState.EXPIRED
    assert (await find_upload(resources, actor, finished.id)).state is UploadState.FINISHING
    assert names_in(resources, "uploads") == [str(finished.id)]


async def test_what_cannot_be_removed_keeps_nothing_else(resources: Resources, later: Resources) -> None:
    stuck = UploadId(new_id())
    resources.blobs.upload_path(stuck).mkdir()
    for _ in range(8):
        resources.blobs.create_upload(UploadId(new_id()))
    resources.blobs.publish(resources.blobs.stage(JobId(new_id()), 1), TraceId(new_id()))
    await sweep(later)
    assert names_in(resources, "uploads") == [str(stuck)]
    assert names_in(resources, "traces") == []
