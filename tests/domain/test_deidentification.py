"""Parameters of a de-identification, stored and read again."""

import json
from dataclasses import asdict

import pytest

from gql_server.domain.anonymization import AddressMapping, AnonymizationParameters
from gql_server.domain.deidentification import DeidentificationParameters, deidentification_of
from gql_server.domain.dicom import DatePolicy, DicomParameters, ForeignPolicy, PixelPolicy

CHOICES = [
    DeidentificationParameters(dicom=DicomParameters()),
    DeidentificationParameters(
        dicom=DicomParameters(pixels=PixelPolicy.KEEP, foreign=ForeignPolicy.KEEP, dates=DatePolicy.SHIFT),
        addresses=AnonymizationParameters(mapping=AddressMapping.CRYPTO_PAN),
    ),
]


@pytest.mark.parametrize("parameters", CHOICES, ids=["dicom", "both"])
def test_what_is_stored_is_read_again(parameters: DeidentificationParameters) -> None:
    assert deidentification_of(json.loads(json.dumps(asdict(parameters)))) == parameters


def test_an_unknown_choice_is_not_taken_for_the_default() -> None:
    stored = json.loads(json.dumps(asdict(CHOICES[0])))
    stored["dicom"]["pixels"] = "BLUR"
    with pytest.raises(ValueError, match="BLUR"):
        deidentification_of(stored)
