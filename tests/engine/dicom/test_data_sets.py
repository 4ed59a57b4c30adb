import random
import zlib

import numpy as np
import pytest

from gql_server.domain.dicom import DicomProblem
from gql_server.engine.dicom import data_sets
from gql_server.engine.dicom.data_sets import (
    LONGEST_LATE_VALUE,
    LONGEST_PIXELS,
    LONGEST_VALUE,
    MOST_HELD,
    DataSetReader,
)
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OUTSIDE
from gql_server.engine.dicom.transfer_syntaxes import encodings_of
from tests.engine.dicom.byte_streams import held
from tests.engine.dicom.walks import assert_laws, read, told
from tests.engine.dicom.wire import DEFLATED, EXPLICIT, explicit, items

NAME = explicit(0x00100010, "PN", b"DOE^JOHN")
ID = explicit(0x00100020, "LO", b"123456")
LAST = explicit(0xFFFCFFFC, "OB", b"END!")
LONG = random.Random(3).randbytes(LONGEST_VALUE + 2)
PIXELS = random.Random(4).randbytes(LONGEST_PIXELS + 2)


def test_what_was_read_is_written_back_where_it_was() -> None:
    stream = held(b"---" + NAME + b"+++" + ID + b"===")
    spans = np.array([(3, len(NAME)), (6 + len(NAME), len(ID))], np.int64)
    data = DataSetReader().read_data(stream, spans, len(NAME + ID), encodings_of(EXPLICIT)[0], whole=True)
    assert data is not None
    at, length = data.elements[1, [AT, LENGTH]]
    data.values[at : at + length] = np.frombuffer(b"654321", np.uint8)
    assert data.save()
    assert bytes(stream.data) == b"---" + NAME + b"+++" + ID.replace(b"123456", b"654321") + b"==="


def test_long_values_stay_outside_and_what_follows_is_read() -> None:
    stream = held(NAME + explicit(0x00101010, "OB", LONG) + explicit(0x7FE00010, "OW", PIXELS) + LAST)
    data = read(stream, EXPLICIT)
    assert_laws(data)
    assert [row[::3] for row in told(data)] == [
        ("VALUE", 8),
        ("OUTSIDE", len(LONG)),
        ("OUTSIDE", len(PIXELS)),
        ("VALUE", 4),
    ]
    assert len(data.values) < 100
    at = data.elements[3, AT]
    assert data.values[at : at + 4].tobytes() == b"END!"
    assert data.read_outside(1, 10, 20) == LONG[10:30]
    assert data.read_outside(2, len(PIXELS) - 4, 20) == PIXELS[-4:]
    data.write_outside(1, 10, b"changed")
    assert data.read_outside(1, 8, 11) == LONG[8:10] + b"changed" + LONG[17:19]
    assert data.fill_outside(2, 0x20) == len(PIXELS)
    data.values[at : at + 4] = np.frombuffer(b"end.", np.uint8)
    assert data.save()
    expected = NAME + explicit(0x00101010, "OB", LONG[:10] + b"changed" + LONG[17:])
    expected += explicit(0x7FE00010, "OW", b" " * len(PIXELS)) + explicit(0xFFFCFFFC, "OB", b"end.")
    assert bytes(stream.data) == expected


def test_long_values_in_sequences_leave_lengths_as_they_are() -> None:
    inner = items(ID + explicit(0x00420011, "OB", LONG), NAME)
    for outer, undefined in (
        (items(explicit(0x00081140, "SQ", inner)), False),
        (items(explicit(0x00081140, "SQ", inner), undefined=True, ended=True), True),
    ):
        data = read(explicit(0x00400275, "SQ", outer, undefined=undefined) + LAST, EXPLICIT)
        assert not data.problems
        assert [row[0] for row in told(data)] == ["SEQUENCE", "SEQUENCE", "VALUE", "OUTSIDE", "VALUE", "VALUE"]
        assert data.elements[0, LENGTH] == len(outer) - (8 if undefined else 0)
        assert data.elements[1, LENGTH] == len(inner)
        assert data.values[data.elements[5, AT] :].tobytes() == b"END!"


def test_once_much_is_held_short_values_stay_outside_too() -> None:
    frame = bytes(1 << 19)
    count = (MOST_HELD >> 19) + 4
    pixels = explicit(
        0x7FE00010, "OB", items(b"", *[frame] * count, b"x" * LONGEST_LATE_VALUE, ended=True), undefined=True
    )
    data = read(NAME + pixels + LAST, EXPLICIT)
    assert not data.problems
    kinds = [row[0] for row in told(data)]
    assert kinds[:2] == ["VALUE", "TABLE"]
    assert kinds[-2:] == ["FRAGMENT", "VALUE"]
    assert set(kinds[2:-2]) == {"FRAGMENT", "OUTSIDE"}
    assert len(data.values) < MOST_HELD + (2 << 20)
    assert sum(row[3] for row in told(data)) == 8 + count * len(frame) + LONGEST_LATE_VALUE + 4


def test_a_value_with_a_hole_is_unreadable_and_what_follows_is_read() -> None:
    stream = held(NAME + ID + LAST, [(len(NAME) + 10, len(NAME) + 11)])
    data = read(stream, EXPLICIT)
    assert [row[::3] for row in told(data)] == [("VALUE", 8), ("UNREADABLE", 6), ("VALUE", 4)]
    assert data.problems == {DicomProblem.STREAM_HOLE}
    assert data.values[len(NAME) + 8 : len(NAME) + 14].tobytes() == b"12\x00456"


def test_a_header_with_a_hole_spoils_what_follows() -> None:
    stream = held(NAME + ID + LAST, [(len(NAME) + 3, len(NAME) + 4)])
    data = read(stream, EXPLICIT)
    assert [row[0] for row in told(data)] == ["VALUE", "UNREADABLE"]
    assert data.problems == {DicomProblem.STREAM_HOLE}
    stream.fill(0, len(stream.data), 0x55)
    data.save()
    assert bytes(stream.data[: len(NAME)]) == NAME


def test_a_hole_in_a_sequence_stays_there() -> None:
    sequence = explicit(0x00400275, "SQ", items(NAME + ID, ID))
    stream = held(sequence + LAST, [(sequence.index(ID) + 2, sequence.index(ID) + 3)])
    assert [row[::3] for row in told(read(stream, EXPLICIT))] == [
        ("SEQUENCE", len(sequence) - 12),
        ("VALUE", 8),
        ("UNREADABLE", len(ID)),
        ("VALUE", 6),
        ("VALUE", 4),
    ]


def test_what_is_outside_may_have_holes() -> None:
    body = NAME + explicit(0x00101010, "OB", LONG) + LAST
    stream = held(body, [(5000, 6000)])
    data = read(stream, EXPLICIT)
    assert [row[0] for row in told(data)] == ["VALUE", "OUTSIDE", "VALUE"]
    assert data.is_torn(1)
    begin = body.index(LONG)
    assert data.read_outside(1, 0, 10_000) == LONG[: 5000 - begin]
    assert data.fill_outside(1, 0) == len(LONG) - 1000
    assert not data.problems


def test_a_long_unreadable_tail_is_not_held() -> None:
    tail = b"\x10\0\x40\0ZZ" + LONG * 3
    stream = held(NAME + tail)
    data = read(stream, EXPLICIT)
    assert_laws(data)
    assert [row[0] for row in told(data)] == ["VALUE", "UNREADABLE"]
    assert len(data.values) < 1 << 20
    assert len(data.values) + sum(int(spans[:, 1].sum()) for spans in data.unread) == len(stream.data)
    assert data.discard() == len(stream.data)
    assert not any(stream.data)


def test_a_long_unreadable_item_is_left_out_and_what_follows_is_read() -> None:
    sequence = explicit(0x00400275, "SQ", items(b"\x10\0\x40\0ZZ" + LONG * 2, ID))
    data = read(sequence + LAST, EXPLICIT)
    assert_laws(data)
    assert [row[0] for row in told(data)] == ["SEQUENCE", "UNREADABLE", "VALUE", "VALUE"]
    assert data.values[data.elements[2, AT] :][:6].tobytes() == b"123456"


def test_many_elements_find_room() -> None:
    data = read(explicit(0x00400275, "SQ", items(*[ID] * 20_000)), EXPLICIT)
    assert len(data.elements) == 20_001
    assert data.count == data.known == 20_001


def test_a_message_without_its_end_is_incomplete_not_malformed() -> None:
    data = read(NAME + ID[:-2], EXPLICIT, whole=False)
    assert [row[0] for row in told(data)] == ["VALUE", "UNREADABLE"]
    assert data.problems == {DicomProblem.MESSAGE_INCOMPLETE}
    broken = read(NAME + b"\x10\0\x40\0ZZ\0\0", EXPLICIT, whole=False)
    assert broken.problems == {DicomProblem.DATA_SET_MALFORMED}


def packed(plain: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    stream = packer.compress(plain) + packer.flush()
    return stream + b"\0" * (len(stream) % 2)


def test_a_deflated_data_set_is_inflated_and_deflated_to_its_length() -> None:
    plain = NAME + ID + explicit(0x7FE00010, "OW", b"pixels" * 20_000)
    stream = held(packed(plain))
    before = len(stream.data)
    data = read(stream, DEFLATED)
    assert told(data)[2] == ("VALUE", "7FE00010", "OW", 120_000)
    data.values[8:16] = np.frombuffer(b"ROE^JANE", np.uint8)
    data.values[len(NAME + ID) + 12 :] = 0
    assert data.save()
    assert len(stream.data) == before
    again = read(stream, DEFLATED)
    assert again.values.tobytes() == data.values.tobytes()


def test_a_deflated_data_set_that_does_not_fit_is_not_written() -> None:
    stream = held(packed(NAME + explicit(0x00204000, "LT", b"A" * 600)))
    before = bytes(stream.data)
    data = read(stream, DEFLATED)
    data.values[-600:] = np.frombuffer(random.Random(1).randbytes(600), np.uint8)
    assert not data.save()
    assert bytes(stream.data) == before
    data.values[-600:] = 0x20
    assert data.save()
    assert read(stream, DEFLATED).values.tobytes() == data.values.tobytes()
    assert data.discard() == len(before)
    assert not any(stream.data)


@pytest.mark.parametrize(("holes", "whole"), [([(3, 4)], True), ([], False)])
def test_a_deflated_data_set_must_be_whole(holes: list[tuple[int, int]], whole: bool) -> None:  # noqa: FBT001
    stream = held(packed(NAME + ID), holes)
    spans = np.array([(0, len(stream.data))], np.int64)
    encoding = encodings_of(DEFLATED)[0]
    assert DataSetReader().read_data(stream, spans, len(stream.data), encoding, whole=whole) is None


def test_the_limits_are_where_they_are_said_to_be() -> None:
    for count, kind in ((LONGEST_VALUE, "VALUE"), (LONGEST_VALUE + 1, "OUTSIDE")):
        assert told(read(explicit(0x00101010, "OB", bytes(count)), EXPLICIT))[0][0] == kind
    for count, kind in ((LONGEST_PIXELS, "VALUE"), (LONGEST_PIXELS + 1, "OUTSIDE")):
        assert told(read(explicit(0x7FE00010, "OW", bytes(count)) + bytes(0), EXPLICIT))[0][0] == kind
    assert data_sets._FIRST_LOAD <= LONGEST_PIXELS
    assert {OUTSIDE} == set(read(explicit(0x7FE00010, "OW", PIXELS), EXPLICIT).elements[:, KIND].tolist())
