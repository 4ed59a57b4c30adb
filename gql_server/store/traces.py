"""Traces: queries, publication, tombstones."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from gql_server.domain.dicom import DicomOverride
from gql_server.domain.dicom_overrides import OverrideText, as_text, parse_overrides
from gql_server.domain.ids import ClientId, ExecutionId, FlowId, JobId, TraceId
from gql_server.domain.paging import Page, PageRequest
from gql_server.domain.rules import AddressRule, MacRule, parse_address_rules, parse_mac_rules
from gql_server.domain.traces import CaptureFormat, CaptureSummary, Trace, TraceOrigin
from gql_server.domain.verification import verification_of
from gql_server.store.database import AnyRow, Connection, Session
from gql_server.store.paging import fetch_page
from gql_server.store.tables import Traces

_COLUMNS = (
    Traces.id,
    Traces.client_id,
    Traces.flow_id,
    Traces.job_id,
    Traces.name,
    Traces.origin,
    Traces.format,
    Traces.sha256,
    Traces.size_bytes,
    Traces.link_types,
    Traces.interfaces,
    Traces.packets,
    Traces.captured_bytes,
    Traces.original_bytes,
    Traces.truncated_packets,
    Traces.first_time_ns,
    Traces.last_time_ns,
    Traces.address_rules,
    Traces.mac_rules,
    Traces.verification,
    Traces.dicom_execution_id,
    Traces.created_at,
    Traces.deleted_at,
)


def rules_as_json(rules: Collection[AddressRule | MacRule]) -> list[list[str]]:
    """Return rules as pairs of text, for a column or a manifest."""
    return [list(rule.as_text()) for rule in rules]


def overrides_as_json(overrides: Collection[DicomOverride]) -> list[list[str | None]]:
    """Return overrides as triples of text, for a column or a manifest."""
    return [list(as_text(override)) for override in overrides]


def overrides_of(stored: Collection[list[Any]]) -> tuple[DicomOverride, ...]:
    """Read overrides from triples of text."""
    triples: list[OverrideText] = [(element, action, value) for element, action, value in stored]
    return parse_overrides(triples)


def _read(row: AnyRow) -> Trace:
    return Trace(
        id=TraceId(row.id),
        client_id=ClientId(row.client_id),
        flow_id=FlowId(row.flow_id),
        job_id=JobId(row.job_id),
        name=row.name,
        origin=TraceOrigin(row.origin),
        summary=CaptureSummary(
            format=CaptureFormat(row.format),
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            link_types=tuple(row.link_types),
            interfaces=row.interfaces,
            packets=row.packets,
            captured_bytes=row.captured_bytes,
            original_bytes=row.original_bytes,
            truncated_packets=row.truncated_packets,
            first_time_ns=row.first_time_ns,
            last_time_ns=row.last_time_ns,
        ),
        address_rules=parse_address_rules([(source, target) for source, target in row.address_rules]),
        mac_rules=parse_mac_rules([(original, oui) for original, oui in row.mac_rules]),
        verification=None if row.verification is None else verification_of(row.verification),
        dicom_execution_id=row.dicom_execution_id,
        created_at=row.created_at,
        deleted_at=row.deleted_at,
    )


async def find_traces(connection: Connection | Session, ids: Collection[TraceId]) -> dict[TraceId, Trace]:
    """Return the traces with these ids, tombstones included, as far as they exist."""
    rows = (await connection.execute(select(*_COLUMNS).where(Traces.id.in_(ids)))).all()
    return {TraceId(row.id): _read(row) for row in rows}


async def lock_trace(session: Session, trace_id: TraceId) -> Trace | None:
    """Return the trace and hold its row until the transaction ends."""
    row = (await session.execute(select(*_COLUMNS).where(Traces.id == trace_id).with_for_update())).one_or_none()
    return None if row is None else _read(row)


def _wanted(flow_id: FlowId | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Traces.deleted_at.is_(None)]
    if flow_id is not None:
        wanted.append(Traces.flow_id == flow_id)
    return wanted


async def list_traces(connection: Connection, *, flow_id: FlowId | None, page: PageRequest) -> Page[Trace]:
    """Return one page of the traces that are not deleted, newest first."""
    statement = select(*_COLUMNS).where(*_wanted(flow_id))
    return await fetch_page(connection, statement, (Traces.created_at, Traces.id), page, _read)


async def count_traces(connection: Connection, *, flow_id: FlowId | None) -> int:
    """Return how many traces are not deleted."""
    return await connection.scalar(select(func.count()).select_from(Traces).where(*_wanted(flow_id))) or 0


async def add_trace(session: Session, trace: Trace) -> None:
    """Add a trace; a second one of the same job breaks a constraint."""
    summary = trace.summary
    session.add(
        Traces(
            client_id=trace.client_id,
            id=trace.id,
            flow_id=trace.flow_id,
            job_id=trace.job_id,
            name=trace.name,
            origin=trace.origin.value,
            format=summary.format.value,
            sha256=summary.sha256,
            size_bytes=summary.size_bytes,
            link_types=list(summary.link_types),
            interfaces=summary.interfaces,
            packets=summary.packets,
            captured_bytes=summary.captured_bytes,
            original_bytes=summary.original_bytes,
            truncated_packets=summary.truncated_packets,
            first_time_ns=summary.first_time_ns,
            last_time_ns=summary.last_time_ns,
            address_rules=rules_as_json(trace.address_rules),
            mac_rules=rules_as_json(trace.mac_rules),
            verification=None if trace.verification is None else asdict(trace.verification),
            created_at=trace.created_at,
        )
    )
    await session.flush()


async def change_trace(
    session: Session,
    trace_id: TraceId,
    *,
    name: str | None = None,
    address_rules: tuple[AddressRule, ...] | None = None,
    mac_rules: tuple[MacRule, ...] | None = None,
) -> None:
    """Set the name or the next rules of a trace."""
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = name
    if address_rules is not None:
        values["address_rules"] = rules_as_json(address_rules)
    if mac_rules is not None:
        values["mac_rules"] = rules_as_json(mac_rules)
    await session.execute(update(Traces).where(Traces.id == trace_id).values(**values))


async def set_overrides(session: Session, trace_id: TraceId, overrides: Collection[DicomOverride]) -> None:
    """Set the next DICOM overrides of a trace."""
    values = {"dicom_overrides": overrides_as_json(overrides)}
    await session.execute(update(Traces).where(Traces.id == trace_id).values(**values))


async def find_overrides(
    connection: Connection | Session, ids: Collection[TraceId]
) -> dict[TraceId, tuple[DicomOverride, ...]]:
    """Return the next DICOM overrides of these traces; there may be thousands, so they are no part of the trace."""
    statement = select(Traces.id, Traces.dicom_overrides).where(Traces.id.in_(ids))
    rows = (await connection.execute(statement)).all()
    return {TraceId(row.id): overrides_of(row.dicom_overrides) for row in rows}


async def name_listing(session: Session, trace_id: TraceId, execution_id: ExecutionId) -> None:
    """Note which execution listed the DICOM associations and devices of a trace last."""
    values = {"dicom_execution_id": execution_id}
    await session.execute(update(Traces).where(Traces.id == trace_id).values(**values))


async def bury_trace(session: Session, trace_id: TraceId) -> None:
    """Make the trace a tombstone; the sweeper removes its files afterwards."""
    await session.execute(update(Traces).where(Traces.id == trace_id).values(deleted_at=func.clock_timestamp()))


async def mark_files_removed(session: Session, trace_id: TraceId) -> None:
    """Note that the files of a tombstone are gone."""
    await session.execute(update(Traces).where(Traces.id == trace_id).values(files_removed_at=func.clock_timestamp()))


async def list_doomed(connection: Connection, *, limit: int = 100) -> tuple[tuple[ClientId, TraceId], ...]:
    """Return tombstones of all tenants whose files are still there."""
    statement = (
        select(Traces.client_id, Traces.id)
        .where(Traces.deleted_at.is_not(None), Traces.files_removed_at.is_(None))
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    return tuple((ClientId(row.client_id), TraceId(row.id)) for row in rows)


async def find_known(connection: Connection, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these traces, of all tenants, have a row."""
    return frozenset(await connection.scalars(select(Traces.id).where(Traces.id.in_(ids))))
