"""GraphQL through the ASGI application, without a socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, MutableMapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp

HOST = "testserver"
PATIENCE_SECONDS = 20

Message = MutableMapping[str, Any]


@asynccontextmanager
async def http(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Speak HTTP with the application."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        yield client


async def execute(app: ASGIApp, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Execute one operation; the whole response body comes back."""
    async with http(app) as client:
        response = await client.post("/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = response.json()
    return body


async def data(app: ASGIApp, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Execute one operation that must not have errors."""
    body = await execute(app, query, variables)
    assert "errors" not in body, body["errors"]
    answered: dict[str, Any] = body["data"]
    return answered


@dataclass
class Conversation:
    """One ASGI connection: what is sent to the application, and what it says."""

    to_app: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    from_app: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    async def hear(self) -> Message:
        """Wait for the application's next message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.from_app.get()


@asynccontextmanager
async def converse(app: ASGIApp, scope: Message) -> AsyncIterator[Conversation]:
    """Run the application on one connection, and hang up at the end."""
    conversation = Conversation()

    async def say(message: Message) -> None:
        await conversation.from_app.put(message)

    task = asyncio.ensure_future(app(scope, conversation.to_app.get, say))
    try:
        yield conversation
    finally:
        kind = "http.disconnect" if scope["type"] == "http" else "websocket.disconnect"
        await conversation.to_app.put({"type": kind, "code": 1001})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(task, PATIENCE_SECONDS)


def scope_of(kind: str, headers: Mapping[str, str], path: str = "/graphql") -> Message:
    """Return what a server says of a connection."""
    lines = [(name.lower().encode(), value.encode()) for name, value in {"host": HOST, **headers}.items()]
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": lines,
        "server": (HOST, 80),
        "client": ("127.0.0.1", 1),
        "extensions": {},
    }


@dataclass
class Socket:
    """A WebSocket that speaks graphql-transport-ws."""

    conversation: Conversation

    async def send(self, message: object) -> None:
        """Send one message, or any text."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self.conversation.to_app.put({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        """Wait for the next message; the end of the connection is one too."""
        message = await self.conversation.hear()
        if message["type"] == "websocket.close":
            return {"type": "closed", "code": message["code"], "reason": message.get("reason")}
        heard: dict[str, Any] = json.loads(message["text"])
        return heard

    async def begin(self) -> None:
        """Greet."""
        await self.send({"type": "connection_init"})
        assert (await self.hear())["type"] == "connection_ack"

    async def subscribe(self, id_: str, query: str, variables: Mapping[str, object] | None = None) -> None:
        """Start an operation."""
        await self.send({"id": id_, "type": "subscribe", "payload": {"query": query, "variables": variables}})


@asynccontextmanager
async def connect(
    app: ASGIApp, *, protocol: str = "graphql-transport-ws", headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """Open a WebSocket; it may be refused, which the first `hear` tells."""
    scope = {**scope_of("websocket", headers or {}), "subprotocols": [protocol]}
    async with converse(app, scope) as conversation:
        await conversation.to_app.put({"type": "websocket.connect"})
        first = await conversation.hear()
        if first["type"] != "websocket.accept":
            await conversation.from_app.put(first)
        yield Socket(conversation)


async def subscribe(
    app: ASGIApp, query: str, variables: Mapping[str, object] | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the results of a subscription over graphql-transport-ws."""
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("1", query, variables)
        while (message := await socket.hear())["type"] == "next":
            yield message["payload"]
        if message["type"] == "error":
            yield {"errors": message["payload"]}


@asynccontextmanager
async def post(
    app: ASGIApp, body: object, headers: Mapping[str, str]
) -> AsyncIterator[tuple[int, dict[str, str], AsyncGenerator[str, None]]]:
    """Post to GraphQL and read the answer as it comes: status, headers, pieces of text."""
    content = json.dumps(body).encode()
    scope = {**scope_of("http", {"content-type": "application/json", **headers}), "method": "POST"}
    async with converse(app, scope) as conversation:
        await conversation.to_app.put({"type": "http.request", "body": content, "more_body": False})
        start = await conversation.hear()
        seen = {name.decode(): value.decode() for name, value in start["headers"]}

        async def pieces() -> AsyncGenerator[str, None]:
            while True:
                message = await conversation.hear()
                yield message.get("body", b"").decode()
                if not message.get("more_body"):
                    return

        async with aclosing(pieces()) as read:
            yield start["status"], seen, read
