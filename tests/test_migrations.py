"""Migrations: up, down, up, and the same as the tables."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine

from gql_server.domain.errors import SetupError
from gql_server.store.database import Database, DatabaseUrls
from gql_server.store.embedded import EmbeddedPostgres
from gql_server.store.migrations import migrate, require_current
from gql_server.store.tables import Table, Xid8


@pytest.fixture(scope="module")
def urls(open_directory: Path) -> Iterator[DatabaseUrls]:
    """A database of this file's own, because it takes the tables away."""
    embedded = EmbeddedPostgres(open_directory / "migrations")
    held = embedded.start()
    yield DatabaseUrls(app=held.app, owner=held.owner, system=held.system)
    embedded.close()


async def _ask(urls: DatabaseUrls, question: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(urls.owner)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def _names(connection: Connection) -> set[str]:
    inspector = inspect(connection)
    return set(inspector.get_table_names()) | set(inspector.get_table_names(schema="queue"))


async def test_up_down_up_leaves_the_same_tables(urls: DatabaseUrls) -> None:
    await migrate(urls)
    first = await _ask(urls, _names)
    await migrate(urls, revision="base")
    assert await _ask(urls, _names) == {"alembic_version"}
    await migrate(urls)
    assert await _ask(urls, _names) == first >= {"traces", "jobs", "events", "pgqueuer"}


async def test_the_migrated_database_has_the_tables_of_the_code(urls: DatabaseUrls) -> None:
    ischema_names.setdefault("xid8", Xid8)
    await migrate(urls)
    differences = await _ask(urls, lambda c: compare_metadata(MigrationContext.configure(c), Table.metadata))
    assert [each for each in differences if "alembic_version" not in str(each)] == []


async def test_two_servers_that_migrate_at_once_both_succeed(urls: DatabaseUrls) -> None:
    await migrate(urls, revision="base")
    await asyncio.gather(migrate(urls), migrate(urls))
    await require_current(urls)


async def test_a_database_without_tables_is_refused(urls: DatabaseUrls) -> None:
    await migrate(urls, revision="base")
    with pytest.raises(SetupError, match="gql-server migrate"):
        await require_current(urls)
    await migrate(urls)


async def test_every_tenant_table_is_guarded_and_refers_by_both_columns(urls: DatabaseUrls) -> None:
    await migrate(urls)
    for name, table in Table.metadata.tables.items():
        if "client_id" not in table.columns:
            assert name in {"clients", "users", "installation"}
            continue
        for constraint in table.foreign_key_constraints:
            target = constraint.referred_table
            if "client_id" in target.columns:
                assert "client_id" in {column.name for column in constraint.columns}, constraint.name
    async with Database(urls) as database:
        await database.check_roles()


@pytest.mark.parametrize("table", ["traces", "users"])
async def test_an_unguarded_table_keeps_the_server_from_starting(urls: DatabaseUrls, table: str) -> None:
    await migrate(urls)
    engine = create_async_engine(urls.owner)
    async with engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
    async with Database(urls) as database:
        with pytest.raises(SetupError, match="row-level security"):
            await database.check_roles()
    async with engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
    await engine.dispose()


async def test_an_owner_as_app_role_keeps_the_server_from_starting(urls: DatabaseUrls) -> None:
    await migrate(urls)
    async with Database(DatabaseUrls(app=urls.owner, owner=urls.owner, system=urls.system)) as database:
        with pytest.raises(SetupError, match="neither superuser nor owner"):
            await database.check_roles()
