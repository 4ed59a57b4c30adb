"""Migrations: bring the tables to this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from gql_server.domain.errors import SetupError
from gql_server.store.database import DatabaseUrls, role_of


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
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


async def is_empty(urls: DatabaseUrls) -> bool:
    """Say whether no migration was ever run."""
    engine = create_async_engine(urls.owner, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            return not await connection.run_sync(lambda c: inspect(c).has_table("alembic_version"))
    finally:
        await engine.dispose()
