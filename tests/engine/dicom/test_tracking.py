from pathlib import Path
from typing import Any

import pytest

from gql_server.engine.dicom.image import CaptureImage
from tests.engine.dicom.talking import ACK, FIN, RST, SYN, hello, only, opened, send, whole

DATA = bytes(range(200))


def sent(image: CaptureImage) -> list[bytes]:
    return [whole(each.streams[0]) for each in image.connections]


@pytest.mark.parametrize("isn", [2**32 - 1, 2**32 - 2, 2**32 - 50, 2**31 - 3])
def test_sequence_numbers_wrap(tmp_path: Path, isn: int) -> None:
    how: dict[str, Any] = {"isn": (isn, 7)}
    parts = [send(DATA[at : at + 20], at=at, **how) for at in range(0, 200, 20)]
    with opened(tmp_path, [*hello(**how), *parts[:4], *parts[:3:-1]]) as image:
        assert sent(image) == [DATA]
    with opened(tmp_path, [parts[5], parts[4], *parts[6:]]) as image:
        assert sent(image) == [DATA[80:]]


def test_a_stream_goes_on_over_many_wraps(tmp_path: Path) -> None:
    step = 1 << 30
    with opened(tmp_path, [send(bytes([i]), at=i * step) for i in range(12)]) as image:
        stream = only(image).streams[0]
        assert stream.covered(0, 12 * step) == [(i * step, 1) for i in range(12)]
        assert stream.holes == 11


def test_a_syn_may_carry_payload(tmp_path: Path) -> None:
    with opened(tmp_path, [send(b"early", at=-1, flags=SYN), *hello()[1:], send(b"late", at=5)]) as image:
        assert sent(image) == [b"earlylate"]


def test_a_port_that_is_used_again_is_another_connection(tmp_path: Path) -> None:
    first = [*hello(), send(b"one"), send(at=3, flags=FIN | ACK), send(side=1, flags=FIN | ACK)]
    again: dict[str, Any] = {"isn": (77_000_000, 88)}
    with opened(tmp_path, [*first, *hello(**again), send(b"two", **again)]) as image:
        assert sent(image) == [b"one", b"two"]
        assert [each.first_packet for each in image.connections] == [1, 7]


def test_even_with_the_same_numbers_once_it_had_ended(tmp_path: Path) -> None:
    both = [send(at=3, flags=FIN | ACK), send(side=1, flags=FIN | ACK)]
    for end in (both, [send(at=3, flags=RST)]):
        with opened(tmp_path, [*hello(), send(b"one"), *end, *hello(), send(b"two")]) as image:
            assert sent(image) == [b"one", b"two"]


def test_a_connection_whose_end_was_not_captured_ends_with_the_next_syn(tmp_path: Path) -> None:
    again: dict[str, Any] = {"isn": (5, 6)}
    with opened(tmp_path, [*hello(), send(b"one"), *hello(**again), send(b"two", **again)]) as image:
        assert sent(image) == [b"one", b"two"]
    mid = [send(b"one", at=500), send(b"two", side=1, at=90)]
    with opened(tmp_path, [*mid, *hello(isn=(10**9, 10**8)), send(b"new", isn=(10**9, 10**8))]) as image:
        assert sent(image) == [b"one", b"new"]


def test_after_its_end_a_segment_far_away_is_another_connection(tmp_path: Path) -> None:
    end = [send(at=3, flags=RST)]
    with opened(tmp_path, [*hello(), send(b"one"), *end, send(b"two", at=10**8)]) as image:
        assert sent(image) == [b"one", b"two"]
    with opened(tmp_path, [*hello(), send(b"one"), *end, send(b"two", at=3)]) as image:
        assert sent(image) == [b"onetwo"]


def test_a_syn_that_was_sent_again_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, [hello()[0], *hello(), send(b"one"), hello()[1], hello()[0], send(b"two", at=3)]) as image:
        assert sent(image) == [b"onetwo"]


def test_a_handshake_that_was_captured_late_belongs_to_its_connection(tmp_path: Path) -> None:
    with opened(tmp_path, [send(b"two", at=3), send(b"yes", side=1), *hello(), send(b"one")]) as image:
        streams = only(image).streams
        assert (whole(streams[0]), whole(streams[1])) == (b"onetwo", b"yes")
        assert streams[0].starts_at_syn
        assert streams[1].starts_at_syn
    with opened(tmp_path, [send(b"yes", side=1), *hello(), send(b"one")]) as image:
        assert [whole(stream) for stream in only(image).streams] == [b"one", b"yes"]


def test_an_answer_to_another_syn_is_another_connection(tmp_path: Path) -> None:
    frames = [
        *hello(),
        send(b"one"),
        send(side=1, at=-1, flags=SYN | ACK, isn=(10**9, 10**8)),
        send(b"two", isn=(10**9, 0)),
    ]
    with opened(tmp_path, frames) as image:
        assert sent(image) == [b"one", b"two"]
    only_server = [hello()[0], send(b"one"), send(side=1, at=-1, flags=SYN | ACK, isn=(10**9, 5))]
    with opened(tmp_path, [*only_server, send(b"two", isn=(10**9, 5))]) as image:
        assert sent(image) == [b"one", b"two"]


def test_a_late_syn_is_late_by_few_packets_only(tmp_path: Path) -> None:
    other = [send(b"x", at=i, ports=(1, 2)) for i in range(64)]
    with opened(tmp_path, [send(b"yes", side=1), *other, hello()[0], send(b"new")]) as image:
        assert len(image.connections) == 3


def test_the_client_is_who_sent_the_syn_or_else_who_sent_first(tmp_path: Path) -> None:
    for frames in ([hello()[0], send(b"a")], [hello()[1], send(b"a")], [send(b"a"), send(b"b", side=1)]):
        with opened(tmp_path, frames) as image:
            assert only(image).client_port == 40000
    with opened(tmp_path, [send(b"b", side=1), send(b"a")]) as image:
        assert only(image).client_port == 104
    with opened(tmp_path, [send(b"b", side=1), *hello(), send(b"a")]) as image:
        assert only(image).client_port == 40000


def test_connections_with_the_same_ports_between_others_are_others(tmp_path: Path) -> None:
    ends = [("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.3"), ("10.0.0.2", "10.0.0.1"), ("::a", "::b")]
    with opened(tmp_path, [send(bytes([65 + i]), ends=each) for i, each in enumerate(ends)]) as image:
        assert sent(image) == [b"A", b"B", b"C", b"D"]
        assert [(each.client, each.server) for each in image.connections] == ends


def test_thousands_of_connections_are_told_apart(tmp_path: Path) -> None:
    count = 3000
    frames = [send(n.to_bytes(2, "big"), at=2 * turn, ports=(1000 + n, 104)) for turn in (0, 1) for n in range(count)]
    with opened(tmp_path, frames) as image:
        assert sent(image) == [n.to_bytes(2, "big") * 2 for n in range(count)]
