"""The command line: help worth reading, errors in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gql_server", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    "command", [(), ("serve",), ("worker",), ("migrate",), ("demo",), ("deidentify",), ("export-schema",)]
)
def test_help_says_what_each_command_does(command: tuple[str, ...]) -> None:
    told = _run(*command, "--help")
    assert told.returncode == 0
    assert len(told.stdout.split()) > 8
    if command in {("serve",), ("demo",)}:
        assert "--port" in told.stdout


def test_help_loads_no_kernel() -> None:
    script = "import sys, gql_server.__main__; print('numba' in sys.modules, 'scapy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == ["False", "False"]


def test_help_and_deidentify_do_not_wait_for_the_server_s_parts() -> None:
    script = "import sys, gql_server.__main__; print(*({'strawberry', 'uvicorn', 'sqlalchemy'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == []


def test_nothing_is_collected_among_what_a_server_imports() -> None:
    script = (
        "import gc, gql_server.__main__ as main; before = gc.get_stats()[2]['collections']; "
        "main._run(None, main._parser().parse_args(['export-schema'])); "
        "print('\\n', gc.get_stats()[2]['collections'] - before, gc.isenabled())"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.splitlines()[-1].split() == ["0", "True"]


def test_export_schema_prints_the_schema() -> None:
    assert _run("export-schema").stdout == (ROOT / "schema.graphql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("serve", "--host", "0.0.0.0"), {}, "loopback"),
        (("serve",), {"GQL_SERVER_PORT": "many"}, "GQL_SERVER_PORT"),
        (("serve",), {"GQL_SERVER_TYPO": "1"}, "GQL_SERVER_TYPO"),
        (("migrate",), {}, "GQL_SERVER_OWNER_DATABASE_URL"),
        (("deidentify", "no-such-file", "-", "--addresses"), {}, "INVALID_INPUT: IN: No such file"),
        (("deidentify", "-", "-", "--addresses"), {"GQL_SERVER_PORT": "many"}, "SETUP: GQL_SERVER_PORT"),
        (("serve", "--port", "0", "--data-directory", "/proc/nowhere"), {}, "GQL_SERVER_DATA_DIRECTORY"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    told = _run(*arguments, **environment)
    assert told.returncode == 1
    last = told.stderr.strip().splitlines()[-1]
    assert words in last
    assert "Traceback" not in told.stderr
