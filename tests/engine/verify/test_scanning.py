from typing import Any

from gql_server.domain.verification import AddressExpectation, LeakForm, LeakPlace, MacExpectation
from tests.captures import IP_A, IP_B, MAC_A, ethernet, ip_bytes, ipv4, ipv6, mac_bytes, packets, pcap, tcp4, udp4
from tests.engine.verify.proving import (
    PSEUDONYMS,
    Reason,
    Status,
    prove,
    prove_among_witnesses,
    prove_packet,
    replaced,
)

A = ip_bytes(IP_A)


def places(verification: object) -> set[tuple[str, LeakForm, LeakPlace]]:
    return {(one.kind, one.form, one.place) for one in verification.scan.findings}  # type: ignore[attr-defined]  # a verification


def test_an_original_in_unknown_bytes_is_a_leak() -> None:
    packet = ethernet(b"\x01\x02" + mac_bytes(MAC_A), kind=0x88CC)
    verification = prove_packet(packet, replaced(packet)[:-6] + mac_bytes(MAC_A))
    assert verification.status is Status.FAILED
    assert Reason.ADDRESS_LEAKED in verification.reasons
    assert ("MAC", LeakForm.BINARY, LeakPlace.UNEXPLAINED) in places(verification)


def test_four_bytes_in_a_header_are_chance() -> None:
    header = ipv4(b"", 59, total=20)
    packet = ethernet(header[:4] + A + header[8:])  # its identification and its fragment field: a later fragment
    verification = prove_among_witnesses(packet, replaced(packet[:14]) + packet[14:26] + replaced(packet[26:]))
    assert ("IPV4", LeakForm.BINARY, LeakPlace.STRUCTURAL) in places(verification)
    assert Reason.ADDRESS_LEAKED not in verification.reasons


def test_six_bytes_that_stay_where_no_address_is_are_explained() -> None:
    segment = tcp4(b"")
    packet = ethernet(segment[:24] + mac_bytes(MAC_A) + segment[30:])  # sequence and acknowledgment numbers
    verification = prove_among_witnesses(packet, replaced(packet[:38]) + packet[38:44] + replaced(packet[44:]))
    assert ("MAC", LeakForm.BINARY, LeakPlace.STRUCTURAL) in places(verification)
    assert verification.status is Status.VERIFIED


def test_the_pseudonym_of_another_address_is_explained() -> None:
    known = PSEUDONYMS | {ip_bytes(IP_B): A}
    packet = ethernet(ipv4(b"", 59))
    verification = prove_packet(packet, replaced(packet, known))
    assert ("IPV4", LeakForm.BINARY, LeakPlace.ADDRESS_FIELD) in places(verification)
    assert Reason.ADDRESS_LEAKED not in verification.reasons


def test_an_interface_id_that_tells_of_a_mac_address_is_a_leak() -> None:
    packet = ethernet(ipv6(b"", 59), kind=0x86DD)
    output = replaced(packet)
    damaged = output[:22] + output[22:30] + packet[30:38] + output[38:]
    verification = prove_packet(packet, damaged)
    assert ("MAC", LeakForm.EUI64, LeakPlace.UNEXPLAINED) in places(verification)
    assert verification.status is Status.FAILED


def test_an_interface_id_that_a_rule_keeps_is_explained() -> None:
    packet = ethernet(ipv6(b"", 59), kind=0x86DD)
    known = {key: value for key, value in PSEUDONYMS.items() if len(key) != 16}
    verification = prove_packet(packet, replaced(packet, known), rules=(("2001:db8::/32", "KEEP"),))
    assert verification.status is Status.PARTIAL
    assert ("MAC", LeakForm.EUI64, LeakPlace.KEPT_BY_RULE) in places(verification)


def test_an_interface_id_has_to_follow_a_mac_address_that_changed() -> None:
    packet = ethernet(ipv6(b"", 59), kind=0x86DD)
    kept = packet.replace(mac_bytes(MAC_A), bytes.fromhex("aabbcc334455"))
    fields: dict[str, Any] = {
        "addresses": AddressExpectation.KEPT,
        "macs": MacExpectation.NAMED,
        "mac_rules": ((MAC_A, "aa:bb:cc"),),
    }
    verification = prove_packet(packet, kept, **fields)
    assert verification.status is Status.FAILED
    assert {Reason.RULE_BROKEN, Reason.ADDRESS_LEAKED} <= set(verification.reasons)
    followed = kept.replace(bytes.fromhex("021122fffe334455"), bytes.fromhex("a8bbccfffe334455"))
    verification = prove_packet(packet, followed, **fields)
    assert verification.status is Status.PARTIAL
    assert verification.reasons == (Reason.ADDRESSES_KEPT_BY_RULE,)


def test_a_hit_across_two_packets_counts_once() -> None:
    first, second = ethernet(udp4(b"\xa5" + A)), ethernet(udp4(b"\xa5\xa5"))
    before = pcap(packets(first, second))
    after = pcap(packets(replaced(first[:42]) + first[42:], replaced(second)))
    verification = prove(before, after)
    (finding,) = verification.scan.findings
    assert (finding.hits, finding.first_packet, finding.place) == (1, 1, LeakPlace.PAYLOAD)


def test_chance_in_the_header_of_a_record_is_explained() -> None:
    seconds = int.from_bytes(A, "little")
    packet = ethernet(udp4(b""))
    before, after = pcap(packets(packet)), pcap(packets(replaced(packet)))
    stamp = seconds.to_bytes(4, "little")
    verification = prove(before[:24] + stamp + before[28:], after[:24] + stamp + after[28:])
    (finding,) = verification.scan.findings
    assert (finding.place, finding.first_offset) == (LeakPlace.STRUCTURAL, 24)
    assert verification.status is Status.VERIFIED
