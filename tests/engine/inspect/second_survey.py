"""A second survey of packets, to judge the first by: plain Python over bytes, outermost IP headers alone."""

import struct
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from tests.captures import Packet

_EXTENSIONS = {0, 43, 44, 51, 60, 135, 139, 140}
_WITH_PORTS = {6, 17, 33, 132, 136}

Address = IPv4Address | IPv6Address
End = tuple[Address, int | None]


@dataclass
class Heading:
    """What counts of an outermost IP header."""

    source: Address
    destination: Address
    protocol: int
    ports: tuple[int, int] | None


@dataclass
class Both:
    """A conversation."""

    initiator: End
    packets: list[int] = field(default_factory=lambda: [0, 0])
    bytes: list[int] = field(default_factory=lambda: [0, 0])
    first: int | None = None
    last: int | None = None


@dataclass
class SecondSurvey:
    """What is counted."""

    conversations: dict[tuple[frozenset[End], int], Both] = field(default_factory=dict)
    sent: Counter[Address] = field(default_factory=Counter)
    received: Counter[Address] = field(default_factory=Counter)
    others: int = 0

    def add(self, packet: Packet) -> None:
        heading = read_ethernet(packet.data)
        if heading is None:
            self.others += 1
            return
        self.sent[heading.source] += 1
        self.received[heading.destination] += 1
        ports = heading.ports or (None, None)
        source, destination = (heading.source, ports[0]), (heading.destination, ports[1])
        key = frozenset((source, destination)), heading.protocol
        both = self.conversations.setdefault(key, Both(initiator=source))
        back = source != both.initiator
        both.packets[back] += 1
        both.bytes[back] += packet.length
        time = packet.time_ns // 1000 * 1000
        both.first = time if both.first is None else min(both.first, time)
        both.last = time if both.last is None else max(both.last, time)


def read_ethernet(data: bytes) -> Heading | None:
    """Read an Ethernet frame with tags, up to its IP header."""
    if len(data) < 14:
        return None
    kind, data = int.from_bytes(data[12:14], "big"), data[14:]
    while kind in (0x8100, 0x88A8, 0x9100) and len(data) >= 4:
        kind, data = int.from_bytes(data[2:4], "big"), data[4:]
    if kind == 0x0800:
        return _ipv4(data)
    return _ipv6(data) if kind == 0x86DD else None


def _ipv4(data: bytes) -> Heading | None:
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    if header < 20 or 0 < total < header:
        return None
    fragment = int.from_bytes(data[6:8], "big") & 0x1FFF
    ends = IPv4Address(data[12:16]), IPv4Address(data[16:20])
    protocol, payload = data[9], data[: total or len(data)][header:]
    if protocol == 51 and not fragment and len(payload) >= 12 and (payload[1] + 2) * 4 <= len(payload):
        return Heading(*ends, payload[0], _ports(payload[0], payload[(payload[1] + 2) * 4 :]))
    return Heading(*ends, protocol, None if fragment else _ports(protocol, payload))


def _ipv6(data: bytes) -> Heading | None:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    length, kind = int.from_bytes(data[4:6], "big"), data[6]
    ends = IPv6Address(data[8:24]), IPv6Address(data[24:40])
    payload, fragment = data[40:][: length or len(data)], 0
    while kind in _EXTENSIONS and not fragment and len(payload) >= 8:
        size = (payload[1] + 2) * 4 if kind == 51 else 8 if kind == 44 else payload[1] * 8 + 8
        fragment = int.from_bytes(payload[2:4], "big") & 0xFFF8 if kind == 44 else 0
        kind, payload = payload[0], payload[size:]
    return Heading(*ends, kind, None if fragment else _ports(kind, payload))


def _ports(protocol: int, payload: bytes) -> tuple[int, int] | None:
    if protocol not in _WITH_PORTS or len(payload) < 4:
        return None
    source, destination = struct.unpack_from(">HH", payload)
    return source, destination
