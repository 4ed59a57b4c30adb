"""Relay connections over rows that never change."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import strawberry

from gql_server.api.paging import EPOCH, MICROSECOND, Edge, PageInfo
from gql_server.domain.errors import InvalidCursor
from gql_server.domain.inspection import InspectionOrder, RowRequest, Rows
from gql_server.domain.paging import PageRequest, Position

NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT")

_KEY_BYTES = 16


@strawberry.type(description="A page of a list that belongs to a trace.")
class Connection(Generic[NodeT]):
    """Relay's connection over numbered rows."""

    edges: list[Edge[NodeT]] = strawberry.field(description="The entries of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="How many there are on all pages together.")
    is_complete: bool = strawberry.field(
        description="Whether there was room for all of them; what is listed is exact either way."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPage:
    """A page of one list, whose cursors are good for that list alone.

    A cursor is a `Position`: the row's number in place of the time, and what list it is in place of the id.
    """

    page: PageRequest
    order: InspectionOrder
    name: str
    """What list it is."""

    def request(self) -> RowRequest:
        """Ask for the rows.

        Raises:
            InvalidCursor: a cursor is another list's.
        """
        return RowRequest(
            size=self.page.size,
            after=self._number(self.page.after),
            before=self._number(self.page.before),
            backward=self.page.backward,
            order=self.order,
        )

    def connection(self, rows: Rows[RowT] | None, show: Callable[[RowT], NodeT]) -> Connection[NodeT] | None:
        """Make a connection of the rows, None of none."""
        if rows is None:
            return None
        edges = [
            Edge(cursor=self._position(number), node=show(row)) for number, row in enumerate(rows.items, rows.start)
        ]
        info = PageInfo(
            has_next_page=rows.start + len(edges) < rows.total,
            has_previous_page=rows.start > 0,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return Connection(edges=edges, page_info=info, total_count=rows.total, is_complete=rows.is_complete)

    def _position(self, number: int) -> Position:
        return Position(EPOCH + number * MICROSECOND, self._key())

    def _number(self, position: Position | None) -> int | None:
        if position is None:
            return None
        number = (position.created_at - EPOCH) // MICROSECOND
        if position.id != self._key() or number < 0:
            raise InvalidCursor
        return number

    def _key(self) -> UUID:
        return UUID(bytes=hashlib.sha256(f"{self.name}/{self.order}".encode()).digest()[:_KEY_BYTES])
