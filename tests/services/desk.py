"""A worker's desk: jobs at hand, and a child that does as told."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AnonymizationParameters, AnonymizationReport
from gql_server.domain.errors import GqlServerError
from gql_server.domain.events import START, Event
from gql_server.domain.ids import JobId
from gql_server.domain.jobs import Execution, Job, Progress
from gql_server.domain.paging import PageRequest
from gql_server.domain.traces import Trace
from gql_server.domain.uploads import Upload
from gql_server.engine.dicom.listing import write_lists
from gql_server.engine.dicom.tasks import Deidentified, DeidentifyTask, ExtractDicomTask
from gql_server.engine.tasks import (
    Anonymized,
    AnonymizeTask,
    Inspected,
    InspectTask,
    Result,
    Task,
    TransformMacsTask,
    Verified,
    VerifyTask,
)
from gql_server.services import attempts, executions, jobs, uploads
from gql_server.services.attempts import Attempt
from gql_server.services.resources import Resources
from gql_server.store import events as stored_events
from gql_server.store import executions as stored_executions
from gql_server.store import jobs as stored_jobs
from gql_server.store import traces as stored_traces
from tests.dicom_rows import EXTRACTED
from tests.engine.test_dicom_messages import REPORT
from tests.factories import SUMMARY, VERIFICATION
from tests.journeys.material import hospital

PATIENCE_SECONDS = 20.0
NOTE = Callable[[Progress], None]
NOTHING = AnonymizationReport(
    packets=0,
    addresses_ipv4=0,
    addresses_ipv6=0,
    addresses_mac=0,
    packets_opaque=0,
    bytes_zeroed=0,
    bytes_kept=0,
    packets_cut=0,
    blocks_dropped=0,
)


async def copy(task: Task, note: NOTE) -> Result:
    """Do a task as a child would, but copy the input as it is."""
    if isinstance(task, VerifyTask):
        return Verified(verification=VERIFICATION)
    if isinstance(task, ExtractDicomTask):
        return write_lists(EXTRACTED, task.output_directory)
    assert isinstance(task, InspectTask | AnonymizeTask | TransformMacsTask | DeidentifyTask)
    content = task.source.read_bytes()
    (task.output_directory / "capture.pcap").write_bytes(content)
    note(Progress(packets=1, bytes_done=len(content), bytes_total=len(content)))
    summary = replace(SUMMARY, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    if isinstance(task, DeidentifyTask):
        addresses = None if task.addresses is None else NOTHING
        return Deidentified(summary=summary, report=REPORT, addresses=addresses)
    return Inspected(summary=summary) if isinstance(task, InspectTask) else Anonymized(summary=summary, report=NOTHING)


@dataclass
class Puppet:
    """Stands in for the child processes."""

    act: Callable[[Task, NOTE], Awaitable[Result]] = copy
    tasks: list[Task] = field(default_factory=list)

    async def run(self, task: Task, *, on_progress: NOTE, time_limit: timedelta) -> Result:
        assert time_limit > timedelta()
        self.tasks.append(task)
        return await self.act(task, on_progress)


def with_child(resources: Resources, act: Callable[[Task, NOTE], Awaitable[Result]] = copy) -> Resources:
    """Return the resources with a child that does as told."""
    return replace(resources, children=Puppet(act))  # type: ignore[arg-type]  # a process pool is what it stands for


async def receive(
    resources: Resources, actor: Actor, body: bytes | None = None, *, sha256: str | None = None
) -> tuple[Upload, Job]:
    """Upload bytes whole; the job that looks at them waits."""
    content = hospital() if body is None else body
    upload = await uploads.create_upload(
        resources,
        actor,
        flow_id=None,
        name="example.pcap",
        length_bytes=len(content),
        declared_sha256=sha256,
        idempotency_key=None,
    )

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    await uploads.append_chunk(resources, actor, upload_id=upload.id, offset=0, body=pieces(), checksum=None)
    return await uploads.finish_upload(resources, actor, upload_id=upload.id, idempotency_key=None)


async def ingest(resources: Resources, actor: Actor, body: bytes | None = None) -> Trace:
    """Make a trace of bytes, without a real child."""
    _, job = await receive(resources, actor, body)
    await executions.carry_out(with_child(resources), actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    return trace


async def start(resources: Resources, actor: Actor, trace: Trace) -> Job:
    """Start an anonymization of a trace."""
    return await jobs.start_address_anonymization(
        resources,
        actor,
        trace_id=trace.id,
        parameters=AnonymizationParameters(),
        name=None,
        idempotency_key=None,
    )


async def claim(resources: Resources, job: Job) -> Attempt:
    """Begin an attempt at a job, with the directory of its execution."""
    attempt = await attempts.begin(resources, job.client_id, job.id)
    assert attempt is not None
    resources.blobs.create_execution(attempt.execution.name)
    return attempt


async def job_now(resources: Resources, job: Job) -> Job:
    """Return the job as it is by now."""
    async with resources.database.read(job.client_id) as connection:
        return (await stored_jobs.find_jobs(connection, [job.id]))[job.id]


async def executions_of(resources: Resources, job: Job) -> tuple[Execution, ...]:
    """Return the attempts at a job, the first one first."""
    async with resources.database.read(job.client_id) as connection:
        page = await stored_executions.list_executions(connection, flow_id=None, job_id=job.id, page=PageRequest())
    return tuple(sorted(page.items, key=lambda execution: execution.attempt))


async def traces_of(resources: Resources, actor: Actor, job_id: JobId) -> list[Trace]:
    """Return the traces that a job made."""
    async with resources.database.read(actor.client_id) as connection:
        page = await stored_traces.list_traces(connection, flow_id=None, page=PageRequest())
    return [trace for trace in page.items if trace.job_id == job_id]


async def events_of(resources: Resources, job: Job) -> tuple[Event, ...]:
    """Return what was told of a job."""
    async with resources.database.read(job.client_id) as connection:
        return await stored_events.list_events(connection, after=START, job_id=job.id)


async def silence(resources: Resources, job: Job) -> None:
    """Let the worker of a job have been silent for an hour."""
    statement = text("UPDATE jobs SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE id = :id")
    async with resources.database.transaction(job.client_id) as session:
        await session.execute(statement, {"id": job.id})


async def messages_for(resources: Resources, job: Job) -> int:
    """Return how many messages of the queue are for a job."""
    statement = text("SELECT count(*) FROM queue.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE :job")
    async with resources.database.read(job.client_id) as connection:
        return await connection.scalar(statement, {"job": f"%{job.id}"}) or 0


async def forget_messages(resources: Resources, job: Job) -> None:
    """Let the queue lose what it has for a job."""
    statement = text("DELETE FROM queue.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE :job")
    async with resources.database.transaction(job.client_id) as session:
        await session.execute(statement, {"job": f"%{job.id}"})


def told(error: GqlServerError | None) -> tuple[str, dict[str, Any]]:
    """Return the code and the facts of an error, to be compared."""
    assert error is not None
    return error.code.value, dict(error.facts())


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Ask until the answer is yes; fail when patience ends."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await question():  # noqa: ASYNC110  # what is asked for is in the database
            await asyncio.sleep(0.01)


def names_in(resources: Resources, folder: str) -> list[str]:
    """Return what lies in a folder of the data directory."""
    return sorted(path.name for path in (resources.blobs._root / folder).iterdir())


def manifest_of(resources: Resources, execution: Execution) -> dict[str, Any]:
    """Return the manifest of an execution."""
    file, _ = resources.blobs.open_artifact(execution.name, "manifest.json")
    with file:
        read: dict[str, Any] = json.load(file)
    return read
