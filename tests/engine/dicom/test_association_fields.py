import pytest

from gql_server.domain.dicom import DicomAction, DicomOverride, DicomParameters, OverrideAction
from gql_server.domain.dicom_errors import OverrideMalformed, OverrideTooLong
from gql_server.engine.dicom.association_fields import AssociationFields, override_field
from gql_server.engine.dicom.overrides import Chosen
from gql_server.engine.dicom.replacing import Replacing
from tests.engine.dicom.data_sets import KEY

KINDS = ["CALLING_AE", "CALLED_AE", "RESERVED", "UID", "VERSION_NAME", "USER_NAME", "PASSCODE", "USER_RESPONSE"]


def replaced(kind: str, value: bytes, **options: bool) -> bytes:
    parameters = DicomParameters(**options)  # type: ignore[arg-type]
    found, _ = AssociationFields(parameters, Replacing(parameters, KEY)).replaced(kind, value)
    assert len(found) == len(value)
    return found


def test_both_titles_have_the_pseudonym_of_a_device() -> None:
    title = replaced("CALLING_AE", b"CTSCAN_B2       ")
    assert title != b"CTSCAN_B2       "
    assert title == replaced("CALLED_AE", b"CTSCAN_B2       ")
    assert title.strip() == Replacing(DicomParameters(), KEY).devices.pseudonym(b"CTSCAN_B2", b"")


@pytest.mark.parametrize("kind", ["PASSCODE", "USER_RESPONSE", "RESERVED", "UNKNOWN", "UNREADABLE", "WHATEVER COMES"])
@pytest.mark.parametrize("retain_device", [False, True])
def test_secrets_and_what_is_not_known_become_zero(kind: str, *, retain_device: bool) -> None:
    assert replaced(kind, b"hunter2", retain_device=retain_device) == bytes(7)


def test_a_users_name_has_a_pseudonym_and_a_token_none() -> None:
    assert replaced("USER_NAME", b"marigold") not in {b"marigold", bytes(8)}
    assert replaced("USER_NAME", b"e" * 65) == bytes(65)
    assert replaced("USER_NAME", b"\x00\x01\x02") == bytes(3)


def test_uids_of_the_standard_stay_and_others_are_mapped() -> None:
    assert replaced("UID", b"1.2.840.10008.1.1") == b"1.2.840.10008.1.1"
    assert replaced("UID", b"1.2.276.0.7230010.3") != b"1.2.276.0.7230010.3"
    assert replaced("UID", b"1.2.276.0.7230010.3", retain_uids=True) == b"1.2.276.0.7230010.3"
    assert replaced("UID", b"Hawthorne", retain_uids=True) == bytes(9)


def test_the_implementation_stays_with_the_identity_of_devices_alone() -> None:
    assert replaced("VERSION_NAME", b"OFFIS_DCMTK_367") == b"x" * 15
    assert replaced("VERSION_NAME", b"OFFIS_DCMTK_367", retain_device=True) == b"OFFIS_DCMTK_367"
    assert replaced("IMPLEMENTATION_UID", b"1.2.276.0.7230010.3", retain_device=True) == b"1.2.276.0.7230010.3"
    assert replaced("IMPLEMENTATION_UID", b"1.2.276.0.7230010.3") != b"1.2.276.0.7230010.3"


def test_extended_negotiation_stays_while_it_is_small_numbers() -> None:
    assert replaced("EXTENDED", b"\1\0\1") == b"\1\0\1"
    assert replaced("EXTENDED", b"Doe") == bytes(3)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_as_nothing(kind: str) -> None:
    assert AssociationFields(DicomParameters(), Replacing(DicomParameters(), KEY)).replaced(kind, b"  ") == (
        b"  ",
        DicomAction.EMPTY,
    )


def test_a_person_keeps_or_replaces_a_title() -> None:
    keep = Chosen(0, DicomOverride(element="0" * 32, action=OverrideAction.KEEP))
    assert override_field(keep, "CALLING_AE", b"CT1 ") == b"CT1 "

    def replace(value: str) -> Chosen:
        return Chosen(3, DicomOverride(element="0" * 32, action=OverrideAction.REPLACE, value=value))

    assert override_field(replace("MR"), "CALLING_AE", b"CT1 ") == b"MR  "
    with pytest.raises(OverrideTooLong) as long:
        override_field(replace("MAGNET"), "CALLING_AE", b"CT1 ")
    assert (long.value.index, long.value.length) == (3, 4)
    with pytest.raises(OverrideMalformed):
        override_field(replace("é"), "CALLING_AE", b"CT1 ")
