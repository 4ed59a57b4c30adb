"""Verification: it crosses JSON as it is."""

import json
from dataclasses import asdict

import pytest

from gql_server.domain.verification import verification_of
from tests.factories import VERIFICATION


def test_a_verification_is_read_back_from_its_json() -> None:
    assert verification_of(json.loads(json.dumps(asdict(VERIFICATION)))) == VERIFICATION


@pytest.mark.parametrize("field", ["status", "reasons", "ledger", "scan", "interference"])
def test_a_verification_without_a_part_is_none(field: str) -> None:
    body = asdict(VERIFICATION)
    del body[field]
    with pytest.raises(KeyError):
        verification_of(body)


def test_a_word_of_no_enum_is_refused() -> None:
    with pytest.raises(ValueError, match="PERFECT"):
        verification_of(asdict(VERIFICATION) | {"status": "PERFECT"})
