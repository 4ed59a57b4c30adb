"""Uploads: queries and mutations."""

from functools import partial
from typing import Annotated

import strawberry

from gql_server.api.context import Info
from gql_server.api.errors import UserError, settle
from gql_server.api.fields import THE_INPUT, field, mutation
from gql_server.api.ids import GlobalId
from gql_server.api.loaders import one
from gql_server.api.scalars import SafeInt, Sha256
from gql_server.api.traces import ERRORS
from gql_server.api.types import Job, Upload
from gql_server.domain import uploads as rows
from gql_server.domain.ids import FlowId, UploadId
from gql_server.services import uploads as services

UploadsId = Annotated[GlobalId, strawberry.argument(description="The id of the upload.")]


@strawberry.type
class UploadQueries:
    """Queries about uploads."""

    @field("One upload; null if there is none of this id that you may see.")
    async def upload(self, info: Info, id: UploadsId) -> Upload | None:  # noqa: A002  # the name is the contract's
        """Load it."""
        own = id.of_or_none("Upload")
        return await one(info.context.loaders.uploads, None if own is None else UploadId(own), Upload.of)


@strawberry.input(description="What `createUpload` is to do.")
class CreateUploadInput:
    """What will be sent."""

    name: str = strawberry.field(description="What the trace will be called.")
    length_bytes: SafeInt = strawberry.field(description="How many bytes will be sent.")
    sha256: Sha256 | None = strawberry.field(
        default=None, description="The digest of these bytes; checked when the upload is finished."
    )
    flow_id: GlobalId | None = strawberry.field(
        default=None, description="The flow that will own it; the default flow when left out."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Any text of your making: sent twice, it creates one upload and returns it twice."
    )


@strawberry.input(description="What `finishUpload` is to do.")
class FinishUploadInput:
    """Which one."""

    upload_id: GlobalId = strawberry.field(description="The upload; all of its bytes must have been sent.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Any text of your making: sent twice, it starts one job and returns it twice."
    )


@strawberry.input(description="What `abortUpload` is to do.")
class AbortUploadInput:
    """Which one."""

    upload_id: GlobalId = strawberry.field(description="The upload.")


@strawberry.type(description="What became of `createUpload`.")
class CreateUploadPayload:
    """The outcome."""

    upload: Upload | None = strawberry.field(description="The upload; send the bytes to its `url` by tus.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `finishUpload`.")
class FinishUploadPayload:
    """The outcome."""

    upload: Upload | None = strawberry.field(description="The upload.")
    job: Job | None = strawberry.field(description="The job that looks at it and makes a trace of it.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `abortUpload`.")
class AbortUploadPayload:
    """The outcome."""

    upload: Upload | None = strawberry.field(description="The upload, aborted.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


def _shown(row: rows.Upload | None) -> Upload | None:
    return None if row is None else Upload.of(row)


@strawberry.type
class UploadMutations:
    """Mutations of uploads."""

    @mutation("Make room for a file. Its bytes then travel by tus 1.0, not by GraphQL.")
    async def create_upload(
        self,
        info: Info,
        input: Annotated[CreateUploadInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> CreateUploadPayload:
        """Create it."""
        act = partial(services.create_upload, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context,
            lambda: act(
                flow_id=None if input.flow_id is None else FlowId(input.flow_id.of("Flow")),
                name=input.name,
                length_bytes=input.length_bytes,
                declared_sha256=input.sha256,
                idempotency_key=input.idempotency_key,
            ),
        )
        return CreateUploadPayload(upload=_shown(row), errors=errors)

    @mutation("Say that all bytes are there: a job looks at them and makes a trace of them.")
    async def finish_upload(
        self,
        info: Info,
        input: Annotated[FinishUploadInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> FinishUploadPayload:
        """Finish it."""
        act = partial(services.finish_upload, info.context.resources, info.context.actor)
        outcome, errors = await settle(
            info.context,
            lambda: act(upload_id=UploadId(input.upload_id.of("Upload")), idempotency_key=input.idempotency_key),
        )
        if outcome is None:
            return FinishUploadPayload(upload=None, job=None, errors=errors)
        upload, job = outcome
        return FinishUploadPayload(upload=Upload.of(upload), job=Job.of(job), errors=[])

    @mutation("Give an upload up; what was received is thrown away.")
    async def abort_upload(
        self,
        info: Info,
        input: Annotated[AbortUploadInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> AbortUploadPayload:
        """Abort it."""
        act = partial(services.abort_upload, info.context.resources, info.context.actor)
        row, errors = await settle(info.context, lambda: act(upload_id=UploadId(input.upload_id.of("Upload"))))
        return AbortUploadPayload(upload=_shown(row), errors=errors)
