"""Vendors: queries."""

from typing import Annotated

import strawberry

from gql_server.api.fields import field
from gql_server.api.paging import check_page_size
from gql_server.domain import vendors as rows
from gql_server.domain.paging import MAX_PAGE_SIZE
from gql_server.services import vendors as services

Wanted = Annotated[
    str, strawberry.argument(description="Part of a vendor's name, or the first octets of a MAC address.")
]
AtMost = Annotated[int, strawberry.argument(description="How many at most, 1 to 100.")]


@strawberry.type(description="A block of MAC addresses and whom the IEEE assigned it to.")
class OuiVendor:
    """An assignment."""

    oui: str = strawberry.field(
        description="The digits that its addresses begin with: 00:00:5e, or for smaller blocks 00:55:da:1."
    )
    name: str = strawberry.field(description="The vendor.")

    @classmethod
    def of(cls, row: rows.OuiVendor) -> "OuiVendor":
        """Show an assignment."""
        return cls(oui=row.oui, name=row.name)


@strawberry.type
class VendorQueries:
    """Queries about vendors."""

    @field("The vendors of MAC addresses, for `setMacRules`: by name or by their first octets.")
    async def oui_vendors(self, search: Wanted, first: AtMost = MAX_PAGE_SIZE) -> list[OuiVendor]:
        """Search for them.

        Raises:
            InvalidInput: the text or the number is out of bounds.
        """
        check_page_size("first", first)
        return [OuiVendor.of(row) for row in await services.search_vendors(search, first=first)]
