import pytest

from tests.captures import ethernet, ipv4, ipv6, packets, pcap
from tests.engine.verify.proving import Reason, assert_sound, prove, prove_packet, replaced

FRAME = ethernet(ipv4(b"", 59))
FRAME6 = ethernet(ipv6(b"", 59), kind=0x86DD)
FIELDS = [(FRAME, 0, 6), (FRAME, 6, 6), (FRAME6, 22, 16), (FRAME6, 38, 16)]


@pytest.mark.parametrize(("packet", "at", "size"), FIELDS)
def test_a_field_is_rewritten_or_kept_or_zero(packet: bytes, at: int, size: int) -> None:
    output = replaced(packet)
    before = prove_packet(packet).ledger
    zeroed = prove_packet(packet, output[:at] + bytes(size) + output[at + size :])
    assert_sound(zeroed)
    assert (zeroed.ledger.zeroed, zeroed.ledger.rewritten) == (before.zeroed + size, before.rewritten - size)
    kept = prove_packet(packet, output[:at] + packet[at : at + size] + output[at + size :])
    assert (kept.ledger.kept_by_rule, kept.ledger.rewritten) == (size, before.rewritten - size)
    assert Reason.FIXED_POINT in kept.reasons


@pytest.mark.parametrize(("packet", "at", "size"), FIELDS)
def test_what_stays_zero_is_no_pseudonym(packet: bytes, at: int, size: int) -> None:
    output = replaced(packet)
    zeroed = output[:at] + bytes(size) + output[at + size :]
    assert_sound(prove(pcap(packets(packet, packet, packet)), pcap(packets(output, zeroed, output))))


def test_fixed_addresses_are_not_counted_as_kept() -> None:
    packet = ethernet(ipv4(b"", 59, source="127.0.0.1", destination="224.0.0.1"), destination="ff:ff:ff:ff:ff:ff")
    verification = prove_packet(packet)
    assert_sound(verification)
    assert verification.ledger.kept_by_rule == 4 + 4 + 6
    assert verification.scan.findings == ()
