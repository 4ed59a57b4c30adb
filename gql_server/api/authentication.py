"""Authentication: who stands at the door."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.api.guard import POLICY_VIOLATION
from gql_server.api.replies import refusal
from gql_server.domain.access import Actor

Authenticate: TypeAlias = Callable[[HTTPConnection], Awaitable[Actor | None]]

ACTOR = "gql_server.actor"


def actor_of(connection: HTTPConnection) -> Actor:
    """Return who asks; only behind `Authenticated`."""
    actor = connection.scope[ACTOR]
    assert isinstance(actor, Actor)
    return actor


class Authenticated:
    """Lets only known actors in, before anything of the request is read."""

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate) -> None:
        self._app = app
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its actor, or refuse it."""
        actor = await self._authenticate(HTTPConnection(scope))
        if actor is not None:
            await self._app({**scope, ACTOR: actor}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        else:
            reply = refusal(401, "UNAUTHENTICATED", "Who are you?", headers={"WWW-Authenticate": "Bearer"})
            await reply(scope, receive, send)
