import pytest

from gql_server.domain.anonymization import PayloadPolicy
from gql_server.domain.verification import LeakPlace
from gql_server.engine.verify import files
from tests.captures import IP_A, MAC_A, Packet, ethernet, ip_bytes, ipv4, ipv6, mac_bytes, pcap, tcp4, udp4
from tests.engine.verify.proving import (
    PSEUDONYMS,
    Reason,
    Status,
    assert_sound,
    prove,
    prove_among_witnesses,
    prove_packet,
    replaced,
)
from tests.engine.verify.samples import ALL

FRAME = ethernet(udp4(b"payload of a datagram"))
OUTPUT = replaced(FRAME)
LAST = {
    "nothing": (1, ethernet(b"")),
    "no IPv6": (1, ethernet(b"", kind=0x86DD)),
    "nothing at all": (101, b""),
    "options": (101, ipv6(b"", 60, extensions=b"\x3b\0\x05\x02\0\0\x01\0")),
    "half an option": (101, ipv6(b"", 60, extensions=b"\x3b\0\x05\x02\0\0\0\0")[:-1] + b"\0"),
}
PAYLOAD_AT = FRAME.index(b"payload")


def test_every_class_of_the_ledger_is_counted() -> None:
    packet = ethernet(udp4(b"kept", source="127.0.0.1")) + b"trailer"
    output = replaced(packet)[:-7] + bytes(7)
    ledger = prove_packet(packet, output).ledger
    # Two MAC addresses, one IPv4 address and two checksums; one IPv4 address is fixed.
    assert (ledger.rewritten, ledger.kept_by_rule, ledger.opaque, ledger.zeroed) == (12 + 4 + 4, 4, 4, 7)
    assert (ledger.structural, ledger.unknown) == (40 + 2 + 10 + 6, 0)


def test_payload_is_kept_whole_or_zero() -> None:
    zeroed = OUTPUT[:PAYLOAD_AT] + bytes(len(OUTPUT) - PAYLOAD_AT)
    changed = OUTPUT[:PAYLOAD_AT] + b"P" + OUTPUT[PAYLOAD_AT + 1 :]
    partly = OUTPUT[:PAYLOAD_AT] + b"\0" + OUTPUT[PAYLOAD_AT + 1 :]
    assert prove_packet(FRAME, zeroed).interference.bytes_changed == 0
    for output in (changed, partly):
        verification = prove_packet(FRAME, output)
        assert verification.interference.bytes_changed == 1
        assert Reason.BYTES_CHANGED in verification.reasons


def test_a_zeroed_header_field_is_a_change() -> None:
    at = PAYLOAD_AT - 8  # the ports
    verification = prove_packet(FRAME, OUTPUT[:at] + bytes(4) + OUTPUT[at + 4 :])
    assert verification.interference.bytes_changed == 4


@pytest.mark.parametrize("length", range(2, len(FRAME)))
def test_a_packet_cut_anywhere_keeps_no_half_address(length: int) -> None:
    packet = FRAME[:length]
    before = pcap([Packet(data=packet, original_length=len(FRAME))])
    zeroed = prove(before, pcap([Packet(data=bytes(length), original_length=len(FRAME))]))
    assert zeroed.status is Status.VERIFIED
    assert prove(before, before).status in {Status.UNVERIFIABLE, Status.FAILED}


def test_half_an_address_is_unknown() -> None:
    packet = FRAME[:32]
    output = replaced(FRAME)[:24] + bytes(2) + FRAME[26:32]
    before = pcap([Packet(data=packet, original_length=60)])
    verification = prove(before, pcap([Packet(data=output, original_length=60)]))
    assert verification.status in {Status.UNVERIFIABLE, Status.FAILED}
    assert verification.ledger.unknown > 0
    clean = OUTPUT[:24] + bytes(8)
    assert_sound(prove(before, pcap([Packet(data=clean, original_length=60)])))


def test_an_address_field_may_be_zero() -> None:
    known = PSEUDONYMS | {ip_bytes(IP_A): bytes(4)}
    packet = ethernet(tcp4(b""))
    verification = prove_packet(ethernet(ipv4(b"", 59)), replaced(ethernet(ipv4(b"", 59)), known))
    assert Reason.CHECKSUM_STATE_CHANGED in verification.reasons  # the sum of another address
    assert verification.ledger.zeroed == 4
    assert packet


def test_what_is_left_of_a_header_stays_or_becomes_zero() -> None:
    packet = ethernet(tcp4())[:44]
    output, rest = replaced(packet)[:34], bytes(10)
    before = pcap([Packet(data=packet, original_length=60)])
    for kept in (packet[34:38] + rest[:6], rest[:4] + packet[38:44], packet[34:36] + rest[:4] + packet[40:44]):
        assert_sound(prove(before, pcap([Packet(data=output + kept, original_length=60)])))
    other = packet[34:36] + b"\x09" + packet[37:44]
    verification = prove(before, pcap([Packet(data=output + other, original_length=60)]))
    assert verification.interference.bytes_changed == 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("payload", PayloadPolicy)
def test_however_short_a_packet_became_each_byte_counts_once(name: str, payload: PayloadPolicy) -> None:
    """`prove` adds the ledger up."""
    link_type, packet = ALL[name]
    for whole in (packet, packet[: len(packet) * 2 // 3]):
        before = pcap([Packet(data=whole)] * (len(whole) + 1), link_type=link_type)
        after = [Packet(data=replaced(whole)[:length], original_length=len(whole)) for length in range(len(whole) + 1)]
        prove(before, pcap(after, link_type=link_type), payload=payload)
        prove(pcap(after, link_type=link_type), before, payload=payload)


@pytest.mark.parametrize("name", [*ALL, *LAST])
def test_a_packet_is_read_up_to_the_end_of_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window ends where the packet does: a byte read beyond it is out of bounds."""
    link_type, packet = (ALL | LAST)[name]
    capture = pcap([Packet(data=packet)], link_type=link_type)
    monkeypatch.setattr(files, "WINDOW_BYTES", len(capture))
    assert_sound(prove_packet(packet, link_type=link_type))


def test_what_stands_before_payload_is_none() -> None:
    segment = tcp4(b"data")
    packet = ethernet(segment[:24] + mac_bytes(MAC_A) + segment[30:])  # sequence and acknowledgment numbers
    output = replaced(packet[:38]) + packet[38:44] + replaced(packet[44:])
    findings = prove_among_witnesses(packet, output).scan.findings
    assert {one.place for one in findings} == {LeakPlace.STRUCTURAL}


def test_an_original_in_much_payload_is_payload() -> None:
    frame = ethernet(udp4(b"x" * 40 + mac_bytes(MAC_A) + b"x" * 40))
    packet = frame[:40] + b"\0\0" + frame[42:]  # without a checksum, which would tell that all is as it was
    verification = prove_among_witnesses(packet, replaced(packet[:42]) + packet[42:])
    assert {one.place for one in verification.scan.findings} == {LeakPlace.PAYLOAD}
