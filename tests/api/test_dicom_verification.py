"""DICOM in a verification: every count, and nothing more."""

from dataclasses import asdict

from gql_server.api.dicom_verification import DicomVerification
from gql_server.api.verification import Verification
from gql_server.domain.dicom import DicomAction
from gql_server.domain.dicom_verification import (
    DicomVerification as Found,
)
from gql_server.domain.dicom_verification import (
    SecretFinding,
    SecretForm,
    SecretKind,
    SecretPlace,
    SecretScan,
    VerifiedElements,
    VerifiedPixels,
)
from tests.api.test_dicom_types import flat
from tests.factories import VERIFICATION

FOUND = Found(
    connections=101,
    streams=102,
    messages=103,
    data_sets=104,
    elements=(VerifiedElements(tag="00100010", vr="PN", action=DicomAction.REPLACED, elements=105, bytes=106),),
    pixels=(VerifiedPixels(modality="CT", data_sets=107, bytes=108, bytes_kept=109),),
    bytes_dicom=110,
    bytes_kept=111,
    bytes_pixels_kept=112,
    bytes_undecodable=113,
    bytes_left=0,
    copies=114,
    uids=115,
    names=116,
    identifiers=117,
    times_shifted=True,
    scan=SecretScan(
        secrets=118,
        bytes_raw=119,
        bytes_reassembled=120,
        bytes_unpacked=121,
        findings=(
            SecretFinding(
                kind=SecretKind.NAME,
                form=SecretForm.BASE64,
                place=SecretPlace.VALUE_KEPT,
                hits=122,
                first_packet=123,
                first_offset=124,
            ),
        ),
    ),
)


def test_what_was_found_of_dicom_is_shown_whole() -> None:
    assert flat(asdict(DicomVerification.of(FOUND))) == flat(asdict(FOUND))


def test_where_addresses_alone_were_transformed_there_is_none() -> None:
    assert VERIFICATION.dicom is None
    assert Verification.of(VERIFICATION).dicom is None
