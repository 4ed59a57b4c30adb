"""A full disk: refusals with a code, nothing lost, and on it goes."""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gql_server.api.ids import GlobalId
from gql_server.store.embedded import EmbeddedPostgres
from tests.journeys.conftest import NewInstallation
from tests.journeys.doors import CREATE_UPLOAD, FINISH_UPLOAD, JOB, Installation, Server, await_true
from tests.journeys.material import repeated

DISK_BYTES = 16 << 20
DELETE = "mutation ($input: DeleteTraceInput!) { deleteTrace(input: $input) { trace { isDeleted } errors { code } } }"
ABORT = "mutation ($input: AbortUploadInput!) { abortUpload(input: $input) { upload { state } errors { code } } }"
TRACES = "{ traces(first: 100) { totalCount edges { node { id } } } }"

Ledger = dict[str, str]
"""What was published, and its digest when it was sent."""


@pytest.fixture(scope="module")
def small_disk(new_installation: NewInstallation, open_directory: Path) -> Iterator[Installation]:
    """An installation whose captures, but not whose database, lie on a disk of 16 MB."""
    database = EmbeddedPostgres(open_directory / "disk full")
    held = database.start()
    installation = new_installation(
        lease_seconds="3", database_url=held.app, owner_database_url=held.owner, system_database_url=held.system
    )
    kernels = (installation.directory / "kernels").resolve()
    try:
        with mounted(installation.directory):
            (installation.directory / "kernels").symlink_to(kernels)
            installation.log.symlink_to(open_directory / "disk full.log")
            migrate = [sys.executable, "-m", "gql_server", "migrate"]
            subprocess.run(migrate, env=installation.environment(), check=True)
            yield installation
    finally:
        database.close()


@contextlib.contextmanager
def mounted(directory: Path) -> Iterator[None]:
    """Mount a small file system, or skip; where CI runs as root it must be possible."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0711", "tmpfs", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        assert os.environ.get("CI") != "true", done.stderr
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture(scope="module")
def server(small_disk: Installation) -> Iterator[Server]:
    with small_disk.server() as running:
        yield running


@pytest.fixture
def ledger(server: Server) -> Iterator[Ledger]:
    """What this test has published; it is deleted afterwards."""
    published: Ledger = {}
    yield published
    for trace in published:
        assert server.act(DELETE, traceId=trace)["errors"] == []
    assert_holds(server, {})


def publish(server: Server, body: bytes, ledger: Ledger) -> str | None:
    """Upload a capture and enter its trace in the ledger; or return where it was refused for the disk."""
    created = server.act(CREATE_UPLOAD, name="x", lengthBytes=len(body))
    if created["errors"]:
        assert [error["code"] for error in created["errors"]] == ["STORAGE_FULL"]
        return "createUpload"
    response = server.patch(created["upload"]["url"], 0, body)
    if response.status_code != 204:
        assert (response.status_code, response.json()["code"]) == (507, "STORAGE_FULL")
        assert server.act(ABORT, uploadId=created["upload"]["id"])["errors"] == []
        return "PATCH"
    event = ended(server, server.act(FINISH_UPLOAD, uploadId=created["upload"]["id"])["job"]["id"])
    if event["error"] is not None:
        return "job"
    ledger[event["outputTraceId"]] = hashlib.sha256(body).hexdigest()
    return None


def ended(server: Server, job_id: str) -> dict[str, Any]:
    """Return how a job ended; a failure must be for the disk."""
    event = server.completion(job_id)
    if event["error"] is not None:
        assert (event["state"], event["error"]["code"], event["outputTraceId"]) == ("FAILED", "STORAGE_FULL", None)
    return event


def assert_holds(server: Server, ledger: Ledger) -> None:
    """Everything published is there as it was sent, and nothing else is to be seen or lies about."""
    traces = server.ask(TRACES)["traces"]
    assert traces["totalCount"] == len(ledger)
    assert {edge["node"]["id"] for edge in traces["edges"]} == set(ledger)
    for trace, digest in ledger.items():
        assert hashlib.sha256(server.download(trace)).hexdigest() == digest
    directory = server.installation.directory
    stored = {GlobalId.decode(trace).id for trace in ledger}
    assert {path.name for path in (directory / "traces").iterdir()} == set(map(str, stored))
    await_true(lambda: not list((directory / "staging").iterdir()), what="an empty staging directory")


@contextlib.contextmanager
def ballast(server: Server, *, leave_bytes: int) -> Iterator[None]:
    """Fill the disk but for so many bytes."""
    status = os.statvfs(server.installation.directory)
    path = server.installation.directory / "ballast"
    path.write_bytes(bytes(status.f_bavail * status.f_frsize - leave_bytes))
    try:
        yield
    finally:
        path.unlink()


def test_uploads_are_taken_until_the_disk_is_full_and_again_when_there_is_room(server: Server, ledger: Ledger) -> None:
    times = 60
    while (refused := publish(server, repeated(times), ledger)) is None:
        times += 1
    assert refused == "createUpload"
    assert len(ledger) >= 4
    assert_holds(server, ledger)
    while publish(server, repeated(times), ledger) is not None:
        oldest = next(iter(ledger))
        assert server.act(DELETE, traceId=oldest)["errors"] == []
        del ledger[oldest]
    assert_holds(server, ledger)


@pytest.mark.parametrize("leave_bytes", [0, 4096, 300_000])
def test_a_job_that_meets_the_full_disk_fails_with_a_code_and_leaves_nothing(
    server: Server, ledger: Ledger, leave_bytes: int
) -> None:
    assert publish(server, repeated(20), ledger) is None
    (original,) = ledger
    with ballast(server, leave_bytes=leave_bytes):
        job_id = server.start(original)
        assert ended(server, job_id)["state"] == "FAILED"
        job = server.ask(JOB, id=job_id)["job"]
        assert [edge["node"]["error"] for edge in job["executions"]["edges"]] == [{"code": "STORAGE_FULL"}]
        assert_holds(server, ledger)
    output = ended(server, server.start(original))["outputTrace"]
    ledger[output["id"]] = output["sha256"]
    assert_holds(server, ledger)


def test_a_chunk_that_meets_the_full_disk_counts_for_nothing_and_is_sent_again(server: Server, ledger: Ledger) -> None:
    body = repeated(60)
    created = server.act(CREATE_UPLOAD, name="x", lengthBytes=len(body))
    url, first, stack = created["upload"]["url"], 200_000, contextlib.ExitStack()
    assert server.patch(url, 0, body[:first]).status_code == 204

    def rest() -> Iterator[bytes]:
        yield body[first : first + 4096]
        stack.enter_context(ballast(server, leave_bytes=500_000))
        yield body[first + 4096 :]

    with stack:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(first),
            "Content-Type": "application/offset+octet-stream",
        }
        response = server.http.patch(url, content=rest(), headers=headers)
        assert (response.status_code, response.json()["code"]) == (507, "STORAGE_FULL")
        head = server.http.head(url, headers={"Tus-Resumable": "1.0.0"})
        assert head.headers["Upload-Offset"] == str(first)
        assert_holds(server, ledger)
    assert server.patch(url, first, body[first:]).status_code == 204
    event = ended(server, server.act(FINISH_UPLOAD, uploadId=created["upload"]["id"])["job"]["id"])
    ledger[event["outputTraceId"]] = hashlib.sha256(body).hexdigest()
    assert_holds(server, ledger)


def test_two_uploads_that_race_for_the_last_room_lose_nothing_acknowledged(server: Server, ledger: Ledger) -> None:
    body = repeated(60)
    uploads = [server.act(CREATE_UPLOAD, name="x", lengthBytes=len(body))["upload"] for _ in range(2)]
    acknowledged = [0, 0]

    def send(number: int) -> None:
        url, size = uploads[number]["url"], 100_000
        for offset in range(0, len(body), size):
            response = server.patch(url, offset, body[offset : offset + size])
            if response.status_code == 507:
                return
            assert response.status_code == 204
            acknowledged[number] = int(response.headers["Upload-Offset"])

    with ballast(server, leave_bytes=len(body) + len(body) // 2), ThreadPoolExecutor(2) as threads:
        list(threads.map(send, range(2)))
    assert min(acknowledged) < len(body)
    for number, upload in enumerate(uploads):
        head = server.http.head(upload["url"], headers={"Tus-Resumable": "1.0.0"})
        assert head.headers["Upload-Offset"] == str(acknowledged[number])
        if (offset := acknowledged[number]) < len(body):
            assert server.patch(upload["url"], offset, body[offset:]).status_code == 204
        event = ended(server, server.act(FINISH_UPLOAD, uploadId=upload["id"])["job"]["id"])
        ledger[event["outputTraceId"]] = hashlib.sha256(body).hexdigest()
    assert_holds(server, ledger)


def test_no_job_was_given_up_by_its_worker(server: Server) -> None:
    assert "left to its lease" not in server.installation.log.read_text()
