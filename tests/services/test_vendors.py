"""Vendors: what a search may be."""

import pytest

from gql_server.domain.errors import InvalidInput
from gql_server.services.vendors import MAX_SEARCH, search_vendors


async def test_blanks_around_a_search_mean_nothing() -> None:
    assert await search_vendors("  00:00:5e ", first=5) == await search_vendors("00:00:5e", first=5) != ()


@pytest.mark.parametrize(("text", "first"), [("", 5), ("  ", 5), ("x" * (MAX_SEARCH + 1), 5), ("x", 0), ("x", 101)])
async def test_a_search_out_of_bounds_is_refused(text: str, first: int) -> None:
    with pytest.raises(InvalidInput):
        await search_vendors(text, first=first)
