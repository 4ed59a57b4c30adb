import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.captures import (
    IP6_A,
    IP6_B,
    IP6_C,
    IP_B,
    IP_C,
    IP_D,
    MAC_A,
    arp,
    dhcp_request,
    dns_answer,
    ethernet,
    icmp,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    mac_bytes,
    tcp4,
    udp,
    udp4,
    udp6,
    vlan,
    with_checksum,
)
from tests.engine.doubles import Identity, Involution, rewrite_packet
from tests.engine.judging import MAP
from tests.engine.reading import read_packet, unchanged

ROUTE6 = struct.pack(">BBBBBBH", 17, 2, 4, 1, 0, 0, 0) + ip_bytes(IP6_C)
REVERSE = bytes.fromhex("000101000001000000000000") + b"\x0299\x012\x03192\x07in-addr\x04arpa\0\0\x0c\0\x01"
LINK = b"\x01\x01" + mac_bytes(MAC_A)
PACKETS = [
    ethernet(tcp4(options=b"\x01\x02\x04\x05\xb4\x1e\x08\x34\x01" + ip_bytes(IP_C))),
    ethernet(udp4(dns_answer(), ports=(53, 5353))),
    ethernet(udp4(REVERSE, ports=(53, 53))),
    ethernet(udp4(dhcp_request(), ports=(68, 67))),
    ethernet(vlan(vlan(tcp4()), kind=0x8100), kind=0x88A8),
    ethernet(arp(), kind=0x0806),
    ethernet(ipv4(udp(), 17, options=b"\x01\x83\x0b\x04" + ip_bytes(IP_C) + ip_bytes(IP_D))),
    ethernet(ipv4(icmp(5, udp4(source=IP_B, destination=IP_C), rest=ip_bytes(IP_D)), 1)),
    ethernet(ipv4(icmp(3, ipv4(icmp(11, udp4()), 1)), 1)),
    ethernet(udp6(), kind=0x86DD),
    ethernet(ipv6(udp(source=IP6_A, destination=IP6_C), 43, extensions=ROUTE6), kind=0x86DD),
    ethernet(ipv6(icmpv6(135, ip_bytes(IP6_B) + LINK), 58), kind=0x86DD),
    ethernet(ipv6(icmpv6(134, bytes(8) + LINK + b"\x03\x04\x40\xc0" + bytes(12) + ip_bytes(IP6_C)), 58), kind=0x86DD),
    ethernet(ipv6(icmpv6(1, udp6()), 58), kind=0x86DD),
    ethernet(ipv6(icmpv6(143, b"\x04\0\0\x01" + bytes(16) + ip_bytes(IP6_C), rest=b"\0\0\0\x01"), 58), kind=0x86DD),
    ethernet(ipv4(with_checksum(b"\x22\0\0\0\0\0\0\x01\x01\0\0\x01" + ip_bytes(IP_D) + ip_bytes(IP_C), 2), 2)),
    ethernet(udp4(b"\x08\0\0\0\0\0\x05\0" + ethernet(udp6(), kind=0x86DD), ports=(9, 4789))),
    ethernet(ipv4(with_checksum(b"\x80\0\x86\xdd\0\0\0\0" + udp6(), 4), 47)),
    ethernet(b"\0\0\x51\x40" + tcp4(), kind=0x8847),
    ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 100, 0x21) + udp4(), kind=0x8864),
    ethernet(b"\xaa\xaa\x03\0\0\0\x08\0" + udp4(), kind=8 + len(udp4())),
]
LINKS = [1, 1, 1, 1, 1, 0, 12, 101, 108, 113, 228, 229, 276]
TELLING = st.one_of(
    st.integers(0, 255), st.sampled_from([0, 255, 4, 6, 17, 41, 43, 44, 47, 51, 58, 60, 129, 0x45, 0x60])
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, int]:
    """A packet with some bytes changed, perhaps cut, on some link."""
    packet = bytearray(draw(st.sampled_from(PACKETS)))
    for _ in range(draw(st.integers(0, 8))):
        packet[draw(st.integers(0, min(len(packet), 120) - 1))] = draw(TELLING)
    length = draw(st.one_of(st.just(len(packet)), st.integers(0, len(packet))))
    return bytes(packet[:length]), draw(st.sampled_from(LINKS))


def same_but_for_negative_zero(one: bytes, other: bytes) -> bool:
    """Equal, where a checksum of 0000 and one of FFFF mean the same."""
    places = [place for place in range(len(one)) if one[place] != other[place]]
    return len(one) == len(other) and all({one[place], other[place]} == {0, 255} for place in places)


LONG = "GQL_SERVER_LONG_TESTS" in os.environ
MANY = settings(max_examples=20_000 if LONG else 300, deadline=None)


@MANY
@given(mutated())
def test_where_nothing_is_zeroed_the_identity_changes_nothing(case: tuple[bytes, int]) -> None:
    packet, link_type = case
    out, report = rewrite_packet(packet, Identity(), link_type=link_type)
    assert len(out) == len(packet)
    if report.bytes_zeroed == 0:
        assert out == packet


@MANY
@given(mutated())
def test_an_involution_twice_gives_the_packet_back(case: tuple[bytes, int]) -> None:
    packet, link_type = case
    once, report = rewrite_packet(packet, Involution(), link_type=link_type)
    twice, _ = rewrite_packet(once, Involution(), link_type=link_type)
    if report.bytes_zeroed == 0:
        assert same_but_for_negative_zero(twice, packet)


@MANY
@given(mutated())
def test_no_unicast_address_of_a_read_header_stays(case: tuple[bytes, int]) -> None:
    packet, link_type = case
    out, report = rewrite_packet(packet, MAP, link_type=link_type)
    assert unchanged(packet, out, link_type) == []
    assert report.packets == 1


@MANY
@given(mutated())
def test_a_right_checksum_stays_right_and_a_wrong_one_wrong(case: tuple[bytes, int]) -> None:
    packet, link_type = case
    before = read_packet(packet, link_type).checksums
    out, report = rewrite_packet(packet, MAP, link_type=link_type)
    if report.bytes_zeroed == 0:
        assert read_packet(out, link_type).checksums == before


@MANY
@given(st.binary(max_size=300), st.sampled_from(LINKS))
def test_any_bytes_are_walked(packet: bytes, link_type: int) -> None:
    out, _ = rewrite_packet(packet, MAP, link_type=link_type)
    assert len(out) == len(packet)


@pytest.mark.parametrize("packet", PACKETS, ids=range(len(PACKETS)))
def test_the_packets_that_are_mutated_are_understood(packet: bytes) -> None:
    out, report = rewrite_packet(packet, MAP)
    assert unchanged(packet, out) == []
    assert read_packet(out).wrong() == read_packet(packet).wrong()
    assert report.packets_opaque == (packet in (PACKETS[0], PACKETS[2]))


def test_what_a_packet_holds_beyond_a_mebibyte_is_zeroed() -> None:
    packet = ethernet(udp4(b"x")) + b"y" * (1 << 20)
    out, report = rewrite_packet(packet, MAP)
    assert out[43:] == bytes(1 << 20)
    assert report.bytes_zeroed == 1 << 20


def test_a_packet_of_nothing_but_tags_ends() -> None:
    out, report = rewrite_packet(ethernet(b"\x00\x05\x81\x00" * 50_000, kind=0x8100), MAP)
    assert report.packets == 1
    assert out[12:] == (b"\x81\x00" + b"\x00\x05\x81\x00" * 50_000)
