"""Engagement keys: made at first use, wrapped at rest."""

from dataclasses import dataclass, field
from uuid import UUID

from gql_server.domain.errors import KeyDestroyed
from gql_server.domain.ids import ClientId, EngagementId, KeyId, new_id
from gql_server.engine.keys import generate_key, unwrap_key, wrap_key
from gql_server.store import keys
from gql_server.store.database import Session


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that wraps all others; it lives in a file beside no data of the database."""

    kek: bytes = field(repr=False)


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
