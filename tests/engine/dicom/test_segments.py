import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.compilation import Bytes, State, entry
from gql_server.engine.dicom.segments import (
    BARE,
    LEFT_TO_CARD,
    ODD,
    SEGMENT_COLUMNS,
    UDP_CHECKSUM,
    add_up,
    adjust,
    at_of,
    begin_of,
    clear,
    flags_of,
    is_left_to_card,
    length_of,
    packet_of,
    place_of,
    put,
    sum_of,
)
from gql_server.engine.memory import pointer
from tests.captures import checksum


@entry
def put_row(table: State, numbers: State) -> None:
    """Write a row and read it back."""
    t, n = pointer(table), pointer(numbers)
    put(t, 1, n[0], n[1], n[2], n[3], n[4], n[5], n[6])
    n[0], n[1], n[2], n[3] = begin_of(t, 1), length_of(t, 1), packet_of(t, 1), at_of(t, 1)
    n[4], n[5], n[6] = place_of(t, 1), flags_of(t, 1), sum_of(t, 1)


@entry
def sum_up(data: Bytes, at: int, count: int) -> int:
    """Add bytes up."""
    return add_up(pointer(data), at, count)


@entry
def change(data: Bytes, place: int, before: int, after: int, flags: int) -> None:
    """Adjust a checksum."""
    adjust(pointer(data), place, before, after, flags)


@entry
def clear_bytes(data: Bytes, at: int, count: int) -> bool:
    """Zero bytes."""
    return clear(pointer(data), at, count)


@entry
def is_left(data: Bytes, pseudo: int, length: int, captured: int, total: int) -> bool:
    """Look at the checksum at 0."""
    return is_left_to_card(pointer(data), 0, pseudo, length, captured, total)


def array(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8).copy()


ROWS = [
    [0, 0, 0, 0, 0, 0, 0],
    [-(1 << 40), (1 << 31) - 1, (1 << 32) - 1, (1 << 46), (1 << 46) - 60, 0x7F, 0xFFFF],
    [(1 << 46), 1460, 7, 1 << 40, (1 << 40) + (1 << 31) - 1, 5, 1],
    [5, 6, 7, 1 << 40, (1 << 40) - (1 << 31), 5, 1],
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_holds_what_was_put_into_it(row: list[int]) -> None:
    numbers = np.array(row, np.int64)
    put_row(np.zeros(2 * SEGMENT_COLUMNS, np.int64), numbers)
    assert numbers.tolist() == row


@pytest.mark.parametrize("away", [1 << 31, -(1 << 31) - 1])
def test_a_checksum_too_far_away_is_none(away: int) -> None:
    numbers = np.array([0, 1, 2, 1 << 40, (1 << 40) + away, 0, 0], np.int64)
    put_row(np.zeros(2 * SEGMENT_COLUMNS, np.int64), numbers)
    assert numbers[5] == BARE


@given(data=st.binary(max_size=70), at=st.integers(0, 9))
def test_bytes_add_up_as_words_from_where_they_begin(data: bytes, at: int) -> None:
    total = sum_up(array(bytes(at) + data), at, len(data))
    assert total % 0xFFFF == (0xFFFF - checksum(data)) % 0xFFFF


@given(head=st.binary(min_size=4, max_size=4), old=st.binary(min_size=1, max_size=20), data=st.data())
def test_an_adjusted_checksum_is_that_of_the_new_bytes(head: bytes, old: bytes, data: st.DataObject) -> None:
    new = data.draw(st.binary(min_size=len(old), max_size=len(old)))
    odd = data.draw(st.booleans())
    before, after = (head + b"x" * odd + part for part in (old, new))
    held = array(checksum(before).to_bytes(2, "big"))
    change(held, 0, sum_up(array(old), 0, len(old)), sum_up(array(new), 0, len(new)), ODD if odd else 0)
    assert int.from_bytes(held.tobytes(), "big") % 0xFFFF == checksum(after) % 0xFFFF


def test_zero_and_all_ones_keep_their_meaning_in_udp() -> None:
    absent, becomes, plain = array(b"\0\0"), array(b"\0\5"), array(b"\0\5")
    change(absent, 0, 1, 2, UDP_CHECKSUM)
    change(becomes, 0, 0, 5, UDP_CHECKSUM)
    change(plain, 0, 0, 5, LEFT_TO_CARD & 0)
    assert [each.tobytes() for each in (absent, becomes, plain)] == [b"\0\0", b"\xff\xff", b"\0\0"]


@given(data=st.binary(max_size=40), at=st.integers(0, 9))
def test_clearing_tells_whether_a_byte_was_there(data: bytes, at: int) -> None:
    memory = array(b"\xaa" * at + data + b"\xbb" * 9)
    assert clear_bytes(memory, at, len(data)) == any(data)
    assert memory.tobytes() == b"\xaa" * at + bytes(len(data)) + b"\xbb" * 9


def test_a_field_with_the_sum_of_the_pseudo_header_is_left_to_the_card() -> None:
    held = array(b"\x12\x34")
    assert is_left(held, 0x1234 - 20, 20, 20, 7)
    assert is_left(held, 0x1234, 20, 20, 7), "segmentation too"
    assert not is_left(held, 0x1233, 20, 20, 7)
    assert not is_left(held, 0x1234 - 20, 20, 20, 0xFFFF - 0x1234), "it is right as it is"
    assert is_left(held, 0x1234 - 20, 20, 19, 0xFFFF - 0x1234), "nobody can know"


def test_an_empty_field_is_left_to_the_card() -> None:
    held = array(b"\0\0")
    assert is_left(held, 0x1111, 20, 20, 7)
    assert not is_left(held, 0x1111, 20, 20, 0xFFFF - 20 - 0x1111), "it is right as it is"
