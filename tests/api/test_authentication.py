"""Authentication: only known actors get in."""

from uuid import UUID

import pytest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from gql_server.api.authentication import Authenticated, actor_of
from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import ClientId, UserId
from tests.graphql_client import http

ACTOR = Actor(client_id=ClientId(UUID(int=1)), user_id=UserId(UUID(int=2)), role=Role.VIEWER)


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(actor_of(Request(scope)).role)(scope, receive, send)


@pytest.mark.parametrize(("token", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("", 401)])
async def test_the_connection_decides(token: str, status: int) -> None:
    async def authenticate(connection: HTTPConnection) -> Actor | None:
        return ACTOR if connection.headers.get("authorization") == "Bearer right" else None

    async with http(Authenticated(who, authenticate=authenticate)) as client:
        response = await client.get("/", headers={"authorization": token})
    assert response.status_code == status
    assert (response.text == "VIEWER") is (status == 200)
    assert response.headers.get("www-authenticate") == (None if status == 200 else "Bearer")


def test_without_the_door_there_is_no_actor() -> None:
    with pytest.raises(KeyError):
        actor_of(HTTPConnection({"type": "http", "headers": []}))
