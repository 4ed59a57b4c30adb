"""Uploads: every acknowledged byte is on disk, a refused one is nowhere."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import (
    ChecksumMismatch,
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    LengthExceeded,
    NotFound,
    OffsetMismatch,
    StorageFull,
    TooManyUploads,
    UploadBusy,
    UploadClosed,
    UploadIncomplete,
    UploadTooLarge,
)
from gql_server.domain.ids import UploadId, new_id
from gql_server.domain.jobs import JobState
from gql_server.domain.uploads import Upload, UploadState
from gql_server.services import jobs, uploads
from gql_server.services.resources import Resources
from gql_server.services.sweeping import sweep
from gql_server.store.blobs import LocalBlobs
from tests.conftest import NewActor


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _create(resources: Resources, actor: Actor, length: int = 10, key: str | None = None) -> Upload:
    return await uploads.create_upload(
        resources,
        actor,
        flow_id=None,
        name="example.pcap",
        length_bytes=length,
        declared_sha256=None,
        idempotency_key=key,
    )


async def _append(
    resources: Resources, actor: Actor, upload: Upload, offset: int, *pieces: bytes, checksum: bytes | None = None
) -> int:
    return await uploads.append_chunk(
        resources, actor, upload_id=upload.id, offset=offset, body=_pieces(*pieces), checksum=checksum
    )


def _stored(resources: Resources, upload: Upload) -> bytes:
    return resources.blobs.upload_path(upload.id).read_bytes()


async def _finish(resources: Resources, actor: Actor, upload: Upload) -> Upload:
    return (await uploads.finish_upload(resources, actor, upload_id=upload.id, idempotency_key=None))[0]


async def test_chunks_arrive_in_order(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    assert await _append(resources, actor, upload, 0, b"01", b"234") == 5
    assert await _append(resources, actor, upload, 5, b"56789") == 10
    assert _stored(resources, upload) == b"0123456789"
    assert (await uploads.find_upload(resources, actor, upload.id)).offset_bytes == 10


async def test_a_wrong_offset_changes_nothing_and_tells_the_right_one(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    await _append(resources, actor, upload, 0, b"01234")
    for offset in (0, 4, 6):
        with pytest.raises(OffsetMismatch) as caught:
            await _append(resources, actor, upload, offset, b"xx")
        assert caught.value.offset == 5
    assert _stored(resources, upload) == b"01234"


async def test_a_wrong_checksum_changes_nothing(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    await _append(resources, actor, upload, 0, b"01", checksum=hashlib.sha256(b"01").digest())
    with pytest.raises(ChecksumMismatch):
        await _append(resources, actor, upload, 2, b"23", checksum=hashlib.sha256(b"xx").digest())
    assert _stored(resources, upload) == b"01"
    assert await _append(resources, actor, upload, 2, b"23") == 4


async def test_bytes_beyond_the_length_are_refused_whole(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor, length=4)
    with pytest.raises(LengthExceeded):
        await _append(resources, actor, upload, 0, b"012", b"34")
    assert _stored(resources, upload) == b""
    assert (await uploads.find_upload(resources, actor, upload.id)).offset_bytes == 0


class _CutError(Exception):
    pass


async def _broken(first: bytes) -> AsyncIterator[bytes]:
    yield first
    raise _CutError


async def test_a_body_that_breaks_off_keeps_what_arrived(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    with pytest.raises(_CutError):
        await uploads.append_chunk(
            resources, actor, upload_id=upload.id, offset=0, body=_broken(b"0123"), checksum=None
        )
    assert (await uploads.find_upload(resources, actor, upload.id)).offset_bytes == 4
    assert await _append(resources, actor, upload, 4, b"456789") == 10
    assert _stored(resources, upload) == b"0123456789"


async def test_a_body_with_a_checksum_that_breaks_off_counts_nothing(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    with pytest.raises(_CutError):
        await uploads.append_chunk(
            resources, actor, upload_id=upload.id, offset=0, body=_broken(b"0123"), checksum=bytes(32)
        )
    assert (await uploads.find_upload(resources, actor, upload.id)).offset_bytes == 0
    assert await _append(resources, actor, upload, 0, b"0123456789") == 10
    assert _stored(resources, upload) == b"0123456789"


async def test_what_a_crash_left_beyond_the_offset_is_cut_off(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    await _append(resources, actor, upload, 0, b"012")
    with resources.blobs.upload_path(upload.id).open("ab") as file:
        file.write(b"torn bytes")
    assert await _append(resources, actor, upload, 3, b"3456789") == 10
    assert _stored(resources, upload) == b"0123456789"


async def test_of_two_writers_one_wins(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"01"
        begun.set()
        await go_on.wait()
        yield b"23"

    first = asyncio.create_task(
        uploads.append_chunk(resources, actor, upload_id=upload.id, offset=0, body=slow(), checksum=None)
    )
    await begun.wait()
    with pytest.raises(UploadBusy):
        await _append(resources, actor, upload, 0, b"xx")
    go_on.set()
    assert await first == 4
    assert _stored(resources, upload) == b"0123"


async def test_the_same_key_gives_the_same_upload(resources: Resources, actor: Actor) -> None:
    first = await _create(resources, actor, key="once")
    again = await _create(resources, actor, key="once")
    assert again.id == first.id
    with pytest.raises(IdempotencyConflict):
        await _create(resources, actor, length=11, key="once")
    assert (await _create(resources, actor, key="twice")).id != first.id


async def test_a_key_sent_ten_times_at_once_acts_once(resources: Resources, actor: Actor) -> None:
    made = await asyncio.gather(*(_create(resources, actor, key="racing") for _ in range(10)))
    assert len({upload.id for upload in made}) == 1


async def test_a_users_open_uploads_are_limited(resources: Resources, actor: Actor) -> None:
    few = replace(resources, limits=replace(resources.limits, uploads_per_user=2))
    first = await _create(few, actor)
    await _create(few, actor)
    with pytest.raises(TooManyUploads):
        await _create(few, actor)
    await uploads.abort_upload(few, actor, upload_id=first.id)
    await _create(few, actor)


async def test_the_limit_holds_against_a_race(resources: Resources, actor: Actor) -> None:
    few = replace(resources, limits=replace(resources.limits, uploads_per_user=3))
    made = await asyncio.gather(*(_create(few, actor) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, Upload) for each in made) == 3


@pytest.mark.parametrize(
    ("length", "sha256", "error"), [(-1, None, InvalidInput), (1 << 40, None, UploadTooLarge), (1, "zz", InvalidInput)]
)
async def test_what_cannot_be_is_refused(
    resources: Resources, actor: Actor, length: int, sha256: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await uploads.create_upload(
            resources,
            actor,
            flow_id=None,
            name="x",
            length_bytes=length,
            declared_sha256=sha256,
            idempotency_key=None,
        )


async def test_a_viewer_uploads_nothing(resources: Resources, new_actor: NewActor) -> None:
    viewer = await new_actor(Role.VIEWER)
    with pytest.raises(Forbidden):
        await _create(resources, viewer)


async def test_a_foreign_upload_is_not_there(resources: Resources, actor: Actor, new_actor: NewActor) -> None:
    theirs = await _create(resources, await new_actor())
    for upload_id in (theirs.id, UploadId(new_id())):
        with pytest.raises(NotFound):
            await uploads.find_upload(resources, actor, upload_id)
        with pytest.raises(NotFound):
            await uploads.finish_upload(resources, actor, upload_id=upload_id, idempotency_key=None)
        with pytest.raises(NotFound):
            await uploads.append_chunk(
                resources, actor, upload_id=upload_id, offset=0, body=_pieces(b"x"), checksum=None
            )


async def test_an_upload_is_finished_once_and_only_whole(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor, length=2)
    with pytest.raises(UploadIncomplete):
        await _finish(resources, actor, upload)
    await _append(resources, actor, upload, 0, b"01")
    finished, job = await uploads.finish_upload(resources, actor, upload_id=upload.id, idempotency_key=None)
    assert finished.state is UploadState.FINISHING
    assert job.state is JobState.PENDING
    again, same = await uploads.finish_upload(resources, actor, upload_id=upload.id, idempotency_key=None)
    assert (again.id, same.id) == (upload.id, job.id)
    with pytest.raises(UploadClosed):
        await _append(resources, actor, upload, 2, b"")
    with pytest.raises(UploadClosed):
        await uploads.abort_upload(resources, actor, upload_id=upload.id)


async def test_cancelling_the_job_closes_the_upload(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor, length=0)
    _, job = await uploads.finish_upload(resources, actor, upload_id=upload.id, idempotency_key=None)
    assert (await jobs.cancel_job(resources, actor, job_id=job.id)).state is JobState.CANCELLED
    assert (await uploads.find_upload(resources, actor, upload.id)).state is UploadState.ABORTED


async def test_an_aborted_upload_is_forgotten(resources: Resources, actor: Actor) -> None:
    upload = await _create(resources, actor)
    await _append(resources, actor, upload, 0, b"01")
    assert (await uploads.abort_upload(resources, actor, upload_id=upload.id)).state is UploadState.ABORTED
    assert not resources.blobs.upload_path(upload.id).exists()
    with pytest.raises(UploadClosed):
        await _append(resources, actor, upload, 2, b"23")


async def test_an_upload_nobody_adds_to_expires(resources: Resources, actor: Actor) -> None:
    hasty = replace(resources, limits=replace(resources.limits, upload_time=timedelta(seconds=-1)))
    upload = await _create(hasty, actor)
    with pytest.raises(UploadClosed, match="EXPIRED"):
        await _append(resources, actor, upload, 0, b"01")
    await sweep(resources)
    assert (await uploads.find_upload(resources, actor, upload.id)).state is UploadState.EXPIRED
    assert not resources.blobs.upload_path(upload.id).exists()


async def test_a_disk_without_room_refuses_before_it_is_full(resources: Resources, actor: Actor) -> None:
    full = replace(
        resources, blobs=LocalBlobs(resources.blobs.upload_path(UploadId(new_id())).parents[1], reserve_bytes=1 << 60)
    )
    with pytest.raises(StorageFull):
        await _create(full, actor)
