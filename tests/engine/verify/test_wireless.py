import struct

import pytest

from tests.captures import MAC_A, MAC_B, ip_bytes, mac_bytes, udp4
from tests.engine.verify.proving import Reason, assert_sound, prove_packet, reasons_of, replaced
from tests.engine.verify.samples import RADIOTAP, SNAP, WIRELESS

REST = b"\x01\x02\x03"
SECRET = WIRELESS + REST
UNKNOWN = {
    "protected data": (b"\x08\x41\0\0" + SECRET, 3),
    "later fragment": (b"\x08\x01\0\0" + WIRELESS[:18] + b"\x11\0" + REST, 3),
    "null data": (b"\x48\x01\0\0" + SECRET, 3),
    "aggregate": (b"\x88\x01\0\0" + WIRELESS + b"\x80\0" + REST, 3),
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
    packet = (b"\x08\x01\0\0" + WIRELESS)[:length]
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
    "a field that is cut": (radiotap([1 << 0], b"\x07\x07"), 2),
}


@pytest.mark.parametrize("name", HEADERS)
def test_fields_of_the_standard_namespace_are_known(name: str) -> None:
    header, unknown = HEADERS[name]
    verification = prove_packet(header + FRAME, link_type=127)
    assert verification.ledger.unknown == unknown
    assert verification.ledger.rewritten == 6


def test_flags_tell_of_the_check_sequence_and_of_padding() -> None:
    tail = b"\x01\x02\x03\x04"
    assert prove_packet(RADIOTAP + FRAME + tail, link_type=127).ledger.unknown == 4
    padded = b"\0\0\x09\0\x02\0\0\0\x20" + b"\x88\x01\0\0" + WIRELESS + b"\0\0" + b"\0\0" + SNAP + udp4()
    assert_sound(prove_packet(padded, link_type=127))


@pytest.mark.parametrize(
    "header", [b"\0\0\x07\0\0\0\0\0", b"\x01\0\x08\0\x07\0\0\0", b"\0\0\x40\0\x07\0\0\0", b"\0\0\x08"]
)
def test_a_header_that_cannot_be_is_read_by_nobody(header: bytes) -> None:
    assert prove_packet(header + FRAME, header + FRAME, link_type=127).ledger.rewritten == 0


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
