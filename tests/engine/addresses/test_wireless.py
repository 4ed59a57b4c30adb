import struct

import numpy as np
import pytest

from tests.captures import MAC_A, MAC_B, arp, mac_bytes, udp4, udp6
from tests.engine.doubles import rewrite_packet
from tests.engine.judging import MAP, SECRETS
from tests.engine.reading import read_packet, unchanged

A, B, C, D = (mac_bytes(text) for text in (MAC_A, MAC_B, "00:11:22:33:44:77", "00:11:22:33:44:88"))
SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"
EVERYONE = b"\xff" * 6
MANAGEMENT, CONTROL, DATA = 0, 1, 2
TO, FROM, RETRY, PROTECTED, ORDER = 1, 2, 8, 0x40, 0x80


def new(mac: bytes) -> bytes:
    """What an address becomes by the map, asked for it alone."""
    mapped = MAP.mac(np.array([int.from_bytes(mac, "big")], np.uint64))
    return int(mapped[0]).to_bytes(6, "big")


def frame(
    kind: int, subtype: int, *addresses: bytes, flags: int = 0, sequence: int = 0x0120, tail: bytes = b""
) -> bytes:
    """A frame; the sequence control stands behind the third address."""
    head = struct.pack("<BBH", subtype << 4 | kind << 2, flags, 44) + b"".join(addresses[:3])
    head += struct.pack("<H", sequence) if len(addresses) > 2 else b""
    return head + b"".join(addresses[3:]) + tail


def wireless(packet: bytes) -> tuple[bytes, int]:
    out, report = rewrite_packet(packet, MAP, link_type=105)
    assert len(out) == len(packet)
    assert [secret.hex() for secret in (*SECRETS, C, D) if secret in out] == []
    return out, report.bytes_zeroed


@pytest.mark.parametrize(
    ("subtype", "flags", "addresses", "between"),
    [
        (0, 0, (A, B, C), b""),
        (0, TO, (A, B, C), b""),
        (0, FROM | RETRY, (EVERYONE, B, C), b""),
        (0, TO | FROM, (A, B, C, D), b""),
        (8, TO, (A, B, C), b"\x06\x00"),
        (8, TO | ORDER, (A, B, C), b"\x06\x00\x01\x02\x03\x04"),
        (8, TO | FROM, (A, B, C, D), b"\x00\x00"),
        (8, TO | FROM | ORDER, (A, B, C, D), b"\x00\x00\x01\x02\x03\x04"),
        (8, TO, (A, B, C), b"\x00\xff"),
        (8, FROM, (A, B, C), b"\x00\x01"),
        (1, FROM, (A, B, C), b""),
    ],
)
def test_addresses_of_data_frames_change_and_their_payload_is_entered(
    subtype: int, flags: int, addresses: tuple[bytes, ...], between: bytes
) -> None:
    body = between + SNAP + udp4(b"payload")
    out, zeroed = wireless(frame(DATA, subtype, *addresses, flags=flags, tail=body))
    wanted = frame(DATA, subtype, *map(new, addresses), flags=flags, tail=between + SNAP)
    assert out[: len(wanted)] == wanted
    assert read_packet(out[len(wanted) :], 101).wrong() == []
    assert out.endswith(b"payload")
    assert zeroed == 0


def test_arp_and_ipv6_are_entered_too() -> None:
    out, _ = wireless(frame(DATA, 0, A, B, C, tail=SNAP[:6] + b"\x08\x06" + arp()))
    assert out.count(new(A)) == out.count(new(B)) == 2
    out, zeroed = wireless(frame(DATA, 0, A, B, C, tail=SNAP[:6] + b"\x86\xdd" + udp6()))
    assert unchanged(udp6(), out[32:], 101) == []
    assert zeroed == 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_addresses_of_a_mesh_change(count: int) -> None:
    mesh = bytes([count, 31]) + b"\x01\x00\x00\x00"
    body = b"\x00\x01" + mesh + b"".join((C, D)[:count]) + SNAP + udp4()
    out, zeroed = wireless(frame(DATA, 8, A, B, C, D, flags=TO | FROM, tail=body))
    wanted = b"\x00\x01" + mesh + b"".join(map(new, (C, D)[:count])) + SNAP
    assert out[30 : 30 + len(wanted)] == wanted
    assert zeroed == 0


@pytest.mark.parametrize(
    "packet",
    [
        frame(DATA, 0, A, B, C, flags=TO | PROTECTED, tail=SNAP + udp4()),
        frame(DATA, 0, A, B, C, sequence=0x0121, tail=SNAP + udp4()),
        frame(DATA, 8, A, B, C, tail=b"\x80\x00" + A + B + b"\x00\x20" + SNAP + udp4()),
        frame(DATA, 0, A, B, C, tail=b"\x42\x42\x03" + A + B),
        frame(DATA, 4, A, B, C, tail=A + B),
        frame(DATA, 8, A, B, C, D, flags=3, tail=b"\x00\x01\x03\x1f\x01\0\0\0" + A + B + C + SNAP + udp4()),
        frame(DATA, 8, A, B, C, D, flags=3, tail=b"\x00\x01\x01\x1f\x01\0\0\0" + A + b"\x42\x42\x03" + B),
    ],
    ids=["protected", "later fragment", "aggregate", "other llc", "no data", "reserved mesh", "no snap behind mesh"],
)
def test_what_a_data_frame_holds_otherwise_is_zeroed(packet: bytes) -> None:
    out, zeroed = wireless(packet)
    header = 30 if packet[1] & 3 == 3 else 24
    header += 2 if packet[0] & 0x80 else 0
    assert out[4:22] == new(A) + new(B) + new(C)
    assert out[header:] == bytes(len(packet) - header)
    assert zeroed > 0


BEACON = b"timestmp\x64\x00\x31\x04"
NAME = b"\x00\x08Ward 3-A"


@pytest.mark.parametrize(
    ("subtype", "fixed"),
    [
        (0, b"\x31\x04\x0a\x00"),
        (1, b"\x31\x04\x00\x00\x01\xc0"),
        (3, b"\x31\x04\x00\x00\x01\xc0"),
        (4, b""),
        (5, BEACON),
        (8, BEACON),
        (10, b"\x08\x00"),
        (11, b"\x00\x00\x01\x00\x00\x00"),
        (12, b"\x07\x00"),
        (13, b""),
        (9, b""),
    ],
)
def test_of_management_frames_the_addresses_and_fixed_fields_are_left(subtype: int, fixed: bytes) -> None:
    out, _ = wireless(frame(MANAGEMENT, subtype, A, B, C, tail=fixed + NAME + A))
    assert out == frame(MANAGEMENT, subtype, new(A), new(B), new(C), tail=fixed + bytes(len(NAME) + 6))


def test_the_access_point_a_station_comes_from_changes() -> None:
    out, _ = wireless(frame(MANAGEMENT, 2, A, B, C, tail=b"\x31\x04\x0a\x00" + D + NAME))
    assert out[24:34] == b"\x31\x04\x0a\x00" + new(D)
    assert out[34:] == bytes(len(NAME))


@pytest.mark.parametrize("change", [{"flags": PROTECTED}, {"sequence": 0x0121}])
def test_protected_management_frames_and_later_fragments_lose_all_fields(change: dict[str, int]) -> None:
    out, _ = wireless(frame(MANAGEMENT, 12, A, B, C, tail=b"\x07\x00" + A, **change))
    assert out[24:] == bytes(8)


def test_a_management_frame_may_have_a_control_field() -> None:
    out, _ = wireless(frame(MANAGEMENT, 8, A, B, C, flags=ORDER, tail=b"htct" + BEACON + NAME))
    assert out[24:] == b"htct" + BEACON + bytes(len(NAME))


@pytest.mark.parametrize(
    ("subtype", "addresses"),
    [(7, 1), (12, 1), (13, 1), (4, 2), (5, 2), (8, 2), (9, 2), (10, 2), (11, 2), (14, 2), (15, 2)],
)
def test_control_frames_have_one_or_two_addresses_and_nothing_else(subtype: int, addresses: int) -> None:
    out, _ = wireless(frame(CONTROL, subtype, *(A, B)[:addresses], tail=C + D))
    assert out == frame(CONTROL, subtype, *map(new, (A, B)[:addresses]), tail=bytes(12))


@pytest.mark.parametrize("packet", [frame(CONTROL, 2, A, B), frame(3, 0, A, B), b"\x81" + frame(DATA, 0, A, B, C)[1:]])
def test_other_frames_are_zeroed(packet: bytes) -> None:
    out, _ = wireless(packet)
    assert out[4:] == bytes(len(packet) - 4)


def test_a_transmitter_that_tells_of_a_bandwidth_is_still_itself() -> None:
    marked = bytes([A[0] | 1]) + A[1:]
    out, _ = wireless(frame(CONTROL, 11, B, marked))
    assert out[10:] == bytes([new(A)[0] | 1]) + new(A)[1:]


@pytest.mark.parametrize("length", range(38))
def test_a_cut_frame_loses_its_addresses(length: int) -> None:
    for kind, subtype in ((DATA, 8), (MANAGEMENT, 8), (CONTROL, 11)):
        packet = frame(kind, subtype, A, B, C, flags=ORDER, tail=bytes(14))
        out, _ = wireless(packet[:length])
        for mac in (A, B, C):
            assert not any(mac[:size] in out for size in range(3, 7))
