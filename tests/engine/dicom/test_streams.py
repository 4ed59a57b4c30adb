from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.streams import Stream
from tests.captures import ethernet, vlan
from tests.engine.dicom.talking import ENDS6, FIN, fragments, hello, ip, only, opened, overwrite, segment, send, whole

DATA = bytes(range(1, 101))


def spans(*pairs: tuple[int, int]) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.array(pairs, np.int64).reshape(-1, 2)


def gathered(stream: Stream, *pairs: tuple[int, int]) -> bytes:
    out = np.zeros(sum(count for _, count in pairs), np.uint8)
    return out[: stream.gather(spans(*pairs), out)].tobytes()


HOLED = [*hello(), send(DATA[:10]), send(DATA[10:20], at=10), send(DATA[50:60], at=50), send(DATA[60:], at=60)]


def test_a_stream_is_what_its_segments_carry_in_their_order(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(), send(DATA[40:], at=40), send(DATA[:40]), send(b"pong", side=1)]) as image:
        sent, received = only(image).streams
        assert whole(sent) == DATA
        assert whole(received) == b"pong"
        assert sent.end == 100
        assert sent.starts_at_syn


def test_reading_stops_at_a_hole(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        assert stream.read(5, 100) == DATA[5:20]
        assert stream.read(20, 10) == b""
        assert stream.read(55, 1 << 40) == DATA[55:]
        assert stream.read(200, 5) == b""
        assert stream.holes == 1


def test_gathering_brings_spans_together_up_to_the_first_hole(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        assert gathered(stream, (2, 3), (8, 5), (55, 10), (0, 1)) == DATA[2:5] + DATA[8:13] + DATA[55:65] + DATA[:1]
        assert gathered(stream, (0, 5), (15, 10), (55, 5)) == DATA[:5] + DATA[15:20]


def test_gathering_into_too_little_room_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image, pytest.raises(ValueError, match="longer"):
        only(image).streams[0].gather(spans((0, 10)), np.zeros(9, np.uint8))


def test_scattering_is_the_inverse_of_gathering_and_skips_holes(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        stream.scatter(spans((18, 34), (0, 2)), np.arange(100, 136, dtype=np.uint8))
        assert whole(stream) == bytes([134, 135]) + DATA[2:18] + bytes([100, 101])
        assert stream.read(50, 50) == bytes([132, 133]) + DATA[52:]


def test_filling_tells_how_many_bytes_there_were(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        assert stream.fill(15, 40, 0xEE) == 10
        assert stream.read(0, 20) == DATA[:15] + b"\xee" * 5
        assert stream.read(50, 8) == b"\xee" * 5 + DATA[55:58]
        assert stream.fill(200, 5) == stream.fill(20, 30) == 0


def test_a_write_begins_in_a_hole_and_ends_behind_the_stream(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        overwrite(stream, 45, bytes(80))
        assert whole(stream) == DATA[:20]
        assert stream.read(50, 50) == bytes(50)


def test_what_is_there_can_be_listed(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        assert stream.covered(0, 1000) == [(0, 20), (50, 50)]
        assert stream.covered(5, 50) == [(5, 15), (50, 5)]
        assert stream.covered(20, 30) == stream.covered(100, 5) == []
        assert [stream.next_covered(at) for at in (0, 19, 20, 50, 99)] == [0, 19, 50, 50, 99]
        assert stream.next_covered(100) is None


def test_pieces_say_where_bytes_are_in_the_image(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        pieces = only(image).streams[0].pieces
        assert pieces[:, :2].tolist() == [[0, 10], [10, 20], [50, 60], [60, 100]]
        image.settle()
    data = (tmp_path / "working").read_bytes()
    with opened(tmp_path, data) as image:
        only(image).claim()
        image.settle()
        places = only(image).streams[0].pieces
    assert pieces.tolist() == places.tolist()
    source = (tmp_path / "source").read_bytes()
    assert b"".join(source[at : at + end - begin] for begin, end, at in places.tolist()) == bytes(70)


def test_a_byte_tells_its_packet(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[0]
        assert [stream.packet_at(at) for at in (0, 9, 10, 50, 99)] == [4, 4, 5, 6, 7]
        assert stream.packet_at(30) == 5, "what is missing is named by what is before it"


def test_a_direction_without_payload_is_empty(tmp_path: Path) -> None:
    with opened(tmp_path, HOLED) as image:
        stream = only(image).streams[1]
        assert (stream.end, stream.holes, stream.pieces.tolist()) == (0, 0, [])
        assert stream.next_covered(0) is None
        assert stream.read(0, 5) == b""


def test_the_urgent_pointer_moves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(), send(DATA[:50], flags=0x38, urgent=7), send(DATA[50:], at=50)]) as image:
        assert whole(only(image).streams[0]) == DATA


@st.composite
def talks(draw: st.DrawFn) -> tuple[bytes, bytes, list[bytes]]:
    """What two sides send, and packets that carry it: cut anyhow, sent again, in fragments, tagged, out of order."""
    isn = (draw(st.integers(0, 2**32 - 1)), draw(st.integers(2**32 - 200, 2**32 - 1)))
    frames = [frame for frame in hello(isn=isn) if draw(st.booleans())] if draw(st.booleans()) else []
    contents = []
    for side in (0, 1):
        content = draw(st.binary(min_size=1, max_size=300))
        contents.append(content)
        cuts = sorted({0, len(content), *draw(st.lists(st.integers(0, len(content)), max_size=6))})
        runs = list(pairwise(cuts))
        again = draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(1, 200)), max_size=4))
        for begin, end in runs + [(at, min(at + count, len(content))) for at, count in again]:
            one = segment(content[begin:end], side=side, at=begin, isn=isn)
            if draw(st.booleans()):
                frames += fragments(one, draw(st.lists(st.integers(3, 9), max_size=4)), side=side, name=len(frames))
            else:
                packet = ip(one, side=side)
                frames.append(ethernet(vlan(packet), kind=0x8100) if draw(st.booleans()) else ethernet(packet))
    return contents[0], contents[1], draw(st.permutations(frames))


@settings(max_examples=150, deadline=None)
@given(talk=talks())
def test_what_was_sent_is_gathered_however_it_was_captured(
    tmp_path_factory: pytest.TempPathFactory, talk: tuple[bytes, bytes, list[bytes]]
) -> None:
    with opened(tmp_path_factory.mktemp("talk"), talk[2]) as image:
        connection = only(image)
        sides = connection.streams if connection.client_port == 40000 else connection.streams[::-1]
        assert [gathered(stream, (0, stream.end)) for stream in sides] == [talk[0], talk[1]]
        assert [stream.conflicts for stream in sides] == [0, 0]
        assert [stream.holes for stream in sides] == [0, 0]


def test_ipv6_carries_streams_too(tmp_path: Path) -> None:
    with opened(tmp_path, [*hello(ends=ENDS6), send(DATA, ends=ENDS6), send(at=100, flags=FIN, ends=ENDS6)]) as image:
        assert whole(only(image).streams[0]) == DATA
