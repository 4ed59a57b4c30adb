import struct

import pytest

from tests.captures import (
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    IP_C,
    TCP,
    UDP,
    checksum,
    ethernet,
    ip_bytes,
    ipv4,
    ipv6,
    pseudo_header,
    tcp,
    tcp4,
    udp,
    udp4,
)
from tests.engine.doubles import Involution, rewrite_packet
from tests.engine.judging import rewritten, understood
from tests.engine.reading import read_packet


@pytest.mark.parametrize("payload", [b"", b"x", b"even", b"odd length"])
def test_checksums_stay_right_whatever_the_payload(payload: bytes) -> None:
    for packet in (udp4(payload), tcp4(payload)):
        out = understood(ethernet(packet))
        assert read_packet(out).wrong() == []
    for six in (udp(payload, source=IP6_A, destination=IP6_B), tcp(payload, source=IP6_A, destination=IP6_B)):
        protocol = UDP if len(six) == 8 + len(payload) else TCP
        assert read_packet(understood(ethernet(ipv6(six, protocol), kind=0x86DD))).wrong() == []


@pytest.mark.parametrize("layer", [16, 6])
def test_a_wrong_checksum_stays_wrong_by_the_same_amount(layer: int) -> None:
    packet = bytearray(ethernet(tcp4() if layer == 16 else udp4()))
    packet[34 + layer] ^= 0x55
    out, _ = rewritten(bytes(packet))
    protocol = packet[23]

    def error(data: bytes) -> int:
        length = len(data) - 34
        return checksum(data[26:34] + bytes([0, protocol]) + length.to_bytes(2, "big") + data[34:])

    assert error(out) == error(bytes(packet)) != 0


def test_a_udp_checksum_of_zero_stays_zero() -> None:
    packet = bytearray(ethernet(udp4()))
    packet[40:42] = bytes(2)
    out = understood(bytes(packet))
    assert out[40:42] == bytes(2)


def test_a_udp_checksum_that_comes_out_as_zero_is_written_as_ones() -> None:
    for word in range(0x10000):
        packet = ethernet(udp4(word.to_bytes(2, "big")))
        if packet[40:42] == b"\xff\xff":
            break
    out = understood(packet)
    again, _ = rewrite_packet(out, Involution())
    assert rewrite_packet(again, Involution())[0] == out
    found = {understood(ethernet(udp4(word.to_bytes(2, "big"))))[40:42] for word in range(0, 0x10000, 257)}
    assert bytes(2) not in found


def test_a_checksum_left_to_the_network_card_stays_left_to_it() -> None:
    segment = bytearray(tcp())
    pseudo = pseudo_header(IP_A, IP_B, TCP, len(segment))
    segment[16:18] = (~checksum(pseudo) & 0xFFFF).to_bytes(2, "big")
    out, _ = rewritten(ethernet(ipv4(bytes(segment), TCP)))
    fresh = out[26:34] + struct.pack(">xBH", TCP, len(segment))
    assert int.from_bytes(out[50:52], "big") == ~checksum(fresh) & 0xFFFF


def test_a_right_checksum_that_looks_left_to_the_card_stays_right() -> None:
    pseudo = pseudo_header(IP_A, IP_B, UDP, 10)
    partial = ~checksum(pseudo) & 0xFFFF
    for word in range(0x10000):
        datagram = udp(word.to_bytes(2, "big"))
        if datagram[6:8] == partial.to_bytes(2, "big"):
            break
    out = understood(ethernet(ipv4(datagram, UDP)))
    assert read_packet(out).wrong() == []


@pytest.mark.parametrize(
    "options",
    [
        b"\x02\x04\x05\xb4",
        b"\x08\x0a" + b"timetime",
        b"\x1e\x0c\x00\x81" + b"keykeyke",
        b"\x22\x06cook",
        b"\x05\x0aedgeedge",
    ],
    ids=["segment size", "timestamps", "multipath", "fast open", "selective"],
)
def test_options_without_addresses_stay(options: bytes) -> None:
    assert options in understood(ethernet(tcp4(options=options)))


@pytest.mark.parametrize(
    "options",
    [
        b"\x1e\x08\x34\x01" + ip_bytes(IP_C),
        b"\x4c\x06" + ip_bytes(IP_C),
        b"\x02\x00" + ip_bytes(IP_C),
        b"\x00" + ip_bytes(IP_C),
    ],
    ids=["multipath address", "unknown", "malformed", "after the end"],
)
def test_options_with_addresses_are_zeroed_and_the_checksum_stays_right(options: bytes) -> None:
    out, report = rewritten(ethernet(tcp4(options=options)))
    assert report.packets_opaque == 1
    assert read_packet(out).wrong() == []


def test_a_header_length_below_five_words_is_zeroed_with_a_right_checksum() -> None:
    segment = bytearray(tcp(ip_bytes(IP_C)))
    segment[12] = 0x40
    _, report = rewritten(ethernet(ipv4(bytes(segment), TCP)))
    assert report.packets_opaque == 1


@pytest.mark.parametrize("length", range(34, 34 + 60))
def test_a_cut_segment_keeps_its_header_and_loses_a_cut_option(length: int) -> None:
    packet = ethernet(tcp4(options=b"\x08\x0atimetime"))
    whole = understood(packet)
    out, report = rewritten(packet[:length])
    in_options = 54 < length < 64
    assert (report.bytes_zeroed > 0) == (in_options or length == 51)
    assert report.packets_cut == (length < 66)
    if not in_options and length != 51:
        # Where the checksum is there it is that of the whole segment, whose addresses are the same.
        assert out == whole[:length]


def test_bytes_beyond_the_udp_length_are_zeroed() -> None:
    datagram = udp(b"data")
    out, report = rewritten(ethernet(ipv4(datagram + ip_bytes(IP_C), UDP)))
    assert out[34 + 8 :] == b"data" + bytes(4)
    assert report.bytes_kept == 4


def test_payload_is_counted() -> None:
    _, report = rewritten(ethernet(udp4(b"seven b")))
    assert report.bytes_kept == 7
