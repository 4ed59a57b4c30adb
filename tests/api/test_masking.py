"""Masking: faults of the server become an id."""

import logging
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, Source
from starlette.applications import Starlette

from gql_server.api.masking import MAX_ERRORS, MaskedSchema, masked
from gql_server.domain.errors import GqlServerError, InvalidInput, StoreNotShared
from gql_server.store import flows
from tests.graphql_client import execute, subscribe

SECRET = "PatientName=DOE^JOHN at 10.1.2.3"


def extensions_of(error: GraphQLError) -> dict[str, Any]:
    assert error.extensions is not None
    return error.extensions


def raised(error: Exception) -> GraphQLError:
    return GraphQLError(str(error), path=["trace", "flow"], original_error=error)


@pytest.mark.parametrize("error", [ValueError(SECRET), GqlServerError(), StoreNotShared()])
def test_a_fault_is_told_by_an_id_that_the_log_has(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    shown = masked(raised(error))
    assert shown.message == "The server could not do this."
    assert shown.path == ["trace", "flow"]
    assert extensions_of(shown)["code"] == "INTERNAL"
    record = caplog.records[0]
    assert vars(record)["error_id"] == extensions_of(shown)["errorId"]
    assert vars(record)["error_type"] == type(error).__name__
    assert vars(record)["path"] == "trace.flow"
    assert SECRET not in str(vars(record))
    assert shown.original_error is None


def test_an_expected_failure_keeps_its_words_and_facts() -> None:
    shown = masked(raised(InvalidInput(field="first", reason="too many")))
    assert shown.message == "first: too many."
    assert shown.extensions == {"code": "INVALID_INPUT", "field": "first", "reason": "too many"}


def test_an_error_inside_an_error_is_looked_through() -> None:
    shown = masked(GraphQLError("outer", path=["a"], original_error=raised(ValueError(SECRET))))
    assert extensions_of(shown)["code"] == "INTERNAL"


def test_a_clients_mistake_keeps_its_words_without_suggestions() -> None:
    shown = masked(GraphQLError("Unknown type 'Trac'. Did you mean 'Trace'?"))
    assert (shown.message, extensions_of(shown)["code"]) == ("Unknown type 'Trac'.", "VALIDATION_FAILED")


def test_a_syntax_error_says_where() -> None:
    shown = masked(GraphQLSyntaxError(Source("{"), 1, "Expected Name, found <EOF>."))
    assert extensions_of(shown)["code"] == "PARSE_FAILED"
    assert shown.formatted["locations"] == [{"line": 1, "column": 2}]


def test_masking_twice_changes_nothing() -> None:
    once = masked(raised(InvalidInput(field="first", reason="too many")))
    assert masked(once).formatted == once.formatted


def test_the_errors_of_one_document_are_bounded() -> None:
    errors = [GraphQLError("no") for _ in range(50)]
    MaskedSchema.process_errors(None, errors)  # type: ignore[arg-type]  # it uses nothing of its schema
    assert len(errors) == MAX_ERRORS


async def test_no_message_of_a_fault_reaches_a_client_or_the_log(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> int:
        raise ValueError(SECRET)

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(flows, "count_flows", broken)
    monkeypatch.setattr("gql_server.api.types.stored_flows.count_flows", broken)
    body = await execute(app, "{ flows { totalCount } }")
    streamed = [result async for result in subscribe(app, "{ flows { totalCount } }")]
    for answer in (body, streamed[0]):
        assert answer["data"] is None
        assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert answer["errors"][0]["path"] == ["flows", "totalCount"]
    assert SECRET not in f"{body}{streamed}{caplog.text}{[vars(record) for record in caplog.records]}"
