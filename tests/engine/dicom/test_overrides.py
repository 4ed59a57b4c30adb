import pytest

from gql_server.domain.dicom import MAX_OVERRIDES, DicomOverride, DicomParameters, OverrideAction
from gql_server.domain.dicom_errors import OverrideMalformed, OverrideTooLong
from gql_server.engine.dicom.actions import decide
from gql_server.engine.dicom.overrides import (
    Chosen,
    ElementIds,
    Overrides,
    path_of,
    path_text,
    replacement_of,
    value_of,
)
from tests.engine.dicom.data_sets import KEY, OTHER_KEY, data_set, read, written

IDS = ElementIds(KEY)
NAME = decide(0x00100010, "PN", DicomParameters())


def keep(element: str) -> DicomOverride:
    return DicomOverride(element=element, action=OverrideAction.KEEP)


def replace(element: str, value: str) -> DicomOverride:
    return DicomOverride(element=element, action=OverrideAction.REPLACE, value=value)


@pytest.mark.parametrize(
    "overrides",
    [
        [keep("PatientName")],
        [keep("0010001")],
        [keep("00100010.")],
        [DicomOverride(element="00100010", action=OverrideAction.KEEP, value="x")],
        [DicomOverride(element="00100010", action=OverrideAction.REPLACE)],
        [keep("00100010"), replace("00100010", "x")],
        [keep("0" * 32), keep("0" * 32)],
    ],
)
def test_what_is_malformed_is_refused_with_its_place(overrides: list[DicomOverride]) -> None:
    with pytest.raises(OverrideMalformed) as refused:
        Overrides(overrides, IDS)
    assert refused.value.index == len(overrides) - 1


def test_there_is_a_most() -> None:
    many = [keep(f"{number:08x}") for number in range(MAX_OVERRIDES + 1)]
    assert Overrides(many[:-1], IDS)
    with pytest.raises(OverrideMalformed):
        Overrides(many, IDS)


def test_ids_are_keyed_and_tell_path_vr_and_value_apart() -> None:
    ids = {
        IDS.element_id("00100010", "PN", b"Doe"),
        IDS.element_id("00100010", "PN", b"Roe"),
        IDS.element_id("00100010", "LO", b"Doe"),
        IDS.element_id("00081120.00100010", "PN", b"Doe"),
        ElementIds(OTHER_KEY).element_id("00100010", "PN", b"Doe"),
    }
    assert len(ids) == 5
    assert all(len(each) == 32 for each in ids)


def test_elements_are_found_by_path_and_by_id() -> None:
    inner = data_set(PatientName="Inner")
    held = read(written(data_set(ReferencedPatientSequence=[inner], PatientName="Outer", PatientID="4711")))
    path = path_of(held.elements, 1)
    assert path_text(path) == "00081120.00100010"
    one = IDS.element_id("00100020", *value_of(held.elements, held.values, 3))
    overrides = Overrides([keep("00081120.00100010"), keep(one), keep("00080050")], IDS)
    assert {row: chosen.place for row, chosen in overrides.find(held.elements, held.values).items()} == {1: 0, 3: 1}


def test_an_id_goes_before_a_path() -> None:
    held = read(written(data_set(PatientID="4711")))
    one = IDS.element_id("00100020", "LO", b"4711")
    overrides = Overrides([keep("00100020"), replace(one, "1")], IDS)
    assert overrides.find(held.elements, held.values)[0].place == 1


def test_a_replacement_is_padded_and_no_longer_than_what_it_replaces() -> None:
    assert replacement_of(Chosen(0, replace("00100010", "Doe")), NAME, 6, b"") == b"Doe   "
    assert replacement_of(Chosen(0, replace("00100010", "Jörg")), NAME, 6, b"ISO_IR 192") == "Jörg ".encode()
    uid = decide(0x00080018, "UI", DicomParameters())
    assert replacement_of(Chosen(0, replace("00080018", "1.2.3")), uid, 8, b"") == b"1.2.3\0\0\0"
    with pytest.raises(OverrideTooLong) as long:
        replacement_of(Chosen(4, replace("00100010", "Jörg")), NAME, 4, b"ISO_IR 192")
    assert (long.value.index, long.value.length) == (4, 4)


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [(0x00100010, "PN", "Jörg"), (0x00280010, "US", "5"), (0x00080060, "CS", "ct"), (0x00080020, "DA", "today")],
)
def test_a_replacement_is_what_its_element_allows(tag: int, vr: str, value: str) -> None:
    with pytest.raises(OverrideMalformed):
        replacement_of(Chosen(0, replace(f"{tag:08x}", value)), decide(tag, vr, DicomParameters()), 10, b"")
