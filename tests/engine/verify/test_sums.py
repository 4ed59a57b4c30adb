import struct

import pytest

from gql_server.domain.anonymization import PayloadPolicy
from tests.captures import (
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    Packet,
    checksum,
    ethernet,
    icmp,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    pcap,
    tcp,
    tcp4,
    udp,
    udp4,
    udp6,
)
from tests.engine.verify.proving import Reason, assert_sound, prove, prove_packet, replaced

PLACES = {
    "ipv4": (ethernet(udp4()), 24),
    "tcp": (ethernet(tcp4()), 50),
    "tcp-odd": (ethernet(tcp4(b"abc")), 50),
    "udp": (ethernet(udp4()), 40),
    "udp-v6": (ethernet(udp6(), kind=0x86DD), 60),
    "icmp": (ethernet(ipv4(icmp(8, b"abcde"), 1)), 36),
    "icmpv6": (ethernet(ipv6(icmpv6(128, b"abcde"), 58), kind=0x86DD), 56),
    "igmp": (ethernet(ipv4(b"\x16\0\x09\x03" + b"\xe0\x02\x03\x04"[:4], 2)), 36),
    "gre": (ethernet(ipv4(b"\x80\0\x08\0\x01\x02\0\0" + udp4(), 47)), 38),
    "quoted ipv4": (ethernet(ipv4(icmp(3, udp4()), 1)), 52),
}


def with_word(data: bytes, at: int, word: int) -> bytes:
    return data[:at] + struct.pack(">H", word) + data[at + 2 :]


def word(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


@pytest.mark.parametrize("name", PLACES)
def test_a_checksum_gone_bad_is_caught_and_so_is_one_mended(name: str) -> None:
    packet, at = PLACES[name]
    bad = with_word(packet, at, word(packet, at) ^ 0x1234)
    for before, after in ((packet, bad), (bad, packet)):
        verification = prove_packet(before, replaced(after))
        assert Reason.CHECKSUM_STATE_CHANGED in verification.reasons
        assert verification.interference.checksum_states_changed >= 1


@pytest.mark.parametrize("name", PLACES)
def test_a_wrong_checksum_that_stays_wrong_is_sound(name: str) -> None:
    packet, at = PLACES[name]
    if name in {"quoted ipv4", "gre", "igmp"}:  # a checksum around it would be wrong as well, or it is already
        return
    good = prove_packet(packet).interference
    verification = prove_packet(with_word(packet, at, word(packet, at) ^ 0x1234))
    assert_sound(verification)
    assert verification.interference.checksums_bad == good.checksums_bad + 1
    assert verification.interference.checksums_good == good.checksums_good - 1


def test_a_udp_datagram_without_checksum_keeps_none() -> None:
    packet = with_word(ethernet(udp4()), 40, 0)
    verification = prove_packet(packet)
    assert_sound(verification)
    assert verification.interference.checksums_good == 1
    mended = replaced(ethernet(udp4()))
    assert Reason.CHECKSUM_STATE_CHANGED in prove_packet(packet, mended).reasons
    dropped = with_word(mended, 40, 0)
    assert Reason.CHECKSUM_STATE_CHANGED in prove_packet(ethernet(udp4()), dropped).reasons


def pseudo_sum(source: str, destination: str, rest: int) -> int:
    total: int = rest + sum(struct.unpack(">4H", ip_bytes(source) + ip_bytes(destination)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("with_length", [True, False])
def test_a_checksum_left_to_the_card_is_that_of_the_new_addresses(*, with_length: bool) -> None:
    segment = tcp(b"data")
    partial = pseudo_sum(IP_A, IP_B, 6 + (len(segment) if with_length else 0))
    packet = ethernet(ipv4(with_word(segment, 16, partial), 6))
    verification = prove_packet(packet)
    assert_sound(verification)
    assert verification.interference.checksums_absent == 1
    other = with_word(replaced(packet), 50, partial ^ 0x0101)
    assert Reason.CHECKSUM_STATE_CHANGED in prove_packet(packet, other).reasons


def test_what_is_not_whole_has_no_state_but_follows_its_bytes() -> None:
    cut = ethernet(tcp4(b"p" * 100))[:100]
    fragment = ethernet(ipv4(udp(b"q" * 40), 17, fragment=0x2000))
    for packet, at in ((cut, 50), (fragment, 40)):
        verification = prove_packet(packet)
        assert_sound(verification)
        assert verification.interference.checksums_absent == 1
        zeroed = prove_packet(packet, with_word(replaced(packet), at, 0))
        assert_sound(zeroed)
        other = prove_packet(packet, with_word(replaced(packet), at, word(packet, at) ^ 1))
        assert Reason.CHECKSUM_STATE_CHANGED in other.reasons


def test_a_cut_header_has_no_checksum() -> None:
    packet = ethernet(tcp4())
    for length in (30, 36, 50, 51, 52):
        short = packet[:length]
        output = replaced(packet)[: max(24, min(length, 34))]
        output += packet[34 : min(length, 50)] if length > 34 else b""
        before = pcap([Packet(data=short, original_length=len(packet))])
        after = pcap([Packet(data=output[:length].ljust(length, b"\0"), original_length=len(packet))])
        assert Reason.CHECKSUM_STATE_CHANGED not in prove(before, after).reasons


def test_ipv6_is_summed_with_its_addresses() -> None:
    packet = ethernet(udp6(), kind=0x86DD)
    wrong = replaced(packet, {ip_bytes(IP6_A): ip_bytes(IP6_B)[::-1], ip_bytes(IP6_B): ip_bytes(IP6_A)[::-1]})
    assert Reason.CHECKSUM_STATE_CHANGED in prove_packet(packet, wrong[:14] + packet[14:22] + wrong[22:]).reasons


@pytest.mark.parametrize("name", ["tcp", "udp", "udp-v6", "icmp", "icmpv6"])
def test_a_checksum_that_is_cut_off_is_absent(name: str) -> None:
    packet, place = PLACES[name]
    for length in range(max(place - 6, 34), place + 2):  # with the whole header of IPv4
        before = pcap([Packet(data=packet)] * 2)
        after = pcap([Packet(data=replaced(packet)[:length], original_length=len(packet))] * 2)
        found = prove(before, after, payload=PayloadPolicy.TRUNCATE).interference
        assert (found.checksum_states_changed, found.checksums_bad) == (0, 0)


def test_a_bad_checksum_is_not_left_to_the_card() -> None:
    segment = tcp(b"data")
    partial = pseudo_sum(IP_A, IP_B, 6 + len(segment))
    bad = ethernet(ipv4(with_word(segment, 16, partial ^ 0x0101), 6))
    output = with_word(replaced(bad), 50, partial)
    assert Reason.CHECKSUM_STATE_CHANGED in prove_packet(bad, output).reasons


def test_parts_of_a_control_message_have_no_checksum() -> None:
    message = icmp(8, b"z" * 40)
    whole = ethernet(ipv4(message, 1))
    for packet in (ethernet(ipv4(message, 1, fragment=0x2000)), whole[:60]):
        found = prove_packet(packet).interference
        assert (found.checksums_good, found.checksums_absent, found.checksums_bad) == (1, 1, 0)


@pytest.mark.parametrize(("was", "now"), [(0, 0xFFFF), (0xFFFF, 0)])
def test_zero_and_all_ones_are_one_sum(was: int, now: int) -> None:
    before, after = (ethernet(ipv4(struct.pack(">HHI", 0, field, 0), 1)) for field in (was, now))
    assert_sound(prove_packet(before, replaced(after)))


def test_a_checksum_of_zero_may_be_left_to_the_card() -> None:
    segment = with_word(tcp(b"data"), 16, 0)
    rest = 0xFFFF - pseudo_sum("0.0.0.0", IP_B, 6 + len(segment))
    source = f"{rest >> 8}.{rest & 255}.0.0"
    assert pseudo_sum(source, IP_B, 6 + len(segment)) == 0xFFFF
    verification = prove_packet(ethernet(ipv4(segment, 6, source=source)))
    assert verification.interference.checksums_absent == 1


def test_a_right_checksum_is_one_even_where_it_is_that_of_the_pseudo_header() -> None:
    # The rest of the segment is the complement of twice the pseudo-header.
    bare = with_word(tcp(bytes(2)), 16, 0)
    partial = pseudo_sum(IP_A, IP_B, 6 + len(bare))
    missing = checksum(bare + struct.pack(">HH", partial, partial))
    segment = with_word(with_word(bare, len(bare) - 2, missing), 16, partial)
    verification = prove_packet(ethernet(ipv4(segment, 6)))
    assert_sound(verification)
    assert (verification.interference.checksums_good, verification.interference.checksums_absent) == (2, 0)
