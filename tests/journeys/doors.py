"""A running server and its doors, as clients see them."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

PATIENCE_SECONDS = 240.0

CREATE_UPLOAD = """mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
  upload { id url state offsetBytes } errors { __typename code message path } } }"""
FINISH_UPLOAD = """mutation ($input: FinishUploadInput!) { finishUpload(input: $input) {
  upload { id state } job { id kind state } errors { __typename code message path } } }"""
START = """mutation ($input: StartAddressAnonymizationInput!) { startAddressAnonymization(input: $input) {
  job { id state attempt } errors { __typename code message path } } }"""
COMPLETED = """subscription ($job: ID, $flow: ID, $after: EventCursor) {
  jobCompleted(jobId: $job, flowId: $flow, after: $after) {
    cursor kind state jobId outputTraceId outputTrace { id packets sha256 sizeBytes isDeleted }
    error { code message } } }"""
PROGRESS = """subscription ($job: ID!, $after: EventCursor) { jobProgress(jobId: $job, after: $after) {
  cursor kind state sequence progress { packets bytesDone bytesTotal fraction } outputTraceId error { code } } }"""
JOB = """query ($id: ID!) { job(id: $id) { id kind state attempt outputTraceId
  error { __typename code message ... on CaptureRefusedError { offset } }
  executions { totalCount edges { node {
    id name state attempt error { code } artifacts { name } } } } } }"""
TRACE = """query ($id: ID!) { trace(id: $id) {
  id name origin format packets capturedBytes originalBytes sizeBytes sha256
  interfaces truncatedPackets firstPacketAt lastPacketAt isDeleted deletedAt downloadUrl
  linkTypes { number name } addressRules { source target } job { id } } }"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_true(question: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS, what: str = "it") -> None:
    """Ask until the answer is yes; fail when patience ends."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


@dataclass
class Program:
    """A process of ours that ends with the test."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gql_server", *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Ask it to end, then make it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@dataclass
class Installation:
    """A data directory and the settings of those who share it."""

    directory: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.directory / "programs.log"

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GQL_SERVER_")}
        return inherited | {
            "GQL_SERVER_DATA_DIRECTORY": str(self.directory),
            "GQL_SERVER_RESERVE_BYTES": "0",
            "GQL_SERVER_LOG_FORMAT": "json",
            **self.settings,
        }

    def worker(self) -> Program:
        return Program(["worker"], self.environment(), self.log)

    @contextlib.contextmanager
    def server(self, *arguments: str) -> Iterator["Server"]:
        port = free_port()
        with Program(["serve", "--port", str(port), *arguments], self.environment(), self.log) as program:
            server = Server(self, program, f"http://127.0.0.1:{port}")
            try:
                server.await_start()
                yield server
            finally:
                server.http.close()


class Server:
    """A server that answers."""

    def __init__(self, installation: Installation, program: Program, url: str) -> None:
        self.installation = installation
        self.program = program
        self.url = url
        # A connection left alone is dropped before the server drops it: a request on its way then would be lost.
        limits = httpx.Limits(keepalive_expiry=2.0)
        self.http = httpx.Client(base_url=url, timeout=60.0, trust_env=False, limits=limits)

    def await_start(self) -> None:
        def answers() -> bool:
            assert self.program.process.poll() is None, self.installation.log.read_text()[-2000:]
            try:
                return self.http.get("/healthz").is_success
            except httpx.TransportError:
                return False

        await_true(answers, what="the start")

    def post(self, query: str, variables: dict[str, Any] | None = None) -> httpx.Response:
        return self.http.post("/graphql", json={"query": query, "variables": variables or {}})

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an operation that must not fail."""
        body: dict[str, Any] = self.post(query, variables).json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def act(self, mutation: str, **values: Any) -> dict[str, Any]:
        """Return the payload of a mutation, whatever it says."""
        payload: dict[str, Any] = next(iter(self.ask(mutation, input=values).values()))
        return payload

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.ask(JOB, id=job_id)["job"]
        return job

    def trace(self, trace_id: str) -> dict[str, Any]:
        trace: dict[str, Any] = self.ask(TRACE, id=trace_id)["trace"]
        return trace

    def send(self, url: str, body: bytes, *, chunk_bytes: int = 1 << 20) -> None:
        """Send bytes by tus."""
        for offset in range(0, len(body), chunk_bytes):
            response = self.patch(url, offset, body[offset : offset + chunk_bytes])
            assert response.status_code == 204, response.text

    def patch(self, url: str, offset: int, body: bytes, **headers: str) -> httpx.Response:
        fixed = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return self.http.patch(url, content=body, headers=fixed | headers)

    def upload(self, body: bytes, name: str = "example.pcap", **values: Any) -> dict[str, Any]:
        """Upload bytes whole and return the payload of finishUpload."""
        created = self.act(CREATE_UPLOAD, name=name, lengthBytes=len(body), **values)
        assert created["errors"] == [], created["errors"]
        self.send(created["upload"]["url"], body)
        return self.act(FINISH_UPLOAD, uploadId=created["upload"]["id"])

    def ingest(self, body: bytes, name: str = "example.pcap") -> str:
        """Upload a good capture and return the id of its trace."""
        finished = self.upload(body, name, sha256=hashlib.sha256(body).hexdigest())
        assert finished["errors"] == [], finished["errors"]
        event = self.completion(finished["job"]["id"])
        assert event["error"] is None, event["error"]
        return str(event["outputTraceId"])

    def start(self, trace_id: str, **values: Any) -> str:
        """Start an anonymization and return the id of its job."""
        started = self.act(START, traceId=trace_id, **values)
        assert started["errors"] == [], started["errors"]
        return str(started["job"]["id"])

    def completion(self, job_id: str, after: str | None = None) -> dict[str, Any]:
        """Return the event with which a job ended."""
        with self.listen(COMPLETED, job=job_id, after=after) as events:
            return next(events)["jobCompleted"]  # type: ignore[no-any-return]

    def download(self, trace_id: str) -> bytes:
        response = self.http.get(self.trace(trace_id)["downloadUrl"])
        assert response.status_code == 200, response.text
        return response.content

    @contextlib.contextmanager
    def listen(self, query: str, **variables: Any) -> Iterator[Iterator[dict[str, Any]]]:
        """Subscribe over graphql-transport-ws; leaving cuts the connection."""
        address = self.url.replace("http", "ws", 1) + "/graphql"
        with connect(address, subprotocols=["graphql-transport-ws"], proxy=None) as channel:  # type: ignore[list-item]
            channel.send(json.dumps({"type": "connection_init"}))
            assert json.loads(channel.recv(PATIENCE_SECONDS))["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            channel.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            yield _events(channel)


def _events(channel: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        message = json.loads(channel.recv(PATIENCE_SECONDS))
        match message["type"]:
            case "next":
                assert not message["payload"].get("errors"), message["payload"]["errors"]
                yield message["payload"]["data"]
            case "ping":
                channel.send(json.dumps({"type": "pong"}))
            case "complete":
                return
            case kind:
                raise AssertionError(f"{kind}: {message}")
