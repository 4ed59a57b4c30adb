from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.dicom.talking import RST, hello, only, opened, overwrite, packets_of, send, tcp_residue, whole


def test_of_two_copies_the_one_captured_first_is_the_streams(tmp_path: Path) -> None:
    frames = [*hello(), send(b"12345", at=5), send(b"abcdefghijklmno"), send(b"XYZ", at=7), send(b"tail", at=15)]
    with opened(tmp_path, frames) as image:
        stream = only(image).streams[0]
        assert whole(stream) == b"abcde12345klmnotail"
        assert (stream.copies, stream.conflicts, stream.holes) == (2, 2, 0)


def test_copies_that_are_the_same_are_no_conflict(tmp_path: Path) -> None:
    frames = [*hello(), send(b"abcdef"), send(b"abcdef"), send(b"cdefgh", at=2), send(b"gh", at=6)]
    with opened(tmp_path, frames) as image:
        stream = only(image).streams[0]
        assert (stream.copies, stream.conflicts) == (3, 0)
        assert whole(stream) == b"abcdefgh"


def test_one_segment_around_many_that_were_captured_before_it(tmp_path: Path) -> None:
    inner = [send(bytes([65 + i]) * 2, at=4 * i + 2) for i in range(10)]
    with opened(tmp_path, [*inner, send(b"." * 44), send(b"!" * 44, at=44)]) as image:
        stream = only(image).streams[0]
        assert whole(stream) == b"".join(b".." + bytes([65 + i]) * 2 for i in range(10)) + b"...." + b"!" * 44
        assert len(stream.pieces) == 22


def test_other_streams_keep_their_bytes_when_one_needs_room(tmp_path: Path) -> None:
    first = [send(b"a" * 9, ports=(1, 2)), send(b"b" * 9, at=9, ports=(1, 2))]
    second = [send(b"xx", at=2), send(b"." * 9), send(b"yy", at=13), send(b"," * 9, at=9)]
    third = [send(b"c" * 9, ports=(3, 4)), send(b"d" * 9, at=9, ports=(3, 4))]
    with opened(tmp_path, [*first, *second, *third]) as image:
        assert [whole(each.streams[0]) for each in image.connections] == [
            b"a" * 9 + b"b" * 9,
            b"..xx.....,,,,yy,,,",
            b"c" * 9 + b"d" * 9,
        ]


def test_a_keep_alive_is_no_conflict(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(), send(b"abcdef"), send(b"\0", at=5), send(b"ghi", at=6)]) as image:
        stream = only(image).streams[0]
        assert whole(stream) == b"abcdefghi"
        assert (stream.copies, stream.conflicts) == (1, 0)
        only(image).claim()
        image.settle()
    assert packets_of(tmp_path)[4] == send(b"f", at=5)


def test_what_lies_before_the_first_byte_is_no_part_of_the_stream_and_goes(tmp_path: Path) -> None:
    frames = [*hello(), send(b"garbage", at=-7), send(b"wrongRIGHT", at=-5), send(b"-on", at=5)]
    with opened(tmp_path, frames) as image:
        stream = only(image).streams[0]
        assert (whole(stream), stream.copies, stream.holes) == (b"RIGHT-on", 0, 0)
        only(image).claim()
        image.settle()
    packets = packets_of(tmp_path)
    assert packets[3] == send(bytes(7), at=-7)
    assert packets[4] == send(bytes(5) + b"RIGHT", at=-5)


def test_what_a_reset_carries_is_no_part_of_the_stream_and_goes(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(), send(b"abc"), send(b"go away", at=3, flags=RST)]) as image:
        assert whole(only(image).streams[0]) == b"abc"
        only(image).claim()
        image.settle()
    assert packets_of(tmp_path)[4] == send(bytes(7), at=3, flags=RST)


def test_a_missing_first_byte_is_a_hole_after_a_syn_only(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(), send(b"abc", at=10)]) as image:
        stream = only(image).streams[0]
        assert (stream.holes, stream.next_covered(0), stream.end) == (1, 10, 13)
    with opened(tmp_path, [send(b"abc", at=10)]) as image:
        stream = only(image).streams[0]
        assert (stream.holes, stream.starts_at_syn, whole(stream)) == (0, False, b"abc")


def canonical(segments: list[tuple[int, bytes]]) -> dict[int, int]:
    """Each place with the byte that was captured first."""
    found: dict[int, int] = {}
    for at, data in segments:
        for i, value in enumerate(data):
            found.setdefault(at + i, value)
    return found


SEGMENTS = st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=40)), min_size=1, max_size=25)


@settings(max_examples=200, deadline=None)
@given(segments=SEGMENTS, by=st.integers(1, 255))
def test_any_overlaps_follow_what_was_captured_first(
    tmp_path_factory: pytest.TempPathFactory, segments: list[tuple[int, bytes]], by: int
) -> None:
    directory, expected = tmp_path_factory.mktemp("overlaps"), canonical(segments)
    frames = [*hello(), *(send(data, at=at) for at, data in segments)]
    with opened(directory, frames) as image:
        stream = only(image).streams[0]
        found = {
            at + i: value for at, count in stream.covered(0, 999) for i, value in enumerate(stream.read(at, count))
        }
        assert found == expected
        for at, count in stream.covered(0, 999):
            overwrite(stream, at, bytes((value + by) % 256 for value in stream.read(at, count)))
        only(image).claim()
        image.settle()
    for packet, (at, data) in zip(packets_of(directory)[3:], segments, strict=True):
        assert packet[54:] == bytes((expected[at + i] + by) % 256 for i in range(len(data)))
        assert tcp_residue(packet) == 0
