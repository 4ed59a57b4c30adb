import struct

import pytest

from tests.captures import MAC_A, MAC_B, arp, ethernet, mac_bytes, tcp4, udp4, udp6, vlan
from tests.engine.doubles import Identity, rewrite_packet
from tests.engine.judging import rewritten, understood


def test_ethernet_addresses_change_and_the_payload_stays() -> None:
    out = understood(ethernet(udp4(b"payload")))
    assert out.endswith(b"payload")
    assert out[12:14] == b"\x08\x00"


@pytest.mark.parametrize(
    "packet",
    [
        ethernet(arp(), kind=0x0806),
        ethernet(arp(operation=3), kind=0x8035),
        ethernet(vlan(tcp4()), kind=0x8100),
        ethernet(vlan(vlan(tcp4()), kind=0x8100), kind=0x88A8),
        ethernet(vlan(udp6(), kind=0x86DD), kind=0x9100),
        ethernet(vlan(arp(), kind=0x0806), kind=0x8100),
        ethernet(b"\x00\x00\x51\x40" + udp4(), kind=0x8847),
        ethernet(b"\x00\x00\x50\x40\x00\x00\x51\x40" + udp6(), kind=0x8848),
        ethernet(b"\x00\x00\x51\x40" + bytes(4) + ethernet(udp4()), kind=0x8847),
        ethernet(struct.pack(">BBHHH", 0x11, 0, 1, len(udp4()) + 2, 0x21) + udp4(), kind=0x8864),
        ethernet(struct.pack(">BBHHH", 0x11, 0, 1, len(udp6()) + 2, 0x57) + udp6(), kind=0x8864),
        ethernet(b"\xaa\xaa\x03\x00\x00\x00\x08\x00" + udp4(), kind=8 + len(udp4())),
    ],
    ids=[
        "arp",
        "rarp",
        "vlan",
        "qinq",
        "old qinq",
        "vlan arp",
        "mpls",
        "mpls 2",
        "pseudowire",
        "pppoe",
        "pppoe6",
        "snap",
    ],
)
def test_every_address_changes_and_all_else_is_understood(packet: bytes) -> None:
    understood(packet)


def test_the_same_mac_address_becomes_the_same_in_arp_and_ethernet() -> None:
    out = understood(ethernet(arp(), kind=0x0806))
    assert out[6:12] == out[22:28]
    assert out[0:6] == out[32:38]


SLL = struct.pack(">HHH", 0, 1, 6) + mac_bytes(MAC_A) + bytes(2) + b"\x08\x00"
SLL2 = struct.pack(">HHIHBB", 0x0800, 0, 3, 1, 0, 6) + mac_bytes(MAC_A) + bytes(2)


@pytest.mark.parametrize(
    ("link_type", "packet"),
    [
        (113, SLL + udp4()),
        (276, SLL2 + udp4()),
        (101, udp4()),
        (12, udp6()),
        (14, udp4()),
        (228, udp4()),
        (229, udp6()),
        (0, b"\x02\0\0\0" + udp4()),
        (0, b"\0\0\0\x02" + udp4()),
        (0, b"\x1e\0\0\0" + udp6()),
        (108, b"\0\0\0\x18" + udp6()),
    ],
)
def test_each_link_type_is_entered(link_type: int, packet: bytes) -> None:
    understood(packet, link_type=link_type)


@pytest.mark.parametrize(
    "packet",
    [
        ethernet(b"\x02\x07\x04" + mac_bytes(MAC_A), kind=0x88CC),
        ethernet(b"\x42\x42\x03" + bytes(5) + mac_bytes(MAC_A) + bytes(10), kind=38),
        ethernet(b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + mac_bytes(MAC_B), kind=14),
        ethernet(mac_bytes(MAC_A) * 4, kind=0x1234),
        ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 20, 0xC021) + mac_bytes(MAC_A), kind=0x8864),
        ethernet(struct.pack(">HHBBH", 1, 0x0800, 8, 4, 1) + mac_bytes(MAC_A) * 4, kind=0x0806),
        ethernet(b"\x00\x00\x51\x40\x55" + mac_bytes(MAC_A), kind=0x8847),
    ],
    ids=["lldp", "stp", "cdp", "unknown type", "ppp control", "other arp", "other mpls"],
)
def test_what_is_not_understood_is_zeroed_and_counted(packet: bytes) -> None:
    _, report = rewritten(packet)
    assert report.packets_opaque == 1
    assert report.bytes_zeroed >= 5


def test_padding_and_trailers_are_zeroed() -> None:
    packet = ethernet(udp4(b"p")) + b"trailer" + mac_bytes(MAC_A)
    out, report = rewritten(packet)
    assert out[-13:] == bytes(13)
    assert report.bytes_zeroed == 12, "one byte of the address is zero already"


def test_a_null_header_of_another_family_is_zeroed() -> None:
    _, report = rewritten(b"\x07\0\0\0" + mac_bytes(MAC_A), link_type=0)
    assert report.packets_opaque == 1


def test_a_cooked_address_of_another_length_is_zeroed() -> None:
    packet = struct.pack(">HHH", 0, 768, 4) + b"\xcb\x00\x71\x4d" + bytes(4) + b"\x08\x00" + udp4()
    out, report = rewritten(packet, link_type=113)
    assert out[6:14] == bytes(8)
    assert report.bytes_zeroed == 3


@pytest.mark.parametrize("length", range(1, 34))
@pytest.mark.parametrize("kind", [0x0806, 0x0800, 0x86DD])
def test_bytes_cut_inside_a_header_are_zeroed(kind: int, length: int) -> None:
    payload = {0x0806: arp(), 0x0800: udp4(), 0x86DD: udp6()}[kind]
    packet = ethernet(payload, kind=kind)[:length]
    out, report = rewritten(packet)
    assert report.packets_cut == 1
    if length < 14:
        assert out == bytes(length)


@pytest.mark.parametrize(("link_type", "header"), [(113, 16), (276, 20), (0, 4)])
def test_a_cut_link_header_is_zeroed_where_addresses_lie(link_type: int, header: int) -> None:
    whole = {113: SLL, 276: SLL2, 0: b"\x02\0\0\0"}[link_type]
    for length in range(1, header):
        out, report = rewritten(whole[:length], link_type=link_type)
        assert report.packets_cut == 1
        assert mac_bytes(MAC_A)[:3] not in out


@pytest.mark.parametrize("link_type", [9, 119, 147, 163, 187, 192, 195, 249, 65535])
def test_packets_of_an_unknown_link_type_are_zeroed_and_counted(link_type: int) -> None:
    packet = ethernet(udp4())
    out, report = rewrite_packet(packet, Identity(), link_type=link_type)
    assert out == bytes(len(packet))
    assert (report.packets_opaque, report.bytes_zeroed) == (1, len(packet) - packet.count(0))
