"""Pages of a list: a keyset position, a request, an answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two rows of a list ordered by time of creation, then id."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is wanted: `size` rows after or before a position.

    Lists run newest first. With `backward` the rows nearest before `before` (or the last rows) are returned, still
    newest first.
    """

    size: int = DEFAULT_PAGE_SIZE
    after: Position | None = None
    before: Position | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page, newest first, and whether there is more on either side."""

    items: tuple[T, ...]
    has_next: bool
    has_previous: bool
