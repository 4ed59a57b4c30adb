"""Who asks, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum

from gql_server.domain.ids import ClientId, UserId


class Role(StrEnum):
    """What a member may do inside a client."""

    ADMIN = "ADMIN"
    ANALYST = "ANALYST"
    VIEWER = "VIEWER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A user acting inside one client: the tenant of everything they read or write."""

    client_id: ClientId
    user_id: UserId
    role: Role

    @property
    def may_write(self) -> bool:
        """Whether this actor may change anything."""
        return self.role is not Role.VIEWER

    @property
    def may_see_originals(self) -> bool:
        """Whether this actor may be shown originals beside what becomes of them: the key, as it were, in clear."""
        return self.role is not Role.VIEWER
