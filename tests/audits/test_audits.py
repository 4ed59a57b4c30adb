"""Judges from outside: audits, and the clients of pages.

They need Node and what `npm ci` installs in this directory; without either they step aside.
"""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from gql_server.api.routes import ApiOptions, build_routes
from gql_server.domain.access import Actor
from gql_server.services.resources import Resources

HERE = Path(__file__).parent
NODE = shutil.which("node")
NO_GET = {"5A70", "D6D5", "6A70"}
"""Audits of what a server may do with GET, which this one does not answer."""

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="Node is not installed"),
    pytest.mark.skipif(not (HERE / "node_modules").is_dir(), reason="run `npm ci` in tests/audits first"),
]


@pytest.fixture
async def server(resources: Resources, actor: Actor) -> AsyncIterator[str]:
    """A real server on a loopback port of its own."""

    async def authenticate(_: HTTPConnection) -> Actor | None:
        return actor

    options = ApiOptions(
        public_url=None, allowed_hosts=("127.0.0.1",), allowed_origins=(), upload_bytes=1 << 30, graphiql=False
    )
    app = Starlette(routes=build_routes(resources, authenticate, options))
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio", timeout_keep_alive=1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.ensure_future(running.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        running.should_exit = True
        await task


async def run(script: str, *arguments: str) -> Any:
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE, str(HERE / script), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_every_audit_of_graphql_over_http_passes_but_those_of_get(server: str) -> None:
    results = await run("graphql_http.mjs", f"{server}/graphql")
    assert len(results) == 61
    assert {result["id"]: result["reason"] for result in results if result["status"] != "ok"}.keys() == NO_GET
    assert {result["status"] for result in results} == {"ok", "notice"}


async def test_the_clients_of_pages_get_along(server: str) -> None:
    passed = await run("clients.mjs", server)
    assert len(passed) == 9
