"""Key rows: one current key an engagement."""

import pytest
from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.ids import EngagementId, KeyId, new_id
from gql_server.store import clients, keys
from gql_server.store.database import Database
from gql_server.store.keys import WrappedKey


@pytest.fixture
async def engagement(database: Database, actor: Actor) -> EngagementId:
    engagement_id = EngagementId(new_id())
    async with database.transaction(actor.client_id) as session:
        await clients.add_engagement(session, actor.client_id, engagement_id, "x")
    return engagement_id


async def _add(database: Database, actor: Actor, engagement: EngagementId, wrapped: bytes) -> KeyId:
    key_id = KeyId(new_id())
    async with database.transaction(actor.client_id) as session:
        await keys.add_key(session, actor.client_id, engagement, key_id, wrapped)
    return key_id


async def _current(database: Database, actor: Actor, engagement: EngagementId) -> WrappedKey | None:
    async with database.transaction(actor.client_id) as session:
        return await keys.find_current_key(session, engagement)


async def test_the_first_key_stays_the_current_one(database: Database, actor: Actor, engagement: EngagementId) -> None:
    assert await _current(database, actor, engagement) is None
    first = await _add(database, actor, engagement, b"first")
    second = await _add(database, actor, engagement, b"second")
    expected = WrappedKey(id=first, engagement_id=engagement, wrapped=b"first")
    assert await _current(database, actor, engagement) == expected
    async with database.transaction(actor.client_id) as session:
        assert await keys.find_key(session, first) == expected
        assert await keys.find_key(session, second) is None


async def test_a_destroyed_key_makes_room_and_is_remembered_without_its_bytes(
    database: Database, actor: Actor, engagement: EngagementId
) -> None:
    first = await _add(database, actor, engagement, b"first")
    async with database.transaction(actor.client_id) as session:
        await session.execute(text("UPDATE engagement_keys SET wrapped = NULL, destroyed_at = now()"))
    assert await _current(database, actor, engagement) is None
    second = await _add(database, actor, engagement, b"second")
    current = await _current(database, actor, engagement)
    assert current is not None
    assert current.id == second
    async with database.transaction(actor.client_id) as session:
        destroyed = await keys.find_key(session, first)
    assert destroyed == WrappedKey(id=first, engagement_id=engagement, wrapped=None)
