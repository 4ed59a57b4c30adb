"""What every service is given."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from gql_server.services.children import ChildPool
from gql_server.store.blobs import LocalBlobs
from gql_server.store.database import Database
from gql_server.store.notifications import Announcer, EventHub

MEBIBYTE = 1 << 20
PREVIEWS_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is allowed."""

    upload_bytes: int = 64 << 30
    """Largest upload."""
    unpacked_bytes: int = 256 << 30
    """Largest capture after decompression."""
    unpacked_ratio: int = 200
    """Largest capture after decompression, as a multiple of the upload."""
    uploads_per_user: int = 20
    """Uploads that one user may have under way."""
    upload_time: timedelta = timedelta(hours=24)
    """How long an upload may lie without a byte added."""
    job_memory_bytes: int = 512 * MEBIBYTE
    """What a job may use beyond its program."""
    job_time: timedelta = timedelta(hours=6)
    """How long one attempt may take."""
    lease_time: timedelta = timedelta(seconds=30)
    """How long a worker may be silent before another takes its job over."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that wraps all others; it lives in a file beside no data of the database."""

    kek: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Memory, files, children, keys and limits."""

    database: Database
    blobs: LocalBlobs
    children: ChildPool
    keyring: Keyring
    announcer: Announcer
    hub: EventHub
    limits: Limits
    code_version: str
    previews: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PREVIEWS_AT_ONCE))
    """Who wants a preview waits for a place: one document may ask for many."""
