import numpy as np

from gql_server.engine.verify.framing import COUNT, FRAMING_LENGTH, FULL, MALFORMED, MORE, NEEDED, POSITION, frame_pcap
from gql_server.engine.verify.layout import PACKET_COLUMNS
from tests.captures import Packet, pcap

RECORDS = pcap([Packet(data=b"abc"), Packet(data=b"defgh")])[24:]


def framed(data: bytes, room: int = 10) -> tuple[int, np.ndarray]:
    framing = np.zeros(FRAMING_LENGTH, np.int64)
    packets = np.zeros(room * PACKET_COLUMNS, np.int64)
    code = frame_pcap(np.frombuffer(data, np.uint8).copy(), len(data), packets, framing, 1, True)  # noqa: FBT003  # kernels take positions
    return code, framing


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
