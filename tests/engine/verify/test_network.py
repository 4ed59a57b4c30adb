import struct

import pytest

from tests.captures import IP6_B, IP_C, IP_D, Packet, ethernet, ip_bytes, ipv4, ipv6, pcap, udp, udp6
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, prove_packet, replaced

OPTIONS = {
    "security": (b"\x82\x0b" + bytes(range(1, 10)), 0),
    "router alert": (b"\x94\x04\0\0", 0),
    "stream": (b"\x88\x04\x01\x02", 0),
    "unknown": (b"\x55\x06\x01\x02\x03\x04", 4),
    "malformed": (b"\x07\x30\x01\x02", 4),
    "behind the end": (b"\0\x01\x02\x03", 3),
    "times alone": (b"\x44\x08\x09\0\x01\x02\x03\x04", 0),
    "other times": (b"\x44\x08\x09\x02\x01\x02\x03\x04", 4),
    "short times": (b"\x44\x03\x09\0", 0),
    "rest of a route": (b"\x07\x09\x04" + ip_bytes(IP_C) + b"\x01\x02", 2),
    "no route": (b"\x07\x02\x01\x01", 0),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_ipv4_options_are_known_or_unknown(name: str) -> None:
    options, unknown = OPTIONS[name]
    verification = prove_packet(ethernet(ipv4(udp(), 17, options=options)))
    assert verification.ledger.unknown == unknown
    assert verification.status is (Status.UNVERIFIABLE if unknown else Status.PARTIAL)


EXTENSIONS = {
    "pads": (0, b"\x11\0\0\0\0\0\0\0", 0),
    "tunnel limit": (60, b"\x11\0\x04\x01\x03\x01\x01\0", 0),
    "router alert": (0, b"\x11\0\x05\x02\0\0\x01\0", 0),
    "unknown option": (60, b"\x11\0\x3e\x04\x01\x02\x03\x04", 4),
    "malformed option": (60, b"\x11\0\x3e\x09\x01\x02\x03\x04", 6),
    "unknown route": (43, b"\x11\0\x09\x01\x01\x02\x03\x04", 4),
    "authentication": (51, b"\x11\x02\0\0" + bytes(range(1, 13)), 4),
    "mobility": (135, b"\x11\0\x05\0\x01\x02\x03\x04", 4),
    "fragment": (44, b"\x11\0\0\0\0\0\0\x01", 0),
    "behind the segments": (
        43,
        struct.pack(">BBBBBBH", 17, 3, 4, 0, 0, 0, 0) + ip_bytes(IP6_B) + b"\x05\x06" + bytes(5) + b"\x01",
        3,
    ),
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_ipv6_extensions_are_known_or_unknown(name: str) -> None:
    kind, header, unknown = EXTENSIONS[name]
    datagram = udp(source="2001:db8:1:2:211:22ff:fe33:4455", destination=IP6_B)
    verification = prove_packet(ethernet(ipv6(datagram, kind, extensions=header), kind=0x86DD))
    assert verification.ledger.unknown == unknown
    assert verification.interference.checksums_good == 1
    assert verification.status is (Status.UNVERIFIABLE if unknown else Status.PARTIAL)


def test_a_route_at_its_end_leads_nowhere_else() -> None:
    route = struct.pack(">BBBBI", 17, 2, 0, 0, 0) + ip_bytes("2001:db8:cccc:dddd::99")
    datagram = udp(source="2001:db8:1:2:211:22ff:fe33:4455", destination=IP6_B)
    verification = prove_packet(ethernet(ipv6(datagram, 43, extensions=route), kind=0x86DD))
    assert verification.interference.checksums_good == 1
    options = b"\x83\x07\x08" + ip_bytes(IP_D)
    assert prove_packet(ethernet(ipv4(udp(), 17, options=options))).interference.checksums_good == 2


@pytest.mark.parametrize("length", [1, 7, 15, 23, 39])
def test_a_cut_ipv6_header_keeps_no_address(length: int) -> None:
    packet = udp6()[:length]
    before = pcap([Packet(data=packet, original_length=100)], link_type=101)
    clean = packet[:8].ljust(length, b"\0")
    assert_sound(prove(before, pcap([Packet(data=clean[:length], original_length=100)], link_type=101)))
    if length > 8:
        assert prove(before, before).ledger.unknown > 0


def test_a_cut_extension_is_zero_behind_its_length() -> None:
    packet = ipv6(b"", 60, extensions=b"\x11\x05\x01\x02\x03\x04\x05\x06")
    output = replaced(packet)
    assert prove_packet(packet, output, link_type=101).ledger.unknown == 6
    assert_sound(prove_packet(packet, output[:42] + bytes(6), link_type=101))


@pytest.mark.parametrize("start", [b"\x55", b"\x44", b"\x45\0\0\x10"])
def test_a_header_that_cannot_be_is_read_by_nobody(start: bytes) -> None:
    packet = start + ipv4(b"", 59)[len(start) :]
    verification = prove_packet(packet, packet, link_type=228)
    assert verification.ledger.rewritten == 0
    assert Reason.BYTES_UNKNOWN in verification.reasons


def test_a_trailer_is_unknown() -> None:
    packet = ethernet(ipv4(b"", 59)) + b"\x01\x02\0\x03"
    assert prove_packet(packet).ledger.unknown == 3


def test_a_length_of_zero_means_all_there_is() -> None:
    big = ipv4(udp(), 17, total=0)
    assert_sound(prove_packet(big, link_type=228))
    jumbo = udp6()[:4] + b"\0\0" + udp6()[6:]
    verification = prove_packet(jumbo, link_type=229)
    assert_sound(verification)
    assert verification.interference.checksums_absent == 1
