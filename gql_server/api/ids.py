"""Global ids: opaque names that say what they name."""

import base64
import binascii
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from gql_server.domain.errors import InvalidId, NotFound

NODE_TYPES = frozenset({"Engagement", "EngagementKey", "Execution", "Flow", "Job", "Trace", "Upload"})


@dataclass(frozen=True, slots=True)
class GlobalId:
    """The id of a node, as clients keep it: its type and its own id, in base64url."""

    type_name: str
    id: UUID

    def encode(self) -> str:
        """Return the opaque form."""
        return base64.urlsafe_b64encode(f"{self.type_name}:{self.id.hex}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: object) -> Self:
        """Read the opaque form.

        Raises:
            InvalidId: the text was not made by `encode`.
        """
        if not isinstance(text, str):
            raise InvalidId(noun="node")
        try:
            padded = text + "=" * (-len(text) % 4)
            type_name, number = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(":")
            decoded = cls(type_name, UUID(hex=number))
        except (binascii.Error, ValueError) as error:
            raise InvalidId(noun="node") from error
        if type_name not in NODE_TYPES or decoded.encode() != text:
            raise InvalidId(noun="node")
        return decoded

    def of(self, type_name: str) -> UUID:
        """Return the node's own id if it is of this type; another type is as good as absent.

        Raises:
            NotFound: it names a node of another type.
        """
        if self.type_name != type_name:
            raise NotFound(noun=type_name.lower())
        return self.id

    def of_or_none(self, type_name: str) -> UUID | None:
        """Return the node's own id if it is of this type."""
        return self.id if self.type_name == type_name else None
