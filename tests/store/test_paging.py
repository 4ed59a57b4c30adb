"""Keyset pages against a list cut by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import insert, select

from gql_server.domain.access import Actor
from gql_server.domain.ids import new_id
from gql_server.domain.paging import Page, PageRequest, Position
from gql_server.store.database import Database
from gql_server.store.paging import fetch_page
from gql_server.store.tables import Engagements
from tests.conftest import NewActor

KEYS = (Engagements.created_at, Engagements.id)
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def rows(database: Database, actor: Actor, new_actor: NewActor) -> list[Position]:
    """Seven engagements, newest first; several share a time, so that only the id tells them apart."""
    made = [Position(START + timedelta(seconds=number // 3), new_id()) for number in range(7)]
    for owner in (actor, await new_actor()):
        ids = made if owner is actor else [replace(each, id=new_id()) for each in made]
        async with database.transaction(owner.client_id) as session:
            values = [
                {"client_id": owner.client_id, "id": each.id, "name": "x", "created_at": each.created_at}
                for each in ids
            ]
            await session.execute(insert(Engagements).values(values))
    return sorted(made, reverse=True)


async def fetch(database: Database, actor: Actor, page: PageRequest) -> Page[Position]:
    statement = select(*KEYS).where(Engagements.name == "x")
    async with database.read(actor.client_id) as connection:
        return await fetch_page(connection, statement, KEYS, page, lambda row: Position(row.created_at, row.id))


def cut(rows: list[Position], page: PageRequest) -> Page[Position]:
    """Return the page as one would cut it out of the whole list."""
    inside = [
        row for row in rows if (page.after is None or row < page.after) and (page.before is None or row > page.before)
    ]
    items = inside[-page.size :] if page.backward else inside[: page.size]
    more = len(inside) > page.size
    if page.backward:
        return Page(items=tuple(items), has_next=page.before is not None, has_previous=more)
    return Page(items=tuple(items), has_next=more, has_previous=page.after is not None)


async def test_every_page_is_what_one_would_cut_out(database: Database, actor: Actor, rows: list[Position]) -> None:
    strange = Position(START + timedelta(seconds=1), new_id())
    places = [None, rows[0], rows[2], rows[3], rows[-1], strange]
    for after, before, size, backward in product(places, places, (1, 3, 100), (False, True)):
        page = PageRequest(size=size, after=after, before=before, backward=backward)
        assert await fetch(database, actor, page) == cut(rows, page), page


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_walking_on_meets_each_row_once(
    database: Database, actor: Actor, rows: list[Position], size: int
) -> None:
    met: list[Position] = []
    page = await fetch(database, actor, PageRequest(size=size))
    while True:
        met += page.items
        if not page.has_next:
            break
        page = await fetch(database, actor, PageRequest(size=size, after=met[-1]))
    assert met == rows


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_walking_back_meets_each_row_once(
    database: Database, actor: Actor, rows: list[Position], size: int
) -> None:
    met: list[Position] = []
    page = await fetch(database, actor, PageRequest(size=size, backward=True))
    while True:
        met = [*page.items, *met]
        if not page.has_previous:
            break
        page = await fetch(database, actor, PageRequest(size=size, before=met[0], backward=True))
    assert met == rows


async def test_a_row_that_comes_meanwhile_shifts_nothing(
    database: Database, actor: Actor, rows: list[Position]
) -> None:
    first = await fetch(database, actor, PageRequest(size=3))
    async with database.transaction(actor.client_id) as session:
        values = {"client_id": actor.client_id, "id": new_id(), "name": "x", "created_at": START + timedelta(days=1)}
        await session.execute(insert(Engagements).values(values))
    rest = await fetch(database, actor, PageRequest(size=100, after=first.items[-1]))
    assert [*first.items, *rest.items] == rows
