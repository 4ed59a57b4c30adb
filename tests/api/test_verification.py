"""Verification over GraphQL: every count, and nothing more."""

from dataclasses import asdict

from gql_server.api.verification import Verification
from tests.factories import VERIFICATION


def test_a_verification_is_shown_whole() -> None:
    shown = asdict(Verification.of(VERIFICATION))
    stored = asdict(VERIFICATION)
    stored["reasons"] = list(stored["reasons"])
    stored["scan"]["findings"] = list(stored["scan"]["findings"])
    assert shown == stored
