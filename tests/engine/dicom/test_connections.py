from pathlib import Path

import pytest

from tests.engine.dicom.talking import ENDS6, FIN, hello, opened, packets_of, send, settled

TALK = [
    *hello(ports=(1, 2)),
    send(at=0, flags=FIN, ports=(1, 2)),
    *hello(),
    send(b"ask"),
    send(b"six", ends=ENDS6),
    send(b"answer", side=1),
    send(b"again", at=3),
]


def test_a_connection_says_who_and_where(tmp_path: Path) -> None:
    with opened(tmp_path, TALK) as image:
        first, second = image.connections
        assert (first.number, first.client, first.client_port) == (1, "203.0.113.77", 40000)
        assert (first.server, first.server_port) == ("198.51.100.88", 104)
        assert (first.first_packet, first.packets) == (5, 3)
        assert (second.number, second.client, second.first_packet) == (2, ENDS6[0], 9)
        assert [stream.read(0, 9) for stream in first.streams] == [b"askagain", b"answer"]


def test_connections_are_a_sequence(tmp_path: Path) -> None:
    with opened(tmp_path, TALK) as image:
        assert len(image.connections) == 2, "without those that carried nothing"
        assert image.connections[-1].number == 2
        assert [each.number for each in image.connections[:1]] == [1]
        with pytest.raises(IndexError):
            image.connections[2]


def test_a_claim_outlives_the_object_it_was_made_on(tmp_path: Path) -> None:
    with opened(tmp_path, TALK) as image:
        image.connections[0].claim()
        done = image.settle()
    assert (done.bytes_dicom, done.bytes_foreign) == (14, 3)
    packets = packets_of(tmp_path)
    assert packets[7] == TALK[7]
    assert packets[8] == send(bytes(3), ends=ENDS6)


def test_of_a_talk_to_oneself_there_is_one_connection(tmp_path: Path) -> None:
    ends = ("10.0.0.1", "10.0.0.1")
    with opened(tmp_path, [send(b"me", ends=ends), send(b"my", side=1, ends=ends)]) as image:
        assert [stream.read(0, 9) for stream in image.connections[0].streams] == [b"me", b"my"]
    assert settled(tmp_path, [send(b"me", ends=ends)], claim=True) == [send(b"me", ends=ends)]
