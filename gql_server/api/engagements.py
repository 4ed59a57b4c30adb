"""Engagements and their keys, and what every node has."""

from datetime import datetime
from typing import Self

import strawberry

from gql_server.api.context import Info
from gql_server.api.fields import field
from gql_server.api.ids import GlobalId
from gql_server.domain import flows


@strawberry.interface(description="Anything that can be asked for again by its id.")
class Node:
    """Relay's Node."""

    id: GlobalId = strawberry.field(description="The id, for `node(id:)`.")


@strawberry.type(description="The record of a key that addresses are mapped with; the key itself is never shown.")
class EngagementKey(Node):
    """A record."""

    created_at: datetime = strawberry.field(description="When it was made.")
    destroyed_at: datetime | None = strawberry.field(description="When it was destroyed, if it was.")
    is_destroyed: bool = strawberry.field(description="Whether only this record is left.")

    @classmethod
    def of(cls, row: flows.EngagementKey) -> Self:
        """Show a row."""
        return cls(
            id=GlobalId("EngagementKey", row.id),
            created_at=row.created_at,
            destroyed_at=row.destroyed_at,
            is_destroyed=row.destroyed_at is not None,
        )


@strawberry.type(description="The frame that flows belong to. Addresses are mapped with one key within it.")
class Engagement(Node):
    """An engagement."""

    name: str = strawberry.field(description="What people call it.")
    created_at: datetime = strawberry.field(description="When it was opened.")
    row: strawberry.Private[flows.Engagement]

    @classmethod
    def of(cls, row: flows.Engagement) -> Self:
        """Show a row."""
        return cls(id=GlobalId("Engagement", row.id), name=row.name, created_at=row.created_at, row=row)

    @field("The keys that its addresses are or were mapped with, the newest first.")
    async def keys(self, info: Info) -> list[EngagementKey]:
        """Load them."""
        return [EngagementKey.of(row) for row in await info.context.loaders.engagement_keys.load(self.row.id) or ()]
