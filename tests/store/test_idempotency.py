"""Idempotency keys: of many at once, one acts."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.errors import IdempotencyConflict
from gql_server.domain.ids import new_id
from gql_server.store.database import Database
from gql_server.store.idempotency import MarkedRequest, find_result, keep_result
from tests.conftest import NewActor

REQUEST = MarkedRequest(operation="act", key="once", arguments_sha256="ab" * 32)


async def _act(database: Database, actor: Actor, request: MarkedRequest = REQUEST) -> UUID:
    """Do what the request asks, unless it was done."""
    async with database.transaction(actor.client_id) as session:
        if (known := await find_result(session, actor, request)) is not None:
            return known
        made = new_id()
        await keep_result(session, actor, request, made)
    return made


async def test_of_many_at_once_one_acts(database: Database, actor: Actor) -> None:
    made = await asyncio.gather(*(_act(database, actor) for _ in range(10)))
    assert len(set(made)) == 1


async def test_a_key_stands_for_one_thing(database: Database, actor: Actor) -> None:
    await _act(database, actor)
    with pytest.raises(IdempotencyConflict):
        await _act(database, actor, replace(REQUEST, arguments_sha256="cd" * 32))


async def test_a_key_belongs_to_its_user_and_its_operation(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    fellow, stranger = await new_actor(client_id=actor.client_id), await new_actor()
    made = {await _act(database, each) for each in (actor, fellow, stranger)}
    made.add(await _act(database, actor, replace(REQUEST, operation="act otherwise")))
    assert len(made) == 4


async def test_what_was_rolled_back_may_be_tried_again(database: Database, actor: Actor) -> None:
    async with database.transaction(actor.client_id) as session:
        assert await find_result(session, actor, REQUEST) is None
        await keep_result(session, actor, REQUEST, new_id())
        await session.rollback()
    async with database.transaction(actor.client_id) as session:
        assert await find_result(session, actor, REQUEST) is None
