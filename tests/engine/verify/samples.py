"""Packets with an original in every place that the second reader knows."""

import struct

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
    tcp4,
    udp,
    udp4,
    udp6,
    vlan,
    with_checksum,
)

SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"
LINK = b"\x01\x01" + mac_bytes(MAC_A)
HOME = b"\x11\x02\x01\x02\0\0" + b"\xc9\x10" + ip_bytes(IP6_C)
SEGMENTS = struct.pack(">BBBBBBH", 17, 4, 4, 1, 1, 0, 0) + ip_bytes(IP6_C) + ip_bytes(IP6_B)
ROUTE = struct.pack(">BBBBI", 17, 2, 0, 1, 0) + ip_bytes(IP6_C)
PREFIX = b"\x03\x04\x40\xc0" + bytes(12) + ip_bytes(IP6_C)
ROUTED = b"\x18\x03\x80\0" + bytes(4) + ip_bytes(IP6_C)
SERVERS = b"\x19\x03\0\0" + bytes(4) + ip_bytes(IP6_C)
WIRELESS = mac_bytes(MAC_A) + mac_bytes(MAC_B) + mac_bytes(MAC_A) + b"\x10\0"
RADIOTAP = b"\0\0\x09\0\x02\0\0\0\x10"


def redirect6(packet: bytes) -> bytes:
    """Return a redirect with a link-layer address before the redirected packet and one behind it."""
    quoted = packet + bytes(-len(packet) % 8)
    option = struct.pack(">BB6x", 4, 1 + len(quoted) // 8) + quoted
    target = b"\x02\x01" + mac_bytes(MAC_B)
    return icmpv6(137, ip_bytes(IP6_C) + ip_bytes(IP6_B) + LINK + option + target)


ETHERNET = {
    "tcp": ethernet(tcp4(options=b"\x01\x02\x04\x05\xb4")),
    "udp": ethernet(udp4()),
    "udp-v6": ethernet(udp6(), kind=0x86DD),
    "arp": ethernet(arp(), kind=0x0806),
    "rarp": ethernet(arp(operation=3), kind=0x8035),
    "vlan": ethernet(vlan(vlan(tcp4()), kind=0x8100), kind=0x88A8),
    "snap": ethernet(SNAP + udp4(), kind=8 + len(udp4())),
    "mpls": ethernet(b"\0\0\x50\x40\0\0\x51\x40" + udp4(), kind=0x8847),
    "mpls-ethernet": ethernet(b"\0\0\x51\x40\0\0\0\0" + ethernet(udp4()), kind=0x8847),
    "pppoe": ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 2 + len(udp4()), 0x21) + udp4(), kind=0x8864),
    "record-route": ethernet(ipv4(udp(), 17, options=b"\x07\x0b\x04" + ip_bytes(IP_C) + ip_bytes(IP_D))),
    "source-route": ethernet(ipv4(udp(destination=IP_D), 17, options=b"\x83\x07\x04" + ip_bytes(IP_D))),
    "timestamps": ethernet(ipv4(udp(), 17, options=b"\x44\x0c\x0d\x01" + ip_bytes(IP_C) + b"\0\0\0\x01")),
    "icmp-error": ethernet(ipv4(icmp(3, udp4(source=IP_B, destination=IP_C)), 1)),
    "icmp-redirect": ethernet(ipv4(icmp(5, udp4(source=IP_B, destination=IP_C), rest=ip_bytes(IP_D)), 1)),
    "icmp-routers": ethernet(ipv4(icmp(9, ip_bytes(IP_C) + b"\0\0\0\x01", rest=b"\x01\x02\0\x1e"), 1)),
    "icmp-in-icmp": ethernet(ipv4(icmp(3, ipv4(icmp(11, udp4()), 1)), 1)),
    "icmpv6-error": ethernet(ipv6(icmpv6(1, udp6()), 58), kind=0x86DD),
    "neighbor": ethernet(ipv6(icmpv6(135, ip_bytes(IP6_C) + LINK), 58), kind=0x86DD),
    "router": ethernet(ipv6(icmpv6(134, bytes(8) + LINK + PREFIX + ROUTED + SERVERS), 58), kind=0x86DD),
    "redirect": ethernet(ipv6(redirect6(udp6()), 58), kind=0x86DD),
    "listener": ethernet(ipv6(icmpv6(131, ip_bytes(IP6_C)), 58), kind=0x86DD),
    "listener-query": ethernet(
        ipv6(icmpv6(130, ip_bytes(IP6_C) + b"\x02\x7d\0\x01" + ip_bytes(IP6_A)), 58), kind=0x86DD
    ),
    "listener-report": ethernet(
        ipv6(icmpv6(143, b"\x04\0\0\x01" + ip_bytes(IP6_A) + ip_bytes(IP6_C), rest=b"\0\0\0\x01"), 58), kind=0x86DD
    ),
    "igmp": ethernet(ipv4(with_checksum(b"\x16\0\0\0" + ip_bytes(IP_C), 2), 2)),
    "igmp-query": ethernet(
        ipv4(with_checksum(b"\x11\0\0\0" + ip_bytes(IP_C) + b"\x02\x7d\0\x01" + ip_bytes(IP_D), 2), 2)
    ),
    "igmp-report": ethernet(
        ipv4(with_checksum(b"\x22\0\0\0\0\0\0\x01\x01\0\0\x01" + ip_bytes(IP_D) + ip_bytes(IP_C), 2), 2)
    ),
    "home-address": ethernet(ipv6(udp(source=IP6_C, destination=IP6_B), 60, extensions=HOME), kind=0x86DD),
    "segments": ethernet(ipv6(udp(source=IP6_A, destination=IP6_C), 43, extensions=SEGMENTS), kind=0x86DD),
    "routing": ethernet(ipv6(udp(source=IP6_A, destination=IP6_C), 43, extensions=ROUTE), kind=0x86DD),
    "dhcp": ethernet(udp4(dhcp_request(), ports=(68, 67))),
    "dns": ethernet(udp4(dns_answer(), ports=(53, 1024))),
    "mdns": ethernet(udp4(dns_answer(), ports=(5353, 5353))),
    "ipip": ethernet(ipv4(udp4(source=IP_C, destination=IP_D), 4)),
    "6in4": ethernet(ipv4(udp6(), 41)),
    "4in6": ethernet(ipv6(udp4(), 4), kind=0x86DD),
    "etherip": ethernet(ipv4(ethernet(udp4()), 143)),
    "gre": ethernet(ipv4(with_checksum(b"\x80\0\x86\xdd\0\0\0\0" + udp6(), 4), 47)),
    "gre-key": ethernet(ipv4(b"\x30\0\x08\0\0\0\0\x09\0\0\0\x01" + udp4(), 47)),
    "vxlan": ethernet(udp4(b"\x08\0\0\0\0\0\x05\0" + ethernet(udp6(), kind=0x86DD), ports=(9, 4789))),
    "geneve": ethernet(udp4(b"\0\0\x65\x58\0\0\x05\0" + ethernet(udp4()), ports=(9, 6081))),
    "gtp": ethernet(udp4(struct.pack(">BBHI", 0x30, 0xFF, len(udp4()), 7) + udp4(), ports=(9, 2152))),
}
OTHER_LINKS = {
    "null": (0, b"\x02\0\0\0" + udp4()),
    "null-v6": (0, b"\0\0\0\x1e" + udp6()),
    "raw": (101, udp4()),
    "raw-v6": (229, udp6()),
    "loop": (108, b"\0\0\0\x02" + udp4()),
    "sll": (113, b"\0\x04\0\x01\0\x06" + mac_bytes(MAC_A) + b"\0\0\x08\0" + udp4()),
    "sll2": (276, b"\x08\0\0\0\0\0\0\x02\0\x01\x04\x06" + mac_bytes(MAC_A) + b"\0\0" + udp4()),
    "wireless": (105, b"\x08\x01\0\0" + WIRELESS + SNAP + udp4()),
    "wireless-four": (105, b"\x88\x03\0\0" + WIRELESS + mac_bytes(MAC_B) + b"\0\0" + SNAP + udp4()),
    "wireless-mesh": (
        105,
        b"\x88\x02\0\0" + WIRELESS + b"\0\x01" + b"\x01\x1f\0\0\0\x01" + mac_bytes(MAC_B) + SNAP + udp4(),
    ),
    "beacon": (105, b"\x80\0\0\0" + WIRELESS + bytes(range(12))),
    "reassociation": (105, b"\x20\0\0\0" + WIRELESS + b"\x11\x04\x0a\0" + mac_bytes(MAC_B)),
    "block-ack": (105, b"\x94\0\0\0" + mac_bytes(MAC_A) + mac_bytes(MAC_B)),
    "ack": (105, b"\xd4\0\0\0" + mac_bytes(MAC_A)),
    "radiotap": (127, RADIOTAP + b"\x08\x02\0\0" + WIRELESS + SNAP + udp4() + bytes(4)),
}
ALL = {name: (1, packet) for name, packet in ETHERNET.items()} | OTHER_LINKS

assert PAYLOAD in ETHERNET["udp"]
assert ip_bytes(IP_A) in ETHERNET["udp"]
