"""The embedded database: who keeps it up, who may use it."""

import asyncio
import os
import pwd
import random
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gql_server.domain.errors import SetupError
from gql_server.store.embedded import SERVER_UID, EmbeddedPostgres
from gql_server.store.postgres_binaries import find_binaries
from tests.store.embedded_users import Playground, is_stopped, ordinary_account, server_pid, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
long_tests = pytest.mark.skipif(os.environ.get("GQL_SERVER_LONG_TESTS") != "1", reason="GQL_SERVER_LONG_TESTS is not 1")


@pytest.fixture
def playground() -> Iterator[Playground]:
    with Playground() as playground:
        yield playground


def run_sql(url: str, *statements: str) -> list[object]:
    async def run() -> list[object]:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            results = [await connection.execute(text(statement)) for statement in statements]
            rows = list(results[-1].scalars()) if results[-1].returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(run())


def test_each_url_leads_to_the_database_as_its_role(playground: Playground) -> None:
    database = EmbeddedPostgres(playground.root)
    urls = database.start()
    try:
        for url, role in ((urls.owner, "gql_owner"), (urls.app, "gql_app"), (urls.system, "gql_system")):
            assert run_sql(url, "SELECT current_user || ' ' || current_database()") == [f"{role} gql_server"]
    finally:
        database.close()


def test_the_port_of_the_environment_does_not_count(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    database = EmbeddedPostgres(playground.root)
    urls = database.start()
    try:
        assert run_sql(urls.app, "SELECT 1") == [1]
    finally:
        database.close()


def test_the_server_stops_when_its_only_user_leaves_and_keeps_what_was_written(playground: Playground) -> None:
    first = playground.user().joined()
    run_sql(first.answer()["owner"], "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    first.leave()
    wait_until(lambda: is_stopped(playground.root))

    second = playground.user().joined()
    assert run_sql(second.answer()["owner"], "SELECT n FROM kept") == [7]


def test_the_server_stops_when_its_only_user_is_killed(playground: Playground) -> None:
    user = playground.user().joined()
    assert not is_stopped(playground.root)
    user.kill()
    wait_until(lambda: is_stopped(playground.root))


def test_a_second_user_keeps_the_server_when_the_first_is_killed(playground: Playground) -> None:
    first, second = playground.user().joined(), playground.user().joined()
    assert first.answer()["server"] == second.answer()["server"]
    first.kill()
    time.sleep(1.0)  # several times what the guard needs to notice
    assert run_sql(second.answer()["app"], "SELECT 1") == [1]
    second.leave()
    wait_until(lambda: is_stopped(playground.root))


def test_one_process_may_join_twice_and_closing_twice_is_harmless(playground: Playground) -> None:
    first, second = EmbeddedPostgres(playground.root), EmbeddedPostgres(playground.root)
    assert first.start() == second.start() == first.start()
    first.close()
    first.close()
    time.sleep(1.0)
    assert not is_stopped(playground.root)
    second.close()
    wait_until(lambda: is_stopped(playground.root))


def test_eight_starters_at_once_share_one_server(playground: Playground) -> None:
    users = [playground.user() for _ in range(8)]
    assert len({user.joined().answer()["server"] for user in users}) == 1
    log = (playground.root / "postgres.log").read_text()
    assert log.count("ready to accept connections") == 1


def test_a_user_may_come_while_the_last_one_goes(playground: Playground) -> None:
    user = playground.user().joined()
    for pause in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5):
        user.kill()
        time.sleep(pause)
        user = playground.user().joined()
        assert run_sql(user.answer()["app"], "SELECT 1") == [1]


def test_a_locale_that_is_not_installed_does_not_matter(playground: Playground) -> None:
    user = playground.user(environment={"LANG": "de_DE.UTF-8", "LC_ALL": "xx_XX.UTF-8"}).joined()
    query = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
    assert run_sql(user.answer()["app"], query) == ["bC.UTF-8"]


@pytest.mark.parametrize("name", ["x" * 100, "with spaces and ümlaut", "colon:comma,quote'%41"])
def test_any_path_will_do(playground: Playground, name: str) -> None:
    user = playground.user(root=playground.directory / name / "postgres").joined()
    try:
        assert run_sql(user.answer()["app"], "SELECT 1") == [1]
    finally:
        socket_directory = Path(str(make_url(user.answer()["app"]).query["host"]))
        user.kill()
        wait_until(lambda: is_stopped(playground.directory / name / "postgres"))
        shutil.rmtree(socket_directory.parent)


def test_only_the_servers_user_and_root_can_reach_the_socket(playground: Playground) -> None:
    playground.user().joined()
    status = (playground.root / "socket").stat()
    assert stat.S_IMODE(status.st_mode) == 0o700
    assert status.st_uid == (SERVER_UID if os.geteuid() == 0 else os.geteuid())
    assert not stat.S_IMODE(playground.root.stat().st_mode) & 0o007


def test_the_server_sees_nothing_of_our_environment(playground: Playground) -> None:
    playground.user(environment={"GQL_SERVER_SECRET": "canary"}).joined()
    environment = Path(f"/proc/{server_pid(playground.root)}/environ").read_bytes()
    assert b"LC_ALL=C" in environment
    assert b"canary" not in environment


@as_root
def test_root_starts_the_server_as_another_user_without_changing_parents(playground: Playground) -> None:
    before = playground.directory.stat()
    playground.user().joined()
    assert Path(f"/proc/{server_pid(playground.root)}").stat().st_uid == SERVER_UID
    after = playground.directory.stat()
    assert (before.st_mode, before.st_uid, before.st_gid) == (after.st_mode, after.st_uid, after.st_gid)


@as_root
def test_root_is_told_which_directory_is_closed_to_the_server(playground: Playground) -> None:
    closed = playground.directory / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(SetupError) as refusal:
        EmbeddedPostgres(closed / "inner" / "postgres").start()
    assert f"{closed} is closed" in str(refusal.value)
    assert "GQL_SERVER_DATA_DIRECTORY" in str(refusal.value)


@as_root
def test_root_gets_a_copy_of_programs_that_the_server_cannot_reach(playground: Playground) -> None:
    package = find_binaries(None).directory.parents[1]
    closed = playground.directory / "closed"
    closed.mkdir(mode=0o700)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, closed / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
    database = EmbeddedPostgres(playground.root, binaries=closed / package.name / "pginstall" / "bin")
    for _ in range(2):
        urls = database.start()
        assert run_sql(urls.app, "SELECT 1") == [1]
        program = Path(f"/proc/{server_pid(playground.root)}/exe").readlink()
        assert program.is_relative_to(playground.root / "binaries")
        database.close()
        wait_until(lambda: is_stopped(playground.root))


@as_root
def test_a_stranger_who_took_our_place_in_tmp_is_not_trusted(playground: Playground) -> None:
    root = playground.directory / ("x" * 100)
    database = EmbeddedPostgres(root)
    socket_directory = Path(str(make_url(database.start().app).query["host"]))
    database.close()
    wait_until(lambda: is_stopped(root))
    stranger = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in {0, SERVER_UID})
    os.chown(socket_directory.parent, stranger, -1)
    try:
        with pytest.raises(SetupError, match="belongs to somebody else"):
            database.start()
    finally:
        shutil.rmtree(socket_directory.parent)


def test_an_ordinary_user_runs_the_server_as_itself(playground: Playground) -> None:
    account = ordinary_account()
    if account is None:
        pytest.skip("no Python >= 3.11 and checkout that an ordinary user may read")
    home = playground.directory / "home"
    home.mkdir(mode=0o700)
    os.chown(home, account.uid, account.gid)
    user = playground.user(root=home / "postgres", account=account).joined()
    assert Path(f"/proc/{server_pid(home / 'postgres')}").stat().st_uid == account.uid
    assert run_sql(user.answer()["app"], "SELECT 1") == [1]


def test_a_directory_that_cannot_be_made_is_refused_in_one_sentence(playground: Playground) -> None:
    file = playground.directory / "file"
    file.touch()
    with pytest.raises(SetupError, match="GQL_SERVER_DATA_DIRECTORY"):
        EmbeddedPostgres(file / "postgres").start()


def test_the_callers_threads_and_descriptors_stay_its_own(playground: Playground) -> None:
    database = EmbeddedPostgres(playground.root)
    database.start()
    try:
        held = {str(link.readlink()) for link in Path(f"/proc/{server_pid(playground.root)}/fd").iterdir()}
        assert str(playground.root / "server.lock") in held
        assert not {str(playground.root / name) for name in ("users.lock", "lifecycle.lock")} & held
    finally:
        database.close()


@long_tests
def test_users_come_and_are_killed_at_random(playground: Playground) -> None:
    chance = random.Random(int(os.environ.get("GQL_SERVER_TEST_SEED", "1")))
    counter = playground.user().joined()
    run_sql(counter.answer()["owner"], "CREATE TABLE counted (n int)")
    written = 0
    for _ in range(150):
        if chance.random() < 0.3:
            subprocess.run(["kill", "-9", str(server_pid(playground.root))], check=False, stderr=subprocess.DEVNULL)
        counter.kill()
        time.sleep(chance.random() * 0.8)
        counter = playground.user().joined()
        run_sql(counter.answer()["owner"], "INSERT INTO counted VALUES (1)")
        written += 1
    assert run_sql(counter.answer()["owner"], "SELECT count(*) FROM counted") == [written]
