"""The walk: structure, damage, depth."""

import struct

import pytest

from gql_server.engine.verify import dicom_layout as d
from tests.engine.verify.dicom_walked import element, item, walked

NAME = element(0x00100010, b"PN", b"DOE^JOHN")
OTHER = element(0x00100010, b"PN", b"QXW^ZEBR")
ID = element(0x00100020, b"LO", b"PID12345")
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def test_elements_are_counted_by_outcome() -> None:
    judge, rows = walked(NAME + ID, OTHER + element(0x00100020, b"LO", b" " * 8))
    assert [(row[d.ROW_TAG], row[d.ROW_OUTCOME]) for row in rows] == [(0x00100010, d.REPLACED), (0x00100020, d.BLANKED)]
    assert judge.state[d.STRUCTURE] == judge.state[d.LEFT] == 0
    assert judge.state[d.ELEMENTS] == 2


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("depth", [1, 5, 40])
def test_sequences_are_walked_at_every_depth(depth: int, endless: bool) -> None:  # noqa: FBT001  # a case
    was, now = NAME, OTHER
    for _ in range(depth):
        length = 0xFFFFFFFF if endless else None
        was, now = (
            element(0x00400275, b"SQ", item(each, endless=endless) + (END if endless else b""), length=length)
            for each in (was, now)
        )
    judge, rows = walked(was + ID, now + element(0x00100020, b"LO", b" " * 8))
    assert len(rows) == 2
    assert judge.state[d.STRUCTURE] == judge.state[d.UNDECODABLE] == 0
    assert judge.state[d.DEPTH] == 0


def test_deeper_than_the_stack_nothing_is_read() -> None:
    was = NAME
    for _ in range(100):
        was = element(0x00400275, b"SQ", item(was))
    judge, rows = walked(was, was)
    assert rows == []
    assert judge.state[d.LEFT] > 0


@pytest.mark.parametrize(
    "wrong",
    [
        NAME[:6] + b"\x06" + NAME[7:],
        b"\x10\x00\x20\x00" + NAME[4:],
        NAME[:4] + b"LO" + NAME[6:],
        NAME[:6] + b"\x00" + NAME[7:],
    ],
)
def test_another_header_is_another_structure(wrong: bytes) -> None:
    assert walked(NAME, wrong)[0].state[d.STRUCTURE] > 0


def test_an_element_may_be_zero_as_a_whole() -> None:
    judge, _ = walked(NAME + ID, bytes(len(NAME)) + ID)
    assert judge.state[d.STRUCTURE] == judge.state[d.BULK_LEFT] == 0
    judge, _ = walked(NAME, bytes(8) + NAME[8:])
    assert judge.state[d.BULK_LEFT] > 0


def test_damage_ends_with_the_item_that_holds_it() -> None:
    broken = element(0x00400275, b"SQ", item(b"\x10\x00\x10\x00??\x04\x00DOE "))
    zeroed = broken[:20] + bytes(12)
    judge, rows = walked(broken + NAME, zeroed + OTHER)
    assert judge.state[d.LEFT] == 0
    assert judge.state[d.UNDECODABLE] == 12
    assert len(rows) == 1
    assert walked(broken + NAME, broken + OTHER)[0].state[d.LEFT] > 0


def test_a_length_beyond_the_item_is_damage() -> None:
    long = element(0x00400275, b"SQ", item(NAME[:6] + b"\x99" + NAME[7:]))
    assert walked(long + ID, long + ID)[0].state[d.LEFT] > 0


def test_what_is_cut_is_judged_as_far_as_it_is_there() -> None:
    judge, _ = walked(NAME[:12], NAME[:8] + bytes(4))
    assert judge.state[d.BULK_LEFT] == judge.state[d.LEFT] == 0
    assert walked(NAME[:12], NAME[:12])[0].state[d.BULK_LEFT] > 0
    assert walked(NAME + ID[:5], OTHER + ID[:5])[0].state[d.LEFT] > 0


def test_nothing_stays_in_a_sequence_that_is_removed() -> None:
    rows = element(0x00280010, b"US", b"\x08\x00")
    was = element(0x00400275, b"SQ", item(rows + ID))
    assert walked(was, was)[0].state[d.BULK_LEFT] == 10
    assert walked(was, was[:-18] + b"\0\0" + was[-16:-8] + b" " * 8)[0].state[d.BULK_LEFT] == 0
    cleaned, _ = walked(was, was, clean_descriptors=True)
    assert cleaned.state[d.BULK_LEFT] == 0


def test_private_elements_are_blank() -> None:
    private = element(0x00991001, b"LO", b"John Doe")
    assert walked(private, private)[0].state[d.BULK_LEFT] == 8
    assert walked(private, private[:8] + b" " * 8)[0].state[d.BULK_LEFT] == 0


def test_an_unknown_value_that_opens_items_is_a_sequence() -> None:
    inner = b"\x10\x00\x10\x00\x08\x00\x00\x00"
    was = element(0x00991002, b"UN", item(inner + b"DOE^JOHN"))
    now = element(0x00991002, b"UN", item(inner + b" " * 8))
    judge, rows = walked(was, now)
    assert judge.state[d.BULK_LEFT] == 0
    assert [(row[d.ROW_TAG], row[d.ROW_OUTCOME]) for row in rows] == [(0x00100010, d.BLANKED)]
    # Nothing stays in a private one, and nothing has a pseudonym there.
    assert walked(was, element(0x00991002, b"UN", item(inner + b"QXW^ZEBR")))[0].state[d.BULK_LEFT] == 8


def test_implicit_vrs_come_from_the_dictionary() -> None:
    was = b"\x10\x00\x10\x00\x08\x00\x00\x00DOE^JOHN"
    _, rows = walked(was, was, syntax=d.IMPLICIT)
    assert [row[d.ROW_OUTCOME] for row in rows] == [d.KEPT]


def test_encapsulated_fragments_are_pixels() -> None:
    frames = item(b"\0\0\0\0") + item(b"\xff\xd8\x12\x34") + END
    was = element(0x7FE00010, b"OB", frames, length=0xFFFFFFFF)
    now = was.replace(b"\xff\xd8\x12\x34", bytes(4))
    assert walked(was, now)[0].state[d.PIXELS_LEFT] == 0
    assert walked(was, was)[0].state[d.PIXELS_LEFT] == 4
