import struct

import pytest

from tests.captures import (
    ICMPV6,
    IP6_A,
    IP6_B,
    IP6_C,
    IP_A,
    IP_B,
    IP_C,
    IP_D,
    MAC_A,
    ethernet,
    icmp,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    mac_bytes,
    tcp4,
    udp,
    udp4,
    udp6,
)
from tests.engine.inspect.surveying import Found, find_in

INNER = udp4(source=IP_C, destination=IP_D, ports=(5, 6))
LINK = b"\x01\x01" + mac_bytes("00:aa:bb:cc:dd:ee")
TARGET = b"\x02\x01" + mac_bytes("00:aa:bb:cc:dd:ee")


def ends(found: Found) -> list[tuple[str, int | None, str, int | None]]:
    return [
        (str(row.initiator), row.initiator_port, str(row.responder), row.responder_port) for row in found.conversations
    ]


@pytest.mark.parametrize(
    ("packet", "names", "ports"),
    [
        (ipv4(INNER, 4), {"UDP"}, (None, None)),
        (ipv4(udp6(), 41), {"IPV6", "UDP"}, (None, None)),
        (ipv4(struct.pack(">HH", 0, 0x0800) + INNER, 47), {"GRE", "UDP"}, (None, None)),
        (ipv4(b"\xb0\0\x86\xdd" + bytes(12) + udp6(), 47), {"GRE", "IPV6", "UDP"}, (None, None)),
        (ipv4(struct.pack(">HH", 0, 0x6558) + ethernet(INNER), 47), {"GRE", "ETHERNET", "UDP"}, (None, None)),
        (ipv4(b"\0\0\x51\x40" + INNER, 137), {"MPLS", "UDP"}, (None, None)),
        (ipv4(b"\x30\0" + ethernet(INNER), 143), {"ETHERNET", "UDP"}, (None, None)),
        (udp4(b"\x08" + bytes(7) + ethernet(INNER), ports=(9, 4789)), {"UDP", "VXLAN", "ETHERNET"}, (9, 4789)),
        (udp4(b"\x08" + bytes(7) + ethernet(INNER), ports=(9, 8472)), {"UDP", "VXLAN", "ETHERNET"}, (9, 8472)),
        (udp4(b"\0\0\x08\0" + bytes(4) + INNER, ports=(9, 6081)), {"UDP", "GENEVE"}, (9, 6081)),
        (udp4(b"\x30\xff" + bytes(6) + udp6(), ports=(2152, 2152)), {"UDP", "GTP_U", "IPV6"}, (2152, 2152)),
        (udp4(b"\x32\xff" + bytes(10) + INNER, ports=(2152, 2152)), {"UDP", "GTP_U"}, (2152, 2152)),
    ],
)
def test_a_tunnel_is_one_conversation_of_its_ends_and_its_inside_counts_as_protocols(
    packet: bytes, names: set[str], ports: tuple[int | None, int | None]
) -> None:
    found = find_in(packet, link_type=101)
    assert ends(found) == [(IP_A, ports[0], IP_B, ports[1])]
    assert found.names() == names | {"IPV4"}
    assert {str(row.address) for row in found.talkers} == {IP_A, IP_B}


@pytest.mark.parametrize(
    "packet",
    [
        udp4(bytes(30), ports=(9, 4789)),
        udp4(b"\x08" + bytes(12), ports=(9, 4789)),
        udp4(b"\x3f" + bytes(30), ports=(9, 6081)),
        udp4(b"\xc0" + bytes(30), ports=(9, 6081)),
        udp4(b"\x20\xff" + bytes(30), ports=(9, 2152)),
        ipv4(b"\x40\0\x08\0" + bytes(4) + INNER, 47),
        ipv4(b"\0\x01\x08\0" + INNER, 47),
    ],
)
def test_a_tunnel_whose_structure_does_not_fit_is_not_entered(packet: bytes) -> None:
    assert find_in(packet, link_type=101).names() <= {"IPV4", "UDP", "GRE"}


@pytest.mark.parametrize(
    ("packet", "protocol", "ports"),
    [
        (tcp4(), "TCP", (40000, 80)),
        (udp4(), "UDP", (1111, 2222)),
        (udp6(), "UDP", (1111, 2222)),
        (ipv4(b"\0\x07\0\x08" + bytes(8), 132), "SCTP", (7, 8)),
        (ipv4(icmp(8, b""), 1), "ICMP", (None, None)),
        (ipv4(bytes(20), 89), "OSPF", (None, None)),
        (ipv4(bytes(20), 253), "IP_PROTOCOL_253", (None, None)),
        (ipv4(udp(), 17, fragment=0x2000), "UDP", (1111, 2222)),
        (ipv4(udp(), 17, fragment=1), "UDP", (None, None)),
        (ipv4(b"\x04\x57", 17), "UDP", (None, None)),
        (ipv4(udp(), 17, total=0), "UDP", (1111, 2222)),
        (ipv4(b"\x11\x01\0\0" + bytes(8) + udp(), 51), "UDP", (1111, 2222)),
        (ipv6(udp(), 51, extensions=b"\x11\x01\0\0" + bytes(8)), "UDP", (1111, 2222)),
        (ipv6(udp(), 0, extensions=b"\x3c\0" + bytes(6) + b"\x11\0" + bytes(6)), "UDP", (1111, 2222)),
        (ipv6(udp(), 44, extensions=b"\x11\0\0\x01" + bytes(4)), "UDP", (1111, 2222)),
        (ipv6(udp(), 44, extensions=b"\x11\0\0\x09" + bytes(4)), "UDP", (None, None)),
        (ipv6(b"", 59), "IPV6_NONXT", (None, None)),
    ],
)
def test_a_conversation_is_told_by_protocol_and_ports(
    packet: bytes, protocol: str, ports: tuple[int | None, int | None]
) -> None:
    (row,) = find_in(packet, link_type=101).conversations
    assert (row.protocol_name, row.initiator_port, row.responder_port) == (protocol, *ports)


@pytest.mark.parametrize(
    "packet", [udp4()[:19], b"\x44" + udp4()[1:], ipv4(udp(), 17, total=19), b"\x65" + udp6()[1:39]]
)
def test_a_header_that_makes_no_sense_is_no_conversation(packet: bytes) -> None:
    found = find_in(packet, link_type=101)
    assert found.conversations == ()
    assert "MALFORMED" in found.names()


def test_ip_options_are_no_ports() -> None:
    packet = ipv4(udp(), 17, options=b"\x94\x04\0\0")
    assert ends(find_in(packet, link_type=101)) == [(IP_A, 1111, IP_B, 2222)]


def test_an_icmp_error_is_not_the_conversation_it_quotes() -> None:
    (row,) = find_in(ipv4(icmp(3, INNER), 1), link_type=101).conversations
    assert (row.protocol_name, str(row.initiator)) == ("ICMP", IP_A)


@pytest.mark.parametrize(
    ("ports", "service"),
    [((1111, 53), "DNS"), ((53, 1111), "DNS"), ((53, 2575), "HL7"), ((1111, 11112), "DICOM"), ((1111, 2222), None)],
)
def test_a_service_is_told_by_its_port_the_destinations_first(ports: tuple[int, int], service: str | None) -> None:
    found = find_in(udp4(ports=ports), link_type=101)
    assert found.names() - {"IPV4", "UDP"} == ({service} if service else set())
    assert all(each.basis == ("PORT" if name == service else "HEADER") for name, each in found.protocols.items())


def neighbor(kind: int, body: bytes, *, source: str = IP6_A, hops: int = 255) -> bytes:
    packet = bytearray(ipv6(icmpv6(kind, body, source=source), ICMPV6, source=source))
    packet[7] = hops
    return ethernet(bytes(packet), kind=0x86DD)


def claims(packet: bytes) -> set[tuple[str, str, bool]]:
    pairs = find_in(packet).pairs
    return {(str(pair.address), pair.mac, pair.is_router) for pair in pairs if pair.claims}


@pytest.mark.parametrize(
    ("packet", "address", "is_router"),
    [
        (neighbor(133, LINK), IP6_A, False),
        (neighbor(134, bytes(8) + LINK), IP6_A, True),
        (neighbor(134, bytes(8) + b"\x05\x01" + bytes(6) + LINK), IP6_A, True),
        (neighbor(135, ip_bytes(IP6_B) + LINK), IP6_A, False),
        (neighbor(136, ip_bytes(IP6_C) + TARGET), IP6_C, False),
    ],
)
def test_neighbor_discovery_says_who_is_where(packet: bytes, address: str, is_router: bool) -> None:  # noqa: FBT001  # of a table
    assert claims(packet) == {(address, "00:aa:bb:cc:dd:ee", is_router)}


@pytest.mark.parametrize(
    "packet",
    [
        neighbor(135, ip_bytes(IP6_B) + LINK, hops=64),
        neighbor(135, ip_bytes(IP6_B) + LINK, source="::"),
        neighbor(136, ip_bytes(IP6_C) + LINK),
        neighbor(136, ip_bytes(IP6_C) + b"\x02\x01" + bytes(6)),
        neighbor(136, ip_bytes(IP6_C) + b"\x02\x01\x01\0\0\0\0\0"),
        neighbor(136, ip_bytes(IP6_C) + b"\x02\x00" + bytes(14)),
        neighbor(136, ip_bytes(IP6_C)[:10]),
        neighbor(128, ip_bytes(IP6_C) + LINK),
    ],
)
def test_what_only_looks_like_neighbor_discovery_claims_nothing(packet: bytes) -> None:
    assert claims(packet) == set()


def test_neighbor_discovery_inside_a_tunnel_claims_nothing() -> None:
    inner = neighbor(135, ip_bytes(IP6_B) + LINK)[14:]
    assert claims(ethernet(ipv4(inner, 41))) == set()


def test_the_sender_keeps_its_own_mac_beside_what_it_claims() -> None:
    pairs = find_in(neighbor(136, ip_bytes(IP6_A) + TARGET)).pairs
    assert {
        (str(pair.address), pair.mac, pair.packets_sent, pair.claims)
        for pair in pairs
        if pair.mac != "00:11:22:33:44:66"
    } == {
        (IP6_A, MAC_A, 1, 0),
        (IP6_A, "00:aa:bb:cc:dd:ee", 0, 1),
    }
