import struct

import pytest

from tests.captures import IP6_B, IP6_C, IP_B, IP_C, ethernet, icmp, icmpv6, ip_bytes, ipv4, ipv6, udp4, udp6
from tests.engine.verify.proving import assert_sound, prove_packet
from tests.engine.verify.samples import LINK

QUOTE = udp4(source=IP_B, destination=IP_C)


def icmp_packet(kind: int, body: bytes, rest: bytes = bytes(4)) -> bytes:
    return ethernet(ipv4(icmp(kind, body, rest=rest), 1))


def icmpv6_packet(kind: int, body: bytes, rest: bytes = bytes(4)) -> bytes:
    return ethernet(ipv6(icmpv6(kind, body, rest=rest), 58), kind=0x86DD)


UNKNOWN = {
    "another type": (icmp_packet(40, b"\x01\x02"), 2),
    "extension behind a told length": (
        icmp_packet(
            3, QUOTE + bytes(-len(QUOTE) % 4) + b"\x20\0\x01\x02", rest=bytes([0, (len(QUOTE) + 3) // 4, 0, 0])
        ),
        3,
    ),
    "extension behind 128 bytes": (
        icmp_packet(11, udp4(b"z" * 100, source=IP_B, destination=IP_C) + b"\x20\0\x01\x02"),
        3,
    ),
    "behind a solicitation": (icmp_packet(10, b"\x01"), 1),
    "behind timestamps": (icmp_packet(13, bytes(range(1, 13)) + b"\x01"), 1),
    "behind a mask": (icmp_packet(17, b"\xff\xff\xff\0\x01"), 1),
    "behind routers": (icmp_packet(9, ip_bytes(IP_C) + b"\0\0\0\x01\x09", rest=b"\x01\x02\0\0"), 1),
    "another type of ICMPv6": (icmpv6_packet(200, b"\x01\x02"), 2),
    "another neighbor option": (icmpv6_packet(133, b"\x63\x01" + b"\x01" * 6), 6),
    "an option that ends nowhere": (icmpv6_packet(133, LINK + b"\x01\x09" + b"\x01" * 6), 8),
    "a link-layer address of eight bytes": (icmpv6_packet(133, b"\x01\x02" + b"\x07" * 14), 14),
    "behind a listener": (icmpv6_packet(131, ip_bytes(IP6_C) + b"\x01"), 1),
    "auxiliary data": (
        icmpv6_packet(143, b"\x04\x01\0\0" + ip_bytes(IP6_C) + b"\x01\x02\x03\x04", rest=b"\0\0\0\x01"),
        4,
    ),
    "rest of servers": (icmpv6_packet(134, bytes(8) + b"\x19\x04" + bytes(6) + ip_bytes(IP6_B) + b"\x01" * 8), 8),
    "another type of IGMP": (ethernet(ipv4(b"\x30\0\xcf\xfd\x01\x02\0\0", 2)), 2),
    "behind IGMP": (ethernet(ipv4(b"\x16\0\xe7\xfb" + b"\x01\x02\0\0" + b"\x01\x02", 2)), 2),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_reads_is_unknown(name: str) -> None:
    packet, unknown = UNKNOWN[name]
    assert prove_packet(packet).ledger.unknown == unknown


KNOWN = [
    icmp_packet(0, b"ping"),
    icmp_packet(4, QUOTE),
    icmp_packet(12, QUOTE[:28]),
    icmp_packet(13, bytes(12)),
    icmp_packet(17, b"\xff\xff\xff\0"),
    icmp_packet(10, b""),
    icmpv6_packet(2, udp6()[:50]),
    icmpv6_packet(133, LINK + b"\x05\x01\0\0\0\0\x05\xdc" + b"\x0e\x01" + bytes(6) + b"\x18\x01\0\0" + bytes(4)),
    icmpv6_packet(136, ip_bytes(IP6_C)),
    icmpv6_packet(132, ip_bytes(IP6_C)),
]


@pytest.mark.parametrize("number", range(len(KNOWN)))
def test_messages_are_read_whole(number: int) -> None:
    assert_sound(prove_packet(KNOWN[number]))


@pytest.mark.parametrize("kind", [1, 2, 58])
@pytest.mark.parametrize("length", [1, 3, 5, 7])
def test_a_cut_message_is_read_by_nobody(kind: int, length: int) -> None:
    message = struct.pack(">BBHI", 143, 1, 0x0203, 0x04050607)[:length]
    packet = ipv6(message, 58) if kind == 58 else ipv4(message, kind)
    verification = prove_packet(ethernet(packet, kind=0x86DD if kind == 58 else 0x0800))
    kept = 4 if kind == 58 and length >= 4 else 2
    assert verification.ledger.unknown == max(0, length - kept)
