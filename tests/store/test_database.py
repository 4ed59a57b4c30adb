"""The database doors: tenants stay apart in every shape of query."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import aliased

from gql_server.domain.access import Actor
from gql_server.domain.errors import SetupError
from gql_server.domain.flows import Flow
from gql_server.domain.ids import EngagementId, FlowId, new_id
from gql_server.store.database import Database, DatabaseUrls, Session, role_of
from gql_server.store.flows import find_default_flow
from gql_server.store.tables import Engagements, Flows
from tests.conftest import NewActor


async def _flow_of(database: Database, actor: Actor) -> Flow:
    async with database.transaction(actor.client_id) as session:
        flow = await find_default_flow(session)
    assert flow is not None
    return flow


def _reads(foreign: FlowId) -> dict[str, Callable[[Session], Awaitable[object]]]:
    """Shapes of reading; each must find nothing of a foreign tenant's."""
    other = aliased(Flows)
    join = select(Flows.id).join(other, other.engagement_id == Flows.engagement_id).where(other.id == foreign)
    inner = select(Flows.id).where(Flows.id == foreign).subquery()
    return {
        "orm": lambda s: s.scalar(select(Flows).where(Flows.id == foreign)),
        "columns": lambda s: s.scalar(select(Flows.name).where(Flows.id == foreign)),
        "core": lambda s: s.scalar(select(Flows.__table__).where(Flows.__table__.c.id == foreign)),
        "text": lambda s: s.scalar(text("SELECT name FROM flows WHERE id = :id"), {"id": foreign}),
        "from statement": lambda s: s.scalar(
            select(Flows).from_statement(text("SELECT * FROM flows WHERE id = :id").bindparams(id=foreign))
        ),
        "subquery": lambda s: s.scalar(select(inner.c.id)),
        "self-join": lambda s: s.scalar(join),
        "count": lambda s: s.scalar(select(func.nullif(func.count(), 0)).select_from(Flows).where(Flows.id == foreign)),
    }


@pytest.mark.parametrize("shape", list(_reads(FlowId(new_id()))))
async def test_no_shape_of_read_finds_a_foreign_row(database: Database, new_actor: NewActor, shape: str) -> None:
    mine, theirs = await new_actor(), await new_actor()
    foreign = await _flow_of(database, theirs)
    read = _reads(foreign.id)[shape]
    async with database.transaction(mine.client_id) as session:
        assert await read(session) is None
    async with database.transaction(theirs.client_id) as session:
        assert await read(session) is not None, "the probe itself finds nothing: it proves nothing"


async def test_no_write_touches_a_foreign_row(database: Database, new_actor: NewActor) -> None:
    mine, theirs = await new_actor(), await new_actor()
    foreign = await _flow_of(database, theirs)
    async with database.transaction(mine.client_id) as session:
        changed = await session.execute(
            update(Flows).where(Flows.id == foreign.id).values(name="taken").returning(Flows.id)
        )
        assert changed.all() == []
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.transaction(mine.client_id) as session:
            await session.execute(delete(Flows).where(Flows.id == foreign.id))
    assert (await _flow_of(database, theirs)).name == "Default flow"


async def test_a_row_for_a_foreign_tenant_cannot_be_added(database: Database, new_actor: NewActor) -> None:
    mine, theirs = await new_actor(), await new_actor()
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.transaction(mine.client_id) as session:
            await session.execute(insert(Engagements).values(client_id=theirs.client_id, id=new_id(), name="x"))


async def test_a_row_cannot_refer_to_a_foreign_one(database: Database, new_actor: NewActor) -> None:
    mine, theirs = await new_actor(), await new_actor()
    foreign = await _flow_of(database, theirs)
    values = {
        "client_id": mine.client_id,
        "id": new_id(),
        "engagement_id": EngagementId(foreign.engagement_id),
        "name": "x",
        "type": "DISCOVERY",
        "state": "ACTIVE",
        "created_by": mine.user_id,
        "created_at": datetime.now(UTC),
    }
    with pytest.raises(IntegrityError, match="fk_flows_client_id_engagement_id"):
        async with database.transaction(mine.client_id) as session:
            await session.execute(insert(Flows).values(values))


async def test_without_a_tenant_nothing_is_seen(database: Database, actor: Actor) -> None:
    await _flow_of(database, actor)
    async with database.install() as session:
        assert await session.scalar(select(func.count()).select_from(Flows)) == 0


async def test_a_pooled_connection_forgets_its_tenant(database_urls: DatabaseUrls, new_actor: NewActor) -> None:
    mine, theirs = await new_actor(), await new_actor()
    async with Database(database_urls, pool_size=1) as narrow:
        for turn in range(20):
            who, other = (mine, theirs) if turn % 2 else (theirs, mine)
            async with narrow.transaction(who.client_id) as session:
                seen = set(await session.scalars(select(Flows.client_id)))
            assert seen == {who.client_id}
            if turn % 5 == 0:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05), narrow.transaction(other.client_id) as session:
                        await session.execute(text("SELECT pg_sleep(1)"))


async def test_a_read_cannot_write(database: Database, actor: Actor) -> None:
    async with database.read(actor.client_id) as connection:
        with pytest.raises(DBAPIError, match="read-only"):
            await connection.execute(update(Flows).values(name="x"))


async def test_the_system_role_reads_all_tenants_and_writes_none(database: Database, new_actor: NewActor) -> None:
    clients = {(await new_actor()).client_id for _ in range(2)}
    async with database.read_across_tenants() as connection:
        assert clients <= set(await connection.scalars(text("SELECT id FROM clients")))
        with pytest.raises(DBAPIError, match=r"permission denied|read-only"):
            await connection.execute(text("UPDATE jobs SET state = 'FAILED'"))


async def test_an_error_text_holds_no_bound_value(database: Database, actor: Actor) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction(actor.client_id) as session:
            await session.execute(text("SELECT CAST(:value AS text)::int / 0"), {"value": "EXAMPLE^PATIENT"})
    assert "hidden" in str(caught.value)


def test_a_url_without_a_role_is_refused() -> None:
    with pytest.raises(SetupError, match="must name the role"):
        role_of("postgresql+asyncpg://localhost/x")


async def test_one_role_for_two_purposes_is_refused(database_urls: DatabaseUrls) -> None:
    urls = DatabaseUrls(app=database_urls.app, owner=database_urls.owner, system=database_urls.app)
    async with Database(urls) as opened:
        with pytest.raises(SetupError, match="two roles"):
            await opened.check_roles()
