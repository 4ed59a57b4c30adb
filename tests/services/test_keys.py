"""Engagement keys: one each, and of no use without the KEK."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import Forbidden, KeyDestroyed, NotFound
from gql_server.domain.ids import EngagementId, KeyId, new_id
from gql_server.services.keys import destroy_key, open_key, settle_key
from gql_server.services.resources import Keyring, Resources
from gql_server.store import clients, flows, keys
from tests.conftest import NewActor


async def _engagement(resources: Resources, actor: Actor) -> EngagementId:
    async with resources.database.transaction(actor.client_id) as session:
        flow = await flows.find_default_flow(session)
    assert flow is not None
    return flow.engagement_id


async def _settle(resources: Resources, actor: Actor, engagement_id: EngagementId) -> KeyId:
    async with resources.database.transaction(actor.client_id) as session:
        return await settle_key(session, resources.keyring, actor.client_id, engagement_id)


async def _open(resources: Resources, actor: Actor, key_id: KeyId, keyring: Keyring | None = None) -> bytes:
    async with resources.database.transaction(actor.client_id) as session:
        return await open_key(session, keyring or resources.keyring, actor.client_id, key_id)


def _admin(actor: Actor) -> Actor:
    return replace(actor, role=Role.ADMIN)


async def test_many_who_need_a_first_key_get_the_same(resources: Resources, actor: Actor) -> None:
    engagement = await _engagement(resources, actor)
    made = await asyncio.gather(*(_settle(resources, actor, engagement) for _ in range(5)))
    assert len(set(made)) == 1
    assert len(await _open(resources, actor, made[0])) == 32


async def test_each_engagement_has_a_key_of_its_own(resources: Resources, actor: Actor) -> None:
    other = EngagementId(new_id())
    async with resources.database.transaction(actor.client_id) as session:
        await clients.add_engagement(session, actor.client_id, other, "Another")
    first = await _settle(resources, actor, await _engagement(resources, actor))
    second = await _settle(resources, actor, other)
    assert await _open(resources, actor, first) != await _open(resources, actor, second)


async def test_the_database_holds_no_key_as_it_is(resources: Resources, actor: Actor) -> None:
    key_id = await _settle(resources, actor, await _engagement(resources, actor))
    key = await _open(resources, actor, key_id)
    async with resources.database.transaction(actor.client_id) as session:
        held = await keys.find_key(session, key_id)
    assert held is not None
    assert held.wrapped is not None
    assert key not in held.wrapped


async def test_under_another_kek_the_key_is_as_good_as_destroyed(resources: Resources, actor: Actor) -> None:
    key_id = await _settle(resources, actor, await _engagement(resources, actor))
    with pytest.raises(KeyDestroyed):
        await _open(resources, actor, key_id, Keyring(bytes(32)))


async def test_a_wrapped_key_moved_to_another_place_does_not_open(
    resources: Resources, actor: Actor, new_actor: NewActor
) -> None:
    stranger = await new_actor()
    key_id = await _settle(resources, actor, await _engagement(resources, actor))
    target = await _settle(resources, stranger, await _engagement(resources, stranger))
    async with resources.database.transaction(actor.client_id) as session:
        held = await keys.find_key(session, key_id)
    assert held is not None
    async with resources.database.transaction(stranger.client_id) as session:
        await session.execute(text("UPDATE engagement_keys SET wrapped = :wrapped"), {"wrapped": held.wrapped})
    with pytest.raises(KeyDestroyed):
        await _open(resources, stranger, target)


async def test_a_destroyed_key_and_one_of_anothers_do_not_open(
    resources: Resources, actor: Actor, new_actor: NewActor
) -> None:
    engagement = await _engagement(resources, actor)
    key_id = await _settle(resources, actor, engagement)
    with pytest.raises(KeyDestroyed):
        await _open(resources, await new_actor(), key_id)
    async with resources.database.transaction(actor.client_id) as session:
        await session.execute(text("UPDATE engagement_keys SET wrapped = NULL, destroyed_at = now()"))
    with pytest.raises(KeyDestroyed):
        await _open(resources, actor, key_id)
    assert await _settle(resources, actor, engagement) != key_id


async def test_destroying_a_key_leaves_only_its_record(resources: Resources, actor: Actor) -> None:
    engagement = await _engagement(resources, actor)
    key_id = await _settle(resources, actor, engagement)
    destroyed = await destroy_key(resources, _admin(actor), key_id=key_id)
    assert (destroyed.id, destroyed.destroyed_by) == (key_id, actor.user_id)
    with pytest.raises(KeyDestroyed):
        await _open(resources, actor, key_id)
    with pytest.raises(KeyDestroyed):
        await destroy_key(resources, _admin(actor), key_id=key_id)
    following = await _settle(resources, actor, engagement)
    async with resources.database.transaction(actor.client_id) as session:
        assert (await keys.find_key(session, key_id)).wrapped is None  # type: ignore[union-attr]  # its record stays
        records = (await keys.find_records_of(session, [engagement]))[engagement]
    assert {(record.id, record.destroyed_at is not None) for record in records} == {(following, False), (key_id, True)}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
async def test_only_an_admin_destroys_keys(resources: Resources, actor: Actor, role: Role) -> None:
    key_id = await _settle(resources, actor, await _engagement(resources, actor))
    with pytest.raises(Forbidden):
        await destroy_key(resources, replace(actor, role=role), key_id=key_id)
    assert len(await _open(resources, actor, key_id)) == 32


async def test_anothers_key_cannot_be_destroyed(resources: Resources, actor: Actor, new_actor: NewActor) -> None:
    key_id = await _settle(resources, actor, await _engagement(resources, actor))
    with pytest.raises(NotFound):
        await destroy_key(resources, _admin(await new_actor()), key_id=key_id)
    assert len(await _open(resources, actor, key_id)) == 32


def test_a_keyring_does_not_show_its_key() -> None:
    assert bytes(range(32)).hex() not in repr(Keyring(bytes(range(32))))
    assert repr(Keyring(b"k" * 32)) == "Keyring()"
