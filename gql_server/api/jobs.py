"""Jobs and executions: queries and mutations."""

from functools import partial
from typing import Annotated

import strawberry

from gql_server.api.context import Info
from gql_server.api.enums import AddressMapping, MacMapping, NamePolicy, NicPolicy, PayloadPolicy
from gql_server.api.errors import UserError, settle
from gql_server.api.fields import THE_INPUT, field, mutation
from gql_server.api.ids import GlobalId
from gql_server.api.loaders import one
from gql_server.api.paging import After, Before, Connection, First, Last, page_request
from gql_server.api.traces import ERRORS, OfFlow
from gql_server.api.types import Execution, Job, OfState, execution_connection, job_connection
from gql_server.domain.anonymization import AnonymizationParameters, MacTransformationParameters
from gql_server.domain.ids import ExecutionId, FlowId, JobId, TraceId
from gql_server.services import jobs as services

JobsId = Annotated[GlobalId, strawberry.argument(description="The id of the job.")]
ExecutionsId = Annotated[GlobalId, strawberry.argument(description="The id of the execution.")]
OfJob = Annotated[GlobalId | None, strawberry.argument(description="Only those of this job.")]


@strawberry.type
class JobQueries:
    """Queries about jobs and executions."""

    @field("One job; null if there is none of this id that you may see.")
    async def job(self, info: Info, id: JobsId) -> Job | None:  # noqa: A002  # the name is the contract's
        """Load it."""
        own = id.of_or_none("Job")
        return await one(info.context.loaders.jobs, None if own is None else JobId(own), Job.of)

    @field("The jobs that you may see.")
    async def jobs(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        flow_id: OfFlow = None,
        state: OfState = None,
    ) -> Connection[Job]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        flow = None if flow_id is None else FlowId(flow_id.of("Flow"))
        return await job_connection(info, page, flow_id=flow, state=state)

    @field("One execution; null if there is none of this id that you may see.")
    async def execution(
        self,
        info: Info,
        id: ExecutionsId,  # noqa: A002  # the name is the contract's
    ) -> Execution | None:
        """Load it."""
        own = id.of_or_none("Execution")
        return await one(info.context.loaders.executions, None if own is None else ExecutionId(own), Execution.of)

    @field("The executions that you may see.")
    async def executions(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        flow_id: OfFlow = None,
        job_id: OfJob = None,
    ) -> Connection[Execution]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        flow = None if flow_id is None else FlowId(flow_id.of("Flow"))
        job = None if job_id is None else JobId(job_id.of("Job"))
        return await execution_connection(info, page, flow_id=flow, job_id=job)


OF_PAYLOAD = "What becomes of the bytes above the transport layer."
OF_NAME = "What the new trace will be called."
OF_IDEMPOTENCY_KEY = "Any text of your making: sent twice, it starts one job and returns it twice."


@strawberry.input(description="What `startAddressAnonymization` is to do.")
class StartAddressAnonymizationInput:
    """Which trace and how."""

    trace_id: GlobalId = strawberry.field(description="The trace; it stays as it is.")
    mapping: AddressMapping = strawberry.field(
        default=AddressMapping.IPCRYPT_PFX, description="How addresses without a rule are mapped."
    )
    mac_mapping: MacMapping = strawberry.field(
        default=MacMapping.PERMUTATION, description="How MAC addresses are mapped."
    )
    payload: PayloadPolicy = strawberry.field(default=PayloadPolicy.KEEP, description=OF_PAYLOAD)
    names: NamePolicy = strawberry.field(
        default=NamePolicy.KEEP, description="What becomes of names in DNS and DHCP, where payload is kept."
    )
    name: str | None = strawberry.field(default=None, description=OF_NAME)
    idempotency_key: str | None = strawberry.field(default=None, description=OF_IDEMPOTENCY_KEY)


@strawberry.input(description="What `startMacTransformation` is to do.")
class StartMacTransformationInput:
    """Which trace and how."""

    trace_id: GlobalId = strawberry.field(description="The trace; it stays as it is.")
    nic: NicPolicy = strawberry.field(
        default=NicPolicy.KEEP, description="What becomes of the last three octets of the addresses named by rules."
    )
    payload: PayloadPolicy = strawberry.field(default=PayloadPolicy.KEEP, description=OF_PAYLOAD)
    name: str | None = strawberry.field(default=None, description=OF_NAME)
    idempotency_key: str | None = strawberry.field(default=None, description=OF_IDEMPOTENCY_KEY)


@strawberry.input(description="What `cancelJob` is to do.")
class CancelJobInput:
    """Which one."""

    job_id: GlobalId = strawberry.field(description="The job.")


@strawberry.type(description="What became of `startAddressAnonymization`.")
class StartAddressAnonymizationPayload:
    """The outcome."""

    job: Job | None = strawberry.field(description="The job, at once; `jobCompleted` tells when it is done.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `startMacTransformation`.")
class StartMacTransformationPayload:
    """The outcome."""

    job: Job | None = strawberry.field(description="The job, at once; `jobCompleted` tells when it is done.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `cancelJob`.")
class CancelJobPayload:
    """The outcome."""

    job: Job | None = strawberry.field(description="The job: cancelled, or cancelling while its worker stops.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type
class JobMutations:
    """Mutations of jobs."""

    @mutation(
        "Make a new trace in which every IP and MAC address is replaced. The rules of the trace as they "
        "are now are taken along."
    )
    async def start_address_anonymization(
        self,
        info: Info,
        input: Annotated[StartAddressAnonymizationInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> StartAddressAnonymizationPayload:
        """Start it."""
        act = partial(services.start_address_anonymization, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context,
            lambda: act(
                trace_id=TraceId(input.trace_id.of("Trace")),
                parameters=AnonymizationParameters(
                    mapping=input.mapping, mac_mapping=input.mac_mapping, payload=input.payload, names=input.names
                ),
                name=input.name,
                idempotency_key=input.idempotency_key,
            ),
        )
        return StartAddressAnonymizationPayload(job=None if row is None else Job.of(row), errors=errors)

    @mutation(
        "Make a new trace in which the devices that the MAC rules of the trace name have other vendors. "
        "IP addresses stay."
    )
    async def start_mac_transformation(
        self,
        info: Info,
        input: Annotated[StartMacTransformationInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> StartMacTransformationPayload:
        """Start it."""
        act = partial(services.start_mac_transformation, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context,
            lambda: act(
                trace_id=TraceId(input.trace_id.of("Trace")),
                parameters=MacTransformationParameters(nic=input.nic, payload=input.payload),
                name=input.name,
                idempotency_key=input.idempotency_key,
            ),
        )
        return StartMacTransformationPayload(job=None if row is None else Job.of(row), errors=errors)

    @mutation("Stop a job that is not over. It ends cancelled without an output, or completed.")
    async def cancel_job(
        self,
        info: Info,
        input: Annotated[CancelJobInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> CancelJobPayload:
        """Cancel it."""
        act = partial(services.cancel_job, info.context.resources, info.context.actor)
        row, errors = await settle(info.context, lambda: act(job_id=JobId(input.job_id.of("Job"))))
        return CancelJobPayload(job=None if row is None else Job.of(row), errors=errors)
