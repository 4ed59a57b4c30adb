import numpy as np
import pytest

from gql_server.domain.dicom import DicomAction, DicomParameters
from gql_server.engine.dicom import deciding
from gql_server.engine.dicom.deciding import DecisionBook, place_of
from gql_server.engine.dicom.elements import ELEMENT_COLUMNS, VALUE, vr_number
from gql_server.engine.dicom.tally import UNKNOWN_TAG, Tally
from tests.engine.dicom.data_sets import data_set, read, written


def rows(tags: list[int], vr: str = "US") -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    table = np.zeros((len(tags), ELEMENT_COLUMNS), np.int64)
    table[:, 0], table[:, 1], table[:, 3], table[:, 5], table[:, 7] = tags, vr_number(vr), 2, -1, VALUE
    return table


def swept(book: DecisionBook, tags: list[int], vr: str = "US") -> None:
    book.sweep(np.ones(2, np.uint8), rows(tags, vr))


def test_private_elements_of_a_group_and_unknown_tags_share_decisions() -> None:
    book = DecisionBook(DicomParameters(), command=False)
    swept(book, [0x00090000 + element for element in range(0x1000, 0x1100)])
    swept(book, [0x12340001, 0x12340003, 0x43200001])
    assert [place_of(each)[0] for each in book.decisions] == ["0009xxxx", UNKNOWN_TAG]


def test_a_creator_is_decided_apart_from_its_elements() -> None:
    book = DecisionBook(DicomParameters(retain_device=True), command=False)
    swept(book, [0x00090010, 0x00091001], "LO")
    assert len({each.treatment for each in book.decisions}) == 2


def test_more_tags_than_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "_FIRST_KEYS", 8)
    monkeypatch.setattr(deciding, "_MOST_KEYS", 64)
    monkeypatch.setattr(deciding, "_FIRST_DECISIONS", 2)
    book = DecisionBook(DicomParameters(), command=False)
    tags = [0x12340000 + 2 * number + 1 for number in range(1, 25)]
    for begin in range(0, 24, 4):
        swept(book, tags[begin : begin + 4])
    for number in range(40):
        swept(book, [0x00280010, 0x56780001 + (number << 4)])
    tally = Tally()
    book.count_into(tally)
    assert sum(each.elements for each in tally.elements()) == 24 + 80
    assert len(book.decisions) == 2


def test_counts_are_by_tag_and_outcome() -> None:
    book = DecisionBook(DicomParameters(), command=False)
    for _ in range(3):
        held = read(written(data_set(Rows=5, PatientComments="Hawthorne ", PatientAge="")))
        book.sweep(held.values, held.elements)
    tally = Tally()
    book.count_into(tally)
    assert [(each.keyword, each.action, each.elements, each.bytes) for each in tally.elements()] == [
        ("PatientAge", DicomAction.EMPTY, 3, 0),
        ("PatientComments", DicomAction.BLANKED, 3, 30),
        ("Rows", DicomAction.KEPT, 3, 6),
    ]
