"""Errors in rows: each comes back as it went in."""

import pytest

from gql_server.domain.errors import AttemptsExhausted, GqlServerError
from gql_server.store.errors import error_columns, read_error
from tests.domain_errors import all_errors


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: type(error).__name__)
def test_an_error_survives_its_two_columns(error: GqlServerError) -> None:
    columns = error_columns(error)
    read = read_error(columns["error_code"], columns["error_facts"])
    assert read is not None
    assert (read.code, read.facts(), str(read)) == (error.code, error.facts(), str(error))


def test_a_fault_without_a_code_of_its_own_is_still_a_failure() -> None:
    columns = error_columns(GqlServerError())
    assert type(read_error(columns["error_code"], columns["error_facts"])) is GqlServerError


def test_no_error_is_no_error() -> None:
    assert error_columns(None) == {"error_code": None, "error_facts": None}
    assert read_error(None, None) is None


@pytest.mark.parametrize(("code", "facts"), [("OF_A_LATER_VERSION", {}), ("CAPTURE_CUT", {"unknown": 1})])
def test_what_another_version_wrote_still_says_that_it_failed(code: str, facts: dict[str, int]) -> None:
    assert isinstance(read_error(code, facts), AttemptsExhausted)
