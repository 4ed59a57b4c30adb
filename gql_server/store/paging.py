"""Keyset pages: rows newest first, by time and id."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import tuple_
from sqlalchemy.orm import InstrumentedAttribute

from gql_server.domain.paging import Page, PageRequest
from gql_server.store.database import AnyRow, AnySelect, Connection

T = TypeVar("T")


async def fetch_page(
    connection: Connection,
    statement: AnySelect,
    keys: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[UUID]],
    page: PageRequest,
    read: Callable[[AnyRow], T],
) -> Page[T]:
    """Fetch one page of a statement, ordered by the keys (time, id), newest first.

    One row more than asked for is fetched, to know whether there is more.
    """
    key = tuple_(*keys)
    if page.after is not None:
        statement = statement.where(key < tuple_(page.after.created_at, page.after.id))
    if page.before is not None:
        statement = statement.where(key > tuple_(page.before.created_at, page.before.id))
    order = [column.asc() if page.backward else column.desc() for column in keys]
    rows = (await connection.execute(statement.order_by(*order).limit(page.size + 1))).all()
    more, kept = len(rows) > page.size, [read(row) for row in rows[: page.size]]
    if page.backward:
        return Page(items=tuple(reversed(kept)), has_next=page.before is not None, has_previous=more)
    return Page(items=tuple(kept), has_next=more, has_previous=page.after is not None)
