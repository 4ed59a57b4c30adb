"""The demo: the server's main job, told by a client.

It does what any client would, through the same doors: GraphQL over HTTP, tus for the bytes, a subscription over
graphql-transport-ws for the news, a plain download for the result.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import websockets
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gql_server.domain.errors import SetupError

_START_SECONDS = 120.0
_JOB_SECONDS = 300.0
_CHUNK_BYTES = 16 << 10

_CREATE = """mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id url } errors { code message } } }"""
_FINISH = """mutation ($input: FinishUploadInput!) {
  finishUpload(input: $input) { job { id } errors { code message } } }"""
_START = """mutation ($input: StartAddressAnonymizationInput!) {
  startAddressAnonymization(input: $input) { job { id } errors { code message } } }"""
_PROGRESS = """subscription ($job: ID!) {
  jobProgress(jobId: $job) { kind state progress { packets bytesDone bytesTotal } } }"""
_COMPLETED = """subscription ($job: ID!) {
  jobCompleted(jobId: $job) {
    cursor state outputTraceId outputTrace { name packets sha256 } error { code message } } }"""
_PREVIEW = """query ($trace: ID!) {
  previewTransformation(traceId: $trace, first: 6) { pairs { kind original replacement } errors { message } } }"""
_TRACE = """query ($trace: ID!) { trace(id: $trace) {
  id name packets sizeBytes sha256 downloadUrl firstPacketAt lastPacketAt
  lineage { nodes { __typename ... on Trace { id name } ... on Execution { id name } }
    edges { kind source { ...End } target { ...End } } } } }
fragment End on LineageNode { ... on Trace { id name } ... on Execution { id name } }"""


async def run_demo(base_url: str, output: Path, *, until: "asyncio.Task[None]") -> None:
    """Upload the capture that ships with the package, anonymize it, follow the job, and save the result.

    Raises:
        SetupError: the server ended, or something did not go as it should; the sentence says what.
    """
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    capture = (files("gql_server") / "demo_capture" / "hospital.pcap").read_bytes()
    async with httpx.AsyncClient(base_url=base_url, timeout=30.0, trust_env=False) as http:
        client = _Client(http, base_url)
        with console.status("Starting: database, kernels, worker (the first start compiles, some ten seconds)"):
            await client.await_start(until)
        console.print(f"Server   {base_url}/graphql")
        original = await _ingest(client, console, capture)
        await _show_preview(client, console, original)
        result = await _anonymize(client, console, original)
        await _show_result(client, console, result, output)


async def _ingest(client: "_Client", console: Console, capture: bytes) -> str:
    declared = {"name": "hospital.pcap", "lengthBytes": len(capture), "sha256": hashlib.sha256(capture).hexdigest()}
    upload = (await client.mutate(_CREATE, declared))["upload"]
    await client.send(upload["url"], capture)
    job = (await client.mutate(_FINISH, {"uploadId": upload["id"]}))["job"]
    done = await client.await_completion(job["id"])
    trace = done["outputTrace"]
    console.print(f"Uploaded {trace['packets']} packets, {len(capture)} bytes, SHA-256 {trace['sha256']}")
    return str(done["outputTraceId"])


async def _show_preview(client: "_Client", console: Console, trace_id: str) -> None:
    preview = (await client.ask(_PREVIEW, {"trace": trace_id}))["previewTransformation"]
    table = Table("Kind", "Original", "Becomes", title="Preview: what the job will write", title_justify="left")
    for pair in preview["pairs"]:
        table.add_row(pair["kind"], pair["original"], pair["replacement"])
    console.print(table)


async def _anonymize(client: "_Client", console: Console, trace_id: str) -> dict[str, Any]:
    job = (await client.mutate(_START, {"traceId": trace_id}))["job"]
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Job      PENDING", total=None)
        async for event in client.listen(_PROGRESS, {"job": job["id"]}):
            happened = event["jobProgress"]
            done = happened["progress"] or {}
            bar.update(task, description=f"Job      {happened['state']}")
            if done:
                bar.update(task, completed=done["bytesDone"], total=done["bytesTotal"])
        completion = await client.await_completion(job["id"])
        total = bar.tasks[0].total or len(completion["outputTrace"]["sha256"])
        bar.update(task, description=f"Job      {completion['state']}", completed=total, total=total)
    console.print(f"Event    jobCompleted, outputTraceId {completion['outputTraceId']}")
    found: dict[str, Any] = (await client.ask(_TRACE, {"trace": completion["outputTraceId"]}))["trace"]
    return found


async def _show_result(client: "_Client", console: Console, trace: dict[str, Any], output: Path) -> None:
    for edge in trace["lineage"]["edges"]:
        console.print(f"Lineage  {edge['source']['name']} [dim]{edge['kind']}[/dim] {edge['target']['name']}")
    body = await client.download(trace["downloadUrl"])
    digest = hashlib.sha256(body).hexdigest()
    if digest != trace["sha256"]:
        raise SetupError(advice="The downloaded result does not have the digest of its trace")
    await asyncio.to_thread(output.write_bytes, body)
    console.print(f"Digest   {digest} (checked on the downloaded file)")
    console.print(f"Saved    {output} ({trace['packets']} packets, {len(body)} bytes)")


class _Client:
    """A GraphQL client of the smallest kind."""

    def __init__(self, http: httpx.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    async def await_start(self, until: "asyncio.Task[None]") -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if until.done():
                raise SetupError(advice="The server ended while it was starting; its log says why")
            with contextlib.suppress(httpx.TransportError):
                if (await self._http.get("/healthz")).is_success:
                    return
            await asyncio.sleep(0.05)
        raise SetupError(advice="The server did not start in time; its log says why")

    async def ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        response = await self._http.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        if body.get("errors"):
            raise SetupError(advice=f"The server refused a query: {body['errors'][0]['message']}")
        data: dict[str, Any] = body["data"]
        return data

    async def mutate(self, query: str, values: dict[str, Any]) -> dict[str, Any]:
        payload: dict[str, Any] = next(iter((await self.ask(query, {"input": values})).values()))
        if payload["errors"]:
            raise SetupError(advice=f"{payload['errors'][0]['code']}: {payload['errors'][0]['message']}")
        return payload

    async def send(self, url: str, body: bytes) -> None:
        """Send the bytes by tus, in chunks with a checksum each, as a browser would over a bad line."""
        for offset in range(0, len(body), _CHUNK_BYTES):
            response = await self._http.patch(
                urljoin(self._base_url, url),
                content=body[offset : offset + _CHUNK_BYTES],
                headers={
                    "Tus-Resumable": "1.0.0",
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                },
            )
            if not response.is_success:
                raise SetupError(advice=f"The server refused a chunk with status {response.status_code}")

    async def listen(self, query: str, variables: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        url = self._base_url.replace("http", "ws", 1) + "/graphql"
        protocol = websockets.Subprotocol("graphql-transport-ws")
        async with (
            asyncio.timeout(_JOB_SECONDS),
            websockets.connect(url, subprotocols=[protocol], proxy=None) as socket,
        ):
            await socket.send(json.dumps({"type": "connection_init"}))
            await socket.recv()
            payload = {"query": query, "variables": variables}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "next" and message["payload"].get("data"):
                    yield message["payload"]["data"]
                elif message["type"] == "ping":
                    await socket.send(json.dumps({"type": "pong"}))
                elif message["type"] == "complete":
                    return
                elif message["type"] in {"next", "error"}:
                    raise SetupError(advice="The subscription failed; the server's log says why")

    async def await_completion(self, job_id: str) -> dict[str, Any]:
        async for event in self.listen(_COMPLETED, {"job": job_id}):
            completion: dict[str, Any] = event["jobCompleted"]
            if completion["error"]:
                error = completion["error"]
                raise SetupError(advice=f"The job ended {completion['state']}, {error['code']}: {error['message']}")
            return completion
        raise SetupError(advice="The subscription ended before the job did")

    async def download(self, url: str) -> bytes:
        response = await self._http.get(urljoin(self._base_url, url))
        response.raise_for_status()
        return response.content
