"""Verification: it crosses JSON as it is."""

import json
from dataclasses import asdict

import pytest

from gql_server.domain.verification import verification_of
from tests.factories import VERIFICATION


def test_a_verification_comes_back_from_json() -> None:
    assert verification_of(json.loads(json.dumps(asdict(VERIFICATION)))) == VERIFICATION


@pytest.mark.parametrize("part", ["status", "reasons", "ledger", "scan", "interference"])
def test_half_a_verification_is_none(part: str) -> None:
    body = json.loads(json.dumps(asdict(VERIFICATION)))
    del body[part]
    with pytest.raises(KeyError):
        verification_of(body)
