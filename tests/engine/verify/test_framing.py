import struct

import numpy as np

from gql_server.engine.verify.framing import (
    COUNT,
    FACE_COLUMNS,
    FRAMING_LENGTH,
    FULL,
    LARGEST,
    MALFORMED,
    MORE,
    NEEDED,
    POSITION,
    frame_pcap,
    frame_pcapng,
)
from gql_server.engine.verify.layout import PACKET_COLUMNS
from tests.captures import Packet, block, pcap

RECORDS = pcap([Packet(data=b"abc"), Packet(data=b"defgh")])[24:]


def framed(data: bytes, room: int = 10) -> tuple[int, np.ndarray]:
    framing = np.zeros(FRAMING_LENGTH, np.int64)
    packets = np.zeros(room * PACKET_COLUMNS, np.int64)
    code = frame_pcap(np.frombuffer(data, np.uint8).copy(), len(data), packets, framing, 1, True)  # noqa: FBT003  # kernels take positions
    return code, framing


def framed_blocks(data: bytes) -> tuple[int, int]:
    framing = np.zeros(FRAMING_LENGTH, np.int64)
    packets, faces = np.zeros(PACKET_COLUMNS, np.int64), np.zeros(FACE_COLUMNS, np.int64)
    window = np.frombuffer(data + bytes(1), np.uint8).copy()
    code = frame_pcapng(window, len(data), packets, framing, faces, True)  # noqa: FBT003  # as above
    return code, int(framing[POSITION])


def test_a_window_is_framed_up_to_its_last_whole_record() -> None:
    for end in range(len(RECORDS) + 1):
        code, framing = framed(RECORDS[:end])
        assert code == MORE
        assert framing[COUNT] == (end >= 19) + (end >= 40)
        assert framing[POSITION] == (40 if end >= 40 else 19 if end >= 19 else 0)
        assert framing[NEEDED] > end - framing[POSITION]


def test_a_full_list_stops_the_framing() -> None:
    code, framing = framed(RECORDS, room=1)
    assert (code, int(framing[COUNT]), int(framing[POSITION])) == (FULL, 1, 19)


def test_a_record_beyond_the_limit_is_malformed() -> None:
    assert framed(RECORDS[:8] + b"\xff\xff\xff\x7f" + RECORDS[12:])[0] == MALFORMED
    for length, code in ((LARGEST, MORE), (LARGEST + 1, MALFORMED)):
        assert framed(RECORDS[:8] + struct.pack("<I", length) + RECORDS[12:])[0] == code
    for length, code in ((LARGEST, MORE), (LARGEST + 4, MALFORMED)):
        assert framed_blocks(struct.pack("<II", 99, length) + bytes(4)) == (code, 0)


def test_blocks_are_framed_up_to_the_last_whole_one() -> None:
    whole = block(99, bytes(8))
    for end in range(2 * len(whole) + 1):
        assert framed_blocks((whole * 2)[:end]) == (MORE, end // len(whole) * len(whole))
