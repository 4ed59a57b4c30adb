"""The routes: every door, health, and pages of other origins."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from gql_server.api.routes import build_routes
from gql_server.domain.access import Actor
from gql_server.services.resources import Resources
from tests.api.conftest import OPTIONS, NewApp
from tests.graphql_client import http


async def test_health_is_told_to_anybody(new_app: NewApp) -> None:
    async with http(new_app(None)) as client:
        assert [(await client.get(path)).text for path in ("/healthz", "/readyz")] == ["ok\n"] * 2


async def test_without_its_database_the_server_is_alive_but_not_ready(
    app: Starlette, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ConnectionRefusedError("10.1.2.3")

    monkeypatch.setattr(type(resources.database), "read_across_tenants", broken)
    async with http(app) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "10.1.2.3" not in ready.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/graphql"),
        ("POST", "/uploads"),
        ("HEAD", "/uploads/1"),
        ("GET", "/traces/1/capture"),
        ("GET", "/executions/1/artifacts/a"),
    ],
)
async def test_a_stranger_gets_no_further_than_the_door(new_app: NewApp, method: str, path: str) -> None:
    async with http(new_app(None)) as client:
        assert (await client.request(method, path)).status_code == 401


async def test_pages_of_an_allowed_origin_may_ask_and_read(app: Starlette) -> None:
    asked = {
        "origin": "http://app.example",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "tus-resumable, upload-offset, content-type",
    }
    async with http(app) as client:
        allowed = await client.options("/uploads/1", headers=asked)
        refused = await client.options("/uploads/1", headers={**asked, "origin": "http://evil.example"})
        answer = await client.post(
            "/graphql", json={"query": "{ viewer { role } }"}, headers={"origin": "http://app.example"}
        )
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "http://app.example")
    assert refused.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "http://app.example"
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_public_address_is_one_of_our_own(resources: Resources, actor: Actor) -> None:
    async def authenticate(_: HTTPConnection) -> Actor | None:
        return actor

    options = replace(OPTIONS, public_url="https://captures.example")
    app = Starlette(routes=build_routes(resources, authenticate, options))
    headers = {"host": "captures.example", "origin": "https://captures.example"}
    async with http(app) as client:
        created = await client.post("/uploads", headers={**headers, "tus-resumable": "1.0.0", "upload-length": "1"})
    assert created.status_code == 201
    assert created.headers["location"].startswith("https://captures.example/uploads/")
