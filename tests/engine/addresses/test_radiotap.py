import struct

import pytest
from scapy.layers.dot11 import Dot11, Dot11FCS, RadioTap
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import LLC, SNAP

from gql_server.domain.anonymization import AnonymizationReport
from tests.captures import IP_A, IP_B, MAC_A, MAC_B, mac_bytes
from tests.engine.doubles import rewrite_packet
from tests.engine.judging import MAP, SECRETS

A, B = mac_bytes(MAC_A), mac_bytes(MAC_B)
INNER = bytes(LLC() / SNAP() / IP(src=IP_A, dst=IP_B) / UDP(sport=1, dport=2) / b"payload")
HEADER = struct.pack("<BBH", 0x08, 1, 0) + A + B + A + b"\x20\x01"
FRAME = HEADER + INNER


def radiotap(*present: int, fields: bytes = b"") -> bytes:
    words = struct.pack(f"<{len(present)}I", *present)
    return struct.pack("<BBH", 0, 0, 4 + len(words) + len(fields)) + words + fields


def rewritten(packet: bytes) -> tuple[bytes, AnonymizationReport]:
    out, report = rewrite_packet(packet, MAP, link_type=127)
    assert len(out) == len(packet)
    assert [secret.hex() for secret in SECRETS if secret in out] == []
    return out, report


@pytest.mark.parametrize(
    "header",
    [
        radiotap(0),
        radiotap(0b10, fields=b"\x00"),
        radiotap(0b101111, fields=b"timestmp\x00\x0c\x6c\x09\x80\x04\xd6"),
        radiotap(1 << 22, fields=b"timestamp123"),
        radiotap(1 << 5 | 1 << 31 | 1 << 29, 1 << 5 | 1 << 11, fields=b"\xd6\xd5\x01"),
        bytes(RadioTap(present="Rate+Channel+dBm_AntSignal+Antenna", Rate=2, ChannelFrequency=2437, ChannelFlags=0xA0)),
    ],
)
def test_fields_of_the_radio_stay_and_the_frame_is_entered(header: bytes) -> None:
    out, report = rewritten(header + FRAME)
    assert out[: len(header)] == header
    assert out.endswith(b"payload")
    assert report.bytes_zeroed == 0


def test_another_reader_finds_the_addresses_where_they_were() -> None:
    packet = RadioTap(present="Flags", Flags="FCS") / Dot11FCS(type=2, FCfield=1, addr1=MAC_A, addr2=MAC_B, addr3=MAC_A)
    packet = packet / LLC() / SNAP() / IP(src=IP_A, dst=IP_B) / UDP() / b"payload"
    out, report = rewritten(bytes(packet))
    again = RadioTap(out)
    assert again[Dot11].addr1 == again[Dot11].addr3 != again[Dot11].addr2
    assert again[UDP].payload.load == b"payload"
    assert out[-4:] == bytes(4)
    assert report.packets_opaque == 1, "the check sequence"


def test_padding_behind_the_header_of_a_frame_is_minded() -> None:
    header = HEADER.replace(b"\x08\x01", b"\x88\x01", 1) + b"\x00\x00"
    out, _ = rewritten(radiotap(0b10, fields=b"\x20") + header + b"\xaa\xaa" + INNER)
    assert out[9 + 26 : 9 + 28] == bytes(2)
    assert out.endswith(b"payload")


@pytest.mark.parametrize(
    ("header", "begins"),
    [
        (radiotap(1 << 5 | 1 << 30, fields=b"\xd6\0\x00\x11\x22\x00\x06\x00" + A), b"\xd6"),
        (radiotap(1 << 5 | 1 << 28, fields=b"\xd6" + A), b"\xd6"),
        (radiotap(1 << 5 | 1 << 31 | 1 << 30, 1 << 5, fields=b"\xd6" + A), b"\0\0\0\0\xd6"),
        (radiotap(1 << 5 | 1 << 31, 1, fields=b"\xd6" + A + bytes(9)), b"\0\0\0\0\xd6"),
        (radiotap(1 << 5, fields=b"\xd6" + A), b"\xd6"),
        (radiotap(1, fields=A), b""),
        (radiotap(1 << 31, fields=A), b""),
    ],
    ids=["vendor", "tlv", "vendor more", "unknown word", "behind the fields", "short", "endless"],
)
def test_from_the_first_unknown_field_on_the_header_is_zeroed(header: bytes, begins: bytes) -> None:
    out, report = rewritten(header + FRAME)
    assert out[8 : len(header)] == begins.ljust(len(header) - 8, b"\0")
    assert out.endswith(b"payload")
    assert report.packets_opaque == 1


@pytest.mark.parametrize("header", [b"\x01\0\x08\0" + bytes(4), b"\0\0\x07\0" + bytes(4)])
def test_what_is_no_radiotap_header_is_zeroed(header: bytes) -> None:
    out, _ = rewritten(header + FRAME)
    assert out == bytes(len(out))


@pytest.mark.parametrize("length", range(9 + 40))
def test_a_cut_packet_loses_its_addresses(length: int) -> None:
    out, _ = rewritten((radiotap(0b10, fields=b"\0") + FRAME)[:length])
    assert not any(mac[:size] in out for mac in (A, B) for size in range(3, 7))
