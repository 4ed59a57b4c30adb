"""Connections: cursors and their arguments."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.api.paging import connect, decode_position, encode_position, page_request
from gql_server.domain.errors import InvalidCursor, InvalidInput
from gql_server.domain.paging import DEFAULT_PAGE_SIZE, Page, PageRequest, Position

PLACE = Position(datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1))


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back_as_it_was(time: datetime, id_: UUID) -> None:
    assert decode_position(encode_position(Position(time, id_))) == Position(time, id_)


@given(st.text() | st.integers() | st.none())
def test_what_is_no_cursor_is_refused(text: object) -> None:
    with pytest.raises(InvalidCursor):
        decode_position(text)


@pytest.mark.parametrize(
    "text", [encode_position(PLACE) + "=", encode_position(PLACE)[:-1], "cDE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk6MA"]
)
def test_a_cursor_that_was_changed_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_position(text)


def test_without_arguments_a_page_is_the_first() -> None:
    wanted = page_request(first=None, after=None, last=None, before=None)
    assert wanted == PageRequest(size=DEFAULT_PAGE_SIZE)


def test_the_last_ones_are_read_backwards() -> None:
    wanted = page_request(first=None, after=None, last=3, before=PLACE)
    assert wanted == PageRequest(size=3, before=PLACE, backward=True)


@pytest.mark.parametrize(("first", "last"), [(0, None), (101, None), (None, 0), (None, 101), (1, 1)])
def test_sizes_out_of_bounds_and_both_ends_are_refused(first: int | None, last: int | None) -> None:
    with pytest.raises(InvalidInput):
        page_request(first=first, after=None, last=last, before=None)


async def test_a_page_is_counted_only_when_asked() -> None:
    counted: list[str] = []

    @asynccontextmanager
    async def read() -> AsyncIterator[str]:
        yield "open"

    async def rows(_: str) -> Page[int]:
        return Page(items=(1, 2), has_next=True, has_previous=False)

    async def count(opened: str) -> int:
        counted.append(opened)
        return 7

    found = await connect(read, list_rows=rows, count_rows=count, node_of=str, position_of=lambda _: PLACE)
    assert [edge.node for edge in found.edges] == ["1", "2"]
    assert found.page_info.has_next_page
    assert counted == []
    assert await found.count() == 7
    assert counted == ["open"]


async def test_an_empty_page_has_no_cursors() -> None:
    @asynccontextmanager
    async def read() -> AsyncIterator[None]:
        yield None

    async def rows(_: None) -> Page[int]:
        return Page(items=(), has_next=False, has_previous=False)

    async def count(_: None) -> int:
        return 0

    found = await connect(read, list_rows=rows, count_rows=count, node_of=str, position_of=lambda _: PLACE)
    assert (found.page_info.start_cursor, found.page_info.end_cursor) == (None, None)
