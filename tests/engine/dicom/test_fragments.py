from pathlib import Path

import pytest

from gql_server.domain.dicom import ForeignPolicy
from tests.captures import UDP, ethernet, ipv4, ipv6, udp
from tests.engine.dicom.talking import (
    ENDS6,
    fragments,
    hello,
    only,
    opened,
    overwrite,
    packets_of,
    residue,
    segment,
    send,
    settled,
    whole,
)

DATA = bytes(range(200))
NEW = bytes(255 - value for value in DATA)


def joined(frames: list[bytes]) -> bytes:
    """What IPv4 fragments in order carry."""
    return b"".join(frame[34:] for frame in frames)


def is_right(data: bytes, protocol: int = 6) -> bool:
    addresses = segment_addresses()
    return residue(data, addresses + bytes([0, protocol]) + len(data).to_bytes(2, "big")) == 0


def segment_addresses() -> bytes:
    return send()[26:34]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_a_segment_in_fragments_is_part_of_its_stream(tmp_path: Path, order: list[int]) -> None:
    parts = fragments(segment(DATA, at=4), [10, 5])
    with opened(tmp_path, [*hello(), send(b"head"), *(parts[i] for i in order), send(b"tail", at=204)]) as image:
        connection = only(image)
        stream = connection.streams[0]
        assert whole(stream) == b"head" + DATA + b"tail"
        assert connection.packets == 3
        assert [stream.packet_at(at) for at in (4, 100, 200)] == [5 + order.index(i) for i in range(3)]
        overwrite(stream, 4, NEW)
        connection.claim()
        image.settle()
    written = packets_of(tmp_path)
    data = joined([written[4 + order.index(i)] for i in range(3)])
    assert data[20:] == NEW
    assert is_right(data)


def test_a_wrong_checksum_of_a_segment_in_fragments_stays_as_wrong(tmp_path: Path) -> None:
    one = bytearray(segment(DATA))
    one[16] ^= 0x55
    before = residue(bytes(one), segment_addresses() + bytes([0, 6, 0, 220]))
    with opened(tmp_path, fragments(bytes(one), [10])) as image:
        overwrite(only(image).streams[0], 0, NEW)
        only(image).claim()
        image.settle()
    assert residue(joined(packets_of(tmp_path)), segment_addresses() + bytes([0, 6, 0, 220])) == before


def test_fragments_that_were_captured_twice_are_copies(tmp_path: Path) -> None:
    parts = fragments(segment(DATA), [10])
    for frames in ([parts[0], parts[0], parts[1], parts[1]], [*parts, *parts]):
        with opened(tmp_path, frames) as image:
            stream = only(image).streams[0]
            assert (whole(stream), stream.copies, stream.conflicts) == (DATA, 2, 0)
            overwrite(stream, 0, NEW)
            only(image).claim()
            image.settle()
        assert [frame[34:] for frame in packets_of(tmp_path)].count(NEW[60:]) == 2


def test_an_identification_that_comes_again_is_another_datagram(tmp_path: Path) -> None:
    lost, one = fragments(segment(DATA), [10])[0], fragments(segment(NEW, at=200), [10])
    with opened(tmp_path, [*hello(), lost, *one]) as image:
        stream = only(image).streams[0]
        assert stream.covered(0, 1000) == [(200, 200)]
        assert stream.read(200, 200) == NEW
        only(image).claim()
        image.settle()
    assert packets_of(tmp_path)[3][54:] == bytes(60)


def test_fragments_that_overlap_are_foreign(tmp_path: Path) -> None:
    parts, other = fragments(segment(DATA), [10]), fragments(segment(DATA), [9])
    with opened(tmp_path, [parts[0], other[1]]) as image:
        assert len(image.connections) == 0
        assert image.settle().bytes_foreign == 60 + len(other[1]) - 34


def test_a_datagram_that_is_never_whole_is_foreign_and_its_checksum_follows(tmp_path: Path) -> None:
    parts = fragments(segment(DATA), [10, 5])
    packets = settled(tmp_path, parts[:2])
    assert packets[0][34:50] == parts[0][34:50], "its header is structure"
    assert packets[0][54:] + packets[1][34:] == bytes(100)
    assert is_right(joined(packets) + segment(DATA)[120:]), "as if the last one had come"


def test_a_middle_fragment_that_is_missing_leaves_nothing_whole(tmp_path: Path) -> None:
    parts = fragments(segment(DATA), [10, 5])
    with opened(tmp_path, [parts[0], parts[2]]) as image:
        assert len(image.connections) == 0


def test_a_fragmented_datagram_is_zeroed_with_its_checksum(tmp_path: Path) -> None:
    data = udp(DATA)
    frames = [
        ethernet(ipv4(data[24:48], UDP, fragment=0x2003)),
        ethernet(ipv4(data[:24], UDP, fragment=0x2000)),
        ethernet(ipv4(data[48:], UDP, fragment=6)),
    ]
    written = settled(tmp_path, frames)
    whole_datagram = written[1][34:] + written[0][34:] + written[2][34:]
    assert whole_datagram[8:] == bytes(200)
    assert is_right(whole_datagram, UDP)


def test_kept_fragments_are_counted_and_not_touched(tmp_path: Path) -> None:
    frames = fragments(segment(DATA), [10, 5])[:2]
    with opened(tmp_path, frames, foreign=ForeignPolicy.KEEP) as image:
        assert image.settle().bytes_foreign == 100
    assert packets_of(tmp_path) == frames


def test_a_cut_fragment_leaves_a_hole(tmp_path: Path) -> None:
    parts = fragments(segment(DATA), [10])
    with opened(tmp_path, [parts[0][:-12], parts[1]]) as image:
        stream = only(image).streams[0]
        assert (stream.covered(0, 200), stream.cut) == ([(0, 48), (60, 140)], 1)


def test_ipv6_fragments_are_joined(tmp_path: Path) -> None:
    one = segment(DATA, ends=ENDS6)
    head, tail = bytes([6, 0, 0, 1, 0, 0, 0, 9]), bytes([6, 0, 0, 48, 0, 0, 0, 9])
    frames = [
        ethernet(ipv6(one[:48], 44, extensions=head), kind=0x86DD),
        ethernet(ipv6(one[48:], 44, extensions=tail), kind=0x86DD),
    ]
    with opened(tmp_path, frames) as image:
        assert whole(only(image).streams[0]) == DATA


def test_a_first_fragment_too_short_for_a_header_is_foreign(tmp_path: Path) -> None:
    parts = fragments(segment(DATA), [2])
    packets = settled(tmp_path, parts)
    assert packets[0][34:] + packets[1][34:] == bytes(220)


def test_ten_thousand_lonely_fragments_wait_and_go(tmp_path: Path) -> None:
    frames = [fragments(segment(DATA[:60]), [5], name=name)[0] for name in range(10_000)]
    with opened(tmp_path, frames) as image:
        assert image.settle().bytes_foreign == 10_000 * 20
    assert {packet[54:] for packet in packets_of(tmp_path)} == {bytes(20)}
