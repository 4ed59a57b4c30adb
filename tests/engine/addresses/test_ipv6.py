import struct

import pytest

from tests.captures import (
    IP6_A,
    IP6_B,
    IP6_C,
    UDP,
    checksum,
    ethernet,
    ip_bytes,
    ipv6,
    pseudo_header,
    udp,
    udp6,
    with_checksum,
)
from tests.engine.judging import rewritten, understood

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, OPTIONS = 0, 43, 44, 51, 60
DATAGRAM = udp(source=IP6_A, destination=IP6_B)


def frame(packet: bytes) -> bytes:
    return ethernet(packet, kind=0x86DD)


def routing(kind: int, left: int, *addresses: str, tail: bytes = b"") -> bytes:
    body = b"".join(ip_bytes(address) for address in addresses) + tail
    return struct.pack(">BBBBBBH", UDP, len(body) // 8, kind, left, len(addresses) - 1, 0, 0) + body


def test_addresses_change_and_the_payload_stays() -> None:
    assert understood(frame(udp6())).endswith(b"x" * 33)


@pytest.mark.parametrize(
    ("first", "extensions"),
    [
        (HOP_BY_HOP, bytes([UDP, 0, 5, 2, 0, 0, 1, 0])),
        (OPTIONS, bytes([UDP, 0, 1, 4, 0, 0, 0, 0])),
        (FRAGMENT, bytes([UDP, 0, 0, 1, 0, 0, 0, 9])),
        (HOP_BY_HOP, bytes([OPTIONS, 0, 1, 4, 0, 0, 0, 0]) + bytes([UDP, 0, 1, 4, 0, 0, 0, 0])),
    ],
)
def test_extension_headers_are_followed(first: int, extensions: bytes) -> None:
    packet = frame(ipv6(DATAGRAM, first, extensions=extensions))
    out = understood(packet)
    datagram = out[-len(DATAGRAM) :]
    assert checksum(out[22:54] + struct.pack(">IxxxB", len(datagram), UDP) + datagram) == 0


@pytest.mark.parametrize(
    ("kind", "left", "addresses", "final"),
    [(0, 1, [IP6_C, IP6_B], 1), (2, 1, [IP6_C], 0), (4, 1, [IP6_C, IP6_B], 0), (4, 0, [IP6_C, IP6_B], None)],
)
def test_a_routing_header_decides_the_address_in_the_checksum(
    kind: int, left: int, addresses: list[str], final: int | None
) -> None:
    destination = IP6_B if final is None else addresses[final]
    datagram = udp(source=IP6_A, destination=destination)
    out = understood(frame(ipv6(datagram, ROUTING, extensions=routing(kind, left, *addresses))))
    route, rest = out[54 + 8 :], out[-len(datagram) :]
    last = out[38:54] if final is None else route[16 * final : 16 * final + 16]
    assert checksum(out[22:38] + last + struct.pack(">IxxxB", len(rest), UDP) + rest) == 0


def test_segment_routing_extras_and_unknown_routes_are_zeroed() -> None:
    tail = b"\x05\x06" + b"secret"
    out, report = rewritten(frame(ipv6(DATAGRAM, ROUTING, extensions=routing(4, 0, IP6_C, tail=tail))))
    assert b"secret" not in out
    assert report.packets_opaque == 1
    _, report = rewritten(frame(ipv6(DATAGRAM, ROUTING, extensions=routing(3, 1, IP6_C))))
    assert report.packets_opaque == 1


def test_a_home_address_changes_and_counts_in_the_checksum() -> None:
    options = bytes([UDP, 2, 1, 2, 0, 0, 0xC9, 16]) + ip_bytes(IP6_C)
    datagram = udp(source=IP6_C, destination=IP6_B)
    out = understood(frame(ipv6(datagram, OPTIONS, extensions=options)))
    home, rest = out[62:78], out[-len(datagram) :]
    assert checksum(home + out[38:54] + struct.pack(">IxxxB", len(rest), UDP) + rest) == 0


@pytest.mark.parametrize(
    ("first", "extensions"),
    [
        (OPTIONS, bytes([UDP, 2, 0x1E, 20]) + ip_bytes(IP6_C) + bytes(4)),
        (OPTIONS, bytes([UDP, 2, 0xC9, 99]) + ip_bytes(IP6_C) + bytes(4)),
        (AUTHENTICATION, bytes([UDP, 4, 0, 0]) + bytes(8) + ip_bytes(IP6_C)[:12]),
        (135, bytes([UDP, 2, 5, 0]) + b"\x12\x34" + ip_bytes(IP6_C) + bytes(2)),
    ],
    ids=["unknown option", "option too long", "authentication", "mobility"],
)
def test_what_is_not_understood_in_extensions_is_zeroed(first: int, extensions: bytes) -> None:
    out, report = rewritten(frame(ipv6(DATAGRAM, first, extensions=extensions)))
    assert report.packets_opaque == 1
    assert out.endswith(b"x" * 33)


def test_a_later_fragment_keeps_only_payload() -> None:
    far = frame(ipv6(b"payload!", FRAGMENT, extensions=struct.pack(">BBHI", UDP, 0, 128, 9)))
    assert understood(far).endswith(b"payload!")
    near = frame(ipv6(ip_bytes(IP6_C), FRAGMENT, extensions=struct.pack(">BBHI", UDP, 0, 8, 9)))
    assert rewritten(near)[1].packets_opaque == 1


@pytest.mark.parametrize("length", range(54, 54 + 32))
def test_an_extension_that_is_cut_is_zeroed(length: int) -> None:
    packet = frame(ipv6(DATAGRAM, ROUTING, extensions=routing(4, 1, IP6_C)))
    _, report = rewritten(packet[:length])
    assert report.packets_cut == 1 or length >= 78


def test_a_jumbogram_reaches_to_the_end_of_the_frame() -> None:
    extension = bytes([UDP, 0, 0xC2, 4]) + struct.pack(">I", 8 + len(DATAGRAM))
    packet = bytearray(frame(ipv6(DATAGRAM, HOP_BY_HOP, extensions=extension)))
    packet[18:20] = bytes(2)
    assert understood(bytes(packet)).endswith(b"x" * 33)


@pytest.mark.parametrize("first", [0x40, 0x70])
def test_another_version_is_zeroed(first: int) -> None:
    packet = frame(bytes([first]) + udp6()[1:])
    out, report = rewritten(packet)
    assert out[14:] == bytes(len(packet) - 14)
    assert report.packets_opaque == 1


def test_no_next_header_means_nothing_follows() -> None:
    data = with_checksum(DATAGRAM, 6, pseudo_header(IP6_A, IP6_B, 59, len(DATAGRAM)))
    _, report = rewritten(frame(ipv6(data, 59)))
    assert report.packets_opaque == 1
