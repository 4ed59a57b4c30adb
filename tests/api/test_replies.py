"""Replies: failures over plain HTTP."""

import json
import logging

import pytest

from gql_server.api.replies import STATUSES, failure
from gql_server.domain.errors import (
    ChildCrashed,
    Forbidden,
    GqlServerError,
    OffsetMismatch,
    StorageFull,
    StoreNotShared,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OffsetMismatch(offset=5), 409),
        (StorageFull(), 507),
        (Forbidden(), 403),
        (ChildCrashed(), 422),
    ],
)
def test_an_expected_failure_has_its_status_code_and_facts(error: GqlServerError, status: int) -> None:
    response = failure(error)
    assert response.status_code == status
    assert json.loads(bytes(response.body)) == {"code": error.code, "message": str(error), "facts": error.facts()}
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("error", [RuntimeError("secret"), StoreNotShared()])
def test_a_fault_is_an_id_alone(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    response = failure(error)
    told = json.loads(bytes(response.body))
    assert (response.status_code, told["code"]) == (500, "INTERNAL")
    assert told["facts"]["errorId"] == vars(caplog.records[0])["error_id"]
    assert b"secret" not in response.body
    assert "secret" not in str(vars(caplog.records[0]))


def test_no_status_is_a_success() -> None:
    assert min(STATUSES.values()) >= 400
