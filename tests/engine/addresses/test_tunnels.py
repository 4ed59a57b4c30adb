import struct

import pytest

from tests.captures import (
    IP6_A,
    IP6_B,
    IP_C,
    IP_D,
    checksum,
    ethernet,
    ip_bytes,
    ipv4,
    ipv6,
    tcp4,
    udp,
    udp4,
    udp6,
    with_checksum,
)
from tests.engine.doubles import rewrite_packet
from tests.engine.judging import MAP, rewritten, understood
from tests.engine.reading import read_packet

INNER = udp4(source=IP_C, destination=IP_D)
VXLAN = b"\x08\0\0\0\0\0\x05\0"


def gre(kind: int, payload: bytes, *, flags: int = 0, extra: bytes = b"") -> bytes:
    return struct.pack(">BBH", flags, 0, kind) + extra + payload


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(INNER, 4),
        ipv4(udp6(), 41),
        ipv4(gre(0x0800, INNER), 47),
        ipv4(gre(0x86DD, udp6(), flags=0x30, extra=bytes(8)), 47),
        ipv4(gre(0x6558, ethernet(INNER)), 47),
        ipv4(b"\0\0\x51\x40" + INNER, 137),
        udp4(VXLAN + ethernet(INNER), ports=(9, 4789)),
        udp4(VXLAN + ethernet(INNER), ports=(9, 8472)),
        udp4(b"\0\0\x65\x58\0\0\x05\0" + ethernet(INNER), ports=(9, 6081)),
        udp4(b"\x30\xff" + struct.pack(">HI", len(INNER), 7) + INNER, ports=(2152, 2152)),
        udp4(b"\x32\xff" + struct.pack(">HI", len(INNER) + 4, 7) + bytes(4) + udp6(), ports=(2152, 2152)),
        ipv4(ipv4(ipv4(INNER, 4), 4), 4),
    ],
    ids=[
        "ipip",
        "6in4",
        "gre",
        "gre6",
        "gre ethernet",
        "mpls",
        "vxlan",
        "vxlan linux",
        "geneve",
        "gtp",
        "gtp seq",
        "deep",
    ],
)
def test_packets_inside_are_rewritten_and_checksums_outside_stay_right(packet: bytes) -> None:
    out = understood(ethernet(packet))
    assert read_packet(out).wrong() == []


def test_4in6_is_entered() -> None:
    understood(ethernet(ipv6(INNER, 4), kind=0x86DD))


def test_a_checksum_of_gre_takes_what_changed_below() -> None:
    packet = with_checksum(gre(0x86DD, udp6(source=IP6_B, destination=IP6_A), flags=0x80, extra=bytes(4)), 4)
    out = understood(ethernet(ipv4(packet, 47)))
    assert checksum(out[34:]) == 0


def test_an_outer_udp_checksum_takes_what_was_zeroed_inside() -> None:
    odd = ethernet(b"\x02\x07\x04secret", kind=0x88CC)
    out, report = rewritten(ethernet(udp4(VXLAN + odd, ports=(9, 4789))))
    assert b"secret" not in out
    assert report.packets_opaque == 1
    assert read_packet(out).wrong() == []


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(gre(0x880B, ip_bytes(IP_C)), 47),
        ipv4(gre(0x0800, INNER, flags=0x40), 47),
        ipv4(b"\x20\x01\x88\x0b" + ip_bytes(IP_C), 47),
        udp4(b"\x30\x1a" + struct.pack(">HI", 4, 0) + ip_bytes(IP_C), ports=(2152, 2152)),
        udp4(b"\x34\xff" + struct.pack(">HI", 4, 0) + ip_bytes(IP_C), ports=(2152, 2152)),
        udp4(b"\x01" * 8 + ip_bytes(IP_C), ports=(1701, 1701)),
        udp4(INNER, ports=(9, 3544)),
        udp4(b"\x01\0\x08\0\0\0\0\0" + ip_bytes(IP_C) + INNER, ports=(9, 6081)),
    ],
    ids=["gre ppp", "gre routing", "gre 1", "gtp control", "gtp extension", "l2tp", "teredo", "geneve option"],
)
def test_tunnels_that_are_not_understood_are_zeroed(packet: bytes) -> None:
    out, report = rewritten(ethernet(packet))
    assert report.packets_opaque == 1
    assert read_packet(out).wrong() == []


@pytest.mark.parametrize("length", range(14))
def test_a_frame_that_is_cut_in_its_header_is_zeroed(length: int) -> None:
    """The snap length may leave whole MAC addresses of it."""
    whole = ethernet(udp4(VXLAN + ethernet(INNER), ports=(9, 4789)))
    out, report = rewritten(whole[: 50 + length])
    assert out[42:] == VXLAN + bytes(length)
    assert report.packets_cut == 1


def test_options_of_geneve_that_are_cut_are_zeroed() -> None:
    header = b"\x02\0\x08\0\0\0\0\0"
    out, report = rewritten(ethernet(udp4(header + b"option.", ports=(9, 6081))))
    assert out[42:] == header + bytes(7)
    assert report.packets_cut == 1


@pytest.mark.parametrize("payload", [b"", b"\x00" * 30, b"\xff\xff", b"\xc0" + bytes(40)])
@pytest.mark.parametrize("port", [4789, 6081, 2152])
def test_a_datagram_that_only_shares_the_port_is_payload(payload: bytes, port: int) -> None:
    packet = ethernet(ipv4(udp(payload, destination_port=port), 17))
    if port == 6081 and payload == b"\x00" * 30:
        return
    out, report = rewritten(packet)
    assert out[42:] == payload
    assert report.bytes_kept == len(payload)


@pytest.mark.parametrize("length", range(34, 80))
def test_a_cut_tunnel_shows_no_address(length: int) -> None:
    rewritten(ethernet(ipv4(gre(0x0800, INNER, flags=0xB0, extra=bytes(12)), 47))[:length])


def test_what_lies_too_deep_is_zeroed() -> None:
    packet = tcp4(b"deep")
    for _ in range(40):
        packet = udp4(VXLAN + ethernet(packet), ports=(9, 4789))
    out, report = rewrite_packet(ethernet(packet), MAP)
    assert report.packets_opaque == 1
    assert b"deep" not in out
    left = read_packet(out).checksums
    assert left == read_packet(ethernet(packet)).checksums[: len(left)]
