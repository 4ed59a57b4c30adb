import struct

import numpy as np

from gql_server.engine.capture.framing import frame_blocks, frame_records
from gql_server.engine.capture.records import (
    FRAMED,
    INTERFACE_COLUMNS,
    LIST_FULL,
    RECORD_COLUMNS,
    TOTAL_COLUMNS,
    TOTAL_DROPPED,
    TOTAL_RECORDS,
)
from tests.captures import block, packets, pcap

LIMIT = 1 << 20


def arrays(room: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    faces = np.array([1, 0, -1, 0, 0], np.int64)
    assert len(faces) == INTERFACE_COLUMNS
    return np.zeros(room * RECORD_COLUMNS, np.int64), faces, np.zeros(TOTAL_COLUMNS, np.int64)


def test_records_are_listed_by_place_and_link_type() -> None:
    window = np.frombuffer(pcap(packets(b"one", b"", b"three")), np.uint8).copy()
    records, faces, totals = arrays(10)
    stop, code = frame_records(window, records, faces, totals, 24, len(window), LIMIT, 1000, True)  # noqa: FBT003
    assert (stop, code, totals[TOTAL_RECORDS]) == (len(window), FRAMED, 3)
    assert records[:15].tolist() == [40, 43, 1, 24, 16, 59, 59, 1, 43, 16, 75, 80, 1, 59, 16]


def test_a_full_list_stops_before_the_record_that_has_no_room() -> None:
    window = np.frombuffer(pcap(packets(b"one", b"two")), np.uint8).copy()
    records, faces, totals = arrays(1)
    stop, code = frame_records(window, records, faces, totals, 24, len(window), LIMIT, 1000, True)  # noqa: FBT003
    assert (stop, code) == (43, LIST_FULL)


def test_stripped_blocks_close_ranks_and_others_are_left_out() -> None:
    packet = struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"bytes\0\0\0"
    data = block(5, bytes(12)) + block(6, packet + b"\x01\0\x04\0note") + block(0xBAD, b"gone") + block(6, packet)
    window = np.frombuffer(data, np.uint8).copy()
    records, faces, totals = arrays(10)
    stop, out, code = frame_blocks(window, records, faces, totals, 0, 0, len(window), LIMIT, True, True)  # noqa: FBT003
    assert (stop, code, totals[TOTAL_DROPPED]) == (len(window), FRAMED, 2)
    assert window[:out].tobytes() == 2 * block(6, packet)
    assert [records[0], records[5]] == [28, 28 + out // 2]
