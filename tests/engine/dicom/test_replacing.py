import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary

from gql_server.domain.dicom import DatePolicy, DicomAction, DicomParameters, PixelPolicy
from gql_server.engine.dicom.actions import SPACED, Treatment, attribute, decide
from gql_server.engine.dicom.coded_entries import NO_ENTRY, CodedEntry
from gql_server.engine.dicom.replacing import Context, Replacing
from tests.engine.dicom.data_sets import KEY

PLAIN = Context(b"", NO_ENTRY, frozenset())
DEFAULT = DicomParameters()
SHIFTING = DicomParameters(dates=DatePolicy.SHIFT, retain_device=True, clean_descriptors=True)
EVERY = [
    DEFAULT,
    SHIFTING,
    DicomParameters(dates=DatePolicy.KEEP, retain_uids=True, retain_patient_characteristics=True),
]
REPLACING = {parameters: Replacing(parameters, KEY) for parameters in EVERY}
THOUGHT = sorted(DicomDictionary)


def replaced(tag: int, vr: str, value: bytes, parameters: DicomParameters = DEFAULT, context: Context = PLAIN) -> bytes:
    return REPLACING[parameters].replacement(decide(tag, vr, parameters), value, context).value


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(THOUGHT), st.binary(min_size=1, max_size=40), st.sampled_from(EVERY))
def test_any_value_of_any_attribute_keeps_its_length(tag: int, value: bytes, parameters: DicomParameters) -> None:
    known = attribute(tag)
    assert known is not None
    decision = decide(tag, min(known.vrs), parameters)
    if decision.treatment > Treatment.SEQUENCE and decision.treatment is not Treatment.PIXELS:
        assert len(REPLACING[parameters].replacement(decision, value, PLAIN).value) == len(value)


@pytest.mark.parametrize(
    ("tag", "vr", "value", "expected"),
    [
        (0x00080080, "LO", b"St Brannock ", b"ANONANONANON"),
        (0x00080020, "DA", b"20240611", b"19000101"),
        (0x00080020, "DA", b"Hawthorn", b"        "),
        (0x00080030, "TM", b"101112", b"000000"),
        (0x00080060, "CS", b"CT", b"CT"),
        (0x00080060, "CS", b"Doe ", b"    "),
        (0x00080102, "SH", b"DCM ", b"DCM "),
        (0x00080102, "SH", b"99BRANNOCK", b"          "),
        (0x00080005, "CS", b"ISO_IR 100", b"ISO_IR 100"),
        (0x00080005, "CS", b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 87"),
        (0x00080005, "CS", b"HAWTHORNE ", b"          "),
        (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.2\0"),
        (0x00080018, "UI", b"Hawthorne\0", bytes(10)),
        (0x0072005F, "AS", b"042Y", b"000Y"),
        (0x0072005F, "AS", b"42", b"  "),
        (0x00080050, "SH", b"    ", b"    "),
    ],
)
def test_what_stands_in(tag: int, vr: str, value: bytes, expected: bytes) -> None:
    assert replaced(tag, vr, value) == expected


def test_dates_are_shifted_and_what_cannot_be_is_a_dummy() -> None:
    decision = decide(0x00080020, "DA", SHIFTING)
    shifted = REPLACING[SHIFTING].replacement(decision, b"20240611", PLAIN)
    assert shifted.action is DicomAction.SHIFTED
    assert shifted.value != b"20240611"
    assert REPLACING[SHIFTING].replacement(decision, b"19000611", PLAIN)[:2] == (b"19000101", DicomAction.DUMMY)
    assert replaced(0x00080201, "SH", b"+0100 ", SHIFTING) == b"+0100 "
    assert replaced(0x00080201, "SH", b"Berlin", SHIFTING) == b"      "


def test_only_creators_that_everybody_knows_stay() -> None:
    assert replaced(0x00090010, "LO", b"SIEMENS CSA HEADER", SHIFTING) == b"SIEMENS CSA HEADER"
    assert replaced(0x00090010, "LO", b"BRANNOCK 1", SHIFTING) == b" " * 10


def test_what_would_have_stayed_and_is_not_allowed_is_told() -> None:
    found = REPLACING[DEFAULT].replacement(decide(0x00280030, "DS", DEFAULT), b"0.5 Doe ", PLAIN)
    assert found == (b" " * 8, DicomAction.BLANKED, False)
    assert REPLACING[DEFAULT].replacement(decide(0x00100010, "PN", DEFAULT), b"\x01\x02", PLAIN).is_valid


def test_a_meaning_stays_only_in_a_scheme_that_everybody_knows() -> None:
    head = Context(b"", CodedEntry(b"SCT", b"69536005"), frozenset())
    other = Context(b"", CodedEntry(b"SCT", b"1"), frozenset())
    local = Context(b"", CodedEntry(b"99BRANNOCK", b"69536005"), frozenset())
    assert replaced(0x00080104, "LO", b"Head", DEFAULT, head) == b"Head"
    assert replaced(0x00080104, "LO", b"Head of Hawthorne", DEFAULT, other) == b"Head of xxxxxxxxx"
    assert replaced(0x00080104, "LO", b"Head", DEFAULT, local) == b"    "
    assert replaced(0x00080104, "LO", b"Head") == b"    "
    assert replaced(0x00080100, "SH", b"69536005", DEFAULT, local) == b"        "
    assert replaced(0x00080100, "SH", b"69536005", DEFAULT, head) == b"69536005"


def test_names_are_read_in_the_character_set_in_force() -> None:
    name = "Müller".encode()
    latin = replaced(0x00100010, "PN", name, DEFAULT, Context(b"ISO_IR 100", NO_ENTRY, frozenset()))
    utf_8 = replaced(0x00100010, "PN", name, DEFAULT, Context(b"ISO_IR 192", NO_ENTRY, frozenset()))
    assert latin != utf_8
    assert utf_8.decode()


def test_every_treatment_has_a_way() -> None:
    settled = {Treatment.FILL, Treatment.NUMBERS, Treatment.SEQUENCE, Treatment.PIXELS}
    assert set(REPLACING[DEFAULT]._treatments) == set(Treatment) - settled
    assert "UN" not in SPACED
    assert PixelPolicy.KEEP
