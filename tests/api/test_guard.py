"""The guard: hosts and origins."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from gql_server.api.guard import Guard, host_of
from tests.graphql_client import http


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("localhost:8000", "localhost"),
        ("LocalHost", "localhost"),
        ("[::1]:8000", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
    ],
)
def test_the_host_of_a_header(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("[::1]:8000", 200), ("evil.example", 421), ("localhost.evil.example", 421), ("", 421)],
)
async def test_only_our_own_names_are_answered_to(host: str, status: int) -> None:
    guarded = Guard(PlainTextResponse("in"), hosts=["localhost", "[::1]"], origins=[])
    async with http(guarded) as client:
        assert (await client.get("/", headers={"host": host})).status_code == status


@pytest.mark.parametrize(
    ("origin", "method", "status"),
    [
        (None, "POST", 200),
        ("http://localhost:8000", "POST", 200),
        ("https://app.example", "POST", 200),
        ("http://app.example", "POST", 403),
        ("http://localhost:9000", "PATCH", 403),
        ("http://evil.example", "DELETE", 403),
        ("null", "POST", 403),
        ("http://evil.example", "GET", 200),
    ],
)
async def test_only_our_own_pages_change_anything(origin: str | None, method: str, status: int) -> None:
    guarded = Guard(PlainTextResponse("in"), hosts=["localhost"], origins=["https://app.example/"])
    headers = {"host": "localhost:8000"} | ({} if origin is None else {"origin": origin})
    async with http(guarded) as client:
        assert (await client.request(method, "/", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/graphql"),
        ("POST", "/uploads"),
        ("PATCH", "/uploads/1"),
        ("GET", "/traces/1/capture"),
        ("GET", "/executions/1/artifacts/1"),
        ("GET", "/graphiql/"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    ],
)
async def test_every_door_is_guarded(app: Starlette, method: str, path: str) -> None:
    async with http(app) as client:
        assert (await client.request(method, path, headers={"host": "rebound.example"})).status_code == 421
