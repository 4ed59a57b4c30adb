from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.alphabets import Alphabets
from gql_server.engine.dicom.identifiers import Identifiers
from tests.engine.dicom.data_sets import KEY

ALPHABETS = Alphabets()
IDENTIFIERS = Identifiers(KEY, "identifiers", ALPHABETS)
DEVICES = Identifiers(KEY, "devices", ALPHABETS)


def test_an_identifier_keeps_its_layout() -> None:
    image = IDENTIFIERS.pseudonym(b"MRN-4471-0093 ", b"")
    assert image is not None
    assert image != b"MRN-4471-0093 "
    assert (image[3:4], image[8:9], image[13:]) == (b"-", b"-", b" ")
    assert image[:3].isalpha()
    assert image[4:8].isdigit()


def test_each_of_several_has_its_own() -> None:
    one, other = IDENTIFIERS.pseudonym(b"4711", b""), IDENTIFIERS.pseudonym(b"4712", b"")
    assert one is not None
    assert other is not None
    assert IDENTIFIERS.pseudonym(b"4711\\4712", b"") == one + b"\\" + other


def test_spaces_around_a_title_and_its_case_do_not_count() -> None:
    title = DEVICES.pseudonym(b"CT_SCAN1", b"")
    assert title is not None
    assert DEVICES.pseudonym(b" CT_SCAN1       ", b"") == b" " + title + b"       "
    assert DEVICES.pseudonym(b"ct_scan1", b"") == title.lower()


def test_a_device_is_no_identifier() -> None:
    assert DEVICES.pseudonym(b"CTSCAN123", b"") != IDENTIFIERS.pseudonym(b"CTSCAN123", b"")


def test_controls_have_no_pseudonym() -> None:
    assert IDENTIFIERS.pseudonym(b"47\x0011", b"") is None
    assert IDENTIFIERS.pseudonym(b"47\t11", b"") is None


@settings(deadline=None)
@given(st.sets(st.from_regex(rb"[A-Z0-9]{1,10}", fullmatch=True), min_size=2))
def test_no_two_share_one(values: set[bytes]) -> None:
    assert len({IDENTIFIERS.pseudonym(value, b"") for value in values}) == len(values)
