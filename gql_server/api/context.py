"""What a resolver is given."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Self

import strawberry

from gql_server.api.loaders import Loaders
from gql_server.domain.access import Actor
from gql_server.services.resources import Resources
from gql_server.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, what the server has, and what has been loaded for this operation."""

    resources: Resources
    actor: Actor
    loaders: Loaders

    @classmethod
    def of(cls, resources: Resources, actor: Actor) -> Self:
        """Return a context with empty loaders."""
        return cls(resources=resources, actor=actor, loaders=Loaders(resources.database, actor.client_id))

    def renewed(self) -> Self:
        """Return the same context with loaders of its own: a WebSocket carries many operations."""
        return replace(self, loaders=Loaders(self.resources.database, self.actor.client_id))

    def read(self) -> AbstractAsyncContextManager[Connection]:
        """Open a short read inside the actor's client."""
        return self.resources.database.read(self.actor.client_id)


Info = strawberry.Info[Context, None]
