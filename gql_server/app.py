"""The composition root: builds the application from settings."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from gql_server import __version__
from gql_server.api.routes import ApiOptions, build_routes
from gql_server.domain.access import Actor
from gql_server.domain.errors import GqlServerError, SetupError, StoreNotShared
from gql_server.services.children import ChildPool
from gql_server.services.local import settle_local_tenant
from gql_server.services.resources import Keyring, Limits, Resources
from gql_server.settings import Settings
from gql_server.store.blobs import LocalBlobs
from gql_server.store.database import Database, DatabaseUrls, read_url, require_answer
from gql_server.store.embedded import EmbeddedPostgres
from gql_server.store.installation import settle_fact
from gql_server.store.kek import read_or_create_kek
from gql_server.store.migrations import migrate, require_current
from gql_server.store.notifications import Announcer, EventHub
from gql_server.worker import Worker


def create_app(settings: Settings, *, with_worker: bool = True) -> Starlette:
    """Return the web application; everything it needs is opened when it starts and closed when it ends.

    What kept it from starting stands in `app.state.failure`: the web server itself only says that it did not.
    """
    check_host(settings.host)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with _serving(app, settings, with_worker=with_worker):
                yield
        except GqlServerError as error:
            app.state.failure = error
            raise

    app = Starlette(lifespan=lifespan)
    app.state.failure = None
    return app


@asynccontextmanager
async def _serving(app: Starlette, settings: Settings, *, with_worker: bool) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        resources = await stack.enter_async_context(open_resources(settings))
        actor = await settle_local_tenant(resources.database)

        async def authenticate(_: HTTPConnection) -> Actor | None:
            return actor

        app.router.routes.extend(build_routes(resources, authenticate, _options(settings)))
        if with_worker:
            await stack.enter_async_context(run_worker(resources, slots=settings.worker_slots))
        yield


def check_host(host: str) -> None:
    """Refuse to listen where others could reach a server without authentication.

    Raises:
        SetupError: the address is not loopback's.
    """
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        raise SetupError(advice=f"{host} is not a loopback address, and there is no authentication yet: use 127.0.0.1")


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    """Yield where the database is: the one of the settings, or the embedded one, started and migrated."""
    if settings.database_url is not None:
        urls = external_urls(settings)
        await require_answer("GQL_SERVER_DATABASE_URL", urls.app)
        await require_answer("GQL_SERVER_SYSTEM_DATABASE_URL", urls.system)
        await require_current(urls)
        yield urls
        return
    embedded = EmbeddedPostgres(settings.directory / "postgres")
    held = await asyncio.to_thread(embedded.start)
    try:
        urls = DatabaseUrls(app=held.app, owner=held.owner, system=held.system)
        await migrate(urls)
        yield urls
    finally:
        await asyncio.to_thread(embedded.close)


def external_urls(settings: Settings) -> DatabaseUrls:
    """Return the URLs of the settings.

    Raises:
        SetupError: one is missing, or is no URL of a PostgreSQL.
    """
    if settings.database_url is None or settings.system_database_url is None:
        raise SetupError(advice="Set GQL_SERVER_DATABASE_URL and GQL_SERVER_SYSTEM_DATABASE_URL, or neither")
    return DatabaseUrls(
        app=read_url("GQL_SERVER_DATABASE_URL", settings.database_url),
        owner=read_url("GQL_SERVER_OWNER_DATABASE_URL", settings.owner_database_url or settings.database_url),
        system=read_url("GQL_SERVER_SYSTEM_DATABASE_URL", settings.system_database_url),
    )


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open the database, the files, the children and the event hub; close them in reverse."""
    directory = settings.directory
    _prepare(directory)
    async with contextlib.AsyncExitStack() as stack:
        # The children compile or load their kernels while the database starts.
        children = await stack.enter_async_context(ChildPool(directory / "kernels", warm=settings.warm_children))
        urls = await stack.enter_async_context(open_database(settings))
        database = await stack.enter_async_context(Database(urls))
        await database.check_roles()
        blobs = LocalBlobs(directory, reserve_bytes=settings.reserve_bytes)
        await _check_store(database, blobs)
        yield Resources(
            database=database,
            blobs=blobs,
            children=children,
            keyring=Keyring(read_or_create_kek(directory / "keys" / "kek")),
            announcer=await stack.enter_async_context(Announcer(urls.app)),
            hub=await stack.enter_async_context(EventHub(database)),
            limits=limits_of(settings),
            code_version=__version__,
        )


def limits_of(settings: Settings) -> Limits:
    """Return the settings that are limits."""
    return Limits(
        upload_bytes=settings.upload_bytes,
        unpacked_bytes=settings.unpacked_bytes,
        unpacked_ratio=settings.unpacked_ratio,
        uploads_per_user=settings.uploads_per_user,
        upload_time=settings.upload_time,
        job_memory_bytes=settings.job_memory_mebibytes << 20,
        job_time=settings.job_time,
        lease_time=settings.lease_time,
    )


@asynccontextmanager
async def run_worker(resources: Resources, *, slots: int) -> AsyncIterator[None]:
    """Run a worker beside the caller; stop it gracefully afterwards."""
    worker = Worker(resources, slots=slots)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        (directory / "keys").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SetupError(
            advice=f"The data directory {directory} cannot be used ({error.strerror}); set GQL_SERVER_DATA_DIRECTORY"
        ) from error


async def _check_store(database: Database, blobs: LocalBlobs) -> None:
    token = await asyncio.to_thread(blobs.read_or_create_token)
    async with database.install() as session:
        held = await settle_fact(session, "store-token", token)
    if held != token:
        raise StoreNotShared


def _options(settings: Settings) -> ApiOptions:
    return ApiOptions(
        public_url=None,
        allowed_hosts=("localhost", "127.0.0.1", "[::1]", settings.host, *settings.allowed_hosts),
        allowed_origins=settings.allowed_origins,
        upload_bytes=settings.upload_bytes,
        graphiql=settings.graphiql,
    )
