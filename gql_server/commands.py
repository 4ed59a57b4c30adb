"""Commands that run the server, or a part of it."""

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

import uvicorn
from starlette.applications import Starlette

from gql_server.api.schema import export_schema
from gql_server.app import check_host, create_app, external_urls, open_resources, run_worker
from gql_server.demo import run_demo
from gql_server.domain.errors import SetupError
from gql_server.settings import Settings
from gql_server.store.database import require_answer
from gql_server.store.migrations import migrate


class _Server(uvicorn.Server):
    """Answers only after what was built at start is out of the collector's way."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and settle what stays."""
        await super().startup(sockets)
        _settle_memory()


def _settle_memory() -> None:
    """Have collections go through what is made from now on: all of the rest takes 0.1 s, and nobody is answered."""
    gc.collect()
    gc.freeze()


def _server(app: Starlette, settings: Settings) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # A subscription outlives any grace: clients resume with their cursor.
            timeout_graceful_shutdown=2,
            limit_concurrency=1000,
            ws_max_size=64 << 10,
            ws_max_queue=8,
            ws_per_message_deflate=False,
        )
    )


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    check_host(settings.host)
    _require_port(settings)
    url = _base_url(settings)
    sys.stderr.write(f"gql-server: GraphQL at {url}/graphql, GraphiQL at {url}/ (data in {settings.directory})\n")
    app = create_app(settings, with_worker=not options.no_worker)
    server = _server(app, settings)
    with contextlib.suppress(SystemExit):
        server.run()
    if app.state.failure is not None:
        raise app.state.failure
    return 0 if server.started else 1


def _work(settings: Settings, options: argparse.Namespace) -> int:
    async def work() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        async with (
            open_resources(settings) as resources,
            run_worker(resources, slots=options.slots or settings.worker_slots),
        ):
            _settle_memory()
            await ended.wait()

    asyncio.run(work())
    return 0


def _migrate(settings: Settings, options: argparse.Namespace) -> int:
    if settings.database_url is None or settings.owner_database_url is None:
        raise SetupError(
            advice="Set GQL_SERVER_DATABASE_URL, GQL_SERVER_OWNER_DATABASE_URL and GQL_SERVER_SYSTEM_DATABASE_URL;"
            " the embedded database migrates itself"
        )

    async def bring() -> None:
        urls = external_urls(settings)
        await require_answer("GQL_SERVER_OWNER_DATABASE_URL", urls.owner)
        await migrate(urls, revision="base" if options.down else "head")

    asyncio.run(bring())
    return 0


def _demo(settings: Settings, options: argparse.Namespace) -> int:
    check_host(settings.host)
    settings = replace(settings, port=settings.port if options.port else _free_port(settings))
    app = create_app(settings)

    async def run() -> None:
        server = _server(app, settings)
        serving = asyncio.create_task(_serve_until_ended(server))
        try:
            await run_demo(_base_url(settings), options.output, until=serving)
            if not options.exit:
                sys.stdout.write("\nThe server stays up to be tried; Ctrl-C ends it.\n")
                sys.stdout.flush()
                await asyncio.wait({serving})
        finally:
            server.should_exit = True
            await serving
            if app.state.failure is not None:
                raise app.state.failure

    logging.getLogger().setLevel(logging.WARNING)
    asyncio.run(run())
    return 0


async def _serve_until_ended(server: uvicorn.Server) -> None:
    with contextlib.suppress(SystemExit):
        await server.serve()


def _export_schema(_: Settings, __: argparse.Namespace) -> int:
    sys.stdout.write(export_schema())
    return 0


def _base_url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _require_port(settings: Settings) -> None:
    if not _is_free(settings.host, settings.port):
        raise SetupError(advice=f"Port {settings.port} is taken: end who has it, or choose another with --port")


def _free_port(settings: Settings) -> int:
    return next((port for port in range(settings.port, settings.port + 50) if _is_free(settings.host, port)), 0)


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "serve": _serve,
    "worker": _work,
    "migrate": _migrate,
    "demo": _demo,
    "export-schema": _export_schema,
}
"""By name, each returns the exit status."""
