from pydicom import Dataset

from gql_server.engine.dicom.coded_entries import NO_ENTRY, CodedEntry
from gql_server.engine.dicom.contexts import Contexts
from gql_server.engine.dicom.elements import TAG
from tests.engine.dicom.data_sets import Held, data_set, read, written


def code(scheme: str, value: str, meaning: str) -> Dataset:
    return data_set(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def rows_of(held: Held, tag: int) -> list[int]:
    return [row for row in range(len(held.elements)) if held.elements[row, TAG] == tag]


def test_an_item_has_the_character_set_of_the_data_set_or_its_own() -> None:
    own = data_set(SpecificCharacterSet="ISO_IR 192", PatientName="Müller")
    plain = data_set(PatientName="Müller")
    other = data_set(ReferencedPatientSequence=[own, plain], PatientName="Müller", SpecificCharacterSet="ISO_IR 100")
    held = read(written(other))
    contexts = Contexts.read(held, names=True)
    rows = rows_of(held, 0x00100010)
    assert [contexts.declared_at(row) for row in rows] == [b"ISO_IR 192", b"ISO_IR 100", b"ISO_IR 100"]
    assert contexts.names == {"m", "ller"}


def test_without_character_sets_nothing_is_declared() -> None:
    held = read(written(data_set(PatientName="Doe")))
    assert Contexts.read(held, names=False).declared_at(0) == b""


def test_a_coded_entry_is_found_from_each_of_its_rows() -> None:
    codes = [code("SCT", "69536005", "Head"), code("99LOCAL", "X", "Y"), data_set(CodeMeaning="alone")]
    held = read(written(data_set(AnatomicRegionSequence=codes)))
    contexts = Contexts.read(held, names=False)
    for tag in (0x00080100, 0x00080102):
        assert [contexts.entry_at(row) for row in rows_of(held, tag)] == [
            CodedEntry(b"SCT", b"69536005"),
            CodedEntry(b"99LOCAL", b"X"),
        ]
    assert [contexts.entry_at(row) for row in rows_of(held, 0x00080104)] == [
        CodedEntry(b"SCT", b"69536005"),
        CodedEntry(b"99LOCAL", b"X"),
        NO_ENTRY,
    ]
