"""The demo: the server's main job, told by a client.

It does what any client would, through the same doors: GraphQL over HTTP, tus for the bytes, a subscription over
graphql-transport-ws for the news, plain downloads for the result and the report.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import websockets
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.table import Table

from gql_server.domain.errors import SetupError

_START_SECONDS = 120.0
_JOB_SECONDS = 300.0
_CHUNK_BYTES = 16 << 10
_PAIRS_OF_A_KIND = 2
_LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""The server drops a connection left alone for five seconds; a request on its way then would be lost."""

_CREATE = """mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id url } errors { code message } } }"""
_FINISH = """mutation ($input: FinishUploadInput!) {
  finishUpload(input: $input) { job { id } errors { code message } } }"""
_START = """mutation ($input: StartAddressAnonymizationInput!) {
  startAddressAnonymization(input: $input) { job { id } errors { code message } } }"""
_PROGRESS = """subscription ($job: ID!) {
  jobProgress(jobId: $job) { state progress { packets bytesDone } } }"""
_COMPLETED = """subscription ($job: ID!) {
  jobCompleted(jobId: $job) {
    state outputTraceId outputTrace { id name packets sizeBytes sha256 } error { code message } } }"""
_PREVIEW = """query ($trace: ID!) {
  previewTransformation(traceId: $trace, first: 100) { pairs { kind original replacement } errors { message } } }"""
_RESULT = """query ($trace: ID!) { trace(id: $trace) {
  name packets sha256 downloadUrl
  verification { status
    ledger { sizeBytes structural rewritten zeroed opaque keptByRule unknown }
    scan { addressesIpv4 addressesIpv6 addressesMac findings { place hits } }
    interference { packets checksumsGood checksumsBad checksumStatesChanged bytesChanged } }
  lineage { edges { kind source { ...End } target { ...End } } }
  job { executions(last: 1) { edges { node { artifacts { name downloadUrl } } } } } } }
fragment End on LineageNode { ... on Trace { name } ... on Execution { name } }"""


async def run_demo(base_url: str, output: Path, *, until: "asyncio.Task[Any]") -> None:
    """Upload the capture that ships with the package, anonymize it, follow the job, and save the result.

    Raises:
        SetupError: the server ended, or something did not go as it should; the sentence says what.
    """
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=30.0, trust_env=False, limits=_LIMITS) as http:
            story = _Story(_Client(http, base_url), output)
            await asyncio.to_thread(story.check_output)
            await story.tell(until)
    except (httpx.HTTPError, websockets.WebSocketException, TimeoutError) as error:
        raise SetupError(advice="The server stopped answering; its log says why") from error


def _new_console() -> Console:
    # Digests and ids are there to be copied: no line is broken, nothing in it is taken for markup.
    return Console(highlight=False, emoji=False, markup=False, soft_wrap=True)


@dataclass(slots=True)
class _Story:
    """What is done, in order, and what is said about it."""

    client: "_Client"
    output: Path
    console: Console = field(default_factory=_new_console)
    begun: float = field(default_factory=time.monotonic)

    def check_output(self) -> None:
        """Refuse a place that does not exist before anything is done."""
        if not self.output.absolute().parent.is_dir():
            raise SetupError(advice=f"There is no folder for {self.output}: choose another file with --output")

    async def tell(self, until: "asyncio.Task[Any]") -> None:
        with self.console.status("Starting the database and the server"):
            await self.client.await_start(until)
        self._say("Server", f"{self.client.base_url}/graphql, up after {self._elapsed()}")
        original = await self._ingest()
        await self._show_preview(original)
        begun = time.monotonic()
        result = await self._anonymize(original)
        took = time.monotonic() - begun
        self._show_lineage(result)
        await self._save(result)
        await self._show_report(result)
        self._show_proof(result["verification"])
        self._say("Time", f"{took:.1f} s for the job, {self._elapsed()} since the server began to start")
        self._say("GraphiQL", f"{self.client.base_url}/")

    def _say(self, label: str, text: str) -> None:
        self.console.print(f"{label:<9}{text}")

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self.begun:.1f} s"

    async def _ingest(self) -> dict[str, Any]:
        capture = (files("gql_server") / "demo_capture" / "hospital.pcap").read_bytes()
        digest = hashlib.sha256(capture).hexdigest()
        values = {"name": "hospital.pcap", "lengthBytes": len(capture), "sha256": digest}
        upload = (await self.client.mutate(_CREATE, values))["upload"]
        await self.client.send(upload["url"], capture)
        self._say("Uploaded", f"hospital.pcap, {len(capture)} bytes")
        with self.console.status("The server looks at it (the first start compiles first: up to a minute)"):
            job = (await self.client.mutate(_FINISH, {"uploadId": upload["id"]}))["job"]
            trace = await self.client.await_trace(job["id"])
        self._say("Trace", f"{trace['name']}, {trace['packets']} packets, {trace['sizeBytes']} bytes")
        self._say("SHA-256", trace["sha256"])
        return trace

    async def _show_preview(self, original: dict[str, Any]) -> None:
        preview = (await self.client.ask(_PREVIEW, {"trace": original["id"]}))["previewTransformation"]
        if preview["errors"]:
            raise SetupError(advice=f"The preview failed: {_sentence(preview['errors'][0]['message'])}")
        table = Table("Preview", "original", "becomes", box=None, header_style="", padding=(0, 2, 0, 0))
        for pair in telling_pairs(preview["pairs"]):
            table.add_row("", pair["original"], pair["replacement"])
        self.console.print(table)

    async def _anonymize(self, original: dict[str, Any]) -> dict[str, Any]:
        values = {"traceId": original["id"], "name": "hospital-deidentified.pcap"}
        job = (await self.client.mutate(_START, values))["job"]
        with Progress(*_bar_columns(), console=self.console) as bar:
            task = bar.add_task("PENDING", total=original["sizeBytes"], packets=0)
            async for event in self.client.listen(_PROGRESS, {"job": job["id"]}):
                bar.update(task, description=event["jobProgress"]["state"])
                if done := event["jobProgress"]["progress"]:
                    bar.update(task, completed=done["bytesDone"], packets=done["packets"])
            trace = await self.client.await_trace(job["id"])
            bar.update(task, completed=original["sizeBytes"], packets=trace["packets"])
        self._say("Event", "jobCompleted with outputTraceId")
        self._say("", trace["id"])
        result: dict[str, Any] = (await self.client.ask(_RESULT, {"trace": trace["id"]}))["trace"]
        return result

    def _show_lineage(self, trace: dict[str, Any]) -> None:
        for edge in sorted(trace["lineage"]["edges"], key=_place_in_story):
            relation = edge["kind"].lower().replace("_", " ")
            self._say("Lineage", f"{edge['source']['name']} {relation} {edge['target']['name']}")

    async def _save(self, trace: dict[str, Any]) -> None:
        body = await self.client.download(trace["downloadUrl"])
        digest = hashlib.sha256(body).hexdigest()
        if digest != trace["sha256"]:
            raise SetupError(advice="The downloaded result does not have the digest of its trace")
        try:
            await asyncio.to_thread(self.output.write_bytes, body)
        except OSError as error:
            advice = f"{self.output} cannot be written ({error.strerror}): choose another file with --output"
            raise SetupError(advice=advice) from error
        self._say("Saved", f"{self.output}, {trace['packets']} packets, {len(body)} bytes")
        self._say("SHA-256", digest)

    async def _show_report(self, trace: dict[str, Any]) -> None:
        artifacts = trace["job"]["executions"]["edges"][0]["node"]["artifacts"]
        url = next(artifact["downloadUrl"] for artifact in artifacts if artifact["name"] == "report.json")
        report = json.loads(await self.client.download(url))
        counts = [f"{report['addresses_' + kind.lower()]} {kind}" for kind in ("IPv4", "IPv6", "MAC")]
        self._say("Report", f"{report['packets']} packets, addresses in them: {', '.join(counts)}")
        self._say("", f"{report['bytes_kept']} bytes of payload kept, {report['bytes_zeroed']} bytes zeroed")

    def _show_proof(self, proof: dict[str, Any]) -> None:
        ledger, scan, counts = proof["ledger"], proof["scan"], proof["interference"]
        self._say("Proof", f"{proof['status']}, by a second reader that shares no code with the rewriter")
        parts = ", ".join(f"{ledger[name]} {word}" for name, word in _LEDGER.items())
        self._say("", f"each of {ledger['sizeBytes']} bytes: {parts}")
        searched = scan["addressesIpv4"] + scan["addressesIpv6"] + scan["addressesMac"]
        hits = dict.fromkeys(_LEAKS, 0) | {finding["place"]: 0 for finding in scan["findings"]}
        for finding in scan["findings"]:
            hits[finding["place"]] += finding["hits"]
        left = ", ".join(f"{hits[place]} {word}" for place, word in _LEAKS.items())
        self._say("", f"{searched} original addresses searched for everywhere: {left}")
        sums = f"{counts['checksumsGood']} right, {counts['checksumsBad']} wrong"
        self._say("", f"checksums before: {sums}; changed state since: {counts['checksumStatesChanged']}")


_LEDGER = {
    "structural": "structural",
    "rewritten": "rewritten",
    "zeroed": "zeroed",
    "opaque": "payload kept",
    "keptByRule": "addresses kept",
    "unknown": "unknown",
}
_LEAKS = {"PAYLOAD": "left in payload, which was kept", "UNEXPLAINED": "elsewhere"}


def _bar_columns() -> list[ProgressColumn]:
    texts = ("{task.fields[packets]} packets", "{task.completed}/{task.total} bytes")
    counted = [TextColumn(text, markup=False) for text in texts]
    return [TextColumn("Job      {task.description}", markup=False), BarColumn(), *counted]


def _place_in_story(edge: dict[str, Any]) -> tuple[bool, str, bool]:
    """Executions in the order of their times, each with what it used first; then what was derived."""
    return edge["kind"] == "DERIVED_FROM", edge["source"]["name"], edge["kind"] != "USED"


def telling_pairs(pairs: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Choose the pairs that show most: unicast addresses that change, two of each kind, routed ones first."""
    chosen: list[dict[str, str]] = []
    for kind in ("IPV4", "IPV6", "MAC"):
        changed = [pair for pair in pairs if pair["kind"] == kind and pair["original"] != pair["replacement"]]
        telling = [pair for pair in changed if not _is_group(pair["original"], kind)]
        telling.sort(key=lambda pair: kind == "IPV6" and ipaddress.ip_address(pair["original"]).is_link_local)
        chosen += telling[:_PAIRS_OF_A_KIND]
    return chosen


def _is_group(address: str, kind: str) -> bool:
    if kind == "MAC":
        return int(address[:2], 16) & 1 == 1
    return ipaddress.ip_address(address).is_multicast


def _sentence(message: str) -> str:
    return message.rstrip(".")


@dataclass(frozen=True, slots=True)
class _Client:
    """A GraphQL client of the smallest kind."""

    http: httpx.AsyncClient
    base_url: str

    async def await_start(self, until: "asyncio.Task[Any]") -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if until.done():
                raise SetupError(advice="The server ended while it was starting; its log says why")
            with contextlib.suppress(httpx.TransportError):
                if (await self.http.get("/healthz")).is_success:
                    return
            await asyncio.sleep(0.05)
        raise SetupError(advice="The server did not start in time; its log says why")

    async def ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        response = await self.http.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        if body.get("errors"):
            raise SetupError(advice=f"The server refused a query: {_sentence(body['errors'][0]['message'])}")
        data: dict[str, Any] = body["data"]
        return data

    async def mutate(self, query: str, values: dict[str, Any]) -> dict[str, Any]:
        payload: dict[str, Any] = next(iter((await self.ask(query, {"input": values})).values()))
        if payload["errors"]:
            error = payload["errors"][0]
            raise SetupError(advice=f"{error['code']}: {_sentence(error['message'])}")
        return payload

    async def send(self, url: str, body: bytes) -> None:
        """Send the bytes by tus, in chunks, as a browser would over a bad line."""
        for offset in range(0, len(body), _CHUNK_BYTES):
            response = await self.http.patch(
                urljoin(self.base_url, url),
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
        url = self.base_url.replace("http", "ws", 1) + "/graphql"
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

    async def await_trace(self, job_id: str) -> dict[str, Any]:
        """Wait for the job's end and return the trace that it made."""
        async for event in self.listen(_COMPLETED, {"job": job_id}):
            completion = event["jobCompleted"]
            if completion["error"]:
                error = completion["error"]
                told = f"{error['code']}: {_sentence(error['message'])}"
                raise SetupError(advice=f"The job ended {completion['state']}, {told}")
            trace: dict[str, Any] = completion["outputTrace"]
            return trace
        raise SetupError(advice="The subscription ended before the job did")

    async def download(self, url: str) -> bytes:
        response = await self.http.get(urljoin(self.base_url, url))
        response.raise_for_status()
        return response.content
