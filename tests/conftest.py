"""What tests are given: a real database, real files."""

import asyncio
import gc
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import ClientId, EngagementId, FlowId, UserId, new_id
from gql_server.services.children import ChildPool
from gql_server.services.resources import Keyring, Limits, Resources
from gql_server.store import clients
from gql_server.store.blobs import LocalBlobs
from gql_server.store.database import Database, DatabaseUrls
from gql_server.store.durable_files import remove_tree
from gql_server.store.embedded import EmbeddedPostgres
from gql_server.store.migrations import migrate
from gql_server.store.notifications import Announcer, EventHub
from tests.store.embedded_users import command_lines, is_stopped, wait_until


def pytest_collection_finish() -> None:
    """Have collections go through what tests make, not through nine thousand tests as well."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A directory that the database's user can enter also when root runs the tests."""
    directory = Path(tempfile.mkdtemp(prefix="gql-server-tests-"))
    directory.chmod(0o711)
    yield directory
    # A server goes on stopping after its last user has left.
    for lock in directory.rglob("server.lock"):
        wait_until(lambda root=lock.parent: is_stopped(root))  # type: ignore[misc]
    wait_until(lambda: not command_lines(directory))
    remove_tree(directory)


@pytest.fixture(scope="session")
def kernel_root() -> Path:
    """Compiled kernels, kept from one run to the next."""
    root = Path(tempfile.gettempdir()) / f"gql-server-kernels-{os.geteuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    return root


@pytest.fixture(scope="session")
def empty_database(open_directory: Path) -> Iterator[DatabaseUrls]:
    embedded = EmbeddedPostgres(open_directory / "postgres")
    held = embedded.start()
    yield DatabaseUrls(app=held.app, owner=held.owner, system=held.system)
    embedded.close()


@pytest.fixture(scope="session")
def database_urls(empty_database: DatabaseUrls) -> DatabaseUrls:
    """A database whose tables were made by the migrations; its owner is no superuser."""
    asyncio.run(migrate(empty_database))
    return empty_database


@pytest.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    async with Database(database_urls, pool_size=5) as opened:
        yield opened


NewActor = Callable[..., Awaitable[Actor]]


@pytest.fixture
def new_actor(database: Database) -> NewActor:
    """Make a client of its own with one user, one engagement and its default flow."""

    async def make(role: Role = Role.ANALYST, *, client_id: ClientId | None = None) -> Actor:
        actor = Actor(client_id=client_id or ClientId(new_id()), user_id=UserId(new_id()), role=role)
        engagement_id = EngagementId(new_id())
        async with database.transaction(actor.client_id) as session:
            await clients.add_client(session, actor.client_id, "Example client")
            await clients.add_user(session, actor.client_id, actor.user_id, "Example user", role)
            if client_id is None:
                await clients.add_engagement(session, actor.client_id, engagement_id, "Example engagement")
                await clients.add_default_flow(session, actor, engagement_id, FlowId(new_id()), "Default flow")
        return actor

    return make


@pytest.fixture
async def actor(new_actor: NewActor) -> Actor:
    return await new_actor()


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "data", reserve_bytes=0)


@pytest.fixture
async def resources(database: Database, blobs: LocalBlobs, kernel_root: Path) -> AsyncIterator[Resources]:
    async with (
        ChildPool(kernel_root, warm=0) as children,
        Announcer(database.urls.app) as announcer,
        EventHub(database) as hub,
    ):
        yield Resources(
            database=database,
            blobs=blobs,
            children=children,
            keyring=Keyring(bytes(range(32))),
            announcer=announcer,
            hub=hub,
            limits=Limits(),
            code_version="test",
        )
