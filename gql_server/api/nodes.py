"""Nodes: anything by its id, and who asks."""

from typing import Annotated, Any, TypeAlias, cast

import strawberry
from strawberry.dataloader import DataLoader

from gql_server.api.context import Context, Info
from gql_server.api.engagements import Engagement, EngagementKey, Node
from gql_server.api.enums import Role
from gql_server.api.fields import field
from gql_server.api.ids import GlobalId
from gql_server.api.loaders import one
from gql_server.api.paging import check_page_size
from gql_server.api.types import Execution, Flow, Job, Trace, Upload

NodeType: TypeAlias = (
    type[Engagement] | type[EngagementKey] | type[Execution] | type[Flow] | type[Job] | type[Trace] | type[Upload]
)

TheId = Annotated[GlobalId, strawberry.argument(description="The id of the node.")]
TheIds = Annotated[list[GlobalId], strawberry.argument(description="The ids of the nodes, at most 100.")]


def _door(context: Context, type_name: str) -> tuple[DataLoader[Any, Any], NodeType]:
    loaders = context.loaders
    doors: dict[str, tuple[DataLoader[Any, Any], NodeType]] = {
        "Engagement": (loaders.engagements, Engagement),
        "EngagementKey": (loaders.keys, EngagementKey),
        "Execution": (loaders.executions, Execution),
        "Flow": (loaders.flows, Flow),
        "Job": (loaders.jobs, Job),
        "Trace": (loaders.traces, Trace),
        "Upload": (loaders.uploads, Upload),
    }
    return doors[type_name]


async def find_node(context: Context, id_: GlobalId) -> Node | None:
    """Load a node of any type; None if it is absent or another client's."""
    loader, node_type = _door(context, id_.type_name)
    return cast("Node | None", await one(loader, id_.id, node_type.of))


@strawberry.type(description="Who asks, and what they may do.")
class Viewer:
    """The actor."""

    role: Role = strawberry.field(description="The role inside the client.")
    may_write: bool = strawberry.field(description="Whether the role allows changes.")
    may_see_originals: bool = strawberry.field(
        description="Whether the role allows previews, which show originals beside what becomes of them."
    )


@strawberry.type
class NodeQueries:
    """Queries that go by id alone."""

    @field("Any node by its id; null if there is none that you may see.")
    async def node(self, info: Info, id: TheId) -> Node | None:  # noqa: A002  # the name is the contract's
        """Load it."""
        return await find_node(info.context, id)

    @field("Many nodes by their ids, in that order; null where there is none that you may see.")
    async def nodes(self, info: Info, ids: TheIds) -> list[Node | None]:
        """Load them.

        Raises:
            InvalidInput: there are none or too many.
        """
        check_page_size("ids", len(ids))
        return [await find_node(info.context, id_) for id_ in ids]

    @field("Who you are to this server.")
    async def viewer(self, info: Info) -> Viewer:
        """Show the actor."""
        actor = info.context.actor
        return Viewer(role=actor.role, may_write=actor.may_write, may_see_originals=actor.may_see_originals)
