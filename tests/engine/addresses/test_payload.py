import pytest

from gql_server.domain.anonymization import PayloadPolicy
from tests.captures import (
    IP6_A,
    IP6_B,
    Face,
    Packet,
    SectionOf,
    dhcp_request,
    dns_answer,
    ethernet,
    icmp,
    icmpv6,
    ipv4,
    ipv6,
    packets,
    pcap,
    pcapng,
    read_pcap,
    tcp,
    tcp4,
    udp4,
    udp6,
    vlan,
)
from tests.engine.doubles import Identity, Involution, rewrite_capture, rewrite_packet
from tests.engine.judging import MAP
from tests.engine.reading import read_packet

SECRET = b"DOE^JOHN"
ZERO, CUT = PayloadPolicy.ZERO, PayloadPolicy.TRUNCATE
VXLAN = b"\x08\0\0\0\0\0\x05\0"
# Each with what follows the payload's last header.
PACKETS = {
    "udp": (ethernet(udp4(SECRET)), 8),
    "tcp": (ethernet(tcp4(SECRET, options=b"\x01\x01\x08\x0a" + bytes(8))), 8),
    "tcp odd": (ethernet(tcp4(SECRET + b"!")), 9),
    "udp6": (ethernet(udp6(SECRET), kind=0x86DD), 8),
    "tcp6": (ethernet(ipv6(tcp(SECRET, source=IP6_A, destination=IP6_B), 6), kind=0x86DD), 8),
    "vlan": (ethernet(vlan(udp4(SECRET)), kind=0x8100), 8),
    "echo": (ethernet(ipv4(icmp(8, SECRET), 1)), 8),
    "echo6": (ethernet(ipv6(icmpv6(129, SECRET), 58), kind=0x86DD), 8),
    "dns": (ethernet(udp4(dns_answer(), ports=(53, 5000))), len(dns_answer())),
    "dhcp": (ethernet(udp4(dhcp_request(), ports=(68, 67))), len(dhcp_request())),
    "quote": (ethernet(ipv4(icmp(3, udp4(SECRET)), 1)), 8),
    "tunnel": (ethernet(udp4(VXLAN + ethernet(udp4(SECRET)), ports=(9, 4789))), 8),
    "later fragment": (ethernet(ipv4(SECRET, 17, fragment=185)), 8),
    "nothing": (ethernet(udp4(b"")), 0),
}
CASES = pytest.mark.parametrize(("packet", "size"), PACKETS.values(), ids=PACKETS)


@CASES
def test_zeroed_payload_keeps_its_length_and_checksums_stay_right(packet: bytes, size: int) -> None:
    out, report = rewrite_packet(packet, MAP, payload=ZERO)
    assert len(out) == len(packet)
    assert out[len(packet) - size :] == bytes(size)
    assert read_packet(out).checksums == read_packet(packet).checksums
    assert (report.packets_opaque, report.bytes_kept) == (0, 0)


@CASES
def test_all_but_payload_is_what_it_is_with_payload_kept(packet: bytes, size: int) -> None:
    out, _ = rewrite_packet(packet, Identity(), payload=ZERO)
    kept = packet[: len(packet) - size]
    differing = [place for place in range(len(kept)) if kept[place] != out[place]]
    assert len(differing) <= 6, "checksums alone, of one or more layers"


@pytest.mark.parametrize("name", ["udp", "tcp", "udp6", "echo"])
def test_a_wrong_checksum_stays_wrong_and_none_stays_none(name: str) -> None:
    packet = bytearray(PACKETS[name][0])
    packet[-1] ^= 1
    out, _ = rewrite_packet(bytes(packet), MAP, payload=ZERO)
    assert read_packet(out).checksums == read_packet(bytes(packet)).checksums
    assert read_packet(out).wrong()


def test_no_udp_checksum_stays_none() -> None:
    packet = bytearray(ethernet(udp4(SECRET)))
    packet[40:42] = bytes(2)
    out, _ = rewrite_packet(bytes(packet), MAP, payload=ZERO)
    assert out[40:42] == bytes(2)


def test_a_checksum_left_to_the_card_does_not_take_what_it_does_not_cover() -> None:
    packet = bytearray(ethernet(udp4(SECRET)))
    pseudo = packet[26:34] + b"\0\x11" + packet[38:40]
    total = sum(int.from_bytes(pseudo[place : place + 2], "big") for place in range(0, len(pseudo), 2))
    partial = (total & 0xFFFF) + (total >> 16)
    packet[40:42] = partial.to_bytes(2, "big")
    out, _ = rewrite_packet(bytes(packet), Identity(), payload=ZERO)
    assert out[40:42] == packet[40:42]


@CASES
def test_a_packet_ends_behind_its_last_header(packet: bytes, size: int) -> None:
    zeroed, _ = rewrite_packet(packet, MAP, payload=ZERO)
    (out,) = read_pcap(rewrite_capture(pcap(packets(packet)), MAP, payload=CUT))
    assert out == zeroed[: len(packet) - size]


def test_padding_goes_with_the_payload() -> None:
    (out,) = read_pcap(rewrite_capture(pcap(packets(ethernet(tcp4(b"")) + bytes(6))), MAP, payload=CUT))
    assert len(out) == 54


@pytest.mark.parametrize("policy", [ZERO, CUT])
def test_what_is_not_understood_is_zeroed_all_the_same(policy: PayloadPolicy) -> None:
    frames = [ethernet(SECRET, kind=0x88CC), ethernet(ipv4(SECRET, 132)), ethernet(udp4(SECRET, ports=(1, 1701)))]
    out = read_pcap(rewrite_capture(pcap(packets(*frames)), MAP, payload=policy))
    assert [len(frame) for frame in out] == [len(frame) for frame in frames]
    assert all(frame.endswith(bytes(8)) for frame in out)


@pytest.mark.parametrize("policy", list(PayloadPolicy))
def test_the_involution_still_undoes_itself_on_what_is_left(policy: PayloadPolicy) -> None:
    capture = pcap(packets(*(packet for packet, _ in PACKETS.values())))
    once = rewrite_capture(capture, Involution(), payload=policy)
    twice = rewrite_capture(once, Involution(), payload=policy)
    assert rewrite_capture(twice, Involution(), payload=policy) == once


def test_a_simple_packet_block_cannot_say_that_it_was_cut_and_is_zeroed() -> None:
    frames = [ethernet(udp4(SECRET)), ethernet(tcp4(SECRET))]
    capture = pcapng(SectionOf(contents=packets(*frames), packet_kind=3))
    cut = rewrite_capture(capture, MAP, payload=CUT)
    assert cut == rewrite_capture(capture, MAP, payload=ZERO)
    assert len(cut) == len(capture)
    mixed = pcapng(SectionOf(faces=[Face()], contents=[Packet(data=frames[0])], packet_kind=3), SectionOf())
    assert SECRET not in rewrite_capture(mixed, MAP, payload=CUT)
