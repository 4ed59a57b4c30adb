import pytest

from tests.captures import ethernet, packets, pcap, tcp4, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, replaced

FRAMES = [ethernet(udp4()), ethernet(tcp4()), ethernet(udp4(b"another"))]
OUTPUTS = [replaced(one) for one in FRAMES]
BEFORE = packets(*FRAMES)


def test_files_of_many_windows_are_read_to_the_end() -> None:
    short, long = ethernet(udp4(b"")), ethernet(udp4(b"p" * 1400))
    one, two = (pcap(packets(frame))[24:] for frame in (short, long))
    before = pcap([]) + one * 30_000 + two * 2_000 + one * 10
    one, two = (pcap(packets(replaced(frame)))[24:] for frame in (short, long))
    verification = prove(before, pcap([]) + one * 30_000 + two * 2_000 + one * 10)
    assert_sound(verification)
    assert verification.interference.packets == 32_010
    assert verification.scan.bytes_scanned == verification.ledger.size_bytes


@pytest.mark.parametrize("after", [packets(*OUTPUTS)[:2], packets(*OUTPUTS)[1:], [], [*packets(*OUTPUTS), *BEFORE[2:]]])
def test_a_packet_dropped_or_added_is_caught(after: list[object]) -> None:
    verification = prove(pcap(BEFORE), pcap(after))  # type: ignore[arg-type]  # packets
    assert verification.status is Status.FAILED
    assert Reason.PACKETS_DIFFER in verification.reasons


def test_packets_in_another_order_are_caught() -> None:
    after = packets(*OUTPUTS)
    verification = prove(pcap(BEFORE), pcap([after[1], after[0], after[2]]))
    assert Reason.PACKETS_DIFFER in verification.reasons
    assert verification.interference.times_changed == 2


def test_packets_that_changed_places_are_caught_by_their_bytes() -> None:
    verification = prove(pcap(packets(*FRAMES)), pcap(packets(OUTPUTS[1], OUTPUTS[0], OUTPUTS[2])))
    assert verification.status is Status.FAILED
    assert verification.interference.bytes_changed > 0


def test_a_capture_without_packets_is_sound() -> None:
    verification = prove(pcap([]), pcap([]))
    assert verification.status is Status.VERIFIED
    assert verification.ledger.structural == 24
