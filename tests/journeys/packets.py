"""The packets of a capture and their addresses, as scapy reads them."""

import ipaddress

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import NoPayload, Packet

from tests.journeys.material import records


def packets(body: bytes) -> list[Packet]:
    """The packets of a little-endian pcap of Ethernet."""
    return [Ether(packet) for _, packet in records(body)]


def addresses(packet: Packet) -> list[str]:
    """The addresses of its headers, those of quoted packets too, in order."""
    found = [packet[Ether].src, packet[Ether].dst]
    if ARP in packet:
        found += [packet[ARP].hwsrc, packet[ARP].psrc, packet[ARP].pdst]
    layer = packet
    while not isinstance(layer, NoPayload):
        if isinstance(layer, IP | IPv6):
            found += [layer.src, layer.dst]
        layer = layer.payload
    return found


def is_special(address: str) -> bool:
    """Whether an address names nobody: a group, everybody or nothing."""
    if address.count(":") == 5 and len(address) == 17:
        return address == "00:00:00:00:00:00" or bool(int(address[:2], 16) & 1)
    parsed = ipaddress.ip_address(address)
    return parsed.is_multicast or parsed.is_unspecified or str(parsed) == "255.255.255.255"


def replacements(before: bytes, after: bytes) -> dict[str, str]:
    """What stands in one capture where an address stood in the other; one address has one replacement."""
    seen: dict[str, str] = {}
    for old_packet, new_packet in zip(packets(before), packets(after), strict=True):
        for old, new in zip(addresses(old_packet), addresses(new_packet), strict=True):
            assert seen.setdefault(old, new) == new
    return seen
