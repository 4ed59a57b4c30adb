"""Another PostgreSQL: set up as the README says, and shared by workers."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import NewInstallation
from tests.journeys.doors import Installation, free_port
from tests.journeys.external_postgres import ExternalPostgres, statements_of_readme
from tests.journeys.material import hospital, records

APP, OWNER = "GQL_SERVER_DATABASE_URL", "GQL_SERVER_OWNER_DATABASE_URL"


@pytest.fixture(scope="module")
def postgres(open_directory: Path) -> Iterator[ExternalPostgres]:
    with ExternalPostgres(open_directory / "external") as running:
        running.execute(*statements_of_readme())
        yield running


@pytest.fixture(scope="module")
def external(new_installation: NewInstallation, postgres: ExternalPostgres) -> Installation:
    """An installation whose database is another's; its directory is the one that the database knows."""
    installation = new_installation(lease_seconds="3")
    installation.settings |= postgres.settings()
    assert run(installation, "migrate").returncode == 0
    with without_owner(installation).server():
        pass
    return installation


def run(installation: Installation, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gql_server", *arguments],
        env=installation.environment() | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def without_owner(installation: Installation) -> Installation:
    """Return the installation as a server sees it: only `migrate` is told the owner."""
    settings = {name: value for name, value in installation.settings.items() if name != OWNER}
    return Installation(installation.directory, settings)


def refusal(installation: Installation, command: str, **settings: str) -> str:
    """Return the one line with which a command refuses."""
    place = ("--port", str(free_port())) if command == "serve" else ()
    told = run(without_owner(installation), command, *place, **settings)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    lines = [line for line in told.stderr.splitlines() if not (line.startswith("{") or "GraphiQL at" in line)]
    assert len(lines) == 1, told.stderr
    return lines[0]


def test_the_readme_makes_three_roles_none_of_which_is_a_superuser(postgres: ExternalPostgres) -> None:
    assert set(postgres.settings()) == {APP, OWNER, "GQL_SERVER_SYSTEM_DATABASE_URL"}
    roles = {re.findall(r"//(\w+):", url)[0] for url in postgres.settings().values()}
    assert roles == {"gql_owner", "gql_app", "gql_system"}
    assert not [statement for statement in statements_of_readme() if "SUPERUSER" in statement]


def test_two_workers_share_the_main_job_of_a_server_without_one(external: Installation) -> None:
    shared = without_owner(external)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(shared.server("--no-worker"))
        job = server.upload(hospital())["job"]
        assert server.job(job["id"])["state"] == "PENDING"
        first, _ = (stack.enter_context(shared.worker()) for _ in range(2))
        original = str(server.completion(job["id"])["outputTraceId"])
        jobs = [server.start(original) for _ in range(4)]
        outputs = [server.completion(job)["outputTraceId"] for job in jobs]
        assert len(set(outputs)) == len(jobs)
        first.end()
        outputs.append(server.completion(server.start(original))["outputTraceId"])
        for output in outputs:
            assert len(records(server.download(output))) == len(records(hospital()))
        assert server.download(original) == hospital()


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_tables_are_wanted_before_anything_starts(external: Installation, command: str) -> None:
    assert run(external, "migrate", "--down").returncode == 0
    try:
        assert "gql-server migrate" in refusal(external, command)
    finally:
        assert run(external, "migrate").returncode == 0


def test_down_and_up_again_is_a_fresh_start(external: Installation) -> None:
    with without_owner(external).server() as server:
        server.ingest(hospital())
    for arguments in (("migrate", "--down"), ("migrate",), ("migrate",)):
        assert run(external, *arguments).returncode == 0
    with without_owner(external).server() as server:
        assert server.ask("{ traces { totalCount } }")["traces"]["totalCount"] == 0
        server.ingest(hospital())


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_neither_owner_nor_superuser_may_serve(
    external: Installation, postgres: ExternalPostgres, command: str
) -> None:
    postgres.execute("ALTER ROLE gql_app BYPASSRLS")
    try:
        assert "neither superuser nor owner" in refusal(external, command)
    finally:
        postgres.execute("ALTER ROLE gql_app NOBYPASSRLS")
    postgres.execute("ALTER ROLE gql_app SUPERUSER")
    try:
        assert "neither superuser nor owner" in refusal(external, command)
    finally:
        postgres.execute("ALTER ROLE gql_app NOSUPERUSER")
    owner = external.settings[OWNER]
    assert "neither superuser nor owner" in refusal(external, command, **{APP: owner})


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_another_data_directory_is_refused(
    external: Installation, new_installation: NewInstallation, command: str
) -> None:
    stranger = new_installation()
    stranger.settings |= external.settings
    assert "must share one" in refusal(stranger, command)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_does_not_answer_is_one_line(external: Installation, command: str) -> None:
    nowhere = f"postgresql://gql_app@127.0.0.1:{free_port()}/gql_server"
    assert APP in refusal(external, command, **{APP: nowhere})


def test_a_wrong_password_is_one_line_without_it(external: Installation) -> None:
    url = external.settings[APP].replace("made%20up", "guessed")
    line = refusal(external, "serve", **{APP: url})
    assert APP in line
    assert "guessed" not in line
