import struct

import pytest

from tests.captures import (
    IP_A,
    IP_B,
    MAC_A,
    Packet,
    arp,
    ethernet,
    ip_bytes,
    ipv4,
    mac_bytes,
    pcap,
    tcp,
    udp,
    udp4,
    udp6,
    vlan,
)
from tests.engine.verify.proving import Status, assert_sound, prove, prove_packet, replaced

TAIL = bytes(range(1, 20))


@pytest.mark.parametrize(
    ("link_type", "packet", "read"),
    [
        (1, ethernet(TAIL[:3], kind=0x8100), 14),
        (1, ethernet(b"\x42\x42\x03" + TAIL, kind=22), 14),
        (1, ethernet(b"\xaa\xaa\x03\0\0\x0c\x20\0" + TAIL, kind=27), 14),
        (1, ethernet(b"\0\0\x51\x40" + b"\x90" + TAIL, kind=0x8847), 18),
        (1, ethernet(b"\0\0\x50\x40" + TAIL[:2], kind=0x8847), 18),
        (1, ethernet(TAIL[:7], kind=0x8864), 14),
        (1, ethernet(b"\x11\0\0\x01\0\x15\xc0\x21" + TAIL, kind=0x8864), 22),
        (1, ethernet(TAIL[:7], kind=0x0806), 14),
        (0, b"\x07\0\0\0" + TAIL, 4),
        (113, bytes(16)[:14] + b"\0\x03" + TAIL, 16),
        (276, b"\0\x03" + bytes(18) + TAIL, 20),
        (101, b"\x70" + TAIL, 0),
    ],
)
def test_what_a_link_carries_and_nobody_knows_is_zero(link_type: int, packet: bytes, read: int) -> None:
    output = replaced(packet)
    assert_sound(prove_packet(packet, output[:read] + bytes(len(packet) - read), link_type=link_type))
    verification = prove_packet(packet, output, link_type=link_type)
    assert verification.status is Status.UNVERIFIABLE
    assert 0 < verification.ledger.unknown <= len(packet) - read


def test_arp_of_other_addresses_is_read_up_to_its_lengths() -> None:
    packet = ethernet(b"\0\x01\x08\0\x08\x04\0\x01" + TAIL, kind=0x0806)
    assert_sound(prove_packet(packet, replaced(packet)[:22] + bytes(19)))
    assert prove_packet(packet, replaced(packet)).ledger.unknown == 19


def test_a_cut_arp_keeps_no_address() -> None:
    packet = ethernet(arp(), kind=0x0806)[:40]
    assert_sound(prove_packet(packet, replaced(packet)[:22] + bytes(18)))
    kept = prove_packet(packet, replaced(packet)[:22] + packet[22:])
    assert kept.ledger.unknown == 26 - 8 - packet[22:].count(0)


@pytest.mark.parametrize(("link_type", "length"), [(113, 15), (276, 19), (0, 3)])
def test_a_cut_cooked_header_keeps_no_address(link_type: int, length: int) -> None:
    packet = (b"\0\x04\0\x01\0\x06" * 2 + mac_bytes(MAC_A) * 2)[:length]
    before = pcap([Packet(data=packet, original_length=60)], link_type=link_type)
    kept = {113: 6, 276: 12, 0: 0}[link_type]
    after = pcap([Packet(data=packet[:kept] + bytes(length - kept), original_length=60)], link_type=link_type)
    assert_sound(prove(before, after))
    assert prove(before, before).ledger.unknown > 0


def test_an_llc_frame_ends_where_its_length_says() -> None:
    inner = b"\xaa\xaa\x03\0\0\0\x08\0" + udp4()
    packet = ethernet(inner, kind=len(inner)) + b"\x01\x02"
    assert prove_packet(packet, replaced(packet)).ledger.unknown == 2
    assert_sound(prove_packet(packet, replaced(packet)[:-2] + b"\0\0"))
    assert ip_bytes(IP_A) + ip_bytes(IP_B) in packet
    endless = b"\xaa\xaa\x03\0\0\0\x08\0" + ipv4(udp(), 17, total=0)
    assert prove_packet(ethernet(endless, kind=len(endless)) + b"\x01\x02").ledger.unknown == 2


def test_a_ppp_frame_ends_where_what_holds_it_does() -> None:
    endless = ipv4(tcp(), 6, total=0)
    session = struct.pack(">BBHHH", 0x11, 0, 1, 2 + len(endless), 0x21) + endless
    assert prove_packet(ethernet(session, kind=0x8864) + b"\x01\x02").ledger.unknown == 2
    longer = ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 9 + len(endless), 0x21) + endless, kind=0x8864)
    controlled = ethernet(b"\xaa\xaa\x03\0\0\0\x08\0" + endless, kind=1500)
    for frame in (longer, controlled):
        packet = ethernet(udp4(b"\x08" + bytes(7) + frame, ports=(9, 4789))) + b"\x01\x02"
        assert prove_packet(packet).ledger.unknown == 2


def unread(data: bytes) -> int:
    return len(data) - data.count(0)


LABELED = b"\0\0\x51\x40" + udp4()
SNAPPED = b"\xaa\xaa\x03\0\0\0\x08\0" + udp4()
NOT_READ = {
    "another family": (0, b"\x07\0\0\0", udp6()),
    "PPP of another protocol, IPv4": (1, ethernet(b"\x11\0\0\x01\0\xff\xc0\x21", kind=0x8864), udp4()),
    "PPP of another protocol, IPv6": (1, ethernet(b"\x11\0\0\x01\0\xff\xc0\x21", kind=0x8864), udp6()),
    "PPP of another protocol, MPLS": (1, ethernet(b"\x11\0\0\x01\0\xff\xc0\x21", kind=0x8864), LABELED),
    "an address of eight bytes": (113, b"\0\x04\0\x01\0\x08", b"\x07" * 8),
    "another address of eight bytes": (276, b"\x08\0\0\0\0\0\0\x02\0\x01\x04\x08", b"\x07" * 8),
    "half a control word": (1, ethernet(b"\0\0\x51\x40", kind=0x8847), b"\0\x01\x02\x03"),
    "no type of a cooked packet": (113, bytes(14) + b"\0\x03", SNAPPED),
    "no type of another cooked packet": (276, b"\0\x03" + bytes(18), SNAPPED),
    "another link control": (1, ethernet(b"", kind=8 + len(udp4())), b"\x42" + SNAPPED[1:]),
    "another organization": (1, ethernet(b"", kind=8 + len(udp4())), SNAPPED[:5] + b"\x0c" + SNAPPED[6:]),
    "link control that is cut": (1, ethernet(b"", kind=7), SNAPPED),
    "a label stack without bottom": (1, ethernet(b"\0\0\x50\x40", kind=0x8847), b"\x45\x01\x02"),
    "ARP of other lengths": (1, ethernet(b"\0\x01\x08\0\x08\x04\0\x01", kind=0x0806), b"\x07" * 28),
    "ARP of another protocol": (1, ethernet(b"\0\x01\x86\xdd\x06\x04\0\x01", kind=0x0806), b"\x07" * 28),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_what_only_looks_like_a_packet_is_not_read(name: str) -> None:
    link_type, start, rest = NOT_READ[name]
    padding = bytes(8) if link_type == 113 and len(start) == 6 else b""  # the type of a cooked packet
    output = replaced(start) + rest + padding
    assert prove_packet(start + rest + padding, output, link_type=link_type).ledger.unknown == unread(rest)


@pytest.mark.parametrize("link_type", [12, 14, 101, 228, 229])
def test_raw_ip_is_read_by_each_of_its_numbers(link_type: int) -> None:
    assert_sound(prove_packet(udp4(), link_type=link_type))


READ = {
    "old tag": (1, ethernet(vlan(udp4()), kind=0x9100)),
    "labels for many": (1, ethernet(b"\0\0\x51\x40" + udp4(), kind=0x8848)),
    "labels in IP": (1, ethernet(ipv4(b"\0\0\x51\x40" + udp4(), 137))),
    "link control in a cooked packet": (113, bytes(14) + b"\0\x04\xaa\xaa\x03\0\0\0\x08\0" + udp4()),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_carried_is_read_by_each_number(name: str) -> None:
    link_type, packet = READ[name]
    assert_sound(prove_packet(packet, link_type=link_type))


@pytest.mark.parametrize("family", [2, 10, 24, 28, 30])
@pytest.mark.parametrize("order", ["<", ">"])
def test_loopback_is_read_by_each_family(family: int, order: str) -> None:
    packet = struct.pack(order + "I", family) + (udp4() if family == 2 else udp6())
    assert_sound(prove_packet(packet, link_type=0))


@pytest.mark.parametrize(("protocol", "packet"), [(0x21, udp4()), (0x57, udp6()), (0x281, b"\0\0\x51\x40" + udp4())])
def test_ppp_tells_what_it_carries(protocol: int, packet: bytes) -> None:
    session = struct.pack(">BBHHH", 0x11, 0, 1, 2 + len(packet), protocol) + packet
    assert_sound(prove_packet(ethernet(session, kind=0x8864)))
