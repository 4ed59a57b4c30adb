"""Vendors over GraphQL."""

from starlette.applications import Starlette

from tests.graphql_client import data, execute

SEARCH = "query ($search: String!, $first: Int) { ouiVendors(search: $search, first: $first) { oui name } }"


async def test_a_vendor_is_found_by_name_and_by_octets(app: Starlette) -> None:
    (by_octets,) = (await data(app, SEARCH, {"search": "00-00-5E"}))["ouiVendors"]
    assert by_octets["oui"] == "00:00:5e"
    by_name = (await data(app, SEARCH, {"search": by_octets["name"].upper()}))["ouiVendors"]
    assert by_octets in by_name


async def test_no_more_are_shown_than_were_asked_for(app: Starlette) -> None:
    assert len((await data(app, SEARCH, {"search": "systems", "first": 3}))["ouiVendors"]) == 3


async def test_a_search_for_nothing_is_refused(app: Starlette) -> None:
    for given in ({"search": " "}, {"search": "x" * 101}, {"search": "systems", "first": 0}):
        (error,) = (await execute(app, SEARCH, given))["errors"]
        assert error["extensions"]["code"] == "INVALID_INPUT"
