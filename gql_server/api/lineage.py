"""Lineage: queries."""

from typing import Annotated

import strawberry

from gql_server.api.context import Info
from gql_server.api.enums import Direction
from gql_server.api.fields import field
from gql_server.api.ids import GlobalId
from gql_server.api.nodes import find_node
from gql_server.api.types import DEFAULT_DEPTH, Depth, Execution, Lineage, Towards, Trace

StartsId = Annotated[GlobalId, strawberry.argument(description="The id of a trace or an execution.")]


@strawberry.type
class LineageQueries:
    """Queries about where things come from."""

    @field(
        "What a trace or an execution was made from and what was made from it; null if there is none of "
        "this id that you may see."
    )
    async def lineage(
        self,
        info: Info,
        id: StartsId,  # noqa: A002  # the name is the contract's
        direction: Towards = Direction.BOTH,
        depth: Depth = DEFAULT_DEPTH,
    ) -> Lineage | None:
        """Walk from there."""
        start = await find_node(info.context, id)
        if not isinstance(start, Trace | Execution):
            return None
        return await Lineage.walk(info, start, direction=direction, depth=depth)
