import numpy as np
import pytest

from gql_server.domain.dicom import ForeignPolicy
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.dicom import layout
from gql_server.engine.dicom.connections import Connections
from gql_server.engine.dicom.indexing import Index
from gql_server.engine.dicom.streams import Tables
from tests.captures import packets, pcap
from tests.engine.dicom.talking import fragments, hello, segment, send
from tests.engine.doubles import BytesSource

DATA = bytes(range(200))


def indexed(frames: list[bytes], *, window: int = 1 << 20) -> tuple[Index, Connections]:
    """Index packets without a file."""
    index, image = Index(ForeignPolicy.ZERO), b""
    for one in CaptureWindows(BytesSource(pcap(packets(*frames))), strip=True, window_bytes=window):
        index.add(one, len(image))
        image += bytes(one.data)
    return index, index.finish(np.frombuffer(image, np.uint8).copy())


def rows(tables: Tables) -> int:
    return len(tables.segments) // 4


@pytest.mark.parametrize("window", [300, 1000, 1 << 20])
def test_windows_may_end_anywhere(window: int) -> None:
    frames = [
        *hello(),
        *fragments(segment(DATA), [5, 5, 5]),
        send(DATA, at=200),
        send(b"x", side=1),
        send(DATA, at=400),
    ]
    streams = indexed(frames, window=window)[1][0].streams
    assert [stream.read(0, 999) for stream in streams] == [DATA * 3, b"x"]


def test_a_segment_takes_thirty_two_bytes_and_one_without_payload_none() -> None:
    frames = [*hello(), *(send(DATA, at=200 * i) for i in range(5_000)), *(send(at=5) for _ in range(500))]
    tables = indexed(frames)[1].tables
    assert rows(tables) == 5_000
    assert tables.segments.nbytes == 32 * 5_000
    assert tables.copies.nbytes == 0


def test_all_tables_together_stay_below_forty_bytes_a_packet() -> None:
    frames = [send(DATA, at=200 * i, ports=(1000 + n, 104)) for i in range(40) for n in range(300)]
    index, connections = indexed(frames)
    tables = connections.tables
    held = (tables.segments, tables.streams, tables.copies, connections.rows, connections.claims, index.marks)
    assert sum(each.nbytes for each in held) <= 40 * len(frames)


def test_what_indexing_alone_needs_is_given_back() -> None:
    index, _ = indexed([send(DATA)])
    assert index._fragments.nbytes + index._foreign.nbytes + index._slots.nbytes + index._connections.nbytes == 0


def test_connections_are_told_apart_by_secret_numbers() -> None:
    seeds = [Index(ForeignPolicy.ZERO)._state[layout.SEEDS : layout.SEEDS + layout.SEED_COUNT].tolist() for _ in "ab"]
    assert seeds[0] != seeds[1]
    assert all(seed & 1 for seed in seeds[0])
