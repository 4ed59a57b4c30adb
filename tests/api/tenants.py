"""Tenants with rows of every kind, and what each is answered."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from starlette.applications import Starlette

from gql_server.api.ids import NODE_TYPES, GlobalId
from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import CaptureCut
from gql_server.domain.ids import UploadId
from gql_server.domain.jobs import JobState
from gql_server.services.access import settle_flow
from gql_server.services.keys import settle_key
from gql_server.services.resources import Resources
from gql_server.services.uploads import abort_upload, create_upload
from gql_server.store.tables import Table
from tests.api.conftest import AddExecution, AddJob, AddTrace, NewApp
from tests.api.id_places import Place
from tests.conftest import NewActor
from tests.factories import make_chain
from tests.graphql_client import connect, http, post

NODE_TABLES = {
    "Engagement": "engagements",
    "EngagementKey": "engagement_keys",
    "Execution": "executions",
    "Flow": "flows",
    "Job": "jobs",
    "Trace": "traces",
    "Upload": "uploads",
}
SILENCE_SECONDS = 5.0
"""A listener that is told nothing for so long is answered with silence."""

_WORD = re.compile(r"[A-Za-z0-9_-]{36,}")
_UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?![0-9a-f])")

Answer = tuple[Any, ...]
"""Everything that a client learns of a probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One client with its users and its rows."""

    apps: dict[Role, Starlette]
    actor: Actor
    secret: str
    """A word that stands in its names."""
    ids: dict[str, tuple[UUID, ...]]
    """Its own ids of each type of node."""

    def newest(self, type_name: str) -> str:
        """Return the global id of the tenant's newest node of a type."""
        return GlobalId(type_name, self.ids[type_name][-1]).encode()

    def everything(self) -> frozenset[UUID]:
        """Return all its ids."""
        return frozenset().union(*self.ids.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settler:
    """Makes tenants with rows of every kind."""

    resources: Resources
    new_app: NewApp
    new_actor: NewActor
    add_job: AddJob
    add_trace: AddTrace
    add_execution: AddExecution

    async def settle(self, number: int) -> Tenant:
        """Make a client with a user of each role, and rows in every table."""
        actor = await self.new_actor(Role.ANALYST)
        actors = {role: await self.new_actor(role, client_id=actor.client_id) for role in Role}
        secret = f"secret of tenant {number}"
        await make_chain(self.resources.database, actor, 2)
        await self.add_trace(actor, secret, content=b"")
        await self.add_job(actor, state=JobState.FAILED, error=CaptureCut(offset=number, packets=0))
        trace = await self.add_trace(actor, secret, content=secret.encode())
        await self.add_execution(await self.add_job(actor, state=JobState.CANCELLED, trace_id=trace.id))
        await abort_upload(self.resources, actor, upload_id=await self._add_upload(actor, secret))
        await self._add_upload(actor, secret)
        await self._add_key(actor)
        apps = {role: self.new_app(each) for role, each in actors.items()}
        return await self.counted(Tenant(apps=apps, actor=actor, secret=secret, ids={}))

    async def counted(self, tenant: Tenant) -> Tenant:
        """Return the tenant with the ids that it has by now, in the order in which they came."""
        ids: dict[str, tuple[UUID, ...]] = {}
        async with self.resources.database.read(tenant.actor.client_id) as connection:
            for type_name, table_name in NODE_TABLES.items():
                table = Table.metadata.tables[table_name]
                time = table.c.started_at if type_name == "Execution" else table.c.created_at
                found = select(table.c.id).where(table.c.client_id == tenant.actor.client_id).order_by(time)
                ids[type_name] = tuple(await connection.scalars(found))
        assert set(ids) == NODE_TYPES
        assert all(ids.values())
        return replace(tenant, ids=ids)

    async def rows(self, tenant: Tenant) -> dict[str, list[str]]:
        """Return all that is stored of a tenant, to be compared."""
        stored: dict[str, list[str]] = {}
        async with self.resources.database.read(tenant.actor.client_id) as connection:
            for name, table in Table.metadata.tables.items():
                if "client_id" in table.columns:
                    own = select(table).where(table.c.client_id == tenant.actor.client_id)
                    stored[name] = sorted(repr(row) for row in (await connection.execute(own)).all())
        return stored

    async def _add_key(self, actor: Actor) -> None:
        async with self.resources.database.transaction(actor.client_id) as session:
            flow = await settle_flow(session, None)
            await settle_key(session, self.resources.keyring, actor.client_id, flow.engagement_id)

    async def _add_upload(self, actor: Actor, name: str) -> UploadId:
        upload = await create_upload(
            self.resources,
            actor,
            flow_id=None,
            name=name,
            length_bytes=5,
            declared_sha256=None,
            idempotency_key=None,
        )
        return upload.id


async def ask(app: Starlette, place: Place, id_: str) -> Answer:
    """Return what is answered at a place; a subscription is asked over both its transports."""
    variables = place.filled(id_)
    if place.operation == "subscription":
        return (
            await first_on_socket(app, place.document, variables),
            await first_on_stream(app, place.document, variables),
        )
    async with http(app) as client:
        response = await client.post("/graphql", json={"query": place.document, "variables": variables})
    return response.status_code, dict(response.headers), response.text


async def first_on_socket(app: Starlette, document: str, variables: dict[str, Any]) -> str:
    """Return the first message of a subscription over a WebSocket."""
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("1", document, variables)
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return str(await socket.hear())
        except TimeoutError:
            return "silence"


async def first_on_stream(app: Starlette, document: str, variables: dict[str, Any]) -> Answer:
    """Return the first event of a subscription over server-sent events."""
    body = {"query": document, "variables": variables}
    async with post(app, body, {"accept": "text/event-stream"}) as (status, headers, pieces):
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                heard = [piece async for piece in _until_event(pieces)]
        except TimeoutError:
            heard = ["silence"]
    return status, headers, "".join(heard)


async def _until_event(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    async for piece in pieces:
        yield piece
        if "event:" in piece:
            return


def ids_in(text: str) -> frozenset[UUID]:
    """Return every id in a text, plain or inside a global id or a cursor."""
    found = set(_UUID.findall(text))
    for word in _WORD.findall(text):
        try:
            inside = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        found.update(_UUID.findall(inside))
    return frozenset(map(UUID, found))
