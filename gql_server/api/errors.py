"""Expected failures as data: one GraphQL type a set of facts."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import strawberry

from gql_server.api.context import Context
from gql_server.api.enums import DicomProblem, ErrorCode, VerificationReason
from gql_server.api.scalars import SafeInt
from gql_server.domain import dicom_errors
from gql_server.domain import errors as domain
from gql_server.domain.errors import GqlServerError

T = TypeVar("T")


@strawberry.interface(description="An expected failure. Its members add the facts of the case.")
class UserError:
    """What all of them have."""

    message: str = strawberry.field(description="One sentence for a person.")
    code: ErrorCode = strawberry.field(description="A stable name for a program.")
    path: list[str] = strawberry.field(description="The part of the input it is about; empty when none.")


@strawberry.type(description="A failure that its code says all about.")
class GenericError(UserError):
    """No facts."""


@strawberry.type(description="A value in the input cannot be taken.")
class InvalidInputError(UserError):
    """Which and why."""

    field: str = strawberry.field(description="The name of the value.")
    reason: str = strawberry.field(description="What is wrong with it.")


@strawberry.type(description="The thing is in a state that does not allow this.")
class WrongStateError(UserError):
    """Which state."""

    state: str = strawberry.field(description="The state it is in.")


@strawberry.type(description="A limit is reached.")
class LimitError(UserError):
    """Which limit."""

    limit: SafeInt = strawberry.field(description="The limit, in bytes where the code is about bytes.")


@strawberry.type(description="The upload stands at another byte than was assumed.")
class UploadOffsetError(UserError):
    """Where it stands."""

    offset_bytes: SafeInt = strawberry.field(description="The bytes that are safely stored; go on from here.")
    length_bytes: SafeInt | None = strawberry.field(default=None, description="The bytes that were declared.")


@strawberry.type(description="The file is no capture that can be taken, from one byte on.")
class CaptureRefusedError(UserError):
    """Where and what."""

    offset: SafeInt = strawberry.field(description="The byte of the unpacked file where reading stopped.")
    packet: SafeInt | None = strawberry.field(default=None, description="Packets that were read before it.")
    declared_bytes: SafeInt | None = strawberry.field(default=None, description="The length that a record declares.")
    limit_bytes: SafeInt | None = strawberry.field(default=None, description="The length that would be allowed.")
    reason: str | None = strawberry.field(default=None, description="What is wrong there.")


@strawberry.type(description="A rule cannot be taken; no rule was changed.")
class RuleError(UserError):
    """Which rule."""

    index: int = strawberry.field(description="The rule, counted from 0.")
    other_index: int | None = strawberry.field(default=None, description="The rule it clashes with.")
    reason: str | None = strawberry.field(default=None, description="What is wrong with it.")


@strawberry.type(description="An override cannot be taken, or does not fit; none was changed.")
class OverrideError(UserError):
    """Which override."""

    index: int = strawberry.field(description="The override, counted from 0.")
    reason: str | None = strawberry.field(default=None, description="What is wrong with it.")
    length: int | None = strawberry.field(default=None, description="The bytes that its element has room for.")


@strawberry.type(description="The DICOM of the capture cannot be de-identified; nothing was published.")
class DicomRefusedError(UserError):
    """Where and why."""

    packet: SafeInt = strawberry.field(description="The packet from which on it cannot, from 1.")
    association: int | None = strawberry.field(default=None, description="The association, by its number.")
    problem: DicomProblem | None = strawberry.field(default=None, description="What is wrong there.")


@strawberry.type(description="The output did not pass its verification; nothing was published.")
class VerificationFailedError(UserError):
    """What was found."""

    reason: VerificationReason = strawberry.field(description="The gravest thing that was found.")


@strawberry.type(description="The job was given up.")
class JobGivenUpError(UserError):
    """What ran out."""

    resource: str | None = strawberry.field(default=None, description="What it needed more of than it may have.")
    attempts: int | None = strawberry.field(default=None, description="How often it was tried.")


ERROR_TYPES: tuple[type[UserError], ...] = (
    GenericError,
    InvalidInputError,
    WrongStateError,
    LimitError,
    UploadOffsetError,
    CaptureRefusedError,
    RuleError,
    OverrideError,
    DicomRefusedError,
    VerificationFailedError,
    JobGivenUpError,
)

GENERIC: tuple[type[GqlServerError], ...] = (
    domain.NotFound,
    domain.InvalidId,
    domain.InvalidCursor,
    domain.Forbidden,
    domain.IdempotencyConflict,
    domain.DigestMismatch,
    domain.UploadBusy,
    domain.StorageFull,
    domain.BlobMissing,
    domain.JobCancelled,
    domain.ChildCrashed,
    domain.TraceInUse,
    domain.TraceDeleted,
    domain.TraceHasNoOrigin,
    domain.OriginDeleted,
    domain.KeyDestroyed,
    domain.LeaseLost,
    dicom_errors.UidCollision,
)
UNEXPECTED: tuple[type[GqlServerError], ...] = (domain.SetupError, domain.StoreNotShared)
"""What no request can cause; it is masked like any other fault of the server."""

CAPTURE_FACTS = {
    "offset": "offset",
    "packets": "packet",
    "packet": "packet",
    "declared_bytes": "declared_bytes",
    "limit_bytes": "limit_bytes",
    "reason": "reason",
}

SHAPES: tuple[tuple[tuple[type[GqlServerError], ...], type[UserError], dict[str, str]], ...] = (
    (GENERIC, GenericError, {}),
    ((domain.InvalidInput,), InvalidInputError, {"field": "field", "reason": "reason"}),
    ((domain.UploadClosed, domain.JobNotCancellable), WrongStateError, {"state": "state"}),
    ((domain.TooManyUploads,), LimitError, {"limit": "limit"}),
    ((domain.UploadTooLarge,), LimitError, {"limit_bytes": "limit"}),
    ((domain.LengthExceeded,), LimitError, {"length_bytes": "limit"}),
    (
        (domain.OffsetMismatch, domain.ChecksumMismatch, domain.UploadIncomplete),
        UploadOffsetError,
        {"offset": "offset_bytes", "length_bytes": "length_bytes"},
    ),
    ((domain.CaptureError,), CaptureRefusedError, CAPTURE_FACTS),
    ((domain.RulesError,), RuleError, {"index": "index", "other": "other_index", "reason": "reason"}),
    (
        (dicom_errors.OverrideMalformed, dicom_errors.OverrideTooLong),
        OverrideError,
        {"index": "index", "reason": "reason", "length": "length"},
    ),
    (
        (dicom_errors.DicomUndecodable, dicom_errors.DatesOutOfRange),
        DicomRefusedError,
        {"packet": "packet", "association": "association", "problem": "problem"},
    ),
    ((domain.VerificationFailed,), VerificationFailedError, {"reason": "reason"}),
    (
        (domain.ResourceLimit, domain.AttemptsExhausted),
        JobGivenUpError,
        {"resource": "resource", "attempts": "attempts"},
    ),
)
"""Which type says which errors, and what each fact is called there."""


def user_error(error: GqlServerError) -> UserError:
    """Say a domain error in GraphQL.

    Raises:
        GqlServerError: the error itself, when no request can be to blame for it.
    """
    for causes, shape, names in SHAPES:
        if isinstance(error, causes):
            facts: dict[str, Any] = {names[fact]: value for fact, value in error.facts().items() if fact in names}
            return shape(message=str(error), code=error.code, path=path_of(error), **facts)
    raise error


def path_of(error: GqlServerError) -> list[str]:
    """Name the part of the input that an error is about."""
    match error:
        case domain.NotFound(noun=noun) | domain.InvalidId(noun=noun):
            return ["input", f"{noun}Id"]
        case domain.InvalidInput(field=field):
            head, *rest = field.split("_")
            return ["input", head + "".join(word.capitalize() for word in rest)]
        case domain.RulesError() | dicom_errors.OverrideMalformed() | dicom_errors.OverrideTooLong():
            noun = "rules" if isinstance(error, domain.RulesError) else "overrides"
            return ["input", noun, str(error.facts().get("index", ""))]
        case domain.UploadTooLarge():
            return ["input", "lengthBytes"]
        case domain.IdempotencyConflict():
            return ["input", "idempotencyKey"]
        case _:
            return []


def stored_error(error: GqlServerError | None) -> UserError | None:
    """Say an error that a job, an execution or an upload ended with; it is about no input.

    A fault of the server's is said too: raised again, it would stop every listener that meets the event, each time.
    """
    if error is None:
        return None
    try:
        shown = user_error(error)
    except GqlServerError:
        shown = GenericError(message=str(GqlServerError()), code=ErrorCode.INTERNAL, path=[])
    shown.path = []
    return shown


async def settle(context: Context, act: Callable[[], Awaitable[T]]) -> tuple[T | None, list[UserError]]:
    """Do what a mutation asks: its result, or its expected failure as data.

    What was loaded before is forgotten, so that the payload is read as it is now.
    """
    try:
        return await act(), []
    except GqlServerError as error:
        return None, [user_error(error)]
    finally:
        context.loaders.forget()
