"""DICOM in a verification: every count, and nothing more."""

from dataclasses import asdict

from gql_server.api.dicom_verification import DicomVerification
from gql_server.api.verification import Verification
from tests.api.test_dicom_types import flat
from tests.factories import DICOM_VERIFICATION, VERIFICATION


def test_what_was_found_of_dicom_is_shown_whole() -> None:
    assert flat(asdict(DicomVerification.of(DICOM_VERIFICATION))) == flat(asdict(DICOM_VERIFICATION))


def test_where_addresses_alone_were_transformed_there_is_none() -> None:
    assert VERIFICATION.dicom is None
    assert Verification.of(VERIFICATION).dicom is None
