"""GraphiQL: its page, from our own files."""

import re
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from gql_server.api.graphiql_files import CONTENT_SECURITY_POLICY
from gql_server.api.routes import build_routes
from gql_server.domain.access import Actor
from gql_server.services.resources import Resources
from tests.api.conftest import OPTIONS
from tests.graphql_client import http


async def test_the_page_comes_with_all_that_it_asks_for(app: Starlette) -> None:
    async with http(app) as client:
        page = await client.get("/graphiql/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        wanted = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert len(wanted) >= 5
        for url in wanted:
            file = await client.get(url)
            assert (file.status_code, file.headers["x-content-type-options"]) == (200, "nosniff")
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.parametrize("path", ["/", "/graphiql"])
async def test_a_browser_is_led_to_the_page(app: Starlette, path: str) -> None:
    async with http(app) as client:
        response = await client.get(path)
    assert (response.status_code, response.headers["location"]) == (307, "/graphiql/")


@pytest.mark.parametrize("name", ["nothing.js", "..%2f__init__.py", "%00"])
async def test_other_files_are_not_served(app: Starlette, name: str) -> None:
    async with http(app) as client:
        assert (await client.get(f"/graphiql/{name}")).status_code == 404


async def test_the_page_can_be_left_out(resources: Resources) -> None:
    async def authenticate(_: HTTPConnection) -> Actor | None:
        return None

    app = Starlette(routes=build_routes(resources, authenticate, replace(OPTIONS, graphiql=False)))
    async with http(app) as client:
        assert (await client.get("/graphiql/")).status_code == 404
