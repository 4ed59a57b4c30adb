import struct

import pytest

from gql_server.domain.anonymization import NamePolicy
from tests.captures import IP_C, ethernet, ip_bytes, udp4
from tests.engine.doubles import rewrite_packet
from tests.engine.judging import MAP
from tests.engine.reading import read_packet

WARD, X = b"\x05Ward3\x02de\0", b"\x05xxxxx\x02xx\0"


def answer(kind: int, data: bytes, *, name: bytes = b"\0") -> bytes:
    return struct.pack(">HHHHHH", 1, 0x8180, 0, 1, 0, 0) + name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def masked(message: bytes) -> tuple[bytes, int]:
    packet = ethernet(udp4(message, ports=(53, 4000)))
    out, report = rewrite_packet(packet, MAP, names=NamePolicy.MASK)
    assert read_packet(out).checksums == read_packet(packet).checksums
    return out[42:], report.packets_opaque


@pytest.mark.parametrize(
    ("kind", "data", "mask"),
    [
        (2, WARD, X),
        (5, WARD, X),
        (12, WARD, X),
        (12, b"\x05Ward3\xc0\x0c", b"\x05xxxxx\xc0\x0c"),
        (39, WARD, X),
        (15, b"\0\x0a" + WARD, b"\0\x0a" + X),
        (33, bytes(6) + WARD, bytes(6) + X),
        (6, WARD + WARD + b"0" * 20, X + X + b"0" * 20),
        (17, WARD + b"\xc0\x0c", X + b"\xc0\x0c"),
        (16, b"\x06Ward 3\x00\x02ok", b"\x06xxxx x\x00\x02xx"),
        (13, b"\x03VAX\x03VMS", b"\x03xxx\x03xxx"),
        (35, bytes(4) + b"\x01u\x03sip\x00" + WARD, bytes(4) + b"\x01x\x03xxx\x00" + X),
        (46, b"s" * 18 + WARD + b"signature", b"s" * 18 + X + b"signature"),
        (47, WARD + b"\x00\x04bits", X + b"\x00\x04bits"),
        (43, b"digest", b"digest"),
        (48, b"key", b"key"),
    ],
)
def test_names_in_the_data_are_masked_and_numbers_stay(kind: int, data: bytes, mask: bytes) -> None:
    assert masked(answer(kind, data)) == (answer(kind, mask), 0)


@pytest.mark.parametrize(
    ("kind", "data"),
    [(10, b"Ward"), (99, b"\x04Ward"), (65, b"\0\x01" + WARD), (65280, b"Ward"), (12, b"\x09Ward"), (16, b"\x09Ward")],
)
def test_data_that_cannot_be_followed_or_is_of_another_kind_is_zeroed(kind: int, data: bytes) -> None:
    assert masked(answer(kind, data)) == (answer(kind, bytes(len(data))), 1)


def test_owner_names_are_masked_and_addresses_still_change() -> None:
    out, _ = masked(answer(1, ip_bytes(IP_C), name=WARD))
    assert out[12 : 12 + len(X)] == X
    assert ip_bytes(IP_C) not in out
    assert out[-4:] != bytes(4)


def test_data_cut_by_the_snap_length_is_zeroed() -> None:
    packet = ethernet(udp4(answer(16, b"\x0dWard 3, bed 4"), ports=(53, 4000)))
    out, _ = rewrite_packet(packet[:-4], MAP, names=NamePolicy.MASK)
    assert b"Ward" not in out


def test_options_other_than_cookies_are_zeroed() -> None:
    options = struct.pack(">HH", 10, 8) + b"cookies!" + struct.pack(">HH", 3, 6) + b"Ward 3"
    out, _ = masked(answer(41, options))
    assert out == answer(41, options.replace(b"Ward 3", bytes(6)))
