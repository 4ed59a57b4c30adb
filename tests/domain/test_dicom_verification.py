"""What is expected and said of DICOM crosses JSON as it is."""

import json
from dataclasses import asdict, fields

import pytest

from gql_server.domain.dicom import DatePolicy, DicomParameters, ForeignPolicy, PixelPolicy
from gql_server.domain.dicom_verification import (
    DicomExpectation,
    dicom_expectation_of,
    dicom_verification_of,
    expectation_of,
)
from tests.factories import DICOM_VERIFICATION

EXPECTED = DicomExpectation(
    pixels=PixelPolicy.KEEP, foreign=ForeignPolicy.KEEP, dates=DatePolicy.SHIFT, overridden=("00100010",)
)


def test_a_verification_is_read_back_from_its_json() -> None:
    assert dicom_verification_of(json.loads(json.dumps(asdict(DICOM_VERIFICATION)))) == DICOM_VERIFICATION


@pytest.mark.parametrize("field", ["scan", "elements", "pixels"])
def test_a_verification_without_a_part_is_none(field: str) -> None:
    body = asdict(DICOM_VERIFICATION)
    del body[field]
    with pytest.raises(KeyError):
        dicom_verification_of(body)


def test_an_expectation_is_read_back_from_its_json() -> None:
    assert dicom_expectation_of(json.loads(json.dumps(asdict(EXPECTED)))) == EXPECTED


def test_parameters_become_an_expectation() -> None:
    parameters = DicomParameters(
        pixels=PixelPolicy.KEEP,
        foreign=ForeignPolicy.KEEP,
        dates=DatePolicy.SHIFT,
        retain_uids=True,
        retain_device=True,
        retain_patient_characteristics=True,
        clean_descriptors=True,
    )
    found = expectation_of(parameters, ("00100010",))
    for field in fields(found):
        if field.name != "overridden":
            assert getattr(found, field.name) == getattr(parameters, field.name)
    assert found.overridden == ("00100010",)
    assert "00100010" not in repr(found)
