import numpy as np
import pytest

from gql_server.engine.verify import dicom_segments as segments
from gql_server.engine.verify.layout import PACKET_COLUMNS, PACKET_END, PACKET_LINK
from tests.captures import IP6_A, IP6_B, IP_A, IP_B, MAC_A, arp, ethernet, ipv4, ipv6, mac_bytes, tcp, tcp4, udp4, vlan


def found(frame: bytes, link: int = 1, output: bytes | None = None) -> dict[str, int]:
    packets = np.zeros(PACKET_COLUMNS, np.int64)
    packets[PACKET_END], packets[PACKET_LINK] = len(frame), link
    row = np.zeros(segments.SEGMENT_COLUMNS, np.int64)
    one, other = (np.frombuffer(data, np.uint8).copy() for data in (frame, frame if output is None else output))
    segments.find_segments(one, other, packets, packets, row, 7, 0, 0, 1)
    names = ("kind", "connection", "side", "sequence", "flags", "data", "length", "wire", "rewritten", "live")
    return dict(zip(names, row.tolist(), strict=True))


TCP6 = tcp(b"hello", source=IP6_A, destination=IP6_B)
FRAMES = {
    "ethernet": (ethernet(tcp4(b"hello")), 1, 54),
    "vlans": (ethernet(vlan(vlan(tcp4(b"hello")), kind=0x8100), kind=0x88A8), 1, 62),
    "padded": (ethernet(tcp4(b"hello")) + b"trailer", 1, 54),
    "cooked": (b"\0\0\0\1\0\6" + mac_bytes(MAC_A) + b"\0\0\x08\0" + tcp4(b"hello"), 113, 56),
    "cooked 2": (b"\x08\0\0\0" + bytes(16) + tcp4(b"hello"), 276, 60),
    "raw": (tcp4(b"hello"), 101, 40),
    "loopback": (b"\2\0\0\0" + tcp4(b"hello"), 0, 44),
    "ipv6": (ethernet(ipv6(TCP6, 6, source=IP6_A, destination=IP6_B), kind=0x86DD), 1, 74),
    "options": (ethernet(tcp4(b"hello", options=b"\x01\x01\x08\x0a" + bytes(8))), 1, 66),
}


@pytest.mark.parametrize("name", FRAMES)
def test_segments_are_found(name: str) -> None:
    frame, link, data = FRAMES[name]
    row = found(frame, link)
    assert (row["kind"], row["data"], row["length"], row["wire"]) == (segments.SEGMENT, data, 5, 5)
    assert (row["sequence"], row["flags"], row["rewritten"], row["live"]) == (1, 0x18, 0, 5)


def test_what_was_cut_is_told() -> None:
    row = found(ethernet(tcp4(b"hello"))[:-2])
    assert (row["length"], row["wire"]) == (3, 5)


def test_others_are_not_segments() -> None:
    for frame in (ethernet(udp4()), ethernet(arp(), kind=0x0806), ethernet(tcp4())[:40], b""):
        assert found(frame)["kind"] == segments.NOTHING


def test_both_directions_are_one_connection() -> None:
    there = found(tcp4(b"hello", source=IP_A, destination=IP_B), 101)
    back = ipv4(tcp(b"hello", source=IP_B, destination=IP_A), 6, source=IP_B, destination=IP_A)
    back = back[:20] + back[22:24] + back[20:22] + back[24:]
    other = found(back, 101)
    assert there["connection"] == other["connection"]
    assert there["side"] != other["side"]
    assert found(tcp4(b"hello", source=IP_A, destination="192.0.2.1"), 101)["connection"] != there["connection"]


def test_fragments_are_parts() -> None:
    row = found(ipv4(b"x" * 16, 6, fragment=0x2000), 101)
    assert (row["kind"], row["sequence"], row["flags"], row["data"], row["length"]) == (segments.PART, 0, 1, 20, 16)
    row = found(ipv4(b"x" * 16, 6, fragment=2), 101)
    assert (row["kind"], row["sequence"], row["flags"]) == (segments.PART, 16, 0)


def test_what_became_of_a_payload_is_counted() -> None:
    frame = tcp4(b"hello")
    row = found(frame, 101, frame[:-5] + b"h\0yyo")
    assert (row["rewritten"], row["live"]) == (2, 4)
