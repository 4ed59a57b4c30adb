"""The door for bytes that go out: downloads."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from uuid import UUID

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gql_server.api.authentication import actor_of
from gql_server.api.replies import GUARDED, failure, refusal
from gql_server.domain.access import Actor
from gql_server.domain.errors import NotFound
from gql_server.domain.ids import ExecutionId, TraceId
from gql_server.services import executions, traces
from gql_server.services.resources import Resources

PIECE_BYTES = 256 * 1024
MEDIA_TYPES = {
    "json": "application/json",
    "pcap": "application/vnd.tcpdump.pcap",
    "pcapng": "application/x-pcapng",
    "txt": "text/plain; charset=utf-8",
}
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Opened(Protocol):
    """A file that was opened for this request."""

    @property
    def file(self) -> BinaryIO:
        """The file, to be closed here."""

    @property
    def size_bytes(self) -> int:
        """Its size."""

    @property
    def file_name(self) -> str:
        """A name of the server's making."""

    @property
    def sha256(self) -> str:
        """Its digest."""


class Unsatisfiable(Exception):
    """The range begins beyond the end."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte of a range and the one after its last; None when the whole file is to be sent.

    Several ranges at once, and what is malformed, are answered with the whole file, as RFC 9110 (14.2) allows.

    Raises:
        Unsatisfiable: the file has no such byte.
    """
    found = ONE_RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.group(0) == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return start, end


class FileResponse(StreamingResponse):
    """Sends a file and closes it, whatever happens."""

    def __init__(self, opened: Opened, *, start: int, end: int, status_code: int, headers: dict[str, str]) -> None:
        super().__init__(_pieces(opened.file, start, end), status_code=status_code, headers=headers)
        self._file = opened.file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.to_thread(self._file.close)


async def _pieces(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    await asyncio.to_thread(file.seek, start)
    left = end - start
    while left > 0:
        piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, left))
        if not piece:
            # The length is promised already: break off rather than end as if this were all.
            raise EOFError
        left -= len(piece)
        yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDoor:
    """Gives files to whoever may read them."""

    resources: Resources

    def routes(self, middleware: Sequence[Middleware]) -> list[BaseRoute]:
        """Return the routes."""
        artifact = "/executions/{execution_id}/artifacts/{name}"
        return [
            Route("/traces/{trace_id}/capture", self._capture, methods=["GET"], middleware=middleware),
            Route(artifact, self._artifact, methods=["GET"], middleware=middleware),
        ]

    async def _capture(self, request: Request) -> Response:
        async def open_it(actor: Actor) -> Opened:
            trace_id = TraceId(_uuid(request.path_params["trace_id"], "trace"))
            return await traces.open_capture(self.resources, actor, trace_id)

        return await self._serve(request, open_it)

    async def _artifact(self, request: Request) -> Response:
        async def open_it(actor: Actor) -> Opened:
            execution_id = ExecutionId(_uuid(request.path_params["execution_id"], "artifact"))
            name = request.path_params["name"]
            return await executions.open_artifact(self.resources, actor, execution_id=execution_id, name=name)

        return await self._serve(request, open_it)

    async def _serve(self, request: Request, open_it: Callable[[Actor], Awaitable[Opened]]) -> Response:
        try:
            opened = await open_it(actor_of(request))
        except Exception as error:  # noqa: BLE001  # whatever is not expected is masked, not lost
            return failure(error)
        response = reply(request, opened)
        if request.method == "HEAD" or not isinstance(response, FileResponse):
            await asyncio.to_thread(opened.file.close)
        return response


def _uuid(text: str, noun: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(noun=noun) from error


def reply(request: Request, opened: Opened) -> Response:
    """Return the answer to a download: all of it, one range, or nothing because it is known already."""
    etag = f'"{opened.sha256}"'
    size = opened.size_bytes
    headers = {
        **GUARDED,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{opened.file_name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Type": MEDIA_TYPES.get(opened.file_name.rpartition(".")[2], "application/octet-stream"),
        "ETag": etag,
    }
    if etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    span = None
    if "range" in request.headers and request.headers.get("if-range", etag) == etag:
        try:
            span = parse_range(request.headers["range"], size)
        except Unsatisfiable:
            outside = {"Content-Range": f"bytes */{size}"}
            return refusal(416, "RANGE_NOT_SATISFIABLE", "The file has no such byte.", headers=outside)
    start, end = span or (0, size)
    headers["Content-Length"] = str(end - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 200 if span is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return FileResponse(opened, start=start, end=end, status_code=status, headers=headers)
