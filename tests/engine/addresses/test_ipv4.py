import pytest

from tests.captures import IP_A, IP_B, IP_C, IP_D, UDP, checksum, ethernet, ip_bytes, ipv4, tcp, udp, udp4
from tests.engine.judging import rewritten, understood

ROUTE = ip_bytes(IP_C) + ip_bytes(IP_D)


@pytest.mark.parametrize("odd", [b"", b"\x01"], ids=["even", "odd"])
@pytest.mark.parametrize(
    "option",
    [
        b"\x07\x0b\x0c" + ROUTE,
        b"\x83\x0b\x0c" + ROUTE,
        b"\x89\x0b\x0c" + ROUTE,
        b"\x44\x14\x15\x01" + ip_bytes(IP_C) + b"time" + ip_bytes(IP_D) + b"time",
        b"\x44\x0c\x05\x03" + ip_bytes(IP_C) + b"time",
        b"\x44\x0c\x05\x00" + b"timetime",
        b"\x94\x04\x00\x00",
    ],
    ids=["record route", "loose route", "strict route", "timestamps", "prespecified", "plain times", "router alert"],
)
def test_addresses_in_options_change_at_even_and_odd_places(option: bytes, odd: bytes) -> None:
    understood(ethernet(ipv4(udp(), UDP, options=odd + option)))


def test_an_unfinished_source_route_counts_its_last_address_in_the_checksum() -> None:
    options = b"\x83\x0b\x04" + ROUTE
    packet = ethernet(ipv4(udp(destination=IP_D), UDP, options=options))
    out = understood(packet)
    final = out[14 + 20 + 7 : 14 + 20 + 11]
    datagram = out[14 + 32 :]
    pseudo = out[26:30] + final + b"\0\x11" + datagram[4:6]
    assert checksum(pseudo + datagram) == 0


@pytest.mark.parametrize(
    "option", [b"\x52\x0a" + ROUTE, b"\x07\x40" + ROUTE, b"\x00\x00\x00" + ROUTE, b"\x07\x01" + ROUTE]
)
def test_options_that_are_not_understood_are_zeroed(option: bytes) -> None:
    out, report = rewritten(ethernet(ipv4(udp(), UDP, options=option)))
    assert report.packets_opaque == 1
    assert b"x" * 33 in out


@pytest.mark.parametrize("first", [0x35, 0x44, 0x55, 0x00])
def test_a_header_that_is_none_is_zeroed(first: int) -> None:
    packet = ethernet(bytes([first]) + udp4()[1:])
    out, report = rewritten(packet)
    assert out[14:] == bytes(len(packet) - 14)
    assert report.packets_opaque == 1


def test_a_total_length_below_the_header_is_zeroed() -> None:
    _, report = rewritten(ethernet(ipv4(udp(), UDP, total=19)))
    assert report.packets_opaque == 1


def test_a_total_length_of_zero_means_the_rest_of_the_frame() -> None:
    out, report = rewritten(ethernet(ipv4(udp(b"kept"), UDP, total=0)))
    assert out.endswith(b"kept")
    assert report.bytes_kept == 4


def test_a_later_fragment_keeps_its_payload() -> None:
    out, report = rewritten(ethernet(ipv4(b"payload" * 20, UDP, fragment=100)))
    assert out.endswith(b"payload" * 20)
    assert report.bytes_kept == 140


def test_a_first_fragment_brings_its_checksum_up_to_date() -> None:
    segment = tcp(b"y" * 3000)
    whole = understood(ethernet(ipv4(segment, 6)))
    first = understood(ethernet(ipv4(segment[:1400], 6, fragment=0x2000)))
    assert first[14 + 20 + 16 : 14 + 20 + 18] == whole[14 + 20 + 16 : 14 + 20 + 18]


@pytest.mark.parametrize(("protocol", "offset"), [(UDP, 1), (6, 15), (4, 100), (47, 100), (89, 100)])
def test_a_later_fragment_that_may_hold_a_header_is_zeroed(protocol: int, offset: int) -> None:
    body = ip_bytes(IP_A) + ip_bytes(IP_B) + b"more"
    out, report = rewritten(ethernet(ipv4(body, protocol, fragment=offset)))
    assert out.endswith(bytes(12))
    assert report.packets_opaque == 1


def test_a_wrong_checksum_stays_wrong_by_the_same_amount() -> None:
    packet = bytearray(ethernet(udp4()))
    packet[24] ^= 0x12
    out, _ = rewritten(bytes(packet))
    assert checksum(out[14:34]) == checksum(bytes(packet[14:34]))


@pytest.mark.parametrize("protocol", [89, 112, 132, 50, 51, 103, 255, 0])
def test_a_protocol_that_is_not_understood_is_zeroed(protocol: int) -> None:
    out, report = rewritten(ethernet(ipv4(b"\x21\x01\x64\x01" + ip_bytes(IP_C), protocol)))
    assert out[34:] == bytes(8)
    assert (report.packets_opaque, report.bytes_kept) == (1, 0)
