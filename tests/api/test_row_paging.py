"""Pages of rows that never change."""

from dataclasses import replace

import pytest

from gql_server.api.paging import page_request
from gql_server.api.row_paging import Connection, RowPage
from gql_server.domain.errors import InvalidCursor
from gql_server.domain.inspection import InspectionOrder, Rows
from gql_server.domain.paging import Position

PAGE = RowPage(
    page=page_request(first=3, after=None, last=None, before=None), order=InspectionOrder.BYTES, name="one list"
)


def shown(page: RowPage, total: int = 10) -> Connection[str]:
    start, stop = page.request().span(total)
    rows = Rows(items=tuple(range(start, stop)), start=start, total=total, is_complete=True)
    connection = page.connection(rows, str)
    assert connection is not None
    return connection


def asked(**arguments: int | Position) -> RowPage:
    given = {"first": None, "after": None, "last": None, "before": None} | arguments
    return replace(PAGE, page=page_request(**given))  # type: ignore[arg-type]  # by name


def numbers(page: Connection[str]) -> str:
    return "".join(edge.node for edge in page.edges)


def test_pages_follow_each_other_both_ways() -> None:
    first = shown(PAGE)
    assert first.page_info.end_cursor is not None
    second = shown(asked(first=3, after=first.page_info.end_cursor))
    last = shown(asked(last=3))
    assert last.page_info.start_cursor is not None
    before = shown(asked(last=3, before=last.page_info.start_cursor))
    assert [numbers(page) for page in (first, second, before, last)] == ["012", "345", "456", "789"]
    assert [page.total_count for page in (first, last)] == [10, 10]


def test_a_page_knows_what_lies_around_it() -> None:
    pages = [shown(asked(first=3)), shown(asked(last=3)), shown(asked(first=10)), shown(asked(first=3), total=0)]
    around = [(page.page_info.has_previous_page, page.page_info.has_next_page) for page in pages]
    assert around == [(False, True), (True, False), (False, False), (False, False)]
    assert pages[-1].page_info.start_cursor is None


@pytest.mark.parametrize("other", [replace(PAGE, name="another"), replace(PAGE, order=InspectionOrder.PACKETS)])
def test_a_cursor_is_good_for_its_own_list_alone(other: RowPage) -> None:
    cursor = shown(PAGE).edges[0].cursor
    page = page_request(first=1, after=cursor, last=None, before=None)
    assert replace(PAGE, page=page).request().after == 0
    with pytest.raises(InvalidCursor):
        replace(other, page=page).request()


def test_nothing_stays_nothing() -> None:
    assert PAGE.connection(None, str) is None
