"""Database connections: one read door, one unit of work.

`read` and `transaction` set the tenant with SET LOCAL, so row-level security holds for every shape of query.
`read_across_tenants` is for what has no tenant: the event hub, the reconciler, the sweepers.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import asyncpg
from sqlalchemy import Row, Select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from gql_server.domain.errors import SetupError
from gql_server.domain.ids import ClientId

Connection = AsyncConnection
"""A read connection, inside a transaction with its tenant set."""

Session = AsyncSession
"""A unit of work, inside a transaction with its tenant set."""

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

MIN_SERVER_VERSION = 150000

_EXAMPLE = "postgresql+asyncpg://ROLE:PASSWORD@HOST/NAME"

_SET_TENANT = text("SELECT set_config('gql_server.client_id', :client_id, true)")

_ROLE_FACTS = text(
    "SELECT rolsuper, rolbypassrls,"
    " EXISTS (SELECT 1 FROM pg_class WHERE relname = 'traces' AND relnamespace = 'public'::regnamespace"
    " AND pg_has_role(current_user, relowner, 'USAGE')) AS owns,"
    " current_setting('server_version_num')::int AS version"
    " FROM pg_roles WHERE rolname = current_user"
)

_UNGUARDED = text(
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    " AND relname NOT IN ('alembic_version', 'installation') AND NOT (relrowsecurity AND relforcerowsecurity)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrls:
    """Where the database is, once for each role (SQLAlchemy URLs of the asyncpg dialect)."""

    app: str
    owner: str
    system: str


def read_url(name: str, url: str) -> str:
    """Return the URL of a setting as SQLAlchemy and asyncpg want it.

    Raises:
        SetupError: it is no URL of a PostgreSQL; the text names the setting, never the URL.
    """
    try:
        read = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SetupError(advice=f"{name} is no URL: {_EXAMPLE} is wanted") from error
    if read.drivername not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise SetupError(advice=f"{name} is not for PostgreSQL: {_EXAMPLE} is wanted")
    return read.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


async def require_answer(name: str, url: str) -> None:
    """Log in once.

    Raises:
        SetupError: nobody answers there, or not to this role.
    """
    engine = _engine(url, 1)
    try:
        async with engine.connect():
            pass
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        raise SetupError(advice=f"{name}: no login at the database ({cause}); check the URL and the server") from error
    finally:
        await engine.dispose()


def role_of(url: str) -> str:
    """Return the role that a URL logs in as.

    Raises:
        SetupError: the URL names no role.
    """
    name = make_url(url).username
    if not name:
        raise SetupError(advice=f"Each database URL must name the role it logs in as: {_EXAMPLE}")
    return name


def plain_dsn(url: str) -> str:
    """Return the URL as libpq and asyncpg themselves spell it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """Pools of connections for the app role and the system role."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = 10) -> None:
        self.urls = urls
        self._app = _engine(urls.app, pool_size)
        self._system = _engine(urls.system, 3)

    @asynccontextmanager
    async def read(self, client_id: ClientId) -> AsyncIterator[Connection]:
        """Open a short read transaction inside one tenant."""
        async with self._app.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                await connection.execute(_SET_TENANT, {"client_id": str(client_id)})
                yield connection

    @asynccontextmanager
    async def transaction(self, client_id: ClientId) -> AsyncIterator[Session]:
        """Open the one transaction of a unit of work; it commits here, or nothing happened."""
        async with AsyncSession(self._app, expire_on_commit=False) as session, session.begin():
            await session.execute(_SET_TENANT, {"client_id": str(client_id)})
            yield session

    @asynccontextmanager
    async def read_across_tenants(self) -> AsyncIterator[Connection]:
        """Open a short read transaction as the system role."""
        async with self._system.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def install(self) -> AsyncIterator[Session]:
        """Open a transaction for facts of the installation, which belong to no tenant."""
        async with AsyncSession(self._app, expire_on_commit=False) as session, session.begin():
            yield session

    async def check_roles(self) -> None:
        """Refuse roles and tables that row-level security would not hold.

        Raises:
            SetupError: the server is too old, a role is a superuser, owner or bypasses row-level security, both roles
                are one, or a table is unguarded.
        """
        if role_of(self.urls.app) == role_of(self.urls.system):
            raise SetupError(advice="GQL_SERVER_DATABASE_URL and GQL_SERVER_SYSTEM_DATABASE_URL must name two roles")
        for name, engine in (("GQL_SERVER_DATABASE_URL", self._app), ("GQL_SERVER_SYSTEM_DATABASE_URL", self._system)):
            async with engine.connect() as connection:
                facts = (await connection.execute(_ROLE_FACTS)).one()
                unguarded = await connection.scalar(_UNGUARDED)
            if facts.version < MIN_SERVER_VERSION:
                raise SetupError(advice="PostgreSQL 15 or newer is needed")
            if facts.rolsuper or facts.rolbypassrls or facts.owns:
                raise SetupError(
                    advice=f"{name} must name a role that is neither superuser nor owner of the tables and does not"
                    " bypass row-level security"
                )
            if unguarded:
                raise SetupError(advice="Some tables have no row-level security: run gql-server migrate")

    async def close(self) -> None:
        """Close every connection."""
        await self._app.dispose()
        await self._system.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # Bound values are patient data: they stay out of every error text.
        hide_parameters=True,
        connect_args={
            "server_settings": {
                "application_name": "gql-server",
                "statement_timeout": "15000",
                "lock_timeout": "10000",
                "idle_in_transaction_session_timeout": "30000",
            }
        },
    )
