"""Migrations: bring the tables to this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from gql_server.domain.errors import SetupError
from gql_server.store.database import DatabaseUrls, role_of

_LOCK = 0x67716C  # any number that nobody else takes


def script_directory() -> Path:
    """Return where the migration scripts are: inside the package when installed, beside it in a checkout.

    Raises:
        SetupError: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "migrations", package.parent / "migrations"):
        if (candidate / "env.py").is_file():
            return candidate
    raise SetupError(advice="The migration scripts are missing: install gql-server again")


async def migrate(urls: DatabaseUrls, *, revision: str = "head") -> None:
    """Run the migrations as the owner, up to the newest or to a revision ("base" takes everything away)."""

    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(script_directory()).replace("%", "%%"))
        config.attributes.update(connection=connection, app_role=role_of(urls.app), system_role=role_of(urls.system))
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)

    engine = create_async_engine(urls.owner, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            # Two servers that start at once must not both migrate.
            await connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK})
            await connection.commit()
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


async def require_current(urls: DatabaseUrls) -> None:
    """Refuse a database whose tables are of another version.

    Raises:
        SetupError: migrations are missing, or were run by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(script_directory()).replace("%", "%%"))
    wanted = ScriptDirectory.from_config(config).get_current_head()
    engine = create_async_engine(urls.app, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            try:
                held = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
            except ProgrammingError:
                held = None
    finally:
        await engine.dispose()
    if held != wanted:
        raise SetupError(advice="The tables are not of this version: run gql-server migrate")
