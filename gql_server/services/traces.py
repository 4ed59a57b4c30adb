"""Traces: rename, delete, open; set rules and preview them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AddressPair, AnonymizationParameters
from gql_server.domain.errors import InvalidInput, NotFound, RuleMalformed, TraceDeleted, TraceInUse
from gql_server.domain.ids import ClientId, TraceId
from gql_server.domain.paging import MAX_PAGE_SIZE
from gql_server.domain.rules import parse_address_rules, parse_mac_rules
from gql_server.domain.traces import Trace
from gql_server.engine.tasks import Previewed, PreviewTask
from gql_server.engine.vendors import oui_of_vendor
from gql_server.services.access import checked_name, hold_trace, require_originals, require_write, settle_flow
from gql_server.services.keys import open_key, settle_key
from gql_server.services.resources import Resources
from gql_server.store import jobs, traces
from gql_server.store.database import Session

_PREVIEW_TIME = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMacRule:
    """A MAC rule as it is asked for: by vendor or by the first three octets."""

    original: str
    vendor: str | None
    oui: str | None

    def as_text(self, index: int) -> tuple[str, str]:
        """Return the rule as a pair of text (`domain/rules.py`).

        Raises:
            RuleMalformed: not one of vendor and octets is given, or the name means no one vendor.
        """
        if (self.vendor is None) == (self.oui is None):
            raise RuleMalformed(index=index, reason="give a target vendor or a target OUI, and only one of them")
        if self.oui is not None:
            return self.original, self.oui
        return self.original, oui_of_vendor(self.vendor or "", index=index)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file opened for somebody who may read it; they close it."""

    file: BinaryIO
    size_bytes: int
    file_name: str
    """A name of ours; never text of a user's."""
    sha256: str


async def rename_trace(resources: Resources, actor: Actor, *, trace_id: TraceId, name: str) -> Trace:
    """Give a trace another name.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput.
    """
    require_write(actor)
    trimmed = checked_name(name)
    async with resources.database.transaction(actor.client_id) as session:
        await hold_trace(session, trace_id)
        await traces.change_trace(session, trace_id, name=trimmed)
        return await _get_trace(session, trace_id)


async def set_address_rules(
    resources: Resources, actor: Actor, *, trace_id: TraceId, rules: list[tuple[str, str]]
) -> Trace:
    """Set what the trace's next address anonymization will do; jobs already started keep their snapshot.

    Raises:
        Forbidden, NotFound, TraceDeleted, RulesError.
    """
    require_write(actor)
    parsed = parse_address_rules(rules)
    async with resources.database.transaction(actor.client_id) as session:
        await hold_trace(session, trace_id)
        await traces.change_trace(session, trace_id, address_rules=parsed)
        return await _get_trace(session, trace_id)


async def delete_trace(resources: Resources, actor: Actor, *, trace_id: TraceId) -> Trace:
    """Make a trace a tombstone: its place in the lineage stays, its files go; open downloads finish.

    Raises:
        Forbidden, NotFound, TraceDeleted.
        TraceInUse: an unfinished job reads it.
    """
    require_write(actor)
    async with resources.database.transaction(actor.client_id) as session:
        await hold_trace(session, trace_id)
        if await jobs.is_trace_in_use(session, trace_id):
            raise TraceInUse
        await traces.bury_trace(session, trace_id)
        trace = await _get_trace(session, trace_id)
    await remove_files(resources, actor.client_id, trace_id)
    return trace


async def remove_files(resources: Resources, client_id: ClientId, trace_id: TraceId) -> None:
    """Remove the files of a tombstone and note it; the sweeper comes back for what a crash left."""
    await asyncio.to_thread(resources.blobs.remove_trace, trace_id)
    async with resources.database.transaction(client_id) as session:
        await traces.mark_files_removed(session, trace_id)


async def open_capture(resources: Resources, actor: Actor, trace_id: TraceId) -> OpenFile:
    """Open the capture of a trace.

    Raises:
        NotFound, TraceDeleted, BlobMissing.
    """
    async with resources.database.read(actor.client_id) as connection:
        trace = (await traces.find_traces(connection, [trace_id])).get(trace_id)
    if trace is None:
        raise NotFound(noun="trace")
    if trace.deleted_at is not None:
        raise TraceDeleted
    stored = trace.summary.format.file_name
    file, size = await asyncio.to_thread(resources.blobs.open_trace, trace_id, stored)
    suffix = stored.rpartition(".")[2]
    return OpenFile(
        file=file, size_bytes=size, file_name=f"capture-{trace_id.hex[:8]}.{suffix}", sha256=trace.summary.sha256
    )


async def set_mac_rules(
    resources: Resources, actor: Actor, *, trace_id: TraceId, rules: Sequence[WantedMacRule]
) -> Trace:
    """Check the rules and store them for the next MAC transformation of the trace; return the trace with them.

    Raises:
        Forbidden, NotFound, TraceDeleted, RulesError.
    """
    require_write(actor)
    # The first look-up reads the table of vendors.
    pairs = await asyncio.to_thread(lambda: [rule.as_text(index) for index, rule in enumerate(rules)])
    parsed = parse_mac_rules(pairs)
    async with resources.database.transaction(actor.client_id) as session:
        await hold_trace(session, trace_id)
        await traces.change_trace(session, trace_id, mac_rules=parsed)
        return await _get_trace(session, trace_id)


async def preview_transformation(
    resources: Resources, actor: Actor, *, trace_id: TraceId, parameters: AnonymizationParameters, first: int
) -> tuple[AddressPair, ...]:
    """Show what an anonymization started now would make of the trace's first addresses.

    The same key, rules and code as the job's: what is shown is what the job writes.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, CaptureError, KeyDestroyed.
    """
    require_originals(actor)
    if not 1 <= first <= MAX_PAGE_SIZE:
        raise InvalidInput(field="first", reason=f"1 to {MAX_PAGE_SIZE} pairs can be shown")
    async with resources.database.transaction(actor.client_id) as session:
        trace = await hold_trace(session, trace_id)
        flow = await settle_flow(session, trace.flow_id)
        key_id = await settle_key(session, resources.keyring, actor.client_id, flow.engagement_id)
        key = await open_key(session, resources.keyring, actor.client_id, key_id)
    task = PreviewTask(
        source=resources.blobs.trace_path(trace_id, trace.summary.format.file_name),
        mapping=parameters.mapping,
        mac_mapping=parameters.mac_mapping,
        rules=tuple(rule.as_text() for rule in trace.address_rules),
        key=key,
        first=first,
        memory_bytes=resources.limits.job_memory_bytes,
    )
    async with resources.previews:
        result = await resources.children.run(task, on_progress=lambda _: None, time_limit=_PREVIEW_TIME)
    assert isinstance(result, Previewed)
    return result.pairs


async def _get_trace(session: Session, trace_id: TraceId) -> Trace:
    return (await traces.find_traces(session, [trace_id]))[trace_id]
