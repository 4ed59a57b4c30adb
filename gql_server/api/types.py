"""The graph: engagements, flows, traces, jobs and more."""

from datetime import datetime
from functools import partial
from typing import Annotated, Self, TypeAlias
from uuid import UUID

import strawberry

from gql_server.api.context import Info
from gql_server.api.dicom_types import DicomTrace
from gql_server.api.engagements import Engagement, Node
from gql_server.api.enums import (
    CaptureFormat,
    Direction,
    EdgeKind,
    ExecutionState,
    FlowState,
    FlowType,
    JobKind,
    JobState,
    TraceOrigin,
    UploadState,
)
from gql_server.api.errors import UserError, stored_error
from gql_server.api.fields import field
from gql_server.api.ids import GlobalId
from gql_server.api.inspection import InspectedTrace
from gql_server.api.link_types import LINK_TYPE_NAMES
from gql_server.api.loaders import one
from gql_server.api.paging import After, Before, Connection, First, Last, connect, page_request
from gql_server.api.scalars import PacketTime, SafeInt, Sha256
from gql_server.api.values import AddressRule, Artifact, JobProgress, LinkType, MacRule
from gql_server.api.verification import Verification
from gql_server.domain import flows, jobs, lineage, traces, uploads
from gql_server.domain.errors import InvalidInput
from gql_server.domain.ids import FlowId, JobId
from gql_server.domain.paging import PageRequest, Position
from gql_server.store import executions as stored_executions
from gql_server.store import flows as stored_flows
from gql_server.store import jobs as stored_jobs
from gql_server.store import lineage as stored_lineage
from gql_server.store import traces as stored_traces

MAX_DEPTH = 50
DEFAULT_DEPTH = 10

OfState = Annotated[JobState | None, strawberry.argument(description="Only jobs in this state.")]
Towards = Annotated[Direction, strawberry.argument(description="Which way to walk.")]
Depth = Annotated[int, strawberry.argument(description="How many edges far, 1 to 50.")]


@strawberry.type(description="A piece of work inside an engagement: it owns uploads, traces, jobs and executions.")
class Flow(Node):
    """A flow."""

    name: str = strawberry.field(description="What people call it.")
    type: FlowType = strawberry.field(description="What it is for.")
    state: FlowState = strawberry.field(description="Where it stands.")
    is_default: bool = strawberry.field(description="Whether work without a flow lands here.")
    created_at: datetime = strawberry.field(description="When it was opened.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    row: strawberry.Private[flows.Flow]

    @classmethod
    def of(cls, row: flows.Flow) -> Self:
        """Show a row."""
        return cls(
            id=GlobalId("Flow", row.id),
            name=row.name,
            type=row.type,
            state=row.state,
            is_default=row.is_default,
            created_at=row.created_at,
            updated_at=row.updated_at,
            row=row,
        )

    @field("The engagement it belongs to.")
    async def engagement(self, info: Info) -> Engagement | None:
        """Load it."""
        return await one(info.context.loaders.engagements, self.row.engagement_id, Engagement.of)

    @field("Its traces, without those that were deleted.")
    async def traces(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection["Trace"]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        return await trace_connection(info, page, flow_id=self.row.id)

    @field("Its jobs.")
    async def jobs(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        state: OfState = None,
    ) -> Connection["Job"]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        return await job_connection(info, page, flow_id=self.row.id, state=state)

    @field("The attempts at its jobs.")
    async def executions(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection["Execution"]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        return await execution_connection(info, page, flow_id=self.row.id, job_id=None)


@strawberry.type(description="One immutable capture. A deleted one stays as a tombstone, for the lineage's sake.")
class Trace(InspectedTrace, DicomTrace, Node):
    """A trace."""

    name: str = strawberry.field(description="What people call it; can be changed.")
    origin: TraceOrigin = strawberry.field(description="How it came to be.")
    format: CaptureFormat = strawberry.field(description="The file format.")
    link_types: list[LinkType] = strawberry.field(description="The link types, in the order of their interfaces.")
    interfaces: int = strawberry.field(description="How many interfaces were captured on.")
    packets: SafeInt = strawberry.field(description="How many packets it has.")
    captured_bytes: SafeInt = strawberry.field(description="The bytes of packets that are in the file.")
    original_bytes: SafeInt = strawberry.field(description="The bytes that these packets had on the wire.")
    truncated_packets: SafeInt = strawberry.field(description="Packets of which only a part was captured.")
    first_packet_at: PacketTime | None = strawberry.field(description="The earliest time of a packet.")
    last_packet_at: PacketTime | None = strawberry.field(description="The latest time of a packet.")
    size_bytes: SafeInt = strawberry.field(description="The size of the file, unpacked.")
    sha256: Sha256 = strawberry.field(description="The digest of the file, unpacked.")
    address_rules: list[AddressRule] = strawberry.field(
        description="What the next address anonymization will obey, the longest source prefix first."
    )
    mac_rules: list[MacRule] = strawberry.field(description="What the next MAC transformation will obey.")
    verification: Verification | None = strawberry.field(
        description="What a second reader says of it; null for an upload, of which nothing was promised."
    )
    created_at: datetime = strawberry.field(description="When it was published.")
    deleted_at: datetime | None = strawberry.field(description="When its file was deleted, if it was.")
    is_deleted: bool = strawberry.field(description="Whether only the tombstone is left.")
    download_url: str | None = strawberry.field(description="Where the file is, from the server's root; null if gone.")

    @classmethod
    def of(cls, row: traces.Trace) -> Self:
        """Show a row."""
        summary = row.summary
        return cls(
            id=GlobalId("Trace", row.id),
            name=row.name,
            origin=row.origin,
            format=summary.format,
            link_types=[LinkType(number=type_, name=LINK_TYPE_NAMES.get(type_)) for type_ in summary.link_types],
            interfaces=summary.interfaces,
            packets=SafeInt(summary.packets),
            captured_bytes=SafeInt(summary.captured_bytes),
            original_bytes=SafeInt(summary.original_bytes),
            truncated_packets=SafeInt(summary.truncated_packets),
            first_packet_at=None if summary.first_time_ns is None else PacketTime(summary.first_time_ns),
            last_packet_at=None if summary.last_time_ns is None else PacketTime(summary.last_time_ns),
            size_bytes=SafeInt(summary.size_bytes),
            sha256=Sha256(summary.sha256),
            address_rules=[AddressRule.of(rule) for rule in row.address_rules],
            mac_rules=[MacRule.of(rule) for rule in row.mac_rules],
            verification=None if row.verification is None else Verification.of(row.verification),
            created_at=row.created_at,
            deleted_at=row.deleted_at,
            is_deleted=row.deleted_at is not None,
            download_url=f"/traces/{row.id}/capture" if row.deleted_at is None else None,
            row=row,
        )

    @field("The flow it belongs to.")
    async def flow(self, info: Info) -> Flow | None:
        """Load it."""
        return await one(info.context.loaders.flows, self.row.flow_id, Flow.of)

    @field("The job that made it.")
    async def job(self, info: Info) -> "Job | None":
        """Load it."""
        return await one(info.context.loaders.jobs, self.row.job_id, Job.of)

    @field("The execution that listed its DICOM associations and devices last; null until one has.")
    async def dicom_extraction(self, info: Info) -> "Execution | None":
        """Load it."""
        return await one(info.context.loaders.executions, self.row.dicom_execution_id, Execution.of)

    @field("What it was made from and what was made from it.")
    async def lineage(self, info: Info, direction: Towards = Direction.BOTH, depth: Depth = DEFAULT_DEPTH) -> "Lineage":
        """Walk from here."""
        return await Lineage.walk(info, self, direction=direction, depth=depth)


@strawberry.type(description="Something that was asked for and takes its time.")
class Job(Node):
    """A job."""

    kind: JobKind = strawberry.field(description="What it does.")
    state: JobState = strawberry.field(description="Where it stands.")
    attempt: int = strawberry.field(description="How many attempts were begun.")
    max_attempts: int = strawberry.field(description="How many attempts there may be.")
    progress: JobProgress = strawberry.field(description="How far the current attempt has come.")
    output_trace_id: GlobalId | None = strawberry.field(
        description="The id of the trace it made, once completed; a DICOM_EXTRACTION makes none."
    )
    error: UserError | None = strawberry.field(description="Why it failed or stopped, once it has.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When the first attempt began.")
    finished_at: datetime | None = strawberry.field(description="When it was over.")
    row: strawberry.Private[jobs.Job]

    @classmethod
    def of(cls, row: jobs.Job) -> Self:
        """Show a row."""
        output = row.output_trace_id
        return cls(
            id=GlobalId("Job", row.id),
            kind=row.kind,
            state=row.state,
            attempt=row.attempt,
            max_attempts=row.max_attempts,
            progress=JobProgress.of(row.progress),
            output_trace_id=None if output is None else GlobalId("Trace", output),
            error=stored_error(row.error),
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            row=row,
        )

    @field("The flow it belongs to.")
    async def flow(self, info: Info) -> Flow | None:
        """Load it."""
        return await one(info.context.loaders.flows, self.row.flow_id, Flow.of)

    @field("The trace it works on.")
    async def input_trace(self, info: Info) -> Trace | None:
        """Load it."""
        return await one(info.context.loaders.traces, self.row.input_trace_id, Trace.of)

    @field("The upload it works on.")
    async def input_upload(self, info: Info) -> "Upload | None":
        """Load it."""
        return await one(info.context.loaders.uploads, self.row.input_upload_id, Upload.of)

    @field("The trace it made, once completed; a DICOM_EXTRACTION makes none.")
    async def output_trace(self, info: Info) -> Trace | None:
        """Load it."""
        return await one(info.context.loaders.traces, self.row.output_trace_id, Trace.of)

    @field("The attempts at it.")
    async def executions(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection["Execution"]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        return await execution_connection(info, page, flow_id=None, job_id=self.row.id)


@strawberry.type(description="One isolated attempt at a job, with a directory of its own; immutable once over.")
class Execution(Node):
    """An execution."""

    name: str = strawberry.field(description="Its directory: exec_<UTC time>_<8 hex digits>.")
    state: ExecutionState = strawberry.field(description="Where it stands.")
    attempt: int = strawberry.field(description="Which attempt at the job it is, from 1.")
    error: UserError | None = strawberry.field(description="Why it failed or stopped, once it has.")
    started_at: datetime = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it was over.")
    row: strawberry.Private[jobs.Execution]

    @classmethod
    def of(cls, row: jobs.Execution) -> Self:
        """Show a row."""
        return cls(
            id=GlobalId("Execution", row.id),
            name=row.name,
            state=row.state,
            attempt=row.attempt,
            error=stored_error(row.error),
            started_at=row.started_at,
            finished_at=row.finished_at,
            row=row,
        )

    @field("The flow it belongs to.")
    async def flow(self, info: Info) -> Flow | None:
        """Load it."""
        return await one(info.context.loaders.flows, self.row.flow_id, Flow.of)

    @field("The job it is an attempt at.")
    async def job(self, info: Info) -> Job | None:
        """Load it."""
        return await one(info.context.loaders.jobs, self.row.job_id, Job.of)

    @field("The files it made.")
    async def artifacts(self, info: Info) -> list[Artifact]:
        """Load them."""
        return [Artifact.of(row) for row in await info.context.loaders.artifacts.load(self.row.id) or ()]


@strawberry.type(description="A resumable transfer (tus 1.0) that ends as a trace.")
class Upload(Node):
    """An upload."""

    name: str = strawberry.field(description="What the trace will be called.")
    state: UploadState = strawberry.field(description="Where it stands.")
    url: str = strawberry.field(description="Where tus clients send the bytes, from the server's root.")
    offset_bytes: SafeInt = strawberry.field(description="The bytes that are safely stored.")
    length_bytes: SafeInt = strawberry.field(description="The bytes that were declared.")
    sha256: Sha256 | None = strawberry.field(description="The digest of the sent bytes, where one was declared.")
    error: UserError | None = strawberry.field(description="Why it was refused, if it was.")
    created_at: datetime = strawberry.field(description="When it was created.")
    expires_at: datetime = strawberry.field(description="When it is given up, if nothing more comes.")
    row: strawberry.Private[uploads.Upload]

    @classmethod
    def of(cls, row: uploads.Upload) -> Self:
        """Show a row."""
        return cls(
            id=GlobalId("Upload", row.id),
            name=row.name,
            state=row.state,
            url=f"/uploads/{row.id}",
            offset_bytes=SafeInt(row.offset_bytes),
            length_bytes=SafeInt(row.length_bytes),
            sha256=None if row.declared_sha256 is None else Sha256(row.declared_sha256),
            error=stored_error(row.error),
            created_at=row.created_at,
            expires_at=row.expires_at,
            row=row,
        )

    @field("The flow it belongs to.")
    async def flow(self, info: Info) -> Flow | None:
        """Load it."""
        return await one(info.context.loaders.flows, self.row.flow_id, Flow.of)

    @field("The job that looks at it, once finished.")
    async def job(self, info: Info) -> Job | None:
        """Load it."""
        return await one(info.context.loaders.jobs, self.row.job_id, Job.of)

    @field("The trace it became.")
    async def trace(self, info: Info) -> Trace | None:
        """Load it."""
        return await one(info.context.loaders.traces, self.row.trace_id, Trace.of)


LineageNode: TypeAlias = Annotated[
    Trace | Execution, strawberry.union("LineageNode", description="What a lineage joins.")
]


@strawberry.type(description="One relation, read from the source, which came later, to the target.")
class LineageEdge:
    """An edge."""

    kind: EdgeKind = strawberry.field(description="What it states.")
    source: LineageNode = strawberry.field(description="The execution that used or generated, or the derived trace.")
    target: LineageNode = strawberry.field(description="What was used, generated or derived from.")


@strawberry.type(description="The part of the lineage that was walked; W3C PROV's relations.")
class Lineage:
    """A lineage."""

    nodes: list[LineageNode] = strawberry.field(description="What was met, the nearest first; tombstones too.")
    edges: list[LineageEdge] = strawberry.field(description="The relations between them.")
    is_complete: bool = strawberry.field(description="Whether nothing lies beyond the depth that was asked for.")

    @classmethod
    async def walk(cls, info: Info, start: Trace | Execution, *, direction: Direction, depth: int) -> Self:
        """Walk from a node; the node itself is always part of what is met.

        Raises:
            InvalidInput: the depth is not 1 to 50.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise InvalidInput(field="depth", reason=f"walk 1 to {MAX_DEPTH} edges far")
        trace_id = start.row.id if isinstance(start, Trace) else None
        execution_id = start.row.id if isinstance(start, Execution) else None
        async with info.context.read() as connection:
            walked = await stored_lineage.walk(
                connection, trace_id=trace_id, execution_id=execution_id, direction=direction, depth=depth
            )
        nodes = await _nodes_of(info, walked, start)
        edges = [_edge_of(edge, nodes) for edge in walked.edges]
        return cls(
            nodes=list(nodes.values()),
            edges=[edge for edge in edges if edge is not None],
            is_complete=walked.is_complete,
        )


async def _nodes_of(info: Info, walked: lineage.Lineage, start: Trace | Execution) -> dict[UUID, Trace | Execution]:
    depths: dict[UUID, int] = dict(walked.trace_depths.items()) | dict(walked.execution_depths.items())
    depths[start.row.id] = 0
    traces_met = await info.context.loaders.traces.load_many(walked.trace_depths)
    executions_met = await info.context.loaders.executions.load_many(walked.execution_depths)
    found: dict[UUID, Trace | Execution] = {start.row.id: start}
    found |= {row.id: Trace.of(row) for row in traces_met if row is not None}
    found |= {row.id: Execution.of(row) for row in executions_met if row is not None}
    return dict(sorted(found.items(), key=lambda item: (depths[item[0]], item[1].row.id)))


def _edge_of(edge: lineage.LineageEdge, nodes: dict[UUID, Trace | Execution]) -> LineageEdge | None:
    source_id = edge.source_trace_id or edge.source_execution_id
    target_id = edge.target_trace_id or edge.target_execution_id
    if source_id is None or target_id is None or source_id not in nodes or target_id not in nodes:
        return None
    return LineageEdge(kind=edge.kind, source=nodes[source_id], target=nodes[target_id])


async def flow_connection(info: Info, page: PageRequest) -> Connection[Flow]:
    """List flows."""
    return await connect(
        info.context.read,
        list_rows=partial(stored_flows.list_flows, page=page),
        count_rows=stored_flows.count_flows,
        node_of=Flow.of,
        position_of=lambda row: Position(row.created_at, row.id),
    )


async def trace_connection(info: Info, page: PageRequest, *, flow_id: FlowId | None) -> Connection[Trace]:
    """List traces, in one flow or in all."""
    return await connect(
        info.context.read,
        list_rows=partial(stored_traces.list_traces, flow_id=flow_id, page=page),
        count_rows=partial(stored_traces.count_traces, flow_id=flow_id),
        node_of=Trace.of,
        position_of=lambda row: Position(row.created_at, row.id),
    )


async def job_connection(
    info: Info, page: PageRequest, *, flow_id: FlowId | None, state: JobState | None
) -> Connection[Job]:
    """List jobs, in one flow or in all, in one state or in any."""
    return await connect(
        info.context.read,
        list_rows=partial(stored_jobs.list_jobs, flow_id=flow_id, state=state, page=page),
        count_rows=partial(stored_jobs.count_jobs, flow_id=flow_id, state=state),
        node_of=Job.of,
        position_of=lambda row: Position(row.created_at, row.id),
    )


async def execution_connection(
    info: Info, page: PageRequest, *, flow_id: FlowId | None, job_id: JobId | None
) -> Connection[Execution]:
    """List executions, in one flow or in all, of one job or of any."""
    return await connect(
        info.context.read,
        list_rows=partial(stored_executions.list_executions, flow_id=flow_id, job_id=job_id, page=page),
        count_rows=partial(stored_executions.count_executions, flow_id=flow_id, job_id=job_id),
        node_of=Execution.of,
        position_of=lambda row: Position(row.started_at, row.id),
    )
