"""Commands that run the server: what keeps one from starting is named."""

import argparse
import socket

import pytest

from gql_server.commands import COMMANDS
from gql_server.domain.errors import SetupError
from gql_server.settings import Settings


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {port} is taken: end who has it, or choose another with --port"):
            COMMANDS["serve"](Settings(port=port), argparse.Namespace(no_worker=True))


def test_a_migration_without_a_database_says_what_to_set() -> None:
    with pytest.raises(SetupError, match="GQL_SERVER_OWNER_DATABASE_URL"):
        COMMANDS["migrate"](Settings(), argparse.Namespace(down=False))


def test_a_server_that_others_could_reach_is_refused() -> None:
    for name in ("serve", "demo"):
        with pytest.raises(SetupError, match="loopback"):
            COMMANDS[name](Settings(host="0.0.0.0"), argparse.Namespace(no_worker=True, port=None))
