"""Relay connections: keyset pages and their cursors."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import strawberry

from gql_server.api.fields import field
from gql_server.domain.errors import InvalidCursor, InvalidInput
from gql_server.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, PageRequest, Position

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT")
ReadT = TypeVar("ReadT")

First = Annotated[int | None, strawberry.argument(description="How many from the start, 1 to 100; 50 by default.")]
After = Annotated[Position | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 1 to 100; not with `first`.")]
Before = Annotated[Position | None, strawberry.argument(description="Only what comes before this cursor.")]


def encode_position(position: Position) -> str:
    """Return the opaque form of a place in a list."""
    micros = (position.created_at - EPOCH) // MICROSECOND
    return base64.urlsafe_b64encode(f"p1:{micros}:{position.id.hex}".encode()).decode().rstrip("=")


def decode_position(text: object) -> Position:
    """Read the opaque form.

    Raises:
        InvalidCursor: the text was not made by `encode_position`.
    """
    try:
        padded = f"{text}" + "=" * (-len(f"{text}") % 4)
        version, micros, number = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(":")
        position = Position(EPOCH + int(micros) * MICROSECOND, UUID(hex=number))
    except (binascii.Error, OverflowError, ValueError) as error:
        raise InvalidCursor from error
    if version != "p1" or encode_position(position) != text:
        raise InvalidCursor
    return position


def check_page_size(argument: str, size: int) -> None:
    """Refuse a page that is empty or too large.

    Raises:
        InvalidInput: the size is not 1 to 100.
    """
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise InvalidInput(field=argument, reason=f"ask for 1 to {MAX_PAGE_SIZE} at a time")


def page_request(
    *, first: int | None, after: Position | None, last: int | None, before: Position | None
) -> PageRequest:
    """Put the four Relay arguments into one request.

    Raises:
        InvalidInput: a size is out of bounds, or both ends were asked for.
    """
    if first is not None and last is not None:
        raise InvalidInput(field="last", reason="use either `first` or `last`")
    if first is not None:
        check_page_size("first", first)
    if last is not None:
        check_page_size("last", last)
    size = first or last or DEFAULT_PAGE_SIZE
    return PageRequest(size=size, after=after, before=before, backward=last is not None)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether something follows this page.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before this page.")
    start_cursor: Position | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: Position | None = strawberry.field(description="The cursor of the last edge.")


@strawberry.type(description="One entry of a connection.")
class Edge(Generic[NodeT]):
    """A node and its place."""

    cursor: Position = strawberry.field(description="The place of this entry, for `after` and `before`.")
    node: NodeT = strawberry.field(description="What stands here.")


@strawberry.type(description="A page of a list, newest first.")
class Connection(Generic[NodeT]):
    """Relay's connection over a keyset."""

    edges: list[Edge[NodeT]] = strawberry.field(description="The entries of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @field("How many there are on all pages together.")
    async def total_count(self) -> int:
        """Count only when asked."""
        return await self.count()


async def connect(
    read: Callable[[], AbstractAsyncContextManager[ReadT]],
    *,
    list_rows: Callable[[ReadT], Awaitable[Page[RowT]]],
    count_rows: Callable[[ReadT], Awaitable[int]],
    node_of: Callable[[RowT], NodeT],
    position_of: Callable[[RowT], Position],
) -> Connection[NodeT]:
    """Read a page and make a connection of it."""
    async with read() as reading:
        page = await list_rows(reading)

    async def count() -> int:
        async with read() as reading:
            return await count_rows(reading)

    edges = [Edge(cursor=position_of(row), node=node_of(row)) for row in page.items]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, page_info=info, count=count)
