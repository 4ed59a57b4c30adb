"""Flows: queries."""

from typing import Annotated

import strawberry

from gql_server.api.context import Info
from gql_server.api.fields import field
from gql_server.api.ids import GlobalId
from gql_server.api.loaders import one
from gql_server.api.paging import After, Before, Connection, First, Last, page_request
from gql_server.api.types import Flow, flow_connection
from gql_server.domain.ids import FlowId

FlowsId = Annotated[GlobalId, strawberry.argument(description="The id of the flow.")]


@strawberry.type
class FlowQueries:
    """Queries about flows."""

    @field("One flow; null if there is none of this id that you may see.")
    async def flow(self, info: Info, id: FlowsId) -> Flow | None:  # noqa: A002  # the name is the contract's
        """Load it."""
        own = id.of_or_none("Flow")
        return await one(info.context.loaders.flows, None if own is None else FlowId(own), Flow.of)

    @field("The flows that you may see.")
    async def flows(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Flow]:
        """List them."""
        return await flow_connection(info, page_request(first=first, after=after, last=last, before=before))
