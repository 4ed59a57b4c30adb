"""A cluster is made whole, with roles of few rights."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gql_server.domain.errors import SetupError
from gql_server.store.embedded import SERVER_UID, EmbeddedPostgres, EmbeddedUrls
from tests.store.embedded_users import Playground, command_lines, is_stopped, wait_until

ROLES = ("gql_owner", "gql_app", "gql_system")


@pytest.fixture
def playground() -> Iterator[Playground]:
    with Playground() as playground:
        yield playground


@pytest.fixture(scope="module")
def urls() -> Iterator[EmbeddedUrls]:
    with Playground() as playground:
        database = EmbeddedPostgres(playground.root)
        yield database.start()
        database.close()


async def run_sql(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            results = [await connection.execute(text(statement)) for statement in statements]
            return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    finally:
        await engine.dispose()


@pytest.mark.parametrize("step", ["--no-instructions", "postgres", "gql_server"])
def test_a_start_killed_while_it_makes_the_cluster_is_made_good(playground: Playground, step: str) -> None:
    marks = playground.directory / "marks"
    marks.mkdir()
    marks.chmod(0o777)
    action = f"touch {marks}/reached; while [ ! -e {marks}/go ]; do sleep 0.05; done"
    victim = playground.user(binaries=playground.programs_that(action, at=step))
    wait_until((marks / "reached").exists)
    victim.kill()
    assert not (playground.root / "cluster").exists()

    user = playground.user()
    time.sleep(0.5)  # so that a start that does not wait for the orphan meets it
    (marks / "go").touch()
    assert asyncio.run(run_sql(user.joined().answer()["app"], "SELECT current_user::text")) == [("gql_app",)]
    assert sorted(path.name for path in playground.root.glob("cluster*")) == ["cluster"]


@pytest.mark.parametrize("step", ["--no-instructions", "postgres", "gql_server"])
def test_a_program_that_dies_while_it_makes_the_cluster_is_a_refusal(playground: Playground, step: str) -> None:
    user = playground.user(binaries=playground.programs_that("kill -9 $$", at=step))
    assert "could not be made" in user.answer()["refusal"]
    assert not (playground.root / "cluster").exists()
    playground.user().joined()


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_stands_above_the_others(urls: EmbeddedUrls, role: str) -> None:
    rights = "rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
    assert await run_sql(urls.app, f"SELECT {rights} FROM pg_roles WHERE rolname = '{role}'") == [
        (True, False, False, False, False, False)
    ]
    memberships = f"SELECT count(*) FROM pg_auth_members WHERE member = '{role}'::regrole OR roleid = '{role}'::regrole"
    assert await run_sql(urls.app, memberships) == [(0,)]


async def test_the_owner_owns_the_database_and_the_schema(urls: EmbeddedUrls) -> None:
    database = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'gql_server'"
    schema = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'"
    assert await run_sql(urls.app, database) == await run_sql(urls.app, schema) == [("gql_owner",)]


@pytest.mark.parametrize("statement", ["CREATE TABLE mine ()", "CREATE TEMP TABLE mine ()", "CREATE SCHEMA mine"])
async def test_the_app_and_the_system_role_make_nothing(urls: EmbeddedUrls, statement: str) -> None:
    for url in (urls.app, urls.system):
        with pytest.raises(DBAPIError, match="permission denied"):
            await run_sql(url, statement)


async def test_the_app_cannot_become_another_role(urls: EmbeddedUrls) -> None:
    for role in ("gql_owner", "gql_system", "postgres"):
        with pytest.raises(DBAPIError, match="permission denied to set role"):
            await run_sql(urls.app, f"SET ROLE {role}")


async def test_row_level_security_holds_for_the_app_and_for_the_owner(urls: EmbeddedUrls) -> None:
    await run_sql(
        urls.owner,
        "CREATE TABLE guarded (n int)",
        "INSERT INTO guarded VALUES (1)",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
        "GRANT SELECT ON guarded TO gql_app",
    )
    assert await run_sql(urls.app, "SELECT n FROM guarded") == []
    assert await run_sql(urls.owner, "SELECT n FROM guarded") == []
    with pytest.raises(DBAPIError, match="row-level security"):
        await run_sql(urls.app, "SET row_security = off", "SELECT n FROM guarded")


async def test_what_is_committed_is_synced(urls: EmbeddedUrls) -> None:
    settings = "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('data_checksums')"
    assert await run_sql(urls.app, settings) == [("on", "on", "on")]


async def test_no_other_database_is_open_to_the_roles(urls: EmbeddedUrls) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(DBAPIError, match="permission denied for database"):
            await run_sql(urls.app.replace("/gql_server?", f"/{database}?"), "SELECT 1")


def test_the_cluster_of_another_major_version_is_refused(playground: Playground) -> None:
    database = EmbeddedPostgres(playground.root)
    database.start()
    database.close()
    wait_until(lambda: is_stopped(playground.root))
    (playground.root / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(SetupError, match="made by PostgreSQL 16, but PostgreSQL 1"):
        database.start()
    assert is_stopped(playground.root)


def test_a_directory_that_is_no_cluster_is_left_alone(playground: Playground) -> None:
    keepsake = playground.root / "cluster" / "keepsake"
    keepsake.parent.mkdir(parents=True)
    keepsake.touch()
    if os.geteuid() == 0:
        os.chown(keepsake.parent, SERVER_UID, -1)
    with pytest.raises(SetupError, match="is no database; move it away"):
        EmbeddedPostgres(playground.root).start()
    assert keepsake.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_cluster_of_another_user_is_refused(playground: Playground) -> None:
    database = EmbeddedPostgres(playground.root)
    database.start()
    database.close()
    wait_until(lambda: is_stopped(playground.root))
    os.chown(playground.root / "cluster", SERVER_UID - 1, -1)
    with pytest.raises(SetupError, match="made by another user"):
        database.start()


def test_a_full_disk_is_a_refusal_and_the_next_start_works(playground: Playground) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    small = playground.directory / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=8m,mode=711 tmpfs {small}"):
        pytest.skip("this machine lets nobody mount a file system")
    try:
        database = EmbeddedPostgres(small / "postgres")
        with pytest.raises(SetupError, match="No space left on device"):
            database.start()
        assert os.system(f"mount -o remount,size=200m {small}") == 0
        database.start()
        database.close()
        wait_until(lambda: is_stopped(small / "postgres") and not command_lines(small))
    finally:
        assert os.system(f"umount {small}") == 0
        shutil.rmtree(small)
