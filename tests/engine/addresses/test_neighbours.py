import struct
from ipaddress import IPv6Address

import pytest

from tests.captures import IP6_A, IP6_B, IP6_C, MAC_A, ethernet, icmpv6, ip_bytes, ipv6, mac_bytes, udp6
from tests.engine.judging import rewritten, understood
from tests.engine.reading import read_packet

LINK = b"\x01\x01" + mac_bytes(MAC_A)
PREFIX = struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 100, 100, 0) + ip_bytes("2001:db8:cccc:dddd::")


def frame(message: bytes) -> bytes:
    return ethernet(ipv6(message, 58), kind=0x86DD)


@pytest.mark.parametrize(
    "message",
    [
        icmpv6(133, LINK),
        icmpv6(134, bytes(8) + LINK + PREFIX + b"\x05\x01\0\0\0\0\x05\xdc"),
        icmpv6(134, bytes(8) + b"\x19\x05\0\0\0\0\0\x64" + ip_bytes(IP6_B) + ip_bytes(IP6_C)),
        icmpv6(134, bytes(8) + b"\x18\x03\x40\0\0\0\0\x64" + ip_bytes("2001:db8:cccc:dddd::")),
        icmpv6(135, ip_bytes(IP6_B) + LINK),
        icmpv6(136, ip_bytes(IP6_B) + b"\x02\x01" + mac_bytes(MAC_A)),
        icmpv6(137, ip_bytes(IP6_B) + ip_bytes(IP6_C) + LINK),
        icmpv6(137, ip_bytes(IP6_B) + ip_bytes(IP6_C) + b"\x04\x0b" + bytes(6) + udp6(b"z" * 32, source=IP6_C)),
    ],
    ids=["rs", "ra", "ra dns", "ra route", "ns", "na", "redirect", "redirected header"],
)
def test_addresses_in_options_change_with_every_checksum_right(message: bytes) -> None:
    out = understood(frame(message))
    assert read_packet(out).wrong() == []


def test_a_prefix_becomes_the_prefix_of_what_its_hosts_become() -> None:
    out = understood(ethernet(ipv6(icmpv6(134, bytes(8) + PREFIX, source=IP6_C), 58, source=IP6_C), kind=0x86DD))
    prefix, host = out[54 + 16 + 16 :], out[22:38]
    assert prefix[:8] == host[:8]
    assert prefix[8:] == bytes(8)
    assert not IPv6Address(prefix).is_unspecified


@pytest.mark.parametrize(
    "option",
    [
        b"\x01\x02" + mac_bytes(MAC_A) + b"infinite",
        b"\x1f\x03\0\0\0\0\0\x64\x07example\0" + bytes(7),
        b"\x26\x02\0\x08" + ip_bytes(IP6_C)[:12],
        b"\x18\x02\x40\0\0\0\0\x64" + ip_bytes(IP6_C)[:8],
        b"\x03\x00" + ip_bytes(IP6_C)[:6],
        b"\x03\x09" + ip_bytes(IP6_C)[:6],
        b"abc",
    ],
    ids=["long link", "search list", "nat64", "short route", "no length", "too long", "rest"],
)
def test_options_that_are_not_understood_are_zeroed(option: bytes) -> None:
    out, report = rewritten(frame(icmpv6(134, bytes(8) + option)))
    assert report.packets_opaque == 1
    assert ip_bytes(IP6_A)[:6] not in out
    assert read_packet(out).wrong() == []
