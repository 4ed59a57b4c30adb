from tests.captures import (
    IP6_A,
    IP_A,
    IP_B,
    IP_C,
    Packet,
    arp,
    ethernet,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    packets,
    pcap,
    udp4,
    udp6,
)
from tests.engine.verify.proving import (
    PSEUDONYMS,
    Reason,
    Status,
    assert_sound,
    prove,
    prove_packet,
    reasons_of,
    replaced,
)
from tests.engine.verify.samples import PREFIX

FRAME = ethernet(udp4())


def test_two_pseudonyms_for_one_original_are_caught() -> None:
    other = PSEUDONYMS | {ip_bytes(IP_A): ip_bytes("113.77.203.1")}
    empty = ethernet(ipv4(b"", 59))
    before, after = packets(empty, empty), packets(replaced(empty), replaced(empty, other))
    assert Reason.MAP_INCONSISTENT in prove(pcap(before), pcap(after)).reasons


def test_one_pseudonym_for_two_originals_is_caught() -> None:
    other = PSEUDONYMS | {ip_bytes(IP_A): PSEUDONYMS[ip_bytes(IP_B)]}
    packet = ethernet(arp(), kind=0x0806)
    verification = prove_packet(packet, replaced(packet, other))
    assert verification.status is Status.FAILED
    assert reasons_of(verification) == {Reason.MAP_NOT_INJECTIVE}


def test_two_ipv6_originals_with_one_pseudonym_are_caught() -> None:
    packet = ethernet(ipv6(b"", 59), kind=0x86DD)
    output = replaced(packet)
    verification = prove_packet(packet, output[:22] + output[38:54] * 2)
    assert reasons_of(verification) == {Reason.MAP_NOT_INJECTIVE}


def test_two_pseudonyms_for_one_ipv6_original_are_caught() -> None:
    packet = ethernet(udp6(), kind=0x86DD)
    output = replaced(packet)
    swapped = output[:22] + output[38:40] + output[40:54][::-1] + output[38:]
    verification = prove(pcap(packets(packet, packet)), pcap(packets(output, swapped)))
    assert Reason.MAP_INCONSISTENT in verification.reasons


def test_an_original_made_zero_here_and_mapped_there_is_no_contradiction() -> None:
    packet = ethernet(arp(source=IP_A, target=IP_C), kind=0x0806)
    zeroed = replaced(packet, PSEUDONYMS | {ip_bytes(IP_C): bytes(4)})
    assert_sound(prove(pcap(packets(packet, packet)), pcap(packets(zeroed, replaced(packet)))))


def test_a_prefix_is_a_pair_of_its_own() -> None:
    base = b"\x20\x01\x0d\xb8\x00\x05\x00\x06" + bytes(8)
    image = b"\x30\x01\x0d\xb8\x00\x05\x00\x06" + bytes(8)
    option = PREFIX[:16] + base
    packet = ethernet(ipv6(icmpv6(134, bytes(8) + option), 58), kind=0x86DD)
    whole = ethernet(ipv6(b"", 59, source="2001:db8:5:6::"), kind=0x86DD)
    shown = replaced(packet).replace(base, image)
    at = shown.index(image) - 16
    # The checksum of the first packet follows the one changed word.
    fixed = ethernet(ipv6(icmpv6(134, bytes(8) + PREFIX[:16] + image), 58), kind=0x86DD)
    output = replaced(fixed)
    other = replaced(whole).replace(base, image[:8] + b"\0\x09" + bytes(6))
    assert at > 0
    assert_sound(
        prove(pcap([Packet(data=packet), Packet(data=whole)]), pcap([Packet(data=output), Packet(data=other)]))
    )
    again = ethernet(ipv6(icmpv6(134, bytes(8) + PREFIX[:16] + b"\x30\x02" + image[2:]), 58), kind=0x86DD)
    verification = prove(pcap(packets(packet, packet)), pcap(packets(output, replaced(again))))
    assert reasons_of(verification) == {Reason.MAP_INCONSISTENT}


def test_a_prefix_that_stays_is_a_leak() -> None:
    option = PREFIX[:16] + b"\x20\x01\x0d\xb8\x00\x05\x00\x06" + bytes(8)
    other = PREFIX[:16] + b"\x20\x01\x0d\xb8\x00\x05\x00\x07" + bytes(8)
    packet = ethernet(ipv6(icmpv6(134, bytes(8) + option + other), 58), kind=0x86DD)
    assert Reason.ADDRESS_LEAKED in prove_packet(packet).reasons
    assert ip_bytes(IP6_A) in packet
