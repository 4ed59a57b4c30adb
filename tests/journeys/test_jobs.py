"""Jobs: killed, cancelled, poisoned, handed over; one output or none."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from gql_server.store.embedded import EmbeddedPostgres
from tests.journeys.conftest import NewInstallation
from tests.journeys.doors import START, Installation, Program, Server, await_true
from tests.journeys.material import hospital, repeated

CANCEL = "mutation ($input: CancelJobInput!) { cancelJob(input: $input) { job { state } errors { code } } }"
LEASE_SECONDS = 3


@pytest.fixture(scope="module")
def place(new_installation: NewInstallation) -> Installation:
    return new_installation(lease_seconds=str(LEASE_SECONDS), warm_children="1")


@pytest.fixture(scope="module")
def door(place: Installation) -> Iterator[Server]:
    """A server that leaves the jobs to workers of their own."""
    with place.server("--no-worker") as running:
        yield running


@pytest.fixture(scope="module")
def small(door: Server, place: Installation) -> str:
    with place.worker():
        return door.ingest(hospital())


@pytest.fixture(scope="module")
def large(door: Server, place: Installation) -> str:
    """A trace that takes some seconds."""
    with place.worker():
        return door.ingest(repeated(4000))


def _children(program: Program) -> list[int]:
    """Processes whose parent is the program: its children at work and in waiting."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == program.process.pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _await_state(door: Server, job: str, *states: str) -> None:
    await_true(lambda: door.job(job)["state"] in states, what=f"{states}")


def _await_progress(door: Server, job: str) -> None:
    query = "query ($id: ID!) { job(id: $id) { state progress { packets } } }"
    await_true(lambda: door.ask(query, id=job)["job"]["progress"]["packets"] > 0, what="progress")


def _outputs(door: Server, trace: str) -> int:
    query = """query ($id: ID!) { lineage(id: $id, direction: DESCENDANTS) { edges { kind } } }"""
    edges = door.ask(query, id=trace)["lineage"]["edges"]
    return [edge["kind"] for edge in edges].count("DERIVED_FROM")


def test_a_job_of_a_killed_worker_is_done_by_another(door: Server, place: Installation, large: str) -> None:
    before = _outputs(door, large)
    with place.worker() as doomed:
        job = door.start(large)
        _await_progress(door, job)
        orphans = _children(doomed)
        assert orphans
        with place.worker():
            doomed.kill()
            await_true(lambda: not any(map(_is_alive, orphans)), seconds=5, what="the end of the orphans")
            event = door.completion(job)
    assert event["error"] is None
    executions = {edge["node"]["state"]: edge["node"]["name"] for edge in door.job(job)["executions"]["edges"]}
    assert set(executions) == {"ABANDONED", "COMPLETED"}
    for state, name in executions.items():
        directory = place.directory / "executions" / name
        assert json.loads((directory / "manifest.json").read_text())["outcome"] == state
        assert directory.stat().st_mode & 0o222 == 0
    assert _outputs(door, large) == before + 1


def test_a_frozen_worker_that_thaws_changes_nothing(door: Server, place: Installation, large: str) -> None:
    before = _outputs(door, large)
    with place.worker() as frozen:
        job = door.start(large)
        _await_progress(door, job)
        frozen.process.send_signal(signal.SIGSTOP)
        with place.worker():
            event = door.completion(job)
            frozen.process.send_signal(signal.SIGCONT)
            time.sleep(LEASE_SECONDS)
        assert event["error"] is None
    assert _outputs(door, large) == before + 1
    assert door.job(job)["outputTraceId"] == event["outputTraceId"]


def test_a_worker_that_is_asked_to_stop_hands_its_job_over_at_once(
    door: Server, place: Installation, large: str
) -> None:
    with place.worker() as leaving:
        job = door.start(large)
        _await_progress(door, job)
        leaving.end()
    assert leaving.process.returncode == 0
    assert door.job(job)["state"] == "PENDING"
    with place.worker():
        assert door.completion(job)["error"] is None


def test_a_job_whose_children_die_three_times_is_given_up(door: Server, place: Installation, large: str) -> None:
    before = _outputs(door, large)
    with place.worker() as worker:
        job = door.start(large)
        for attempt in (1, 2, 3):
            await_true(lambda a=attempt: door.job(job)["attempt"] == a, what=f"attempt {attempt}")  # type: ignore[misc]
            _await_progress(door, job)
            for child in _children(worker):
                os.kill(child, signal.SIGKILL)
        event = door.completion(job)
    assert (event["state"], event["error"]["code"]) == ("FAILED", "ATTEMPTS_EXHAUSTED")
    assert (event["outputTraceId"], event["outputTrace"]) == (None, None)
    assert [edge["node"]["state"] for edge in door.job(job)["executions"]["edges"]] == ["FAILED"] * 3
    assert _outputs(door, large) == before


def test_a_pending_job_is_cancelled_at_once(door: Server, small: str) -> None:
    job = door.start(small)
    payload = door.act(CANCEL, jobId=job)
    assert (payload["job"]["state"], payload["errors"]) == ("CANCELLED", [])
    event = door.completion(job)
    assert (event["state"], event["error"]["code"], event["outputTrace"]) == ("CANCELLED", "JOB_CANCELLED", None)
    assert [error["code"] for error in door.act(CANCEL, jobId=job)["errors"]] == ["JOB_NOT_CANCELLABLE"]


def test_a_running_job_is_cancelled_and_leaves_nothing(door: Server, place: Installation, large: str) -> None:
    before = _outputs(door, large)
    with place.worker():
        staged = set((place.directory / "staging").iterdir())
        job = door.start(large)
        _await_progress(door, job)
        assert door.act(CANCEL, jobId=job)["job"]["state"] == "CANCELLING"
        event = door.completion(job)
        assert (event["state"], event["outputTraceId"]) == ("CANCELLED", None)
        await_true(lambda: set((place.directory / "staging").iterdir()) <= staged, what="the end of its stage")
    assert _outputs(door, large) == before


def test_a_job_cancelled_while_its_worker_is_dead_still_ends(door: Server, place: Installation, large: str) -> None:
    with place.worker() as doomed:
        job = door.start(large)
        _await_progress(door, job)
        doomed.kill()
    assert door.act(CANCEL, jobId=job)["job"]["state"] == "CANCELLING"
    with place.worker():
        assert door.completion(job)["state"] == "CANCELLED"


def test_a_trace_in_use_cannot_be_deleted(door: Server, small: str) -> None:
    job = door.start(small)
    delete = "mutation ($input: DeleteTraceInput!) { deleteTrace(input: $input) { trace { id } errors { code } } }"
    assert [error["code"] for error in door.act(delete, traceId=small)["errors"]] == ["TRACE_IN_USE"]
    door.act(CANCEL, jobId=job)


def test_a_start_sent_five_times_with_one_key_starts_one_job(door: Server, small: str) -> None:
    jobs = {door.act(START, traceId=small, idempotencyKey="five times")["job"]["id"] for _ in range(5)}
    assert len(jobs) == 1
    conflict = door.act(START, traceId=small, mapping="CRYPTO_PAN", idempotencyKey="five times")
    assert [error["code"] for error in conflict["errors"]] == ["IDEMPOTENCY_CONFLICT"]
    door.act(CANCEL, jobId=jobs.pop())


def test_a_queue_that_forgets_everything_loses_no_job(door: Server, place: Installation, small: str) -> None:
    job = door.start(small)
    embedded = EmbeddedPostgres(place.directory / "postgres")
    urls = embedded.start()
    try:
        _forget_messages(urls.app)
    finally:
        embedded.close()
    with place.worker():
        assert door.completion(job)["error"] is None


def _forget_messages(url: str) -> None:
    async def forget() -> None:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM queue.pgqueuer"))
        await engine.dispose()

    asyncio.run(forget())
