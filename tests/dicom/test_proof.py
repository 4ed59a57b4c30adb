"""The second reader passes what becomes of every rearranged and of every degraded capture."""

import random

import pytest

from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.dicom import DamagePolicy, DicomParameters
from gql_server.domain.verification import VerificationReason
from tests.dicom.mutations import MUTATIONS
from tests.dicom.outcomes import Engine
from tests.dicom.scenes import Recording


@pytest.mark.parametrize("addresses", [None, AnonymizationParameters()], ids=["dicom", "both"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_every_output_is_proven(
    recording: Recording, engine: Engine, name: str, addresses: AnonymizationParameters | None
) -> None:
    data = MUTATIONS[name](recording.wire, random.Random(1)).file()
    verification = engine.prove(data, DicomParameters(damage=DamagePolicy.ZERO), addresses)
    kept = () if addresses else (VerificationReason.ADDRESSES_KEPT_BY_RULE,)
    assert verification.reasons == kept
    assert verification.dicom is not None
    assert verification.dicom.streams > 0
