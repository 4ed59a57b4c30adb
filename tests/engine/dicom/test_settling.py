from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.dicom import ForeignPolicy
from gql_server.engine.dicom import image as image_module
from tests.captures import ethernet, udp4
from tests.engine.dicom.talking import (
    ENDS6,
    hello,
    left_to_card,
    only,
    opened,
    overwrite,
    packets_of,
    send,
    tcp_residue,
    whole,
    with_wrong_checksum,
)

DATA = bytes(range(1, 121))


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """Segments with right and wrong checksums, some sent again, and what is written over them."""
    frames = []
    cuts = sorted({0, 120, *draw(st.lists(st.integers(1, 119), max_size=8))})
    for begin, end in [*pairwise(cuts), (draw(st.integers(0, 60)), draw(st.integers(61, 120)))]:
        six = draw(st.integers(0, 9)) == 0
        frame = send(DATA[begin:end], at=begin, ends=ENDS6) if six else send(DATA[begin:end], at=begin)
        frames.append(frame if six or draw(st.booleans()) else with_wrong_checksum(frame, draw(st.integers(1, 0xFFFE))))
    writes = st.lists(st.tuples(st.integers(0, 119), st.binary(min_size=1, max_size=30)), min_size=1, max_size=5)
    return draw(st.permutations(frames)), draw(writes)


@settings(max_examples=150, deadline=None)
@given(change=changes())
def test_settling_leaves_each_checksum_as_right_or_wrong_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, change: tuple[list[bytes], list[tuple[int, bytes]]]
) -> None:
    directory, (frames, writes) = tmp_path_factory.mktemp("settle"), change
    with opened(directory, frames) as image:
        for connection in image.connections:
            connection.claim()
            for at, data in writes:
                overwrite(connection.streams[0], at, data)
                overwrite(connection.streams[1], at, data)
        image.settle()
    after = packets_of(directory)
    assert [tcp_residue(frame) for frame in after] == [tcp_residue(frame) for frame in frames]
    assert [frame[:50] for frame in after] == [frame[:50] for frame in frames], "headers stay"


def test_copies_get_the_bytes_of_their_stream_and_their_own_checksums(tmp_path: Path) -> None:
    frames = [send(DATA[:80]), send(DATA[40:], at=40), with_wrong_checksum(send(b"X" * 50, at=20))]
    with opened(tmp_path, frames) as image:
        only(image).claim()
        overwrite(only(image).streams[0], 30, b"-" * 30)
        done = image.settle()
    after = packets_of(tmp_path)
    new = DATA[:30] + b"-" * 30 + DATA[60:]
    assert [frame[54:] for frame in after] == [new[:80], new[40:], new[20:70]]
    assert [tcp_residue(frame) for frame in after] == [tcp_residue(frame) for frame in frames]
    assert (done.bytes_dicom, done.packets_rewritten) == (210, 3)


def test_a_conflicting_copy_follows_even_if_nothing_was_written(tmp_path: Path) -> None:
    with opened(tmp_path, [send(b"right"), send(b"wrong")]) as image:
        only(image).claim()
        assert image.settle().packets_rewritten == 1
    assert packets_of(tmp_path) == [send(b"right")] * 2


def test_unclaimed_payload_and_its_copies_become_zero(tmp_path: Path) -> None:
    frames = [*hello(), send(DATA), send(DATA[:50]), send(b"low", at=-3)]
    with opened(tmp_path, frames) as image:
        done = image.settle()
    assert packets_of(tmp_path)[3:] == [send(bytes(120)), send(bytes(50)), send(bytes(3), at=-3)]
    assert (done.bytes_foreign, done.bytes_dicom, done.packets_rewritten) == (173, 0, 3)


def test_unclaimed_payload_stays_by_choice(tmp_path: Path) -> None:
    frames = [*hello(), send(b"right"), send(b"wrong"), send(b"low", at=-3)]
    with opened(tmp_path, frames, foreign=ForeignPolicy.KEEP) as image:
        assert image.settle().bytes_foreign == 13
    assert packets_of(tmp_path) == frames


def test_even_then_what_is_no_part_of_a_claimed_stream_goes(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(), send(b"low", at=-3), send(b"data")], foreign=ForeignPolicy.KEEP) as image:
        only(image).claim()
        image.settle()
    assert packets_of(tmp_path)[3:] == [send(bytes(3), at=-3), send(b"data")]


def test_a_checksum_left_to_the_card_is_left_alone_and_counted(tmp_path: Path) -> None:
    frames = [left_to_card(send(DATA[:60])), left_to_card(send(DATA[60:], at=60))]
    with opened(tmp_path, frames) as image:
        only(image).claim()
        overwrite(only(image).streams[0], 10, b"new")
        done = image.settle()
    assert packets_of(tmp_path) == [frames[0][:64] + b"new" + frames[0][67:], frames[1]]
    assert (done.packets_rewritten, done.checksums_left) == (1, 1)


def test_what_was_written_back_as_it_was_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, [send(DATA)]) as image:
        only(image).claim()
        stream = only(image).streams[0]
        overwrite(stream, 0, DATA)
        stream.fill(4, 1, DATA[4])
        assert image.settle().packets_rewritten == 0


def test_a_change_that_no_checksum_can_see_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path, [send(b"abcd")]) as image:
        only(image).claim()
        overwrite(only(image).streams[0], 0, b"cdab")
        assert image.settle().packets_rewritten == 1
    assert packets_of(tmp_path) == [send(b"cdab")]


def test_settling_again_changes_nothing_and_takes_what_was_written_since(tmp_path: Path) -> None:
    with opened(tmp_path, [send(DATA), send(DATA[:9]), ethernet(udp4(b"foreign"))]) as image:
        only(image).claim()
        overwrite(only(image).streams[0], 0, b"first")
        first = image.settle()
        assert image.settle() == first
        overwrite(only(image).streams[0], 2, b"second")
        image.settle()
        new = b"fisecond" + DATA[8:]
        assert whole(only(image).streams[0]) == new
    assert packets_of(tmp_path)[:2] == [send(new), send(new[:9])]


@pytest.mark.parametrize("most", [1, 50, 1000])
def test_memory_is_given_back_between_any_two_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    frames = [*hello(), *(send(DATA, at=120 * i) for i in range(9)), send(DATA * 2, at=60), send(DATA, side=1)]
    monkeypatch.setattr(image_module, "RELEASE_BYTES", most)
    released = []
    with opened(tmp_path, frames) as image:
        monkeypatch.setattr(image, "release", lambda: released.append(1))
        only(image).claim()
        only(image).streams[0].scatter(np.array([0, 9 * 120], np.int64), np.full(9 * 120, 7, np.uint8))
        done = image.settle()
    assert {frame[54:] for frame in packets_of(tmp_path)[3:-1]} == {b"\7" * 120, b"\7" * 240}
    assert done.bytes_dicom == 12 * 120
    assert len(released) >= 12 * 120 // (most + 240)
