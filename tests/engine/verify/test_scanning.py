from dataclasses import replace
from typing import Any

import pytest

from gql_server.domain.anonymization import PayloadPolicy
from gql_server.domain.verification import AddressExpectation, LeakForm, LeakPlace, MacExpectation
from gql_server.engine.verify import files
from gql_server.engine.verify.hits import BINARY, EUI64, REVERSED
from tests.captures import (
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    MAC_A,
    MAC_B,
    Packet,
    ethernet,
    ip_bytes,
    ipv4,
    ipv6,
    mac_bytes,
    packets,
    pcap,
    tcp4,
    udp4,
)
from tests.engine.verify.proving import (
    PSEUDONYMS,
    Reason,
    Status,
    prove,
    prove_among_witnesses,
    prove_packet,
    replaced,
)
from tests.engine.verify.searching import hits_in

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


def test_chance_behind_a_packet_belongs_to_the_next() -> None:
    later = Packet(data=ethernet(udp4(b"")), time_ns=int.from_bytes(A, "little") * 1_000_000_000)
    first = Packet(data=later.data)
    verification = prove(pcap([first, later]), pcap([replace(one, data=replaced(one.data)) for one in (first, later)]))
    (finding,) = verification.scan.findings
    assert (finding.hits, finding.first_packet, finding.place) == (1, 2, LeakPlace.STRUCTURAL)


def test_the_first_place_of_a_form_is_told() -> None:
    written, plain = b"02-11-22-FF-FE-33-44-55", bytes.fromhex("021122fffe334455")
    packet = ethernet(udp4(b"\xa5" + written + b"\xa5" + plain))
    verification = prove_among_witnesses(packet, replaced(packet[:42]) + packet[42:])
    (finding,) = (one for one in verification.scan.findings if one.form is LeakForm.EUI64)
    assert finding.first_offset == verification.ledger.size_bytes - 8 - 1 - len(written)


def test_few_different_bytes_meet_by_chance_across_fields() -> None:
    # The end of one pseudonym and the begin of the next spell an original.
    for address, place in (
        ("22:22:22:22:22:22", LeakPlace.ADDRESS_FIELD),
        ("22:23:24:25:26:27", LeakPlace.UNEXPLAINED),
    ):
        original = mac_bytes(address)
        known = PSEUDONYMS | {
            mac_bytes(MAC_B): b"\0\x11\x22" + original[:3],
            mac_bytes(MAC_A): original[3:] + b"\x33\x44\x66",
        }
        known |= {original: b"\x22\x07\x08\x09\x0a\x0b"}
        before = [ethernet(ipv4(b"", 59)), ethernet(ipv4(b"", 59), source=address, destination="ff:ff:ff:ff:ff:ff")]
        verification = prove(pcap(packets(*before)), pcap(packets(*(replaced(one, known) for one in before))))
        assert ("MAC", LeakForm.BINARY, place) in places(verification)


PARTS = [
    # What the field holds, what stands in it, how that is explained.
    (MAC_A, b"\0\x11" + A, ("IPV4", LeakForm.BINARY, LeakPlace.ADDRESS_FIELD)),
    (IP6_A, mac_bytes(MAC_B) + bytes(range(1, 11)), ("MAC", LeakForm.BINARY, LeakPlace.UNEXPLAINED)),
    (IP6_A, b"\x20\x01" + IP_A.encode() + b"\0\x01", ("IPV4", LeakForm.TEXT, LeakPlace.UNEXPLAINED)),
]


@pytest.mark.parametrize(("field", "holds", "place"), PARTS)
def test_part_of_a_field_is_more_than_chance_when_it_is_long(
    field: str, holds: bytes, place: tuple[str, LeakForm, LeakPlace]
) -> None:
    original = mac_bytes(field) if len(holds) == 6 else ip_bytes(field)
    known = PSEUDONYMS | {original: holds}
    before = [ethernet(ipv4(b"", 59)), ethernet(ipv6(b"", 59), kind=0x86DD)]
    verification = prove(pcap(packets(*before)), pcap(packets(*(replaced(one, known) for one in before))))
    assert place in places(verification)


def test_a_field_and_what_stands_beside_it_meet_by_chance() -> None:
    original = mac_bytes("22:23:24:25:08:00")
    known = PSEUDONYMS | {mac_bytes(MAC_A): b"\0\x11" + original[:4], original: b"\x22\x07\x08\x09\x0a\x0b"}
    before = [ethernet(ipv4(b"", 59)), ethernet(ipv4(b"", 59), source="22:23:24:25:08:00")]
    verification = prove(pcap(packets(*before)), pcap(packets(*(replaced(one, known) for one in before))))
    assert ("MAC", LeakForm.BINARY, LeakPlace.STRUCTURAL) in places(verification)


def test_a_field_that_stays_may_hold_the_bytes_of_a_device() -> None:
    packet = ethernet(ipv6(b"", 59, source="2001:db8:1::11:2233:4455"), kind=0x86DD)
    kept = packet[:6] + bytes.fromhex("aabbcc334455") + packet[12:]
    verification = prove_packet(
        packet,
        kept,
        addresses=AddressExpectation.KEPT,
        macs=MacExpectation.NAMED,
        mac_rules=((MAC_A, "aa:bb:cc"),),
    )
    assert ("MAC", LeakForm.BINARY, LeakPlace.KEPT_BY_RULE) in places(verification)
    assert LeakPlace.UNEXPLAINED not in {one.place for one in verification.scan.findings}


def test_hits_in_a_full_list_of_packets_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PACKETS_AT_ONCE", 2)
    packet = ethernet(udp4(A))
    output = replaced(packet[:42]) + packet[42:]
    (finding,) = prove(pcap(packets(*[packet] * 4)), pcap(packets(*[output] * 4))).scan.findings
    assert (finding.hits, finding.first_packet, finding.place) == (4, 1, LeakPlace.PAYLOAD)


FORMS = {
    "IPv4": (A, 4, BINARY),
    "IPv4 from last to first": (A[::-1], 4, REVERSED),
    "MAC": (mac_bytes(MAC_A), 6, BINARY),
    "MAC from last to first": (mac_bytes(MAC_A)[::-1], 6, REVERSED),
    "EUI-64": (bytes.fromhex("021122fffe334455"), 8, EUI64),
    "IPv6": (ip_bytes(IP6_B), 16, BINARY),
    "IPv6 from last to first": (ip_bytes(IP6_B)[::-1], 16, REVERSED),
    "IPv6 with its fullest word in front": (ip_bytes("2001:db8:1122:3344::"), 16, BINARY),
}
SEARCHED = (A, mac_bytes(MAC_A), ip_bytes(IP6_B), ip_bytes("2001:db8:1122:3344::"))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("filler", [b"\xa5" * 30, b"\xa5" * 2000])
def test_an_original_is_found_at_either_end_of_a_window_and_not_across_them(name: str, filler: bytes) -> None:
    needle, length, form = FORMS[name]
    begin, end = (
        [(at, size, how) for at, size, _, how in hits_in(one, *SEARCHED)] for one in (needle + filler, filler + needle)
    )
    assert begin == [(0, length, form)]
    assert end == [(len(filler), length, form)]
    for cut in range(1, length):
        assert hits_in(needle[cut:] + filler + needle[:cut], *SEARCHED) == []


def test_the_word_that_is_looked_for_is_found_once() -> None:
    address = ip_bytes("2001:db8::2001:db8")
    assert [hit[:2] for hit in hits_in(b"\xa5" * 9 + address, address)] == [(9, 16)]
    assert [hit[:2] for hit in hits_in(b"\xa5" * 9 + address[::-1], address)] == [(9, 16)]


def test_other_eight_bytes_are_no_interface_id() -> None:
    other = bytes.fromhex("ab334455")
    assert hits_in(b"\xa5" + bytes.fromhex("02112212fe334455"), mac_bytes(MAC_A)) == []
    assert [hit[3] for hit in hits_in(bytes.fromhex("021122ff") + other, mac_bytes(MAC_A), other)] == [BINARY]


def test_the_pseudonym_of_another_device_is_explained() -> None:
    known = PSEUDONYMS | {mac_bytes(MAC_B): mac_bytes(MAC_A)}
    packet = ethernet(ipv4(b"", 59))
    assert ("MAC", LeakForm.BINARY, LeakPlace.ADDRESS_FIELD) in places(prove_packet(packet, replaced(packet, known)))


def test_hits_in_windows_of_other_packets_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of the output holds more packets than one of the original: it is read in parts."""
    monkeypatch.setattr(files, "WINDOW_BYTES", 1000)
    packet = ethernet(udp4(b"\xa5" * 200))
    seconds = int.from_bytes(A, "little") * 1_000_000_000  # each header of a record is a hit
    cut = udp4(bytes(200))[:28]
    before = pcap([Packet(data=packet, time_ns=seconds)] * 40)
    after = pcap([Packet(data=replaced(ethernet(cut)), time_ns=seconds, original_length=len(packet))] * 40)
    verification = prove(before, after, payload=PayloadPolicy.TRUNCATE)
    assert verification.status is Status.VERIFIED
    assert verification.scan.bytes_scanned == len(after)
    (finding,) = verification.scan.findings
    assert (finding.hits, finding.first_packet, finding.place) == (40, 1, LeakPlace.STRUCTURAL)
