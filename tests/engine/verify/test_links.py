import pytest

from tests.captures import IP_A, IP_B, MAC_A, Packet, arp, ethernet, ip_bytes, mac_bytes, pcap, udp4
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
    assert prove_packet(packet, replaced(packet)[:22] + packet[22:]).ledger.unknown > 0


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
