import pytest

from tests.captures import ethernet, icmpv6, ip_bytes, ipv4, ipv6, packets, pcap
from tests.engine.verify.proving import PSEUDONYMS, Reason, assert_sound, prove, prove_packet, replaced

FRAME = ethernet(ipv4(b"", 59))
FRAME6 = ethernet(ipv6(b"", 59), kind=0x86DD)
KINDS = {4: "IPV4", 6: "MAC", 16: "IPV6"}
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
    first = kept.scan.findings[0]
    assert (first.kind, first.first_offset) == (KINDS[size], 24 + 16 + at)
    assert Reason.FIXED_POINT in kept.reasons


@pytest.mark.parametrize(("packet", "at", "size"), FIELDS)
def test_what_stays_zero_is_no_pseudonym(packet: bytes, at: int, size: int) -> None:
    output = replaced(packet)
    zeroed = output[:at] + bytes(size) + output[at + size :]
    assert_sound(prove(pcap(packets(packet, packet, packet)), pcap(packets(output, zeroed, output))))


@pytest.mark.parametrize("half", [8, 0])
def test_an_address_of_which_one_half_changes_is_rewritten(half: int) -> None:
    was = ip_bytes("2001:db8:1:2::3")
    now = was[:half] + (b"\x20\x01\x0d\xb9" + bytes(3) + b"\x05") + was[half + 8 :]
    packet = ethernet(ipv6(b"", 59, source="2001:db8:1:2::3", destination="ff02::1"), kind=0x86DD)
    ledger = prove_packet(packet, replaced(packet).replace(was, now)).ledger
    assert (ledger.rewritten, ledger.kept_by_rule) == (12 + 16, 16)


def test_prefixes_of_two_lengths_are_two_originals() -> None:
    def advertised(length: int, net: str) -> bytes:
        option = b"\x03\x04" + bytes([length]) + bytes(13) + ip_bytes(net)
        return ethernet(ipv6(icmpv6(134, bytes(8) + option), 58), kind=0x86DD)

    before = packets(advertised(64, "2001:db8:5:7::"), advertised(65, "2001:db8:5:7::"))
    after = packets(replaced(advertised(64, "2001:db8:5:8::")), replaced(advertised(65, "2001:db8:5:9::")))
    assert Reason.MAP_INCONSISTENT not in prove(pcap(before), pcap(after)).reasons
    before = packets(*[advertised(255, "2001:db8:5:7::9")] * 2)
    after = packets(*(replaced(advertised(255, f"2001:db8:5:{n}::")) for n in (8, 9)))
    assert Reason.MAP_INCONSISTENT in prove(pcap(before), pcap(after)).reasons


@pytest.mark.parametrize(
    ("net", "length", "bare"),
    [
        *(("2001:db8:5:7::", length, length >= 64) for length in (0, 63, 64, 65, 128, 200)),
        *(("2001:db8:5:7::9", length, False) for length in (0, 64, 127)),
        *(("2001:db8:5:7::9", length, True) for length in (128, 200)),
    ],
)
def test_a_prefix_has_no_host_bits(net: str, length: int, *, bare: bool) -> None:
    """A prefix is another original than the address that it looks like."""
    option = b"\x03\x04" + bytes([length]) + bytes(13) + ip_bytes(net)
    packet = ethernet(ipv6(icmpv6(134, bytes(8) + option), 58), kind=0x86DD)
    address = ethernet(ipv6(b"", 59, source=net), kind=0x86DD)
    one, other = (
        PSEUDONYMS | {ip_bytes(net): ip_bytes("2001:db8:7:5::")},
        PSEUDONYMS | {ip_bytes(net): ip_bytes("2001:db8:5:8::")},
    )
    verification = prove(pcap(packets(packet, address)), pcap(packets(replaced(packet, one), replaced(address, other))))
    assert (Reason.MAP_INCONSISTENT not in verification.reasons) == bare


def test_fixed_addresses_are_not_counted_as_kept() -> None:
    packet = ethernet(ipv4(b"", 59, source="127.0.0.1", destination="224.0.0.1"), destination="ff:ff:ff:ff:ff:ff")
    verification = prove_packet(packet)
    assert_sound(verification)
    assert verification.ledger.kept_by_rule == 4 + 4 + 6
    assert verification.scan.findings == ()
    packet = ethernet(ipv6(b"", 59, source="::1", destination="ff02::1"), kind=0x86DD)
    assert prove_packet(packet).scan.findings == ()
