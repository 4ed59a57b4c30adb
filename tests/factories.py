"""Rows for tests, with everything said that a test does not care about."""

from dataclasses import dataclass
from datetime import UTC, datetime

from gql_server.domain.access import Actor
from gql_server.domain.dicom import DicomAction
from gql_server.domain.dicom_verification import (
    DicomVerification,
    SecretFinding,
    SecretForm,
    SecretKind,
    SecretPlace,
    SecretScan,
    VerifiedElements,
    VerifiedPixels,
)
from gql_server.domain.events import EventKind
from gql_server.domain.ids import ExecutionId, JobId, TraceId, new_id
from gql_server.domain.jobs import Execution, ExecutionState, JobKind
from gql_server.domain.lineage import EdgeKind, LineageEdge
from gql_server.domain.traces import CaptureFormat, CaptureSummary, Trace, TraceOrigin
from gql_server.domain.verification import (
    ByteLedger,
    LeakFinding,
    LeakForm,
    LeakPlace,
    LeakScan,
    NonInterference,
    Verification,
    VerificationReason,
    VerificationStatus,
)
from gql_server.services.attempts import execution_name
from gql_server.services.submission import new_job
from gql_server.store import events, executions, jobs, lineage, traces
from gql_server.store.database import Database, Session
from gql_server.store.flows import find_default_flow
from gql_server.store.jobs import JobOrder

SUMMARY = CaptureSummary(
    format=CaptureFormat.PCAP,
    sha256="0" * 64,
    size_bytes=24,
    link_types=(1,),
    interfaces=1,
    packets=0,
    captured_bytes=0,
    original_bytes=0,
    truncated_packets=0,
    first_time_ns=None,
    last_time_ns=None,
)


async def make_job(database: Database, actor: Actor) -> JobId:
    """Add a PENDING job that no queue knows of."""
    async with database.transaction(actor.client_id) as session:
        return await _add_job(session, actor)


VERIFICATION = Verification(
    status=VerificationStatus.PARTIAL,
    reasons=(VerificationReason.PAYLOAD_KEPT,),
    ledger=ByteLedger(
        size_bytes=1500, structural=500, rewritten=300, zeroed=20, opaque=670, kept_by_rule=10, unknown=0
    ),
    scan=LeakScan(
        addresses_ipv4=9,
        addresses_ipv6=4,
        addresses_mac=7,
        bytes_scanned=1500,
        findings=(
            LeakFinding(
                kind="IPV4",
                form=LeakForm.TEXT,
                place=LeakPlace.PAYLOAD,
                hits=2,
                first_packet=3,
                first_offset=400,
            ),
        ),
    ),
    interference=NonInterference(
        packets=12,
        bytes_changed=0,
        lengths_changed=0,
        times_changed=0,
        checksums_good=11,
        checksums_bad=1,
        checksums_absent=2,
        checksum_states_changed=0,
    ),
)

DICOM_VERIFICATION = DicomVerification(
    connections=101,
    streams=102,
    messages=103,
    data_sets=104,
    elements=(VerifiedElements(tag="00100010", vr="PN", action=DicomAction.REPLACED, elements=105, bytes=106),),
    pixels=(VerifiedPixels(modality="CT", data_sets=107, bytes=108, bytes_kept=109),),
    bytes_dicom=110,
    bytes_kept=111,
    bytes_pixels_kept=112,
    bytes_undecodable=113,
    bytes_left=0,
    copies=114,
    uids=115,
    names=116,
    identifiers=117,
    times_shifted=True,
    scan=SecretScan(
        secrets=118,
        bytes_raw=119,
        bytes_reassembled=120,
        bytes_unpacked=121,
        findings=(
            SecretFinding(
                kind=SecretKind.NAME,
                form=SecretForm.BASE64,
                place=SecretPlace.VALUE_KEPT,
                hits=122,
                first_packet=123,
                first_offset=124,
            ),
        ),
    ),
)


async def _add_job(session: Session, actor: Actor) -> JobId:
    job_id = JobId(new_id())
    await jobs.lock_job(session, job_id)
    flow = await find_default_flow(session)
    assert flow is not None
    job = new_job(actor, job_id=job_id, flow_id=flow.id, kind=JobKind.ADDRESS_ANONYMIZATION)
    parameters = {"version": 1, "mapping": "IPCRYPT_PFX", "rules": []}
    await jobs.add_job(session, job, JobOrder(parameters=parameters, key_id=None, output_name="out"))
    await events.append_event(session, job_id, EventKind.JOB_SUBMITTED)
    return job_id


async def make_trace(database: Database, actor: Actor, name: str = "example.pcap") -> TraceId:
    """Add a trace without a file."""
    async with database.transaction(actor.client_id) as session:
        return await _add_trace(session, actor, await _add_job(session, actor), name)


async def _add_trace(session: Session, actor: Actor, job_id: JobId, name: str) -> TraceId:
    flow = await find_default_flow(session)
    assert flow is not None
    trace = Trace(
        id=TraceId(new_id()),
        client_id=actor.client_id,
        flow_id=flow.id,
        job_id=job_id,
        name=name,
        origin=TraceOrigin.UPLOADED,
        summary=SUMMARY,
        address_rules=(),
        mac_rules=(),
        verification=None,
        created_at=datetime.now(UTC),
        deleted_at=None,
    )
    await traces.add_trace(session, trace)
    return trace.id


@dataclass(frozen=True, slots=True)
class Chain:
    """Traces, each derived from the one before, and the executions that generated them."""

    traces: tuple[TraceId, ...]
    executions: tuple[ExecutionId, ...]


async def make_chain(database: Database, actor: Actor, length: int) -> Chain:
    """Add a chain of traces without files."""
    made: list[tuple[TraceId, ExecutionId]] = []
    for number in range(length):
        async with database.transaction(actor.client_id) as session:
            job_id = await _add_job(session, actor)
            execution_id = await _add_execution(session, actor, job_id)
            trace_id = await _add_trace(session, actor, job_id, f"trace {number}")
            parent = made[-1][0] if made else None
            for edge in _edges(execution_id, trace_id, parent):
                await lineage.add_edge(session, actor.client_id, edge)
        made.append((trace_id, execution_id))
    return Chain(tuple(trace for trace, _ in made), tuple(execution for _, execution in made))


async def _add_execution(session: Session, actor: Actor, job_id: JobId) -> ExecutionId:
    flow = await find_default_flow(session)
    assert flow is not None
    now = datetime.now(UTC)
    execution = Execution(
        id=ExecutionId(new_id()),
        client_id=actor.client_id,
        flow_id=flow.id,
        job_id=job_id,
        attempt=1,
        name=execution_name(now),
        state=ExecutionState.RUNNING,
        error=None,
        started_at=now,
        finished_at=None,
    )
    await executions.add_execution(session, execution)
    return execution.id


def _edges(execution_id: ExecutionId, trace_id: TraceId, parent: TraceId | None) -> list[LineageEdge]:
    ends = {"source_trace_id": None, "source_execution_id": execution_id, "target_execution_id": None}
    edges = [LineageEdge(kind=EdgeKind.GENERATED, target_trace_id=trace_id, **ends)]  # type: ignore[arg-type]
    if parent is not None:
        edges.append(LineageEdge(kind=EdgeKind.USED, target_trace_id=parent, **ends))  # type: ignore[arg-type]
        derived = {"source_trace_id": trace_id, "source_execution_id": None, "target_execution_id": None}
        edges.append(LineageEdge(kind=EdgeKind.DERIVED_FROM, target_trace_id=parent, **derived))  # type: ignore[arg-type]
    return edges
