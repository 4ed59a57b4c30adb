"""The store of bytes: what it keeps, refuses and sweeps."""

import hashlib
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gql_server.domain.errors import BlobMissing, NotFound, StorageError, StorageFull, StoreNotShared
from gql_server.domain.ids import JobId, TraceId, UploadId, new_id
from gql_server.store.blobs import LocalBlobs
from tests.store.blob_workload import CHUNK_ENDS, DATA

EXECUTION = "exec_20260101T000000Z_0123abcd"


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "data", reserve_bytes=0)


def new_upload(blobs: LocalBlobs) -> UploadId:
    upload_id = UploadId(new_id())
    blobs.create_upload(upload_id)
    return upload_id


def new_trace(blobs: LocalBlobs, capture: bytes = b"capture") -> TraceId:
    trace_id = TraceId(new_id())
    staging = blobs.stage(JobId(new_id()), 1)
    (staging / "capture.pcap").write_bytes(capture)
    blobs.publish(staging, trace_id)
    return trace_id


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directories_are_closed_to_everybody_else(tmp_path: Path) -> None:
    before = os.umask(0o777 & ~0o700)
    try:
        LocalBlobs(tmp_path / "data", reserve_bytes=0)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "data") == 0o711
    assert {mode_of(path) for path in (tmp_path / "data").iterdir()} == {0o700}


def test_the_token_names_the_directory_for_good(blobs: LocalBlobs, tmp_path: Path) -> None:
    token = blobs.read_or_create_token()
    assert LocalBlobs(tmp_path / "data", reserve_bytes=0).read_or_create_token() == token
    assert LocalBlobs(tmp_path / "other", reserve_bytes=0).read_or_create_token() != token
    assert mode_of(tmp_path / "data" / "store-token") == 0o600


def test_all_who_ask_for_the_token_at_once_get_the_same(blobs: LocalBlobs) -> None:
    tokens: set[str] = set()
    threads = [threading.Thread(target=lambda: tokens.add(blobs.read_or_create_token())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 1


@pytest.mark.parametrize("content", [b"", b"0123", b"\xff" * 64])
def test_a_damaged_token_is_not_taken_for_one(blobs: LocalBlobs, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data" / "store-token").write_bytes(content)
    with pytest.raises(StoreNotShared):
        blobs.read_or_create_token()


def test_chunks_add_up_to_the_upload(blobs: LocalBlobs) -> None:
    upload_id = new_upload(blobs)
    offset = 0
    for end in CHUNK_ENDS:
        offset = blobs.append_chunk(upload_id, offset=offset, data=DATA[offset:end])
        assert offset == end
    assert blobs.upload_path(upload_id).read_bytes() == DATA
    assert blobs.digest_upload(upload_id) == hashlib.sha256(DATA).hexdigest()


def test_a_deleted_upload_is_gone_and_may_be_deleted_again(blobs: LocalBlobs) -> None:
    upload_id = new_upload(blobs)
    for _ in range(2):
        blobs.delete_upload(upload_id)
    with pytest.raises(NotFound):
        blobs.open_upload(upload_id)
    with pytest.raises(BlobMissing):
        blobs.digest_upload(upload_id)


def test_a_stage_is_empty_whatever_an_earlier_attempt_left(blobs: LocalBlobs) -> None:
    job_id = JobId(new_id())
    leftover = blobs.stage(job_id, 1)
    (leftover / "deep").mkdir()
    (leftover / "deep" / "capture.pcap").write_bytes(b"half")
    (leftover / "link").symlink_to("/")
    leftover.chmod(0o500)
    assert list(blobs.stage(job_id, 1).iterdir()) == []
    blobs.discard_stage(job_id, 1)
    blobs.discard_stage(job_id, 1)
    assert not leftover.exists()


def test_a_published_trace_can_be_read_and_not_written(blobs: LocalBlobs) -> None:
    trace_id = new_trace(blobs, DATA)
    file, size = blobs.open_trace(trace_id, "capture.pcap")
    with file:
        assert (file.read(), size) == (DATA, len(DATA))
    assert mode_of(blobs.trace_path(trace_id, "capture.pcap")) == 0o440


def test_a_trace_is_never_published_over_another(blobs: LocalBlobs) -> None:
    trace_id = new_trace(blobs, b"first")
    staging = blobs.stage(JobId(new_id()), 1)
    (staging / "capture.pcap").write_bytes(b"second")
    with pytest.raises(StorageError):
        blobs.publish(staging, trace_id)
    assert blobs.trace_path(trace_id, "capture.pcap").read_bytes() == b"first"


def test_a_link_in_a_stage_is_not_published(blobs: LocalBlobs, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    staging = blobs.stage(JobId(new_id()), 1)
    (staging / "capture.pcap").symlink_to(tmp_path / "secret")
    with pytest.raises(StorageError):
        blobs.publish(staging, TraceId(new_id()))
    assert mode_of(tmp_path / "secret") != 0o440


def test_an_absent_trace_file_is_missing(blobs: LocalBlobs) -> None:
    for trace_id, name in ((TraceId(new_id()), "capture.pcap"), (new_trace(blobs), "rules.json")):
        with pytest.raises(BlobMissing):
            blobs.open_trace(trace_id, name)


@pytest.mark.parametrize("name", ["../store-token", "/etc/passwd", "", ".", "..", "a/b", ".hidden", "x\0.json"])
def test_a_name_that_leads_elsewhere_is_a_fault_of_ours(blobs: LocalBlobs, name: str) -> None:
    blobs.create_execution(EXECUTION)
    with pytest.raises(ValueError, match="not the name of"):
        blobs.open_trace(new_trace(blobs), name)
    with pytest.raises(ValueError, match="not the name of"):
        blobs.open_artifact(EXECUTION, name)
    with pytest.raises(ValueError, match="not the name of"):
        blobs.create_execution(name)


def test_an_open_download_outlives_the_trace(blobs: LocalBlobs, tmp_path: Path) -> None:
    trace_id = new_trace(blobs, DATA)
    file, _ = blobs.open_trace(trace_id, "capture.pcap")
    with file:
        assert file.read(10) == DATA[:10]
        blobs.remove_trace(trace_id)
        blobs.remove_trace(trace_id)
        with pytest.raises(BlobMissing):
            blobs.open_trace(trace_id, "capture.pcap")
        assert file.read() == DATA[10:]
    assert list((tmp_path / "data" / "staging").iterdir()) == []


def test_an_interrupted_removal_is_finished_by_the_sweeper(blobs: LocalBlobs, tmp_path: Path) -> None:
    trash = tmp_path / "data" / "staging" / f"{new_id()}.trash"
    trash.mkdir()
    (trash / "capture.pcap").write_bytes(b"half removed")
    kept = blobs.stage(JobId(new_id()), 1)
    blobs.empty_trash()
    assert list((tmp_path / "data" / "staging").iterdir()) == [kept]


def test_a_sealed_execution_is_closed(blobs: LocalBlobs) -> None:
    directory = blobs.create_execution(EXECUTION)
    blobs.write_execution_file(EXECUTION, "manifest.json", b"old")
    blobs.write_execution_file(EXECUTION, "manifest.json", b"new")
    blobs.seal_execution(EXECUTION)
    assert (mode_of(directory), mode_of(directory / "manifest.json")) == (0o550, 0o440)
    assert [path.name for path in directory.iterdir()] == ["manifest.json"]
    file, size = blobs.open_artifact(EXECUTION, "manifest.json")
    with file:
        assert (file.read(), size) == (b"new", 3)
    with pytest.raises(BlobMissing):
        blobs.open_artifact(EXECUTION, "report.json")


def test_an_execution_is_made_once(blobs: LocalBlobs) -> None:
    blobs.create_execution(EXECUTION)
    with pytest.raises(StorageError):
        blobs.create_execution(EXECUTION)


def test_what_is_old_is_listed_and_strangers_are_not(blobs: LocalBlobs, tmp_path: Path) -> None:
    upload_id, trace_id, job_id = new_upload(blobs), new_trace(blobs), JobId(new_id())
    blobs.stage(job_id, 12)
    for directory in ("uploads", "traces", "staging"):
        for name in ("lost+found", ".hidden", f"{new_id()}.x", new_id().hex):
            (tmp_path / "data" / directory / name).mkdir()
    assert blobs.list_old_uploads(timedelta(0)) == [upload_id]
    assert blobs.list_old_traces(timedelta(0)) == [trace_id]
    assert blobs.list_old_stages(timedelta(0)) == [(job_id, 12)]
    hour = timedelta(hours=1)
    assert (blobs.list_old_uploads(hour), blobs.list_old_traces(hour), blobs.list_old_stages(hour)) == ([], [], [])


def test_the_reserve_is_kept_free(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    modest = LocalBlobs(tmp_path, reserve_bytes=0)
    modest.check_room(0)
    for blobs, needed in ((modest, 2 * free), (LocalBlobs(tmp_path, reserve_bytes=2 * free), 0)):
        with pytest.raises(StorageFull):
            blobs.check_room(needed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    directory = tmp_path / "small"
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", directory], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield directory
    subprocess.run(["umount", directory], check=True)


def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk / "data", reserve_bytes=0)
    chunk, refusals = os.urandom(300_000), 0
    acknowledged = {new_upload(blobs): 0 for _ in range(10)}
    for upload_id in sorted(acknowledged) * 10:
        try:
            offset = blobs.append_chunk(upload_id, offset=acknowledged[upload_id], data=chunk)
        except StorageFull:
            refusals += 1
        else:
            acknowledged[upload_id] = offset
    assert refusals > 50
    assert sum(acknowledged.values()) > 6_000_000
    for upload_id, offset in acknowledged.items():
        assert blobs.upload_path(upload_id).read_bytes() == chunk * (offset // len(chunk))

    removed, kept = sorted(acknowledged)[:2]
    blobs.delete_upload(removed)
    offset = acknowledged[kept]
    assert blobs.append_chunk(kept, offset=offset, data=chunk) == offset + len(chunk)


def test_a_full_disk_shows_no_half_file(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk / "data", reserve_bytes=0)
    directory = blobs.create_execution(EXECUTION)
    blobs.write_execution_file(EXECUTION, "report.json", b"old")
    (small_disk / "ballast").write_bytes(bytes(8 * 1024 * 1024 - 200_000))
    with pytest.raises(StorageFull):
        blobs.write_execution_file(EXECUTION, "report.json", bytes(1_000_000))
    assert [path.read_bytes() for path in directory.iterdir()] == [b"old"]
    with pytest.raises(StorageFull):
        blobs.check_room(1_000_000)
    (small_disk / "ballast").unlink()
    blobs.write_execution_file(EXECUTION, "report.json", b"new")
    assert [path.read_bytes() for path in directory.iterdir()] == [b"new"]


def test_identifiers_in_names_are_what_a_row_says(blobs: LocalBlobs) -> None:
    trace_id = TraceId(UUID(int=7))
    assert blobs.trace_path(trace_id, "capture.pcapng").parts[-2:] == (str(trace_id), "capture.pcapng")
