import struct

import pytest

from tests.captures import (
    IP6_A,
    IP6_B,
    IP6_C,
    IP_C,
    IP_D,
    Packet,
    ethernet,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    pcap,
    tcp,
    tcp4,
    udp,
    udp4,
    udp6,
)
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, prove_packet, replaced

OPTIONS = {
    "security": (b"\x82\x0b" + bytes(range(1, 10)), 0),
    "router alert": (b"\x94\x04\0\x01", 0),
    "stream": (b"\x88\x04\x01\x02", 0),
    "unknown": (b"\x55\x06\x01\x02\x03\x04", 4),
    "malformed": (b"\x07\x30\x01\x02", 4),
    "behind the end": (b"\0\x01\x02\x03", 3),
    "behind the end like an option": (b"\0\x04\x01\x02", 3),
    "times alone": (b"\x44\x08\x09\0\x01\x02\x03\x04", 0),
    "other times": (b"\x44\x08\x09\x02\x01\x02\x03\x04", 4),
    "times of these hosts": (b"\x44\x0c\x05\x03" + ip_bytes(IP_C) + b"\0\0\0\x01", 0),
    "other times of hosts": (b"\x44\x0c\x05\x02" + bytes(range(1, 9)), 8),
    "short times and no option": (b"\x44\x03\x09\x55", 1),
    "short times and an option": (b"\x44\x03\x09\x50\x02", 0),
    "short times": (b"\x44\x03\x09\0", 0),
    "rest of a route": (b"\x07\x09\x04" + ip_bytes(IP_C) + b"\x01\x02", 2),
    "strict route": (b"\x89\x07\x08" + ip_bytes(IP_C), 0),
    "no route and no option": (b"\x07\x02\x55\x30", 2),
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
    "an odd pad": (0, b"\x11\0\0\x05\x02\0\x01\0", 0),
    "tunnel limit": (60, b"\x11\0\x04\x01\x03\x01\x01\0", 0),
    "router alert": (0, b"\x11\0\x05\x02\0\x01\x01\0", 0),
    "as long as a home address": (60, b"\x11\x02\x3e\x10" + b"\x07" * 16 + b"\x01\x02\0\0", 16),
    "jumbo payload": (0, b"\x11\0\xc2\x04\0\x01\x02\x03", 0),
    "quick start": (0, b"\x11\x01\x26\x06" + bytes(range(1, 7)) + b"\x01\x04" + bytes(4), 0),
    "no home address": (60, b"\x11\x01\xc9\x08" + bytes(range(1, 9)) + b"\x01\x02\0\0", 8),
    "unknown option": (60, b"\x11\0\x3e\x04\x01\x02\x03\x04", 4),
    "malformed option": (60, b"\x11\0\x3e\x09\x01\x02\x03\x04", 6),
    "unknown route": (43, b"\x11\0\x09\x01\x01\x02\x03\x04", 4),
    "authentication": (51, b"\x11\x02\0\0" + bytes(range(1, 13)), 4),
    "mobility": (135, b"\x11\0\x05\0\x01\x02\x03\x04", 4),
    "host identity": (139, b"\x11\0\x05\0\x01\x02\x03\x04", 4),
    "shim": (140, b"\x11\0\x05\0\x01\x02\x03\x04", 4),
    "fragment": (44, b"\x11\0\0\0\0\0\0\x01", 0),
    "fragment with reserved bits": (44, b"\x11\x05\0\0\0\0\0\x01", 0),
    "more behind the segments": (
        43,
        struct.pack(">BBBBBBH", 17, 4, 4, 0, 0, 0, 0) + ip_bytes(IP6_B) + b"\x05\x0e" + b"\x07" * 14,
        16,
    ),
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
    last = ipv4(udp(destination=IP_D), 17, options=b"\x83\x07\x07" + ip_bytes(IP_D))
    assert prove_packet(ethernet(last)).interference.checksums_good == 2


@pytest.mark.parametrize("kind", [0, 2])
def test_a_route_leads_to_its_last_address(kind: int) -> None:
    route = struct.pack(">BBBBI", 17, 2, kind, 1, 0) + ip_bytes(IP6_C)
    datagram = udp(source=IP6_A, destination=IP6_C)
    verification = prove_packet(ethernet(ipv6(datagram, 43, extensions=route), kind=0x86DD))
    assert_sound(verification)
    assert verification.interference.checksums_good == 1


def test_a_route_of_many_leads_to_the_last() -> None:
    route = struct.pack(">BBBBI", 17, 4, 0, 2, 0) + ip_bytes(IP6_B) + ip_bytes(IP6_C)
    verification = prove_packet(ethernet(ipv6(udp(source=IP6_A, destination=IP6_C), 43, extensions=route), kind=0x86DD))
    assert_sound(verification)
    assert verification.interference.checksums_good == 1


@pytest.mark.parametrize("protocol", [6, 58])
def test_extensions_are_no_part_of_what_is_summed(protocol: int) -> None:
    message = tcp(source=IP6_A, destination=IP6_B) if protocol == 6 else icmpv6(128, b"ping")
    packet = ethernet(ipv6(message, 60, extensions=bytes([protocol]) + b"\0\x01\x04" + bytes(4)), kind=0x86DD)
    assert prove_packet(packet).interference.checksums_good == 1


@pytest.mark.parametrize(
    "packet", [ethernet(tcp4()), ethernet(ipv6(tcp(source=IP6_A, destination=IP6_B), 6), kind=0x86DD)]
)
def test_what_lies_behind_a_packet_is_no_payload(packet: bytes) -> None:
    assert prove_packet(packet + b"\x01\x02").ledger.unknown == 2


@pytest.mark.parametrize(("kind", "packet", "most"), [(b"\x08\0", udp4(), 20), (b"\x86\xdd", udp6(), 40)])
def test_a_header_ends_where_what_holds_it_does(kind: bytes, packet: bytes, most: int) -> None:
    """A header that is cut by the length of an LLC frame keeps what tells no address."""
    for length in range(1, most):
        inner = b"\xaa\xaa\x03\0\0\0" + kind + packet[:length]
        cut = ethernet(inner, kind=len(inner)) + b"\x07" * most
        kept = packet[: min(length, 10 if most == 20 else 8)]
        output = replaced(ethernet(b"", kind=len(inner))) + inner[:8] + kept.ljust(length, b"\0") + b"\x07" * most
        verification = prove_packet(cut, output)
        assert verification.ledger.unknown == most
        assert prove_packet(cut, cut).ledger.kept_by_rule == 12


def test_options_end_where_what_holds_the_header_does() -> None:
    inner = b"\xaa\xaa\x03\0\0\0\x08\0" + ipv4(b"", 59, options=b"\x01" * 40)[:24]
    packet = ethernet(inner, kind=len(inner)) + b"\x01" * 40
    verification = prove_packet(packet)
    assert verification.ledger.unknown == 40
    assert verification.interference.checksums_absent == 1
    assert_sound(prove_packet(packet, replaced(packet)[:-40] + bytes(40)))


def test_a_short_extension_is_none() -> None:
    assert prove_packet(ethernet(ipv6(b"\x11\0\x05\x02", 60), kind=0x86DD) + b"\x07" * 8).ledger.unknown == 11


def test_the_first_fragment_has_no_checksum() -> None:
    fragment = struct.pack(">BBHI", 17, 0, 1, 1)
    packet = ethernet(ipv6(udp(source=IP6_A, destination=IP6_B), 44, extensions=fragment), kind=0x86DD)
    assert prove_packet(packet).interference.checksums_absent == 1


def test_segments_end_with_their_header() -> None:
    segments = struct.pack(">BBBBBBH", 17, 2, 4, 0, 3, 0, 0) + ip_bytes(IP6_B)
    datagram = udp(source=IP6_A, destination=IP6_B)
    verification = prove_packet(ethernet(ipv6(datagram, 43, extensions=segments), kind=0x86DD))
    assert_sound(verification)
    assert verification.ledger.kept_by_rule == 0


@pytest.mark.parametrize("kind", [0x0800, 0x86DD])
def test_another_version_is_read_by_nobody(kind: int) -> None:
    packet = ethernet(b"\x55" + (udp4() if kind == 0x0800 else udp6())[1:], kind=kind)
    assert prove_packet(packet).ledger.rewritten == 12


def test_a_later_fragment_has_no_extensions() -> None:
    fragment = struct.pack(">BBHI", 60, 0, 0x0100, 1)
    packet = ethernet(ipv6(b"\x11\0\x05\x02\x01\x02\x01\0", 44, extensions=fragment), kind=0x86DD)
    assert prove_packet(packet).ledger.unknown == 6


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
