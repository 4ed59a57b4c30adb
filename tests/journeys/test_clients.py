"""The client libraries of web applications, in Node, against the real server."""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.journeys.doors import CREATE_UPLOAD, FINISH_UPLOAD, Server
from tests.journeys.material import hospital, repeated
from tests.journeys.programs import NodeScript, require_node

CHUNK_BYTES = 1 << 20
TIMES = 110
LATEST = "{ events { latestCursor } }"
COMPLETED = """subscription ($after: EventCursor) { jobCompleted(after: $after) {
  cursor jobId outputTraceId outputTrace { id packets } } }"""
PROGRESS = """subscription ($job: ID!) { jobProgress(jobId: $job) { sequence kind outputTraceId } }"""


@pytest.fixture(scope="module")
def clients() -> Path:
    return require_node("clients")


@pytest.fixture(scope="module")
def trace(server: Server) -> str:
    return server.ingest(hospital())


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """About 5 MB."""
    path = tmp_path / "a long night.pcap"
    path.write_bytes(repeated(TIMES))
    return path


def test_tus_js_client_resumes_what_was_broken_off(clients: Path, server: Server, capture: Path) -> None:
    body = capture.read_bytes()
    declared = {"name": capture.name, "lengthBytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    upload = server.act(CREATE_UPLOAD, **declared)["upload"]

    with NodeScript(
        clients / "upload.mjs", urljoin(server.url, upload["url"]), str(capture), str(CHUNK_BYTES)
    ) as client:
        interrupted = client.read("interrupted")
        resumed = client.read("resumed")
        client.read("sent")
        client.await_end()

    assert CHUNK_BYTES <= interrupted["acknowledged"] <= resumed["from"] < len(body)
    finished = server.act(FINISH_UPLOAD, uploadId=upload["id"])
    assert finished["errors"] == []
    event = server.completion(finished["job"]["id"])
    assert event["outputTrace"]["sha256"] == declared["sha256"]
    assert event["outputTrace"]["packets"] == TIMES * 159
    assert server.download(event["outputTraceId"]) == body


def test_tus_js_client_creates_an_upload_by_itself(clients: Path, server: Server, capture: Path) -> None:
    with NodeScript(clients / "upload.mjs", urljoin(server.url, "/uploads"), str(capture), str(CHUNK_BYTES)) as client:
        client.read("interrupted")
        client.read("resumed")
        url = client.read("sent")["url"]
        client.await_end()

    held = server.http.head(url, headers={"Tus-Resumable": "1.0.0"})
    assert held.headers["Upload-Offset"] == held.headers["Upload-Length"] == str(capture.stat().st_size)
    assert server.http.delete(url, headers={"Tus-Resumable": "1.0.0"}).status_code == 204


def _listen(clients: Path, server: Server, kind: str, document: str, count: int, **variables: Any) -> NodeScript:
    url = urljoin(server.url, "/graphql")
    return NodeScript(clients / "subscribe.mjs", kind, url, document, json.dumps(variables), str(count))


@pytest.mark.parametrize("kind", ["ws", "sse"])
def test_a_client_hears_of_a_job_that_is_started_while_it_listens(
    clients: Path, server: Server, trace: str, kind: str
) -> None:
    after = server.ask(LATEST)["events"]["latestCursor"]

    with _listen(clients, server, kind, COMPLETED, 1, after=after) as client:
        client.read("connected")
        job = server.start(trace)
        result = client.read("next")["result"]
        client.read("left")
        client.await_end()

    event = result["data"]["jobCompleted"]
    assert event["jobId"] == job
    assert event["outputTraceId"] == event["outputTrace"]["id"] == server.job(job)["outputTraceId"]
    assert event["outputTrace"]["packets"] == 159


@pytest.mark.parametrize("kind", ["ws", "sse"])
def test_a_client_sees_the_stream_of_one_job_end(clients: Path, server: Server, trace: str, kind: str) -> None:
    job = server.start(trace)
    told: list[dict[str, Any]] = []

    with _listen(clients, server, kind, PROGRESS, 0, job=job) as client:
        client.read("connected")
        while not told or told[-1]["kind"] != "JOB_COMPLETED":
            told.append(client.read("next")["result"]["data"]["jobProgress"])
        client.read("complete")
        client.await_end()

    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert told[-1]["outputTraceId"] == server.job(job)["outputTraceId"]
