import pytest

from tests.captures import IP_A, Packet, ethernet, ip_bytes, ipv4, pcap, tcp4, udp4
from tests.engine.verify.proving import PSEUDONYMS, Reason, Status, assert_sound, prove, prove_packet, replaced

FRAME = ethernet(udp4(b"payload of a datagram"))
OUTPUT = replaced(FRAME)
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
