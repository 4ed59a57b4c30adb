"""Masking: what clients and the log learn of an error."""

import logging
import traceback
from uuid import uuid4

import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext

from gql_server.api.enums import ErrorCode
from gql_server.api.errors import UNEXPECTED
from gql_server.api.limits import MAX_DEPTH, exceeded
from gql_server.domain.errors import GqlServerError

log = logging.getLogger(__name__)

MAX_ERRORS = 10
MAX_FRAMES = 12

CLIENT_ERRORS = (CannotGetOperationTypeError, InvalidOperationTypeError, StrawberryInputCoercionError)


def cause_of(error: GraphQLError) -> Exception | None:
    """Return what lies at the bottom of an error; None for one that GraphQL itself made."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def masked(error: GraphQLError) -> GraphQLError:
    """Return what a client may see of an error.

    A client's own mistakes and expected failures keep their words and have a code. Anything else becomes an id, and
    the log holds the type, the path and the lines of code under the same id, never a message: messages quote values.
    """
    cause = cause_of(error)
    if isinstance(cause, GqlServerError) and not isinstance(cause, UNEXPECTED) and cause.code is not ErrorCode.INTERNAL:
        return _restated(error, str(cause), {"code": cause.code.value, **cause.facts()})
    if isinstance(cause, RecursionError) and error.path is None:
        return exceeded("levels", MAX_DEPTH)
    if cause is None or isinstance(cause, CLIENT_ERRORS):
        return _client_error(error)
    return _hidden(error, cause)


def _client_error(error: GraphQLError) -> GraphQLError:
    if isinstance(error, GraphQLSyntaxError):
        code = "PARSE_FAILED"
    elif isinstance(error.original_error, CLIENT_ERRORS):
        code = "INVALID_OPERATION"
    else:
        code = "VALIDATION_FAILED"
    # Suggestions would tell the schema to whoever may not read it.
    return _restated(
        error, error.message.split(" Did you mean", maxsplit=1)[0], {"code": code, **(error.extensions or {})}
    )


def _restated(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _hidden(error: GraphQLError, cause: Exception) -> GraphQLError:
    error_id = report(cause, ".".join(map(str, error.path or ())))
    extensions: dict[str, object] = {"code": ErrorCode.INTERNAL.value, "errorId": error_id}
    return _restated(error, "The server could not do this.", extensions)


def report(cause: BaseException, path: str) -> str:
    """Log a fault of the server without its message, and return the id that it has in the log."""
    error_id = uuid4().hex
    frames = traceback.extract_tb(cause.__traceback__)[-MAX_FRAMES:]
    log.error(
        "request failed",
        extra={
            "error_id": error_id,
            "error_type": type(cause).__name__,
            "path": path,
            "frames": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
        },
    )
    return error_id


class MaskedSchema(strawberry.Schema):
    """A schema whose errors are masked where all results pass, streamed ones and those of extensions too."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:  # noqa: ARG002  # the signature is strawberry's
        """Mask in place; strawberry's own way would log messages."""
        errors[:] = [masked(error) for error in errors[:MAX_ERRORS]]
