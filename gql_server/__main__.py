"""The command line: serve, worker, migrate, demo and schema."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from gql_server import __version__
from gql_server.api.schema import export_schema
from gql_server.app import check_host, create_app, external_urls, open_resources, run_worker
from gql_server.demo import run_demo
from gql_server.domain.errors import GqlServerError, SetupError
from gql_server.logs import configure_logging
from gql_server.settings import Settings
from gql_server.store.database import require_answer
from gql_server.store.migrations import migrate

_DESCRIPTION = """\
The server that network captures go through before they leave the building.

  gql-server demo      start it and watch its main job run on a capture that ships with it
  gql-server serve     start it: GraphiQL at http://127.0.0.1:8000/, GraphQL at /graphql
  gql-server worker    work beside other servers on the same database and data directory

Settings are GQL_SERVER_... in the environment; the README lists them all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 refused with a line that says what to do, 2 misused."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        configure_logging(as_json=_as_json(settings), level=settings.log_level)
        status: int = options.run(settings, options)
    except GqlServerError as error:
        return _complain(str(error))
    except ValueError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"{error.strerror or type(error).__name__}")
    except KeyboardInterrupt:
        return 130
    return status


def _complain(sentence: str) -> int:
    sys.stderr.write(f"gql-server: {sentence}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gql-server", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"gql-server {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="start the server, with a worker inside")
    _add_place(serve)
    serve.add_argument("--no-worker", action="store_true", help="leave the jobs to `gql-server worker`")
    serve.set_defaults(run=_serve)

    worker = commands.add_parser("worker", help="work on jobs, without a web server")
    worker.add_argument("--slots", type=int, metavar="N", help="jobs at a time (GQL_SERVER_WORKER_SLOTS)")
    worker.add_argument("--data-directory", type=Path, metavar="DIR", help="GQL_SERVER_DATA_DIRECTORY")
    worker.set_defaults(run=_work)

    upgrade = commands.add_parser("migrate", help="bring an external database's tables to this version")
    upgrade.add_argument("--down", action="store_true", help="take all tables away again, with everything in them")
    upgrade.set_defaults(run=_migrate)

    demo = commands.add_parser("demo", help="start the server and run its main job on a capture that ships with it")
    _add_place(demo)
    demo.add_argument("--exit", action="store_true", help="end the server when the job is done")
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("hospital-deidentified.pcap"),
        metavar="FILE",
        help="where to save the result",
    )
    demo.set_defaults(run=_demo)

    schema = commands.add_parser("export-schema", help="print the GraphQL schema")
    schema.set_defaults(run=_export_schema)
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="ADDRESS", help="loopback address to listen on (GQL_SERVER_HOST)")
    parser.add_argument("--port", type=int, metavar="N", help="port to listen on (GQL_SERVER_PORT)")
    parser.add_argument("--data-directory", type=Path, metavar="DIR", help="GQL_SERVER_DATA_DIRECTORY")


def _settings(options: argparse.Namespace) -> Settings:
    settings = Settings.from_environment(os.environ)
    if (directory := getattr(options, "data_directory", None)) is not None:
        settings = replace(settings, data_directory=directory.expanduser().absolute())
    if getattr(options, "host", None):
        settings = replace(settings, host=options.host)
    if getattr(options, "port", None) is not None:
        settings = replace(settings, port=options.port)
    return settings


def _as_json(settings: Settings) -> bool:
    return settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())


def _server(app: Starlette, settings: Settings) -> uvicorn.Server:
    return uvicorn.Server(
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

    configure_logging(as_json=_as_json(settings), level="WARNING")
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


if __name__ == "__main__":
    sys.exit(main())
