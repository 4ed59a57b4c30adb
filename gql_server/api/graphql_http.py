"""GraphQL over HTTP: negotiation, status codes and streams."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

import orjson
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType as AllowedType

from gql_server.api.authentication import actor_of
from gql_server.api.context import Context
from gql_server.api.limits import MAX_TOKENS
from gql_server.api.masking import MaskedSchema, report
from gql_server.api.replies import GUARDED
from gql_server.domain.error_codes import ErrorCode
from gql_server.services.resources import Resources

MAX_BODY_BYTES = 256 * 1024
HEARTBEAT_SECONDS = 12.0
OPERATION_SECONDS = 60.0

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"

ONE_RESULT = (AllowedType.QUERY, AllowedType.MUTATION)


class Refused(Exception):
    """The request cannot be answered as it is."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the client can read: the form of one result that it likes best, and whether streams."""

    one: str | None
    stream: bool

    @classmethod
    def of(cls, header: str | None) -> Self:
        """Read an Accept header; without one, anything goes."""
        if not header:
            return cls(one=JSON, stream=False)
        best, best_quality, stream = None, 0.0, False
        for part in header.split(","):
            media, *parameters = (piece.strip().lower() for piece in part.split(";"))
            quality = _quality(parameters)
            stream = stream or (media == EVENT_STREAM and quality > 0)
            one = JSON if media in ("*/*", "application/*") else media
            if one in (JSON, GRAPHQL_JSON) and quality > best_quality:
                best, best_quality = one, quality
        return cls(one=best, stream=stream)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            with contextlib.suppress(ValueError):
                return float(value)
            return 0.0
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the client sent."""

    query: str
    variables: dict[str, Any] | None
    name: str | None

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Read a request's body.

        Raises:
            Refused: it is not one well-formed GraphQL request in JSON.
        """
        try:
            request = orjson.loads(body)
        except json.JSONDecodeError as error:
            raise Refused(400, "INVALID_REQUEST", "The body is not JSON.") from error
        if not isinstance(request, dict):
            raise Refused(400, "INVALID_REQUEST", "One request at a time: the body must be a JSON object.")
        query, variables, name = request.get("query"), request.get("variables"), request.get("operationName")
        if not isinstance(query, str) or not query:
            raise Refused(400, "INVALID_REQUEST", "`query` must be a string.")
        if not isinstance(variables, dict | None):
            raise Refused(400, "INVALID_REQUEST", "`variables` must be an object.")
        if not isinstance(name, str | None):
            raise Refused(400, "INVALID_REQUEST", "`operationName` must be a string.")
        if not isinstance(request.get("extensions"), dict | None):
            raise Refused(400, "INVALID_REQUEST", "`extensions` must be an object.")
        return cls(query=query, variables=variables, name=name or None)

    @property
    def is_subscription(self) -> bool:
        """Whether it asks for a stream; a document that cannot be read does not."""
        try:
            document = parse(self.query, max_tokens=MAX_TOKENS, no_location=True)
        except (GraphQLError, RecursionError):
            return False
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        if self.name is not None:
            operations = [each for each in operations if each.name is not None and each.name.value == self.name]
        return len(operations) > 0 and operations[0].operation is OperationType.SUBSCRIPTION


class GraphQLOverHttp:
    """The endpoint: POST and JSON only, one request at a time, streams for subscriptions alone."""

    def __init__(self, schema: MaskedSchema, resources: Resources) -> None:
        self._schema = schema
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        accepted = Accepted.of(request.headers.get("accept"))
        try:
            response = await self._answer(request, accepted)
        except Refused as refused:
            response = self._refusal(refused, accepted)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # whatever is not expected is masked, not lost
            response = _json(_fault(error), 500, accepted.one or JSON)
        await response(scope, receive, send)

    async def _answer(self, request: Request, accepted: Accepted) -> Response:
        if request.method != "POST":
            raise Refused(405, "METHOD_NOT_ALLOWED", "GraphQL is answered to POST alone.", {"Allow": "POST"})
        if accepted.one is None and not accepted.stream:
            forms = f"{GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}"
            raise Refused(406, "NOT_ACCEPTABLE", f"There is an answer in {forms}.")
        _check_content_type(request.headers.get("content-type", ""))
        operation = Operation.of(await read_body(request))
        context = Context.of(self._resources, actor_of(request))
        if accepted.one is None or (accepted.stream and operation.is_subscription):
            return self._stream(operation, context)
        return await self._execute(operation, context, accepted.one)

    async def _execute(self, operation: Operation, context: Context, media: str) -> Response:
        try:
            async with asyncio.timeout(OPERATION_SECONDS):
                result = await self._schema.execute(
                    operation.query,
                    variable_values=operation.variables,
                    context_value=context,
                    operation_name=operation.name,
                    allowed_operation_types=ONE_RESULT,
                )
        except TimeoutError as error:
            raise Refused(503, "TIMEOUT", "This takes too long; ask for less at a time.") from error
        except InvalidOperationTypeError as error:
            message = f"A subscription is answered as {EVENT_STREAM} or over graphql-transport-ws."
            raise Refused(406, "NOT_ACCEPTABLE", message) from error
        except CannotGetOperationTypeError as error:
            raise Refused(
                400, "INVALID_OPERATION", "`operationName` must name one operation of the document."
            ) from error
        return self._reply(shown(result), media)

    def _reply(self, body: dict[str, object], media: str) -> Response:
        # Without `data` nothing was executed. Older clients, who read application/json, expect 200 even so.
        status = 400 if media == GRAPHQL_JSON and "data" not in body else 200
        return _json(body, status, media)

    def _refusal(self, refused: Refused, accepted: Accepted) -> Response:
        body: dict[str, object] = {"errors": [{"message": refused.message, "extensions": {"code": refused.code}}]}
        return _json(body, refused.status, accepted.one or JSON, refused.headers)

    def _stream(self, operation: Operation, context: Context) -> Response:
        headers = {
            **GUARDED,
            "Cache-Control": "no-cache, no-store, no-transform",
            # Keeps nginx from holding events back.
            "X-Accel-Buffering": "no",
        }
        return StreamingResponse(self._events(operation, context), media_type=EVENT_STREAM, headers=headers)

    async def _events(self, operation: Operation, context: Context) -> AsyncGenerator[bytes, None]:
        results = await self._schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.name,
        )
        yield b":\n\n"
        try:
            async for result in with_heartbeats(cast("AsyncGenerator[ExecutionResult, None]", results)):
                yield b":\n\n" if result is None else b"event: next\ndata: " + orjson.dumps(shown(result)) + b"\n\n"
        except Exception as error:  # noqa: BLE001  # the status is sent: a last event is all that is left to say it with
            yield b"event: next\ndata: " + orjson.dumps(_fault(error)) + b"\n\n"
        yield b"event: complete\ndata: \n\n"


def _fault(error: Exception) -> dict[str, object]:
    extensions = {"code": ErrorCode.INTERNAL.value, "errorId": report(error, "")}
    return {"errors": [{"message": "The server could not do this.", "extensions": extensions}]}


def _json(body: dict[str, object], status: int, media: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={
            **GUARDED,
            "Cache-Control": "no-store",
            "Content-Type": f"{media}; charset=utf-8",
            **(headers or {}),
        },
    )


def shown(result: ExecutionResult) -> dict[str, object]:
    """Return a result as it is sent; one that never came to execution has no `data`."""
    body: dict[str, object] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if result.data is not None or not result.errors or any(error.path for error in result.errors):
        body["data"] = result.data
    return body


def _check_content_type(header: str) -> None:
    media, *parameters = (piece.strip().lower() for piece in header.split(";"))
    charsets = [parameter.partition("=")[2].strip('"') for parameter in parameters if parameter.startswith("charset")]
    if media != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"Send {JSON} in UTF-8.", {"Accept": JSON})


async def read_body(request: Request) -> bytes:
    """Read a body of bounded size.

    Raises:
        Refused: it is larger.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise Refused(
                413, "BODY_TOO_LARGE", f"At most {MAX_BODY_BYTES} bytes can be sent.", {"Connection": "close"}
            )
    return bytes(body)


async def with_heartbeats(
    results: AsyncGenerator[ExecutionResult, None], seconds: float = HEARTBEAT_SECONDS
) -> AsyncGenerator[ExecutionResult | None, None]:
    """Yield results, and None whenever there was none for a while."""
    upcoming: asyncio.Task[ExecutionResult] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(results))
            done, _ = await asyncio.wait({upcoming}, timeout=seconds)
            if not done:
                yield None
                continue
            finished, upcoming = upcoming, None
            try:
                result = finished.result()
            except StopAsyncIteration:
                return
            yield result
    finally:
        if upcoming is not None:
            upcoming.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await upcoming
        await results.aclose()
