import struct

import pytest

from tests.captures import (
    IP6_B,
    IP6_C,
    IP_B,
    IP_C,
    ethernet,
    icmp,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    udp4,
    udp6,
    with_checksum,
)
from tests.engine.verify.proving import assert_sound, prove_packet
from tests.engine.verify.samples import LINK

QUOTE = udp4(source=IP_B, destination=IP_C)
LONG = udp4(b"z" * 200, source=IP_B, destination=IP_C)
LONG6 = udp6(b"z" * 200)


def icmp_packet(kind: int, body: bytes, rest: bytes = bytes(4)) -> bytes:
    return ethernet(ipv4(icmp(kind, body, rest=rest), 1))


def icmpv6_packet(kind: int, body: bytes, rest: bytes = bytes(4)) -> bytes:
    return ethernet(ipv6(icmpv6(kind, body, rest=rest), 58), kind=0x86DD)


UNKNOWN = {
    "another type": (icmp_packet(40, b"\x01\x02", rest=b"\x03\x04\x05\x06"), 6),
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
    "extension behind a told length of a cut packet": (
        icmp_packet(3, LONG[:40] + b"\x20\0\x01\x02", rest=b"\0\x0a\0\0"),
        3,
    ),
    "extension behind 128 bytes of a cut packet": (icmp_packet(11, LONG[:128] + b"\x20\0\x01\x02"), 3),
    "what looks like an extension behind the message": (
        icmp_packet(11, LONG[:120]) + b"\x07" * 8 + b"\x20\0\x01\x02",
        11,
    ),
    "extension of unreachable IPv6": (icmpv6_packet(1, LONG6[:80] + b"\x20\0\x01\x02", rest=b"\x0a\0\0\0"), 3),
    "extension of a time exceeded": (icmpv6_packet(3, LONG6[:80] + b"\x20\0\x01\x02", rest=b"\x0a\0\0\0"), 3),
    "fewer routers than are told": (
        icmp_packet(9, ip_bytes(IP_C) + b"\0\0\0\x01", rest=b"\x03\x02\0\0") + b"\x07" * 16,
        16,
    ),
    "a router that is cut": (icmp_packet(9, ip_bytes(IP_C), rest=b"\x01\x02\0\0") + b"\x07" * 4, 4),
    "a packet shorter than is told": (icmp_packet(3, LONG[:40], rest=b"\0\xff\0\0") + b"\x07" * 8, 8),
    "a neighbor that is cut": (icmpv6_packet(135, b"\x07" * 8) + b"\x07" * 16, 24),
    "a listener that is cut": (icmpv6_packet(131, b"\x07" * 8) + b"\x07" * 16, 24),
    "a query that is cut": (icmpv6_packet(130, ip_bytes(IP6_C) + b"\x01\x02") + b"\x07" * 2, 4),
    "fewer sources than are told": (
        icmpv6_packet(130, ip_bytes(IP6_C) + b"\x02\x7d\0\x03") + b"\x07" * 16,
        16,
    ),
    "fewer groups than are told": (
        icmpv6_packet(143, b"\x04\0\0\0" + ip_bytes(IP6_C), rest=b"\0\0\0\x02") + b"\x07" * 20,
        20,
    ),
    "fewer sources of a group than are told": (
        icmpv6_packet(143, b"\x04\0\0\x02" + ip_bytes(IP6_C), rest=b"\0\0\0\x01") + b"\x07" * 16,
        16,
    ),
    "a query of IGMP that is cut": (
        ethernet(ipv4(with_checksum(b"\x11\0\0\0" + bytes(4), 2), 2)) + b"\x07" * 4,
        4,
    ),
    "fewer sources of IGMP than are told": (
        ethernet(ipv4(with_checksum(b"\x11\0\0\0" + bytes(4) + b"\x02\x7d\0\x03", 2), 2)) + b"\x07" * 4,
        4,
    ),
    "an option without length": (icmpv6_packet(133, b"\x63\0" + b"\x07" * 6), 7),
    "a prefix of another length": (icmpv6_packet(134, bytes(8) + b"\x03\x03" + b"\x07" * 22), 22),
    "behind a solicitation": (icmp_packet(10, b"\x01"), 1),
    "behind timestamps": (icmp_packet(13, bytes(range(1, 13)) + b"\x01"), 1),
    "behind a mask": (icmp_packet(17, b"\xff\xff\xff\0\x01"), 1),
    "behind routers": (icmp_packet(9, ip_bytes(IP_C) + b"\0\0\0\x01\x09", rest=b"\x01\x02\0\0"), 1),
    "more routers than are told": (
        icmp_packet(9, (ip_bytes(IP_C) + b"\0\0\0\x01") * 2, rest=b"\x01\x02\0\0"),
        4,
    ),
    "behind a packet": (icmp_packet(13, b"\x01\x02") + b"\x03", 1),
    "type 0 of ICMPv6": (icmpv6_packet(0, b"\x05\x06", rest=b"\x01\x02\x03\x04"), 6),
    "another type of ICMPv6": (icmpv6_packet(200, b"\x01\x02", rest=b"\x03\x04\x05\x06"), 6),
    "another neighbor option": (icmpv6_packet(133, b"\x63\x01" + b"\x01" * 6), 6),
    "an option that ends nowhere": (icmpv6_packet(133, LINK + b"\x01\x09" + b"\x01" * 6), 8),
    "a link-layer address of eight bytes": (icmpv6_packet(133, b"\x01\x02" + b"\x07" * 14), 14),
    "a route of another length": (icmpv6_packet(134, bytes(8) + b"\x18\x02" + b"\x07" * 14), 14),
    "an option as long as a route": (icmpv6_packet(133, b"\x63\x03" + b"\x07" * 22), 22),
    "behind a default route": (icmpv6_packet(133, b"\x18\x01\0\x08" + bytes(4) + b"\x63\x02" + b"\x07" * 14), 14),
    "behind a report": (icmpv6_packet(131, ip_bytes(IP6_C) + b"\x01\x02\x03\x04"), 4),
    "a group that is not told": (icmpv6_packet(143, b"\x04\0\0\0" + b"\x07" * 16), 17),
    "a source that is not told": (
        icmpv6_packet(143, b"\x04\0\0\0" + ip_bytes(IP6_C) + b"\x07" * 16, rest=b"\0\0\0\x01"),
        16,
    ),
    "behind a report of IGMP": (
        ethernet(ipv4(with_checksum(b"\x16\0\0\0" + bytes(4) + b"\x01\x02\x03\x04", 2), 2)),
        4,
    ),
    "more sources than are told": (
        icmpv6_packet(130, ip_bytes(IP6_C) + b"\x02\x7d\0\0" + b"\x07" * 16),
        16,
    ),
    "behind a listener": (icmpv6_packet(131, ip_bytes(IP6_C) + b"\x01"), 1),
    "auxiliary data": (
        icmpv6_packet(143, b"\x04\x01\0\0" + ip_bytes(IP6_C) + b"\x01\x02\x03\x04", rest=b"\0\0\0\x01"),
        4,
    ),
    "rest of servers": (icmpv6_packet(134, bytes(8) + b"\x19\x04" + bytes(6) + ip_bytes(IP6_B) + b"\x01" * 8), 8),
    "another type of IGMP": (ethernet(ipv4(b"\x30\0\xcf\xfd\x01\x02\0\0", 2)), 2),
    "more sources of IGMP than are told": (
        ethernet(ipv4(with_checksum(b"\x11\0\0\0" + bytes(4) + b"\x02\x7d\0\0" + b"\x07" * 4, 2), 2)),
        4,
    ),
    "behind IGMP": (ethernet(ipv4(b"\x16\0\xe7\xfb" + b"\x01\x02\0\0" + b"\x01\x02", 2)), 2),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_reads_is_unknown(name: str) -> None:
    packet, unknown = UNKNOWN[name]
    assert prove_packet(packet).ledger.unknown == unknown


KNOWN = [
    icmp_packet(0, b"ping"),
    icmp_packet(4, QUOTE),
    icmp_packet(4, QUOTE, rest=b"\0\x01\0\0"),
    icmp_packet(11, LONG[:160]),
    icmp_packet(12, QUOTE[:28]),
    icmp_packet(13, bytes(range(1, 13))),
    icmp_packet(14, bytes(range(1, 13))),
    icmp_packet(17, b"\xff\xff\xff\0"),
    icmp_packet(18, b"\xff\xff\xff\0"),
    icmp_packet(10, b"", rest=b"\x01\x02\x03\x04"),
    icmpv6_packet(2, udp6()[:50]),
    icmpv6_packet(2, udp6()[:50], rest=b"\x01\0\0\0"),
    icmpv6_packet(134, bytes(range(1, 9))),
    icmpv6_packet(129, b"pong"),
    icmpv6_packet(
        133, LINK + b"\x05\x01\0\0\0\0\x05\xdc" + b"\x0e\x01" + bytes(range(1, 7)) + b"\x18\x01\0\x08" + bytes(4)
    ),
    icmpv6_packet(136, ip_bytes(IP6_C)),
    icmpv6_packet(132, ip_bytes(IP6_C)),
    icmpv6_packet(
        143,
        b"\x04\x01\0\0" + ip_bytes(IP6_C) + bytes(4) + b"\x04\0\0\0" + ip_bytes(IP6_B),
        rest=b"\0\0\0\x02",
    ),
    ethernet(ipv4(with_checksum(b"\x12\0\0\0" + ip_bytes(IP_C), 2), 2)),
    ethernet(ipv4(with_checksum(b"\x17\0\0\0" + ip_bytes(IP_C), 2), 2)),
]


@pytest.mark.parametrize("number", range(len(KNOWN)))
def test_messages_are_read_whole(number: int) -> None:
    assert_sound(prove_packet(KNOWN[number]))


@pytest.mark.parametrize("kind", [1, 2, 58])
@pytest.mark.parametrize("length", [1, 3, 5, 7])
def test_a_cut_message_is_read_by_nobody(kind: int, length: int) -> None:
    message = struct.pack(">BBHI", 143, 1, 0x0203, 0x04050607)[:length]
    packet = ipv6(message, 58) if kind == 58 else ipv4(message, kind)
    behind = b"\x07\x08\x09"
    verification = prove_packet(ethernet(packet, kind=0x86DD if kind == 58 else 0x0800) + behind)
    kept = 4 if kind == 58 and length >= 4 else 2
    assert verification.ledger.unknown == max(0, length - kept) + len(behind)
