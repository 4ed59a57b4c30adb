"""DICOM parameters: the default keeps nothing, and what is stored is read again."""

import json
from dataclasses import asdict

import pytest

from gql_server.domain.dicom import (
    DamagePolicy,
    DatePolicy,
    DicomParameters,
    ForeignPolicy,
    PixelPolicy,
    dicom_parameters_of,
)

OTHERWISE = DicomParameters(
    pixels=PixelPolicy.KEEP,
    foreign=ForeignPolicy.KEEP,
    dates=DatePolicy.SHIFT,
    damage=DamagePolicy.ZERO,
    retain_uids=True,
    retain_device=True,
    retain_patient_characteristics=True,
    clean_descriptors=True,
)


@pytest.mark.parametrize("parameters", [DicomParameters(), OTHERWISE], ids=["default", "otherwise"])
def test_what_is_stored_is_read_again(parameters: DicomParameters) -> None:
    assert dicom_parameters_of(json.loads(json.dumps(asdict(parameters)))) == parameters


def test_by_default_nothing_is_kept_and_damage_fails() -> None:
    default = asdict(DicomParameters())
    assert {name for name, value in default.items() if value is True or value == "KEEP"} == set()
    assert (default["dates"], default["damage"]) == ("REMOVE", "FAIL")


@pytest.mark.parametrize("name", [name for name in asdict(OTHERWISE) if name != "version"])
def test_no_choice_may_be_missing_from_what_is_stored(name: str) -> None:
    stored = asdict(OTHERWISE)
    del stored[name]
    with pytest.raises(KeyError):
        dicom_parameters_of(stored)
