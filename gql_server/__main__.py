"""The command line: options, and what goes wrong in a line."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gql_server import __version__
from gql_server.deidentify.choices import add_options
from gql_server.deidentify.command import run_deidentify
from gql_server.domain.error_codes import ErrorCode
from gql_server.domain.errors import GqlServerError, JobCancelled
from gql_server.logs import configure_logging
from gql_server.settings import Settings

_DESCRIPTION = """\
The server that network captures go through before they leave the building.

  gql-server demo      start it and watch its main job run on a capture that ships with it
  gql-server serve     start it: GraphiQL at http://127.0.0.1:8000/, GraphQL at /graphql
  gql-server worker    work beside other servers on the same database and data directory
  gql-server deidentify IN OUT --addresses --dicom
                       replace the addresses of one capture and de-identify its DICOM, without a server

Settings are GQL_SERVER_... in the environment; the README lists them all."""
_DEIDENTIFY = "deidentify"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 refused with a line that says what to do, 2 misused."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        configure_logging(as_json=_as_json(settings), level=settings.log_level)
        return _run(settings, options)
    except GqlServerError as error:
        return _complain(options, error.code, " ".join([str(error), *getattr(error, "__notes__", ())]))
    except ValueError as error:
        return _complain(options, ErrorCode.SETUP, str(error))
    except OSError as error:
        return _complain(options, ErrorCode.INTERNAL, f"{error.strerror or type(error).__name__}")
    except Exception as error:
        if options.command != _DEIDENTIFY:
            raise
        # The text of an unforeseen error may hold anything.
        return _complain(options, ErrorCode.INTERNAL, type(error).__name__)
    except KeyboardInterrupt:
        if options.command == _DEIDENTIFY:
            _complain(options, JobCancelled.code, str(JobCancelled()))
        return 130


def _run(settings: Settings, options: argparse.Namespace) -> int:
    if options.command == _DEIDENTIFY:
        return run_deidentify(settings, options)
    # All that is imported stays, so there is nothing to collect.
    gc.disable()
    # The server's parts take over a second to import, which scripts need not wait for.
    from gql_server.commands import COMMANDS  # noqa: PLC0415  # see above

    gc.enable()
    return COMMANDS[options.command](settings, options)


def _complain(options: argparse.Namespace, code: ErrorCode, sentence: str) -> int:
    """Say in one line what is wrong; scripts are told the code."""
    sys.stderr.write(f"{code if options.command == _DEIDENTIFY else 'gql-server'}: {sentence}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gql-server", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"gql-server {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    serve = commands.add_parser("serve", help="start the server, with a worker inside")
    _add_place(serve)
    serve.add_argument("--no-worker", action="store_true", help="leave the jobs to `gql-server worker`")

    worker = commands.add_parser("worker", help="work on jobs, without a web server")
    worker.add_argument("--slots", type=int, metavar="N", help="jobs at a time (GQL_SERVER_WORKER_SLOTS)")
    worker.add_argument("--data-directory", type=Path, metavar="DIR", help="GQL_SERVER_DATA_DIRECTORY")

    upgrade = commands.add_parser("migrate", help="bring an external database's tables to this version")
    upgrade.add_argument("--down", action="store_true", help="take all tables away again, with everything in them")

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

    add_options(commands.add_parser(_DEIDENTIFY, help="de-identify one capture, without a server"))
    commands.add_parser("export-schema", help="print the GraphQL schema")
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


if __name__ == "__main__":
    sys.exit(main())
