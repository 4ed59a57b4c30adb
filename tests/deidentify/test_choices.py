"""Choices: what options mean, and which do not go together."""

import argparse

import pytest

from gql_server.deidentify.choices import add_options, addresses_of, dicom_of
from gql_server.domain.anonymization import (
    AddressMapping,
    AnonymizationParameters,
    MacMapping,
    NamePolicy,
    PayloadPolicy,
)
from gql_server.domain.dicom import DamagePolicy, DatePolicy, DicomParameters, ForeignPolicy, PixelPolicy
from gql_server.domain.errors import InvalidInput


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(["in", "out", *words])


def test_what_is_not_said_is_the_default() -> None:
    asked = options("--addresses", "--dicom")
    assert addresses_of(asked) == AnonymizationParameters()
    assert dicom_of(asked) == DicomParameters()


def test_what_is_not_asked_for_stays() -> None:
    assert dicom_of(options("--addresses")) is None
    assert addresses_of(options("--dicom")) is None
    with pytest.raises(InvalidInput, match="ask for it, for --dicom or for both"):
        addresses_of(options())


def test_each_choice_for_addresses_is_heard() -> None:
    words = ("--mapping", "permutation", "--macs", "keep-oui", "--payload", "truncate", "--names", "mask")
    assert addresses_of(options("--addresses", *words)) == AnonymizationParameters(
        mapping=AddressMapping.PERMUTATION,
        mac_mapping=MacMapping.KEEP_OUI,
        payload=PayloadPolicy.TRUNCATE,
        names=NamePolicy.MASK,
    )


def test_each_choice_for_dicom_is_heard() -> None:
    profile = "retain-uids, retain-device,retain-patient-characteristics,shift-dates,clean-descriptors"
    words = ("--keep-pixels", "--keep-foreign", "--zero-damage", "--profile-options", profile)
    assert dicom_of(options("--dicom", *words)) == DicomParameters(
        pixels=PixelPolicy.KEEP,
        foreign=ForeignPolicy.KEEP,
        dates=DatePolicy.SHIFT,
        damage=DamagePolicy.ZERO,
        retain_uids=True,
        retain_device=True,
        retain_patient_characteristics=True,
        clean_descriptors=True,
    )
    kept = dicom_of(options("--dicom", "--profile-options", "retain-dates"))
    assert kept == DicomParameters(dates=DatePolicy.KEEP)


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("retain-everything", "'retain-everything' is none of clean-descriptors, "),
        ("retain-uids,", "'' is none of"),
        ("retain-dates,shift-dates", "kept or shifted, not both"),
    ],
)
def test_an_unknown_or_contradicting_option_of_the_profile_is_refused(profile: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        dicom_of(options("--dicom", "--profile-options", profile))


@pytest.mark.parametrize(
    "words",
    [
        ("--overrides", "file"),
        ("--profile-options", "retain-uids"),
        ("--keep-pixels",),
        ("--keep-foreign",),
        ("--zero-damage",),
    ],
)
def test_an_option_of_dicom_without_dicom_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="it belongs to --dicom") as refused:
        dicom_of(options("--addresses", *words))
    assert refused.value.field == words[0]


@pytest.mark.parametrize(
    "words", [("--rules", "file"), ("--mapping", "explicit"), ("--macs", "permutation"), ("--payload", "keep")]
)
def test_an_option_of_addresses_without_addresses_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="it belongs to --addresses") as refused:
        addresses_of(options("--dicom", *words))
    assert refused.value.field == words[0]


def test_with_dicom_payload_is_no_choice_of_addresses() -> None:
    with pytest.raises(InvalidInput, match="--keep-foreign"):
        addresses_of(options("--addresses", "--dicom", "--payload", "zero"))
