from pathlib import Path

from gql_server.engine.verify.dicom_connections import Indexer, Segments
from gql_server.engine.verify.dicom_times import TimeShift
from tests.engine.verify.dicom_traffic import Segment, capture


def indexed(folder: Path, was: list[Segment], now: list[Segment] | None = None) -> Segments:
    one, other = folder / "a", folder / "b"
    one.write_bytes(capture(was))
    other.write_bytes(capture(was if now is None else now))
    indexer = Indexer()
    found = indexer.read(one, other, TimeShift(wanted=False), lambda *_: None)
    assert indexer.packets == len(was)
    assert len(indexer.begins()) == len(was)
    return found


def opened(ports: tuple[int, int], at: int = 0) -> list[Segment]:
    return [
        Segment(side=0, at=at, data=b"", flags=2, ports=ports),
        Segment(side=1, at=at, data=b"", flags=18, ports=ports),
        Segment(side=0, at=at + 1, data=b"hello", ports=ports),
        Segment(side=1, at=at + 1, data=b"", flags=16, ports=ports),
    ]


def test_segments_lie_where_they_lie(tmp_path: Path) -> None:
    was = opened((1000, 104))
    now = [
        Segment(side=one.side, at=one.at, data=one.data.replace(b"l", b"\0"), flags=one.flags, ports=one.ports)
        for one in was
    ]
    found = indexed(tmp_path, was, now)
    assert found.packet.tolist() == [0, 1, 2]
    assert found.length.tolist() == [0, 0, 5]
    assert found.live.tolist() == [False, False, True]
    data = (tmp_path / "a").read_bytes()
    at = int(found.at[2])
    assert data[at : at + 5] == b"hello"
    assert found.stream[0] == found.stream[2] == found.stream[1] ^ 1


def test_connections_are_told_apart(tmp_path: Path) -> None:
    found = indexed(tmp_path, opened((1000, 104)) + opened((1001, 104)))
    assert len({stream >> 1 for stream in found.stream.tolist()}) == 2


def test_ports_used_again_are_another_connection(tmp_path: Path) -> None:
    found = indexed(tmp_path, opened((1000, 104)) + opened((1000, 104), 99_000))
    assert len({stream >> 1 for stream in found.stream.tolist()}) == 2


def test_a_syn_sent_again_is_the_same_connection(tmp_path: Path) -> None:
    first = opened((1000, 104))
    found = indexed(tmp_path, [first[0], first[0], *first])
    assert len({stream >> 1 for stream in found.stream.tolist()}) == 1


def test_a_connection_may_begin_in_the_middle(tmp_path: Path) -> None:
    found = indexed(tmp_path, opened((1000, 104))[2:] + opened((1000, 104), 99_000))
    assert [stream >> 1 for stream in found.stream.tolist()] == [1, 2, 2, 2]
