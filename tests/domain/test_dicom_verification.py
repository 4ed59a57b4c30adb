"""What is expected and said of DICOM crosses JSON as it is."""

import json
from dataclasses import asdict, fields

import pytest

from gql_server.domain.dicom import DatePolicy, DicomAction, DicomParameters, ForeignPolicy, PixelPolicy
from gql_server.domain.dicom_verification import (
    DicomExpectation,
    DicomVerification,
    SecretFinding,
    SecretForm,
    SecretKind,
    SecretPlace,
    SecretScan,
    VerifiedElements,
    VerifiedPixels,
    dicom_expectation_of,
    dicom_verification_of,
    expectation_of,
)

FINDING = SecretFinding(
    kind=SecretKind.NAME, form=SecretForm.BASE64, place=SecretPlace.UNEXPLAINED, hits=2, first_packet=3, first_offset=4
)
FOUND = DicomVerification(
    connections=1,
    streams=2,
    messages=3,
    data_sets=4,
    elements=(VerifiedElements(tag="00100010", vr="PN", action=DicomAction.REPLACED, elements=5, bytes=6),),
    pixels=(VerifiedPixels(modality="CT", data_sets=7, bytes=8, bytes_kept=0),),
    bytes_dicom=9,
    bytes_kept=10,
    bytes_pixels_kept=0,
    bytes_undecodable=11,
    bytes_left=0,
    copies=12,
    uids=13,
    names=14,
    identifiers=15,
    times_shifted=True,
    scan=SecretScan(secrets=16, bytes_raw=17, bytes_reassembled=18, bytes_unpacked=19, findings=(FINDING,)),
)
EXPECTED = DicomExpectation(
    pixels=PixelPolicy.KEEP, foreign=ForeignPolicy.KEEP, dates=DatePolicy.SHIFT, overridden=("00100010",)
)


def test_a_verification_is_read_back_from_its_json() -> None:
    assert dicom_verification_of(json.loads(json.dumps(asdict(FOUND)))) == FOUND


@pytest.mark.parametrize("field", ["scan", "elements", "pixels"])
def test_a_verification_without_a_part_is_none(field: str) -> None:
    body = asdict(FOUND)
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
