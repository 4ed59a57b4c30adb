"""Replies: failures over plain HTTP, coded as everywhere."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from gql_server.api.errors import UNEXPECTED
from gql_server.api.masking import report
from gql_server.domain.error_codes import ErrorCode
from gql_server.domain.errors import GqlServerError

CHECKSUM_MISMATCH = 460
"""tus 1.0's own status."""

STATUSES: dict[ErrorCode, int] = {
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.INVALID_ID: 404,
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.OFFSET_MISMATCH: 409,
    ErrorCode.CHECKSUM_MISMATCH: CHECKSUM_MISMATCH,
    ErrorCode.UPLOAD_TOO_LARGE: 413,
    ErrorCode.LENGTH_EXCEEDED: 413,
    ErrorCode.UPLOAD_INCOMPLETE: 409,
    ErrorCode.UPLOAD_CLOSED: 409,
    ErrorCode.UPLOAD_BUSY: 423,
    ErrorCode.TOO_MANY_UPLOADS: 429,
    ErrorCode.STORAGE_FULL: 507,
    ErrorCode.BLOB_MISSING: 503,
    ErrorCode.TRACE_DELETED: 410,
}

GUARDED = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What every answer carries."""


def refusal(
    status: int, code: str, message: str, *, facts: object = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a coded failure as JSON."""
    body = {"code": code, "message": message, "facts": facts or {}}
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type="application/json",
        headers={**GUARDED, "Cache-Control": "no-store", **(headers or {})},
    )


def failure(error: Exception, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return what a client learns of an error: an expected one in its own words, any other by an id."""
    if isinstance(error, GqlServerError) and not isinstance(error, UNEXPECTED):
        status = STATUSES.get(error.code, 422)
        return refusal(status, error.code.value, str(error), facts=error.facts(), headers=headers)
    facts = {"errorId": report(error, "")}
    return refusal(500, ErrorCode.INTERNAL.value, "The server could not do this.", facts=facts, headers=headers)
