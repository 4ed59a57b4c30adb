"""Vendors: who was assigned which MAC addresses."""

import asyncio

from gql_server.domain.errors import InvalidInput
from gql_server.domain.paging import MAX_PAGE_SIZE
from gql_server.domain.vendors import OuiVendor
from gql_server.engine import vendors as registry

MAX_SEARCH = 100


async def search_vendors(text: str, *, first: int) -> tuple[OuiVendor, ...]:
    """Return the assignments whose vendor's name holds the text, or whose octets begin with it.

    Raises:
        InvalidInput: the text is empty or too long, or the number is out of bounds.
    """
    wanted = text.strip()
    if not 0 < len(wanted) <= MAX_SEARCH:
        raise InvalidInput(field="search", reason=f"1 to {MAX_SEARCH} characters are wanted")
    if not 1 <= first <= MAX_PAGE_SIZE:
        raise InvalidInput(field="first", reason=f"1 to {MAX_PAGE_SIZE} vendors can be shown")
    # The first look-up reads the table.
    return await asyncio.to_thread(registry.search_vendors, wanted, first)
