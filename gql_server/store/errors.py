"""Errors in rows: a code and its facts."""

from typing import Any

from gql_server.domain.error_tree import error_of
from gql_server.domain.errors import AttemptsExhausted, GqlServerError


def error_columns(error: GqlServerError | None) -> dict[str, Any]:
    """Return the two columns that hold an error."""
    if error is None:
        return {"error_code": None, "error_facts": None}
    return {"error_code": error.code.value, "error_facts": error.facts()}


def read_error(code: str | None, facts: dict[str, Any] | None) -> GqlServerError | None:
    """Rebuild the error that two columns hold; one of another version keeps at least that it failed."""
    if code is None:
        return None
    try:
        return error_of(code, facts or {})
    except ValueError:
        return AttemptsExhausted(attempts=1)
