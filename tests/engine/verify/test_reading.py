import struct

import pytest

from gql_server.domain.anonymization import PayloadPolicy
from gql_server.engine.verify import files
from tests.captures import IP6_A, IP6_B, Packet, ethernet, ipv4, ipv6, packets, pcap, tcp, udp, udp4
from tests.engine.verify.proving import (
    PSEUDONYMS,
    WITNESSES,
    Reason,
    Status,
    assert_sound,
    prove,
    prove_packet,
    reasons_of,
    replaced,
)
from tests.engine.verify.samples import ALL

FRAME = ALL["udp"][1]


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def among_witnesses(link_type: int, original: bytes, output: bytes) -> tuple[bytes, bytes]:
    """Return captures of one packet and, by pcapng-free means, of what shows each pseudonym behind the same link."""
    before, after = [original, original], [replaced(original), output]
    if link_type == 1:
        before, after = [*WITNESSES, *before], [*(replaced(one) for one in WITNESSES), *after]
    return (
        pcap([Packet(data=one) for one in before], link_type=link_type),
        pcap([Packet(data=one) for one in after], link_type=link_type),
    )


@pytest.mark.parametrize("name", ALL)
def test_a_packet_with_every_address_replaced_is_sound(name: str) -> None:
    link_type, packet = ALL[name]
    verification = prove_packet(packet, link_type=link_type)
    assert_sound(verification)
    assert verification.ledger.rewritten > 0
    assert verification.interference.checksums_bad == 0


@pytest.mark.parametrize("name", ALL)
def test_an_original_left_in_any_place_is_caught(name: str) -> None:
    link_type, packet = ALL[name]
    output = replaced(packet)
    places = [
        (at, original)
        for original, pseudonym in PSEUDONYMS.items()
        for at in range(len(packet))
        if packet[at : at + len(original)] == original and output[at : at + len(pseudonym)] == pseudonym
    ]
    assert places
    for at, original in places:
        damaged = output[:at] + original + output[at + len(original) :]
        verification = prove(*among_witnesses(link_type, packet, damaged))
        assert verification.status is Status.FAILED, (name, at)
        assert reasons_of(verification) & {Reason.MAP_INCONSISTENT, Reason.ADDRESS_LEAKED}, (name, at)


@pytest.mark.parametrize("name", ALL)
def test_no_byte_changes_unseen(name: str) -> None:
    link_type, packet = ALL[name]
    output = replaced(packet)
    for at in range(len(packet)):
        damaged = changed(output, at, output[at] ^ 0x5A)
        verification = prove(*among_witnesses(link_type, packet, damaged))
        assert verification.status is Status.FAILED, (name, at)


def test_two_addresses_left_everywhere_are_a_leak() -> None:
    kept = dict(list(PSEUDONYMS.items())[2:])
    assert prove_packet(FRAME, replaced(FRAME, kept)).status is Status.FAILED


def test_an_unknown_protocol_is_zero_or_unknown() -> None:
    packet = ethernet(b"\x01\x02\x03\x04", kind=0x88CC)
    kept, zeroed = replaced(packet), replaced(packet)[:-4] + bytes(4)
    verification = prove_packet(packet, kept)
    assert verification.status is Status.UNVERIFIABLE
    assert verification.reasons == (Reason.BYTES_UNKNOWN,)
    assert verification.ledger.unknown == 4
    assert_sound(prove_packet(packet, zeroed))
    assert prove_packet(packet, zeroed).ledger.zeroed == 4


def test_an_unknown_byte_that_changed_is_worse() -> None:
    packet = ethernet(b"\x01\x02\x03\x04", kind=0x88CC)
    verification = prove_packet(packet, replaced(packet)[:-1] + b"\x05")
    assert verification.status is Status.FAILED
    assert verification.interference.bytes_changed == 1


@pytest.mark.parametrize("name", ALL)
def test_a_packet_made_zero_is_sound(name: str) -> None:
    link_type, packet = ALL[name]
    verification = prove_packet(packet, bytes(len(packet)), link_type=link_type)
    assert_sound(verification)
    assert verification.ledger.zeroed == len(packet)


def test_of_an_unknown_link_type_nothing_is_read() -> None:
    for packet in (b"\x01\x02", ALL["radiotap"][1], ALL["raw"][1], FRAME):
        verification = prove_packet(packet, packet, link_type=147)
        assert verification.ledger.unknown == len(packet) - packet.count(0)
    assert_sound(prove_packet(b"\x01\x02", b"\0\0", link_type=147))


def test_a_layer_made_zero_is_not_read() -> None:
    output = replaced(FRAME)
    assert_sound(prove_packet(FRAME, output[:14] + bytes(len(output) - 14)))
    left = prove_packet(FRAME, output[:14] + bytes(8) + output[22:])
    assert left.ledger.rewritten == 12


def test_a_layer_ends_where_its_packet_does() -> None:
    packet = ethernet(ipv4(b"\0\0\x08\0", 47)) + b"\x07" * 4
    verification = prove_packet(packet, replaced(packet)[:-8] + bytes(4) + b"\x07" * 4)
    assert verification.reasons == (Reason.BYTES_UNKNOWN,)
    assert verification.ledger.unknown == 4


def test_a_layer_cut_off_is_not_read() -> None:
    packet = ethernet(ipv4(b"\0\0\x08\0" + udp4(), 47))
    before, after = Packet(data=packet), Packet(data=replaced(packet)[:34] + bytes(4), original_length=len(packet))
    verification = prove(pcap([before] * 2), pcap([after] * 2), payload=PayloadPolicy.TRUNCATE)
    assert verification.interference.bytes_changed == 0


def test_frames_are_read_in_their_own_protocol_alone() -> None:
    inner = ethernet(udp4())
    packet = ethernet(ipv4(inner, 132))
    assert prove_packet(packet, replaced(packet[:34]) + inner).ledger.unknown == len(inner) - inner.count(0)


def test_a_later_fragment_is_payload_only_far_from_its_headers() -> None:
    far = ethernet(ipv4(b"y" * 24, 17, fragment=0x0100))
    near = ethernet(ipv4(b"y" * 24, 17, fragment=0x0001))
    other = ethernet(ipv4(b"y" * 24, 132, fragment=0x0100))
    assert_sound(prove_packet(far))
    for protocol in (1, 6, 17, 58):
        assert_sound(prove_packet(ethernet(ipv4(b"y" * 24, protocol, fragment=0x0100))))
    assert prove_packet(near).ledger.unknown == 24
    assert prove_packet(other).ledger.unknown == 24


def test_what_lies_beyond_the_limit_is_read_by_nobody() -> None:
    packet = FRAME + b"z" * (1 << 20)
    output = replaced(FRAME) + packet[len(FRAME) :]
    assert prove_packet(packet, output).ledger.unknown == 1 << 20
    endless = ethernet(ipv4(tcp(b""), 6, total=0))
    more = b"z" * (1 << 20)
    assert prove_packet(endless + more, replaced(endless) + more).ledger.unknown == len(endless)
    assert_sound(prove_packet(packet, output[: len(FRAME)] + bytes(1 << 20)))


@pytest.mark.parametrize("window", [720, 1 << 18])
def test_a_checksum_tells_nothing_of_later_packets(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found alike in one window says nothing of the same places in the next."""
    monkeypatch.setattr(files, "WINDOW_BYTES", window)
    datagram = udp(b"q" * 200, source=IP6_A, destination=IP6_B)
    later = struct.pack(">BBHI", 17, 0, 0x0800, 1)
    whole = ethernet(ipv6(tcp(b"p" * 600, source=IP6_A, destination=IP6_B), 6), kind=0x86DD)
    empty = ethernet(ipv6(b"", 59), kind=0x86DD)
    for last in (ipv6(datagram[:6] + bytes(2) + datagram[8:], 17), ipv6(b"q" * 200, 44, extensions=later)):
        before = [whole, empty, ethernet(last, kind=0x86DD)]
        after = [replaced(one) for one in before]
        after[-1] = changed(after[-1], len(after[-1]) - 50, 0x5A)
        assert prove(pcap(packets(*before)), pcap(packets(*after))).interference.bytes_changed == 1


@pytest.mark.parametrize(
    "packet", [ethernet(ipv6(b"\x08\0\x01\x02" * 4, 1), kind=0x86DD), ethernet(ipv4(b"\x80\0\x01\x02" * 4, 58))]
)
def test_control_messages_belong_to_their_version(packet: bytes) -> None:
    assert prove_packet(packet).ledger.unknown == 12


def test_records_are_compared() -> None:
    packet, output = FRAME, replaced(FRAME)
    one = pcap([Packet(data=packet)])
    later = pcap([Packet(data=output, time_ns=1_700_000_000_123_457_789)])
    longer = pcap([Packet(data=output, original_length=2000)])
    for other, times, lengths in ((later, 1, 0), (longer, 0, 1)):
        verification = prove(one, other)
        assert verification.reasons == (Reason.PACKETS_DIFFER, Reason.PAYLOAD_KEPT)
        assert (verification.interference.times_changed, verification.interference.lengths_changed) == (times, lengths)


def test_a_shorter_or_longer_packet_is_caught() -> None:
    output = replaced(FRAME)
    for other in (output[:-1], output + b"\0", output[:20], b""):
        verification = prove_packet(FRAME, other)
        assert verification.status is Status.FAILED
        assert verification.interference.lengths_changed == 1
        assert verification.interference.bytes_changed == max(0, len(other) - len(output))
    longer = prove_packet(FRAME, output + b"\x01", payload=PayloadPolicy.TRUNCATE)
    assert longer.interference.lengths_changed == 1
