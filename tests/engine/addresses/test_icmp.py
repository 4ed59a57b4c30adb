import struct

import pytest

from tests.captures import (
    IP6_A,
    IP6_B,
    IP6_C,
    IP_B,
    IP_C,
    IP_D,
    ethernet,
    icmp,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    tcp4,
    udp4,
    udp6,
    with_checksum,
)
from tests.engine.judging import rewritten, understood
from tests.engine.reading import read_packet

QUOTE = udp4(source=IP_B, destination=IP_C)
QUOTE6 = udp6(source=IP6_B, destination=IP6_C)


def frame(message: bytes) -> bytes:
    return ethernet(ipv4(message, 1))


def frame6(message: bytes) -> bytes:
    return ethernet(ipv6(message, 58), kind=0x86DD)


@pytest.mark.parametrize(
    "message",
    [
        icmp(3, QUOTE[:28], code=1),
        icmp(3, QUOTE, code=3),
        icmp(11, tcp4(source=IP_B, destination=IP_C)),
        icmp(12, QUOTE, rest=b"\x14\0\0\0"),
        icmp(4, QUOTE),
        icmp(5, QUOTE, rest=ip_bytes(IP_D)),
        icmp(3, ipv4(icmp(3, QUOTE), 1, source=IP_B, destination=IP_C)),
        icmp(8, b"ping" * 5),
        icmp(0, b"pong!"),
        icmp(9, ip_bytes(IP_C) + bytes(4) + ip_bytes(IP_D) + bytes(4), rest=b"\x02\x02\x07\x08"),
        icmp(13, bytes(12)),
        icmp(17, b"\xff\xff\xff\0"),
        icmp(10, b""),
    ],
)
def test_quoted_packets_and_addresses_change_with_every_checksum_right(message: bytes) -> None:
    out = understood(frame(message))
    assert read_packet(out).wrong() == []


@pytest.mark.parametrize(
    "message",
    [
        icmpv6(1, QUOTE6),
        icmpv6(2, QUOTE6, rest=b"\0\0\x05\0"),
        icmpv6(3, QUOTE6[:60]),
        icmpv6(4, QUOTE6, rest=b"\0\0\0\x06"),
        icmpv6(128, b"hello"),
        icmpv6(130, ip_bytes("ff02::1:ff00:99")),
        icmpv6(130, ip_bytes("::") + b"\x02\x7d\0\x02" + ip_bytes(IP6_C) + ip_bytes(IP6_A)),
        icmpv6(131, ip_bytes("ff02::fb")),
        icmpv6(143, struct.pack(">BBH", 4, 0, 1) + ip_bytes("ff02::fb") + ip_bytes(IP6_C), rest=b"\0\0\0\x01"),
    ],
)
def test_icmpv6_messages_change_with_every_checksum_right(message: bytes) -> None:
    out = understood(frame6(message))
    assert read_packet(out).wrong() == []


def igmp(body: bytes) -> bytes:
    return ethernet(ipv4(with_checksum(body, 2), 2, destination="224.0.0.22"))


@pytest.mark.parametrize(
    "body",
    [
        b"\x16\0\0\0" + ip_bytes("239.1.2.3"),
        b"\x12\0\0\0" + ip_bytes("239.1.2.3"),
        b"\x11\x64\0\0" + bytes(4),
        b"\x11\x64\0\0" + ip_bytes("239.1.2.3") + b"\x02\x7d\0\x01" + ip_bytes(IP_C),
        b"\x22\0\0\0\0\0\0\x01" + b"\x01\0\0\x02" + ip_bytes("239.1.2.3") + ip_bytes(IP_C) + ip_bytes(IP_D),
    ],
)
def test_igmp_addresses_change_with_the_checksum_right(body: bytes) -> None:
    out = understood(igmp(body))
    size = len(body)
    assert with_checksum(out[34 : 34 + size], 2) == out[34 : 34 + size]


EXTENSION = b"\x20\0\0\0" + b"\0\x0c\x02\x08" + b"\0\x01\0\0" + ip_bytes(IP_D)


@pytest.mark.parametrize(
    "packet",
    [
        frame(icmp(3, QUOTE.ljust(128, b"\0") + EXTENSION, rest=b"\0\x20\0\0")),
        frame(icmp(11, udp4(b"q" * 400, source=IP_B, destination=IP_C)[:128] + EXTENSION)),
        frame6(icmpv6(1, QUOTE6.ljust(128, b"\0") + EXTENSION, rest=b"\x10\0\0\0")),
        frame(icmp(42, ip_bytes(IP_C) * 3)),
        frame6(icmpv6(139, ip_bytes(IP6_C))),
        frame6(icmpv6(151, ip_bytes(IP6_C))),
        igmp(b"\x13\0\0\0" + ip_bytes(IP_C)),
        igmp(b"\x16\0\0\0" + ip_bytes("239.1.2.3") + ip_bytes(IP_C)),
        frame6(icmpv6(131, ip_bytes("ff02::fb") + ip_bytes(IP6_C))),
        frame6(icmpv6(143, struct.pack(">BBH", 4, 1, 0) + ip_bytes("ff02::fb") + b"auxi", rest=b"\0\0\0\x01")),
    ],
)
def test_what_is_not_understood_is_zeroed_with_every_checksum_right(packet: bytes) -> None:
    out, report = rewritten(packet)
    assert report.packets_opaque == 1
    assert read_packet(out).wrong() == []


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_cut_message_shows_no_address(cut: int) -> None:
    rewritten(frame(icmp(5, QUOTE, rest=ip_bytes(IP_D)))[:-cut])
    rewritten(frame6(icmpv6(1, QUOTE6))[:-cut])
    rewritten(
        frame6(icmpv6(143, struct.pack(">BBH", 4, 0, 1) + bytes(16) + ip_bytes(IP6_C), rest=b"\0\0\0\x01"))[:-cut]
    )
