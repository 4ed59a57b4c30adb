import pytest

from gql_server.engine.dicom import elements
from gql_server.engine.dicom.elements import vr_number
from tests.engine.dicom.walks import read
from tests.engine.dicom.wire import EXPLICIT, UNDEFINED, explicit, items

COLUMNS = (
    elements.TAG,
    elements.VR,
    elements.AT,
    elements.LENGTH,
    elements.DEPTH,
    elements.PARENT,
    elements.CREATOR,
    elements.KIND,
)
KINDS = (
    elements.VALUE,
    elements.SEQUENCE,
    elements.FRAGMENT,
    elements.OFFSET_TABLE,
    elements.OUTSIDE,
    elements.UNREADABLE,
)
NAME = explicit(0x00100010, "PN", b"A^B ")


def test_columns_and_kinds_are_told_apart() -> None:
    assert sorted(COLUMNS) == list(range(elements.ELEMENT_COLUMNS))
    assert len(set(KINDS)) == len(KINDS)


@pytest.mark.parametrize(("letters", "number"), [("PN", 0x504E), ("SQ", 0x5351), ("", 0)])
def test_a_vr_is_its_letters_as_a_number(letters: str, number: int) -> None:
    assert vr_number(letters) == number


def test_a_row_says_what_where_and_in_which_sequence() -> None:
    sequence = explicit(0x00400275, "SQ", items(NAME))
    rows = read(NAME + sequence, EXPLICIT).elements.tolist()
    begun = len(NAME) + 12
    assert rows == [
        [0x00100010, vr_number("PN"), 8, 4, 0, -1, -1, elements.VALUE],
        [0x00400275, vr_number("SQ"), begun, 8 + len(NAME), 0, -1, -1, elements.SEQUENCE],
        [0x00100010, vr_number("PN"), begun + 8 + 8, 4, 1, 1, -1, elements.VALUE],
    ]


def test_a_sequence_of_undefined_length_ends_before_its_delimiter() -> None:
    content = items(NAME, undefined=True)
    data = explicit(0x00400275, "SQ", content + b"\xfe\xff\xdd\xe0\0\0\0\0", undefined=True)
    assert data[8:12] == UNDEFINED.to_bytes(4, "little")
    assert read(data, EXPLICIT).elements[0, elements.LENGTH] == len(content)


def test_a_private_element_says_which_row_made_its_block() -> None:
    data = NAME + explicit(0x00290010, "LO", b"MAKER ") + explicit(0x00291001, "LO", b"X ")
    assert read(data, EXPLICIT).elements[:, elements.CREATOR].tolist() == [-1, -1, 1]


def test_pixel_data_has_a_row_for_its_table_and_each_fragment() -> None:
    data = explicit(0x7FE00010, "OB", items(b"", b"ab", b"cdef", ended=True), undefined=True)
    rows = read(data, EXPLICIT).elements
    assert rows[:, elements.KIND].tolist() == [elements.OFFSET_TABLE, elements.FRAGMENT, elements.FRAGMENT]
    assert rows[:, elements.LENGTH].tolist() == [0, 2, 4]


def test_what_cannot_be_walked_has_neither_tag_nor_vr() -> None:
    (*_, last) = read(NAME + b"\x01\x00\x00\x10lost", EXPLICIT).elements.tolist()
    assert last == [0, 0, len(NAME), 8, 0, -1, -1, elements.UNREADABLE]
