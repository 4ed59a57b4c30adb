import struct

import pytest

from gql_server.engine.verify import files
from tests.captures import MAC_A, MAC_B, Packet, ip_bytes, ipv4, mac_bytes, pcap, tcp, udp4
from tests.engine.verify.proving import Reason, assert_sound, prove_packet, reasons_of, replaced
from tests.engine.verify.samples import RADIOTAP, SNAP, WIRELESS

REST = b"\x01\x02\x03"
SECRET = WIRELESS + REST
MESH = b"\0\x1f\0\0\0\x01"
CARRIED = SNAP + udp4()
UNREAD = len(CARRIED) - CARRIED.count(0)
UNKNOWN = {
    "protected data": (b"\x08\x41\0\0" + WIRELESS + CARRIED, UNREAD),
    "later fragment": (b"\x08\x01\0\0" + WIRELESS[:18] + b"\x11\0" + CARRIED, UNREAD),
    "null data": (b"\x48\x01\0\0" + WIRELESS + CARRIED, UNREAD),
    "aggregate": (b"\x88\x01\0\0" + WIRELESS + b"\x80\0" + CARRIED, UNREAD),
    "no mesh": (b"\x88\x02\0\0" + WIRELESS + b"\0\0" + MESH + CARRIED, 2 + UNREAD),
    "to a mesh": (b"\x88\x01\0\0" + WIRELESS + b"\0\x01" + MESH + CARRIED, 2 + UNREAD),
    "mesh with other link control": (b"\x88\x02\0\0" + WIRELESS + b"\0\x01" + MESH + b"\x42" + CARRIED[1:], 2 + UNREAD),
    "mesh with another organization": (
        b"\x88\x02\0\0" + WIRELESS + b"\0\x01" + MESH + CARRIED[:5] + b"\x0c" + CARRIED[6:],
        3 + UNREAD,
    ),
    "mesh with too many addresses": (
        b"\x88\x02\0\0" + WIRELESS + b"\0\x01\x03" + MESH[1:] + b"\x07" * 18 + CARRIED,
        3 + 18 + UNREAD,
    ),
    "later fragment of management": (b"\x80\0\0\0" + WIRELESS[:18] + b"\x11\0" + REST, 3),
    "management with more control": (b"\x80\x80\0\0" + WIRELESS + b"\x01\x02\x03\x04" + bytes(range(12)) + REST, 3),
    "much behind an acknowledgment": (b"\xd4\0\0\0" + mac_bytes(MAC_A) + REST * 2, 6),
    "a long trigger": (b"\x24\0\0\0" + REST * 6, 18),
    "other link control": (b"\x08\x01\0\0" + WIRELESS + b"\x42\x42\x03", 3),
    "elements of a beacon": (b"\x80\0\0\0" + WIRELESS + bytes(12) + b"\0\x04name", 5),
    "protected management": (b"\xc0\x40\0\0" + SECRET, 3),
    "behind an acknowledgment": (b"\xd4\0\0\0" + mac_bytes(MAC_A) + REST, 3),
    "behind a poll": (b"\xa4\0\x05\0" + mac_bytes(MAC_A) + mac_bytes(MAC_B) + REST, 3),
    "no kind": (b"\x0c\0\x01\x02" + REST * 3, 11),
    "another version": (b"\x01\0\x01\x02" + REST * 3, 13 - 1),
    "trigger": (b"\x24\0\0\0" + REST * 3, 9),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_reads_is_unknown(name: str) -> None:
    packet, unknown = UNKNOWN[name]
    assert prove_packet(packet, link_type=105).ledger.unknown == unknown


@pytest.mark.parametrize("length", [1, 4, 9, 12, 23])
def test_a_cut_frame_keeps_no_address(length: int) -> None:
    packet = (b"\x08\x01\x30\x40" + WIRELESS)[:length]
    assert prove_packet(packet, packet, link_type=105).ledger.unknown == len(packet[4:]) - packet[4:].count(0)
    assert_sound(prove_packet(packet, packet[:4] + bytes(max(0, length - 4)), link_type=105))


def test_the_group_bit_of_a_sender_is_no_part_of_its_address() -> None:
    sender = b"\x01" + mac_bytes(MAC_B)[1:]
    image = b"\x01" + replaced(mac_bytes(MAC_B))[1:]
    packet = b"\xb4\0\0\0" + mac_bytes(MAC_A) + sender
    output = b"\xb4\0\0\0" + replaced(mac_bytes(MAC_A)) + image
    verification = prove_packet(packet, output, link_type=105)
    assert_sound(verification)
    assert verification.scan.addresses_mac == 2
    bare = prove_packet(packet, output[:10] + b"\0" + output[11:], link_type=105)
    assert reasons_of(bare) == {Reason.BYTES_CHANGED}


def radiotap(words: list[int], fields: bytes) -> bytes:
    present = b"".join(struct.pack("<I", word) for word in words)
    return struct.pack("<BBH", 0, 0, 4 + len(present) + len(fields)) + present + fields


FRAME = b"\xd4\0\0\0" + mac_bytes(MAC_A)
HEADERS = {
    "nothing": (radiotap([0], b""), 0),
    "many fields": (radiotap([0x4000482F], bytes(8) + b"\0\x02\x6c\x09\x80\x04\xc0\x01\0\0"), 0),
    "aligned": (radiotap([0x9 | 1 << 1], bytes(8) + b"\0" + b"\0" + b"\x6c\x09\x80\x04"), 0),
    "not aligned with zeros": (radiotap([0x9 | 1 << 1], bytes(8) + b"\0" + b"\x07" + b"\x6c\x09\x80\x04"), 1),
    "behind the fields": (radiotap([1 << 2], b"\x02\x07\x07"), 2),
    "a vendor's": (radiotap([1 << 2 | 1 << 30 | 1 << 31, 0x07070707], b"\x02\x07\x07"), 6),
    "the standard again": (radiotap([1 << 2 | 1 << 29 | 1 << 31, 1 << 5], b"\x02\xc0"), 0),
    "two words and no field": (radiotap([1 << 29 | 1 << 31, 1 << 29], b""), 0),
    "a rate like a flag": (radiotap([1 << 2], b"\x10"), 0),
    "no further word": (radiotap([1 << 29 | 1 << 2], b"\x02\x07\x07\x07"), 3),
    "a field that is cut": (radiotap([1 << 0], b"\x07\x07"), 2),
}


@pytest.mark.parametrize("name", HEADERS)
def test_fields_of_the_standard_namespace_are_known(name: str) -> None:
    header, unknown = HEADERS[name]
    verification = prove_packet(header + FRAME, link_type=127)
    assert verification.ledger.unknown == unknown
    assert verification.ledger.rewritten == 6


@pytest.mark.parametrize("start", [b"\xc4\0\0\0", b"\x74\0\0\0", b"\xd4\0\0\0"])
def test_a_receiver_may_stand_alone(start: bytes) -> None:
    verification = prove_packet(start + mac_bytes(MAC_A), link_type=105)
    assert_sound(verification)
    assert verification.ledger.rewritten == 6


def test_more_control_stands_before_what_is_carried() -> None:
    assert_sound(prove_packet(b"\x88\x81\0\0" + WIRELESS + b"\0\0\x01\x02\x03\x04" + CARRIED, link_type=105))


CUT = [
    b"\xd4\0",
    (b"\xd4\0\0\0" + mac_bytes(MAC_A))[:9],
    (b"\xb4\0\0\0" + mac_bytes(MAC_A) + mac_bytes(MAC_B))[:15],
    (b"\x80\0\0\0" + WIRELESS)[:22],
    (b"\x08\x01\0\0" + WIRELESS)[:22],
    b"\x80\0\0\0" + WIRELESS + bytes(range(1, 6)),
    b"\x20\0\0\0" + WIRELESS + b"\x11\x04\x0a\0" + mac_bytes(MAC_B)[:5],
]


@pytest.mark.parametrize("number", range(len(CUT)))
def test_a_frame_ends_before_its_check_sequence(number: int) -> None:
    frame = CUT[number]
    alone = prove_packet(RADIOTAP[:-1] + b"\0" + frame, RADIOTAP[:-1] + b"\0" + frame, link_type=127).ledger
    whole = RADIOTAP + frame + b"\x07\x08\x09\x0a"
    checked = prove_packet(whole, whole, link_type=127).ledger
    assert (checked.unknown, checked.kept_by_rule) == (alone.unknown + 4, alone.kept_by_rule)


def test_a_check_sequence_is_no_payload() -> None:
    packet = RADIOTAP + b"\x08\x01\0\0" + WIRELESS + SNAP + ipv4(tcp(), 6, total=0) + b"\x01\x02\x03\x04"
    assert prove_packet(packet, link_type=127).ledger.unknown == 4


@pytest.mark.parametrize("packet", [RADIOTAP[:length] for length in (1, 3, 7, 8, 9)])
def test_a_header_at_the_end_of_memory_is_read_within_its_bounds(
    packet: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WINDOW_BYTES", len(pcap([Packet(data=packet)])))
    prove_packet(packet, link_type=127)


def test_flags_tell_of_the_check_sequence_and_of_padding() -> None:
    tail = b"\x01\x02\x03\x04"
    assert prove_packet(RADIOTAP + FRAME + tail, link_type=127).ledger.unknown == 4
    padded = b"\0\0\x09\0\x02\0\0\0\x20" + b"\x88\x01\0\0" + WIRELESS + b"\0\0" + b"\0\0" + SNAP + udp4()
    assert_sound(prove_packet(padded, link_type=127))


@pytest.mark.parametrize(
    "header",
    [b"\0\0\x07\0\0\0\0\0", b"\0\0\x06\0\0\0", b"\x01\0\x08\0\x07\0\0\0", b"\0\0\x40\0\x07\0\0\0", b"\0\0\x08"],
)
def test_a_header_that_cannot_be_is_read_by_nobody(header: bytes) -> None:
    verification = prove_packet(header + FRAME, header + FRAME, link_type=127)
    assert (verification.ledger.rewritten, verification.ledger.kept_by_rule) == (0, 0)


@pytest.mark.parametrize(
    ("subtype", "fixed"), {0: 4, 1: 6, 3: 6, 4: 0, 5: 12, 8: 12, 9: 0, 10: 2, 11: 6, 12: 2, 13: 0}.items()
)
def test_fixed_fields_of_management_are_known(subtype: int, fixed: int) -> None:
    packet = bytes([subtype << 4, 0, 0, 0]) + WIRELESS + bytes(range(1, 21))
    assert prove_packet(packet, link_type=105).ledger.unknown == 20 - fixed


def test_a_header_without_a_frame_is_read_whole() -> None:
    header = radiotap([1 << 2 | 1 << 5], b"\x02\xc0")
    assert prove_packet(header, link_type=127).ledger.structural == 24 + 16 + len(header)


def test_mesh_control_is_no_link_control() -> None:
    header = b"\xaa\xaa" + ip_bytes("3.0.0.0") + b"\x08\0\x07\x07"  # addresses that look like link control as well
    packet = b"\x88\x02\0\0" + WIRELESS + b"\0\x01" + SNAP + udp4()[:10] + header + udp4()[20:]
    assert prove_packet(packet, packet, link_type=105).ledger.kept_by_rule == 3 * 6 + 2 * 4


def test_a_sender_that_stays_zero_is_none() -> None:
    for group in (b"\0", b"\x01"):
        packet = b"\xb4\0\0\0" + mac_bytes(MAC_A) + group + bytes(5)
        assert prove_packet(packet, link_type=105).scan.findings == ()


def test_a_sender_is_rewritten_or_kept() -> None:
    packet = b"\xb4\0\0\0" + mac_bytes(MAC_A) + mac_bytes(MAC_B)
    output = replaced(packet)
    rewritten = prove_packet(packet, output, link_type=105).ledger
    assert (rewritten.rewritten, rewritten.kept_by_rule) == (12, 0)
    kept = prove_packet(packet, output[:10] + mac_bytes(MAC_B), link_type=105)
    assert (kept.ledger.rewritten, kept.ledger.kept_by_rule) == (6, 6)
    assert [one.first_offset for one in kept.scan.findings] == [24 + 16 + 10]


def test_a_sender_made_zero_has_no_group_bit() -> None:
    packet = b"\xb4\0\0\0" + mac_bytes(MAC_A) + b"\x01" + mac_bytes(MAC_B)[1:]
    verification = prove_packet(packet, replaced(packet)[:10] + bytes(6), link_type=105)
    assert_sound(verification)
    assert (verification.ledger.zeroed, verification.ledger.rewritten) == (6, 6)
