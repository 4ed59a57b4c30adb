"""Keys: mutations."""

from functools import partial
from typing import Annotated

import strawberry

from gql_server.api.context import Info
from gql_server.api.engagements import EngagementKey
from gql_server.api.errors import UserError, settle
from gql_server.api.fields import THE_INPUT, mutation
from gql_server.api.ids import GlobalId
from gql_server.domain.ids import KeyId
from gql_server.services import keys as services


@strawberry.input(description="What `destroyKey` is to do.")
class DestroyKeyInput:
    """Which one."""

    key_id: GlobalId = strawberry.field(description="The key.")


@strawberry.type(description="What became of `destroyKey`.")
class DestroyKeyPayload:
    """The outcome."""

    key: EngagementKey | None = strawberry.field(description="The record that is left.")
    errors: list[UserError] = strawberry.field(description="What kept it from happening; empty when it did.")


@strawberry.type
class KeyMutations:
    """Mutations of keys."""

    @mutation(
        "Destroy a key for good. Nothing can be mapped with it any more, nor back; the engagement's next job makes "
        "a new one. Only an ADMIN may."
    )
    async def destroy_key(
        self,
        info: Info,
        input: Annotated[DestroyKeyInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> DestroyKeyPayload:
        """Destroy it."""
        act = partial(services.destroy_key, info.context.resources, info.context.actor)
        row, errors = await settle(info.context, lambda: act(key_id=KeyId(input.key_id.of("EngagementKey"))))
        return DestroyKeyPayload(key=None if row is None else EngagementKey.of(row), errors=errors)
