"""The door for bytes that come in: tus 1.0."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gql_server.api.authentication import actor_of
from gql_server.api.ids import GlobalId
from gql_server.api.replies import GUARDED, failure, refusal
from gql_server.api.tus_headers import (
    CHUNK_TYPE,
    EXTENSIONS,
    VERSION,
    Metadata,
    read_checksum,
    read_number,
    write_metadata,
    write_time,
)
from gql_server.domain.access import Actor
from gql_server.domain.errors import NotFound, OffsetMismatch, UploadClosed
from gql_server.domain.ids import FlowId, UploadId
from gql_server.domain.uploads import Upload, UploadState
from gql_server.services import uploads as services
from gql_server.services.resources import Resources

SILENCE_SECONDS = 60.0
UNNAMED = "capture"
GONE = frozenset({UploadState.ABORTED, UploadState.EXPIRED})


class BodyStalled(Exception):
    """Nothing came for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TusDoor:
    """Takes uploads. Bodies are streamed to the service and never held."""

    resources: Resources
    upload_bytes: int
    public_url: str

    def routes(self, middleware: Sequence[Middleware]) -> list[BaseRoute]:
        """Return the routes."""
        methods = ["OPTIONS", "HEAD", "POST", "PATCH", "DELETE"]
        return [
            Route("/uploads", self._at_collection, methods=methods, middleware=middleware),
            Route("/uploads/{upload_id}", self._at_upload, methods=methods, middleware=middleware),
        ]

    async def _at_collection(self, request: Request) -> Response:
        match method_of(request):
            case "OPTIONS":
                return self._options()
            case "POST":
                return await self._guarded(request, self._create)
            case _:
                return self._not_allowed("OPTIONS, POST")

    async def _at_upload(self, request: Request) -> Response:
        match method_of(request):
            case "OPTIONS":
                return self._options()
            case "HEAD":
                return await self._guarded(request, self._head)
            case "PATCH":
                return await self._guarded(request, self._append)
            case "DELETE":
                return await self._guarded(request, self._abort)
            case _:
                return self._not_allowed("OPTIONS, HEAD, PATCH, DELETE")

    async def _guarded(self, request: Request, answer: Callable[[Request, Actor], Awaitable[Response]]) -> Response:
        headers = {"Tus-Resumable": VERSION}
        if request.headers.get("tus-resumable") != VERSION:
            headers["Tus-Version"] = VERSION
            return refusal(412, "TUS_VERSION", f"This server speaks tus {VERSION}.", headers=headers)
        try:
            return await answer(request, actor_of(request))
        except BodyStalled:
            return refusal(408, "BODY_STALLED", "Nothing came for too long; resume where HEAD says.", headers=headers)
        except ClientDisconnect:
            return refusal(400, "BODY_BROKE_OFF", "The body broke off.", headers=headers)
        except OffsetMismatch as error:
            return failure(error, headers={**headers, "Upload-Offset": str(error.offset)})
        except Exception as error:  # noqa: BLE001  # whatever is not expected is masked, not lost
            return failure(error, headers=headers)

    def _options(self) -> Response:
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(self.upload_bytes),
            "Tus-Checksum-Algorithm": "sha256",
        }
        return _empty(204, headers)

    def _not_allowed(self, allowed: str) -> Response:
        headers = {"Tus-Resumable": VERSION, "Allow": allowed}
        return refusal(405, "METHOD_NOT_ALLOWED", "This is not done here.", headers=headers)

    async def _create(self, request: Request, actor: Actor) -> Response:
        carries_bytes = request.headers.get("content-type") is not None
        if carries_bytes and request.headers["content-type"] != CHUNK_TYPE:
            return _wrong_type()
        length = read_number(request.headers, "upload-length")
        checksum = read_checksum(request.headers)
        metadata = Metadata.of(request.headers.get("upload-metadata"))
        upload = await services.create_upload(
            self.resources,
            actor,
            flow_id=None if metadata.flow is None else FlowId(GlobalId.decode(metadata.flow).of("Flow")),
            name=metadata.filename or UNNAMED,
            length_bytes=length,
            declared_sha256=None if metadata.sha256 is None else metadata.sha256.lower(),
            idempotency_key=request.headers.get("idempotency-key"),
        )
        offset = upload.offset_bytes
        # Sent a second time with the same key, the upload may have moved on: the client goes on from its offset.
        if carries_bytes and offset == 0:
            offset = await services.append_chunk(
                self.resources, actor, upload_id=upload.id, offset=0, body=pieces_of(request), checksum=checksum
            )
        headers = {
            "Location": f"{self.public_url}/uploads/{upload.id}",
            "Upload-Offset": str(offset),
            "Upload-Expires": write_time(upload.expires_at),
            # For finishUpload: tus itself knows no id but the URL.
            "Upload-Id": GlobalId("Upload", upload.id).encode(),
        }
        return _empty(201, headers)

    async def _head(self, request: Request, actor: Actor) -> Response:
        upload = await self._find(request, actor)
        if upload.state in GONE:
            return _gone(upload)
        headers = {
            "Upload-Offset": str(upload.offset_bytes),
            "Upload-Length": str(upload.length_bytes),
            "Upload-Metadata": write_metadata(upload.name),
            "Upload-Expires": write_time(upload.expires_at),
        }
        return _empty(200, headers)

    async def _append(self, request: Request, actor: Actor) -> Response:
        if request.headers.get("content-type") != CHUNK_TYPE:
            return _wrong_type()
        offset = read_number(request.headers, "upload-offset")
        checksum = read_checksum(request.headers)
        # Found first: whether somebody else's upload is busy is nobody's business.
        upload = await self._find(request, actor)
        if upload.state in GONE:
            return _gone(upload)
        reached = await services.append_chunk(
            self.resources, actor, upload_id=upload.id, offset=offset, body=pieces_of(request), checksum=checksum
        )
        moved = await services.find_upload(self.resources, actor, upload.id)
        return _empty(204, {"Upload-Offset": str(reached), "Upload-Expires": write_time(moved.expires_at)})

    async def _abort(self, request: Request, actor: Actor) -> Response:
        upload = await self._find(request, actor)
        await services.abort_upload(self.resources, actor, upload_id=upload.id)
        return _empty(204, {})

    async def _find(self, request: Request, actor: Actor) -> Upload:
        try:
            upload_id = UploadId(UUID(request.path_params["upload_id"]))
        except ValueError as error:
            raise NotFound(noun="upload") from error
        return await services.find_upload(self.resources, actor, upload_id)


def method_of(request: Request) -> str:
    """Return the method that is meant: tus lets a POST say another, for clients that cannot send it."""
    if request.method == "POST":
        return request.headers.get("x-http-method-override", "POST").upper()
    return request.method


async def pieces_of(request: Request, seconds: float = SILENCE_SECONDS) -> AsyncIterator[bytes]:
    """Yield the body piece by piece.

    Raises:
        BodyStalled: nothing came for too long.
        ClientDisconnect: the client is gone.
    """
    body = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(seconds):
                piece = await anext(body)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise BodyStalled from error
        if piece:
            yield piece


def _wrong_type() -> Response:
    headers = {"Tus-Resumable": VERSION, "Accept": CHUNK_TYPE}
    return refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Send {CHUNK_TYPE}.", headers=headers)


def _gone(upload: Upload) -> Response:
    error = UploadClosed(state=upload.state.value)
    return refusal(410, error.code.value, str(error), facts=error.facts(), headers={"Tus-Resumable": VERSION})


def _empty(status: int, headers: dict[str, str]) -> Response:
    return Response(
        status_code=status, headers={**GUARDED, "Tus-Resumable": VERSION, "Cache-Control": "no-store", **headers}
    )
