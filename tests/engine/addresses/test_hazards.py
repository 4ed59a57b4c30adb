"""Places where addresses leak from captures: one packet for each, rewritten by key.

The first 39 are those of the project's study of other tools; what else networks of hospitals and companies carry
follows. Where a protocol is read, the pseudonym stands in the address's place; elsewhere there are zeros.
"""

import struct
from dataclasses import dataclass

import numpy as np
import pytest

from tests.captures import (
    IP6_A,
    IP6_B,
    IP6_C,
    IP_A,
    IP_B,
    IP_C,
    IP_D,
    MAC_A,
    MAC_B,
    PAYLOAD,
    arp,
    dhcp_request,
    dns_answer,
    ethernet,
    icmp,
    icmpv6,
    ip_bytes,
    ipv4,
    ipv6,
    mac_bytes,
    tcp,
    tcp4,
    udp,
    udp4,
    udp6,
    vlan,
    with_checksum,
)
from tests.engine.doubles import rewrite_packet
from tests.engine.judging import MAP
from tests.engine.reading import read_packet

ALL_NODES, ROUTERS, PREFIX = "ff02::1", "224.0.0.18", "2001:db8:cccc:dddd::"
A4, B4, C4, D4 = (ip_bytes(text) for text in (IP_A, IP_B, IP_C, IP_D))
A6, B6, C6 = (ip_bytes(text) for text in (IP6_A, IP6_B, IP6_C))
MA, MB = mac_bytes(MAC_A), mac_bytes(MAC_B)
SECRETS = [A4, B4, C4, D4, A6, B6, C6, MA, MB]
VXLAN = b"\x08\0\0\0\0\0\x05\0"
BIG = udp4(b"y" * 2950)
LINK = b"\x01\x01" + MA


@dataclass(frozen=True)
class Hazard:
    packet: bytes
    checksums: str
    """Those another reader can verify, from the outermost in, each with + when right and - when wrong."""
    zeroed: int | None = None
    """Where the zeros begin, from the start of the packet; all is read where there is none."""


def wrong(packet: bytes, place: int) -> bytes:
    """Break a checksum."""
    return packet[:place] + bytes([packet[place] ^ 0x12, packet[place + 1] ^ 0x34]) + packet[place + 2 :]


def raw4(protocol: int, data: bytes, *, destination: str = IP_B) -> bytes:
    return ethernet(ipv4(data, protocol, destination=destination))


def six(data: bytes, protocol: int, *, destination: str = IP6_B, extensions: bytes = b"") -> bytes:
    return ethernet(ipv6(data, protocol, destination=destination, extensions=extensions), kind=0x86DD)


def llc(data: bytes) -> bytes:
    return ethernet(data, destination="01:80:c2:00:00:00", kind=len(data))


GROUP_RECORD = b"\x01\0\0\x01" + ip_bytes("239.1.2.3") + C4
SEGMENTS = struct.pack(">BBBBBBH", 17, 4, 4, 1, 1, 0, 0) + C6 + B6
INIT = struct.pack(">HHIIBBHIIHHIHH", 1, 2, 0, 0, 1, 0, 28, 1, 65535, 1, 1, 1, 5, 8) + C4
ADVERTISEMENT = b"\x40\0\x07\x08" + bytes(8)
PREFIX_OPTION = b"\x03\x04\x40\xc0" + bytes(12) + ip_bytes(PREFIX)
EXTENSION = with_checksum(b"\x20\0\0\0\0\x0c\x02\x01" + C4 + MA[:4], 2)
LONG_QUOTE = udp4(b"q" * 100)

STUDIED = {
    "plain tcp4": Hazard(ethernet(tcp4()), "ipv4+ tcp+"),
    "plain udp6": Hazard(six(udp(source=IP6_A, destination=IP6_B), 17), "udp+"),
    "arp": Hazard(ethernet(arp(), kind=0x0806), ""),
    "vlan": Hazard(ethernet(vlan(tcp4()), kind=0x8100), "ipv4+ tcp+"),
    "qinq": Hazard(ethernet(vlan(vlan(udp4()), kind=0x8100), kind=0x88A8), "ipv4+ udp+"),
    "ip options record route": Hazard(ethernet(ipv4(udp(), 17, options=b"\x07\x0b\x0c" + C4 + D4)), "ipv4+ udp+"),
    "icmp error quoting udp": Hazard(raw4(1, icmp(3, udp4(source=IP_B, destination=IP_C)[:28])), "ipv4+ icmp+ ipv4+"),
    "icmp error quoting tcp": Hazard(raw4(1, icmp(11, tcp4(source=IP_B, destination=IP_C))), "ipv4+ icmp+ ipv4+ tcp+"),
    "icmp redirect": Hazard(raw4(1, icmp(5, udp4(source=IP_B, destination=IP_C), rest=D4)), "ipv4+ icmp+ ipv4+ udp+"),
    "first fragment": Hazard(ethernet(ipv4(BIG[20:1396], 17, fragment=0x2000)), "ipv4+"),
    "middle fragment": Hazard(ethernet(ipv4(BIG[1396:2772], 17, fragment=0x2000 | 172)), "ipv4+"),
    "icmpv6 echo": Hazard(six(icmpv6(128, b"hello"), 58), "icmpv6+"),
    "icmpv6 error": Hazard(six(icmpv6(1, udp6(source=IP6_B, destination=IP6_C)), 58), "icmpv6+ udp+"),
    "neighbour solicitation": Hazard(six(icmpv6(135, B6 + LINK), 58), "icmpv6+"),
    "router advertisement": Hazard(
        six(
            icmpv6(134, bytes(8) + PREFIX_OPTION + LINK, destination=ALL_NODES, rest=ADVERTISEMENT[:4]),
            58,
            destination=ALL_NODES,
        ),
        "icmpv6+",
    ),
    "ipv6 hop by hop": Hazard(
        six(udp(source=IP6_A, destination=IP6_B), 0, extensions=b"\x11\0\x01\x04\0\0\0\0"), "udp+"
    ),
    "ipv6 first fragment": Hazard(
        six(udp(source=IP6_A, destination=IP6_B), 44, extensions=b"\x11\0\0\x01\0\0\0\x07"), ""
    ),
    "ipv6 segment routing": Hazard(six(udp(source=IP6_A, destination=IP6_C), 43, extensions=SEGMENTS), "udp+"),
    "ip in ip": Hazard(raw4(4, udp4(source=IP_C, destination=IP_D)), "ipv4+ ipv4+ udp+"),
    "6in4": Hazard(raw4(41, ipv6(tcp(source=IP6_A, destination=IP6_B), 6)), "ipv4+ tcp+"),
    "4in6": Hazard(six(udp4(source=IP_C, destination=IP_D), 4), "ipv4+ udp+"),
    "gre": Hazard(raw4(47, b"\0\0\x08\0" + udp4(source=IP_C, destination=IP_D)), "ipv4+ ipv4+ udp+"),
    "gre bridging": Hazard(
        raw4(47, b"\0\0\x65\x58" + ethernet(udp4(source=IP_C, destination=IP_D))), "ipv4+ ipv4+ udp+"
    ),
    "vxlan with checksum": Hazard(
        ethernet(udp4(VXLAN + ethernet(udp4(source=IP_C, destination=IP_D)), ports=(1, 4789))),
        "ipv4+ udp+ ipv4+ udp+",
    ),
    "mpls": Hazard(ethernet(b"\0\0\x51\x40" + udp4(source=IP_C, destination=IP_D), kind=0x8847), "ipv4+ udp+"),
    "pppoe": Hazard(
        ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 63, 0x21) + udp4(source=IP_C, destination=IP_D), kind=0x8864),
        "ipv4+ udp+",
    ),
    "no udp checksum": Hazard(ethernet(udp4()[:26] + b"\0\0" + udp4()[28:]), "ipv4+"),
    "wrong tcp checksum": Hazard(wrong(ethernet(tcp4()), 50), "ipv4+ tcp-"),
    "wrong ipv4 checksum": Hazard(wrong(ethernet(tcp4()), 24), "ipv4- tcp+"),
    "cut behind the ports": Hazard(ethernet(tcp4())[:40], "ipv4+"),
    "cut inside an ip address": Hazard(ethernet(tcp4())[:32], "", 24),
    "cut inside a mac address": Hazard(ethernet(tcp4())[:10], "", 0),
    "dhcp": Hazard(ethernet(udp4(dhcp_request(), ports=(68, 67))), "ipv4+ udp+"),
    "dns addresses": Hazard(ethernet(udp4(dns_answer(), ports=(53, 5353))), "ipv4+ udp+"),
    "igmpv3 sources": Hazard(
        raw4(2, with_checksum(b"\x22\0\0\0\0\0\0\x01" + GROUP_RECORD, 2), destination="224.0.0.22"), "ipv4+ igmp+"
    ),
    "sctp init address": Hazard(raw4(132, INIT), "ipv4+", 34),
    "spanning tree": Hazard(llc(b"\x42\x42\x03" + bytes(7) + MA + bytes(4) + b"\x80\0" + MB + bytes(10)), "", 14),
    "lldp": Hazard(
        ethernet(b"\x02\x07\x04" + MA + b"\x04\x07\x03" + MB + b"\x10\x0c\x05\x01" + A4 + bytes(7), kind=0x88CC), "", 14
    ),
    "vrrp": Hazard(raw4(112, b"\x21\x01\x64\x01\0\x01\0\0" + C4 + bytes(8), destination=ROUTERS), "ipv4+", 34),
}

CARRIED = {
    "cdp": Hazard(llc(b"\xaa\xaa\x03\0\0\x0c\x20\0\x02\xb4\0\0\0\x02\0\x11\0\0\0\x01\x01\x01\xcc\0\x04" + A4), "", 14),
    "lacp": Hazard(ethernet(b"\x01\x01\x01\x14\x80\0" + MA + bytes(8), kind=0x8809), "", 14),
    "is-is": Hazard(llc(b"\xfe\xfe\x03\x83" + MA + b"\x84\x04" + A4), "", 14),
    "profinet": Hazard(ethernet(b"\xfe\xff\x05\0" + bytes(8) + A4 + B4, kind=0x8892), "", 14),
    "ptp": Hazard(ethernet(bytes(20) + MA[:3] + b"\xff\xfe" + MA[3:] + MB, kind=0x88F7), "", 14),
    "802.1x": Hazard(ethernet(b"\x01\0\0\x0a\x02\x01\0\x0a\x01" + MA, kind=0x888E), "", 14),
    "ospf": Hazard(raw4(89, b"\x02\x01\0\x2c" + A4 + bytes(16) + B4 + C4 + D4, destination="224.0.0.5"), "ipv4+", 34),
    "eigrp": Hazard(raw4(88, b"\x02\x05" + bytes(18) + C4, destination="224.0.0.10"), "ipv4+", 34),
    "pim": Hazard(raw4(103, b"\x20\0\0\0\0\x18\0\x06\x01\0" + C4, destination="224.0.0.13"), "ipv4+", 34),
    "ah": Hazard(raw4(51, b"\x11\x04\0\0\0\0\x01\0\0\0\0\x01" + b"icvicvicvicv" + C4), "ipv4+", 34),
    "esp": Hazard(raw4(50, b"\0\0\x01\0\0\0\0\x01" + C4), "ipv4+", 34),
    "hsrp": Hazard(ethernet(udp4(b"\0\0\x08\x03\x0a\x64\0\0cisco\0\0\0" + C4, ports=(1985, 1985))), "ipv4+ udp+", 42),
    "rip": Hazard(ethernet(udp4(b"\x02\x02\0\0\0\x02\0\0" + C4 + bytes(4) + D4, ports=(520, 520))), "ipv4+ udp+", 42),
    "glbp": Hazard(ethernet(udp4(b"\x01\0" + MA + C4, ports=(3222, 3222))), "ipv4+ udp+", 42),
    "netflow": Hazard(ethernet(udp4(b"\0\x05" + C4 + D4, ports=(4000, 2055))), "ipv4+ udp+", 42),
    "sflow": Hazard(ethernet(udp4(b"\0\0\0\x05" + C4 + MB, ports=(4000, 6343))), "ipv4+ udp+", 42),
    "capwap": Hazard(ethernet(udp4(b"\0\x10" + MB + C4, ports=(4000, 5247))), "ipv4+ udp+", 42),
    "l2tp": Hazard(ethernet(udp4(b"\0\x02" + udp4(), ports=(1701, 1701))), "ipv4+ udp+", 42),
    "bgp": Hazard(ethernet(tcp4(C4 + D4).replace(b"\x9c\x40\0\x50", b"\x9c\x40\0\xb3")), "ipv4+ tcp-", 54),
    "multipath tcp": Hazard(ethernet(tcp4(options=b"\x1e\x08\x34\x01" + C4)), "ipv4+ tcp+", 54),
    "unknown ip option": Hazard(ethernet(ipv4(udp(), 17, options=b"\x94\x04\0\0\x9e\x06" + C4)), "ipv4+ udp+", 38),
    "icmp extension": Hazard(
        raw4(1, icmp(11, LONG_QUOTE[:128] + EXTENSION, rest=b"\0\x20\0\0")), "ipv4+ icmp+ ipv4+ udp+", 170
    ),
    "old icmp extension": Hazard(raw4(1, icmp(3, LONG_QUOTE[:128] + EXTENSION)), "ipv4+ icmp+ ipv4+ udp+", 170),
    "ethernet trailer": Hazard(ethernet(udp4()) + C4 + MB, "ipv4+ udp+", 75),
    "geneve option": Hazard(
        ethernet(udp4(b"\x02\0\x65\x58\0\0\x05\0\x01\x01\x01\x01" + C4 + ethernet(udp4()), ports=(9, 6081))),
        "ipv4+ udp+",
        50,
    ),
    "home address": Hazard(
        six(udp(source=IP6_C, destination=IP6_B), 60, extensions=b"\x11\x02\x01\x02\0\0\xc9\x10" + C6), ""
    ),
}


def pseudonym(original: bytes) -> bytes:
    """What the map makes of an address, asked for it alone."""
    number = int.from_bytes(original, "big")
    if len(original) == 16:
        high, low = MAP.ipv6(np.array([[number >> 64, number & (1 << 64) - 1]], np.uint64))[0].tolist()
        return struct.pack(">QQ", high, low)
    mapped = (MAP.ipv4 if len(original) == 4 else MAP.mac)(np.array([number], np.uint64))
    return int(mapped[0]).to_bytes(len(original), "big")


def states(packet: bytes) -> str:
    return " ".join(name + ("+" if right else "-") for name, right in read_packet(packet).checksums)


@pytest.mark.parametrize("hazard", [*STUDIED.values(), *CARRIED.values()], ids=[*STUDIED, *CARRIED])
def test_no_address_is_left_and_all_else_is_as_it_was(hazard: Hazard) -> None:
    out, report = rewrite_packet(hazard.packet, MAP)
    assert len(out) == len(hazard.packet)
    assert [secret.hex() for secret in SECRETS if secret in out] == []
    assert (states(hazard.packet), states(out)) == (hazard.checksums, hazard.checksums)
    zeroed = len(out) if hazard.zeroed is None else hazard.zeroed
    for secret in SECRETS:
        places = [place for place in range(len(out)) if hazard.packet.startswith(secret, place)]
        for place in places:
            found = out[place : place + len(secret)]
            assert found == pseudonym(secret) or (place >= zeroed and found == bytes(len(secret)))
    assert (report.packets_opaque + report.packets_cut > 0) == (hazard.zeroed is not None or "cut" in _name(hazard))


def _name(hazard: Hazard) -> str:
    return next(name for name, one in (STUDIED | CARRIED).items() if one is hazard)


def test_there_are_39_of_the_study() -> None:
    assert len(STUDIED) == 39


def test_a_prefix_becomes_the_prefix_of_its_addresses() -> None:
    out, _ = rewrite_packet(STUDIED["router advertisement"].packet, MAP)
    place = STUDIED["router advertisement"].packet.index(ip_bytes(PREFIX))
    assert out[place : place + 16] == pseudonym(ip_bytes(PREFIX))[:8] + bytes(8)


def test_half_an_address_is_no_address() -> None:
    out, _ = rewrite_packet(STUDIED["cut inside an ip address"].packet, MAP)
    assert out[24:] == bytes(8)


@pytest.mark.parametrize("name", ["fragment", "payload"])
def test_payload_that_is_kept_is_what_it_was(name: str) -> None:
    hazard = STUDIED["middle fragment" if name == "fragment" else "plain tcp4"]
    out, _ = rewrite_packet(hazard.packet, MAP)
    size = 1376 if name == "fragment" else len(PAYLOAD)
    assert out[-size:] == hazard.packet[-size:]
