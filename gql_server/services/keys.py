"""Engagement keys: made at first use, wrapped at rest."""

import logging
from uuid import UUID

from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import Forbidden, KeyDestroyed, NotFound
from gql_server.domain.flows import EngagementKey
from gql_server.domain.ids import ClientId, EngagementId, KeyId, new_id
from gql_server.engine.keys import generate_key, unwrap_key, wrap_key
from gql_server.services.resources import Keyring, Resources
from gql_server.store import keys
from gql_server.store.database import Session

log = logging.getLogger(__name__)


def _owner(client_id: UUID, engagement_id: UUID, key_id: UUID) -> bytes:
    return f"{client_id}/{engagement_id}/{key_id}".encode()


async def settle_key(session: Session, keyring: Keyring, client_id: ClientId, engagement_id: EngagementId) -> KeyId:
    """Return the id of the engagement's key; the first caller makes it."""
    found = await keys.find_current_key(session, engagement_id)
    if found is None:
        key_id = KeyId(new_id())
        wrapped = wrap_key(keyring.kek, generate_key(), _owner(client_id, engagement_id, key_id))
        await keys.add_key(session, client_id, engagement_id, key_id, wrapped)
        found = await keys.find_current_key(session, engagement_id)
    if found is None:
        raise KeyDestroyed
    return found.id


async def destroy_key(resources: Resources, actor: Actor, *, key_id: KeyId) -> EngagementKey:
    """Destroy a key: what was mapped with it can no more be mapped alike, nor back. Its record stays.

    A job that has not opened it yet fails with KEY_DESTROYED; the next job of the engagement makes a new key.

    Raises:
        Forbidden: only an ADMIN may.
        NotFound, KeyDestroyed.
    """
    if actor.role is not Role.ADMIN:
        raise Forbidden
    async with resources.database.transaction(actor.client_id) as session:
        if await keys.find_key(session, key_id) is None:
            raise NotFound(noun="key")
        destroyed = await keys.destroy_key(session, key_id, actor.user_id)
    if destroyed is None:
        raise KeyDestroyed
    log.warning("key destroyed", extra={"key_id": str(key_id), "user_id": str(actor.user_id)})
    return destroyed


async def open_key(session: Session, keyring: Keyring, client_id: ClientId, key_id: KeyId) -> bytes:
    """Return a key unwrapped.

    Raises:
        KeyDestroyed: it is gone, or was wrapped by another server's key.
    """
    found = await keys.find_key(session, key_id)
    if found is None or found.wrapped is None:
        raise KeyDestroyed
    try:
        return unwrap_key(keyring.kek, found.wrapped, _owner(client_id, found.engagement_id, key_id))
    except ValueError as error:
        raise KeyDestroyed from error
