"""Packets and capture files, built in code.

Builders take addresses as text and return bytes. Checksums are right unless a test breaks them. The wire formats are
written here a second time, on purpose: the engine is judged by what it did not write itself.
"""

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final

MAC_A: Final = "00:11:22:33:44:55"
MAC_B: Final = "00:11:22:33:44:66"
IP_A: Final = "203.0.113.77"
IP_B: Final = "198.51.100.88"
IP_C: Final = "192.0.2.99"
IP_D: Final = "203.0.113.111"
IP6_A: Final = "2001:db8:1:2:211:22ff:fe33:4455"
IP6_B: Final = "2001:db8:aaaa:bbbb::77"
IP6_C: Final = "2001:db8:cccc:dddd::99"
PAYLOAD: Final = b"x" * 33

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
ICMPV6: Final = 58


def mac_bytes(text: str) -> bytes:
    """Return the six bytes of a MAC address."""
    return bytes.fromhex(text.replace(":", ""))


def ip_bytes(text: str) -> bytes:
    """Return the bytes of an IP address."""
    return (IPv6Address(text) if ":" in text else IPv4Address(text)).packed


def checksum(data: bytes) -> int:
    """Return the internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(data: bytes, place: int, pseudo: bytes = b"") -> bytes:
    """Return data with its checksum filled in."""
    blank = data[:place] + b"\0\0" + data[place + 2 :]
    return blank[:place] + checksum(pseudo + blank).to_bytes(2, "big") + blank[place + 2 :]


def pseudo_header(source: str, destination: str, protocol: int, length: int) -> bytes:
    """Return the pseudo-header of either IP version."""
    addresses = ip_bytes(source) + ip_bytes(destination)
    if ":" in source:
        return addresses + struct.pack(">IxxxB", length, protocol)
    return addresses + struct.pack(">xBH", protocol, length)


def ethernet(payload: bytes, *, source: str = MAC_A, destination: str = MAC_B, kind: int = 0x0800) -> bytes:
    """Return an Ethernet frame."""
    return mac_bytes(destination) + mac_bytes(source) + kind.to_bytes(2, "big") + payload


def vlan(payload: bytes, *, tag: int = 5, kind: int = 0x0800) -> bytes:
    """Return what follows the ethertype 0x8100."""
    return struct.pack(">HH", tag, kind) + payload


def arp(*, source: str = IP_A, target: str = IP_B, operation: int = 2) -> bytes:
    """Return an ARP packet."""
    fixed = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    return fixed + mac_bytes(MAC_A) + ip_bytes(source) + mac_bytes(MAC_B) + ip_bytes(target)


def ipv4(
    payload: bytes,
    protocol: int,
    *,
    source: str = IP_A,
    destination: str = IP_B,
    options: bytes = b"",
    fragment: int = 0,
    total: int | None = None,
) -> bytes:
    """Return an IPv4 packet; `fragment` is the field with flags and offset."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4
    length = 4 * words + len(payload) if total is None else total
    header = struct.pack(">BBHHHBBH", 0x40 | words, 0, length, 7, fragment, 64, protocol, 0)
    return with_checksum(header + ip_bytes(source) + ip_bytes(destination) + options, 10) + payload


def ipv6(
    payload: bytes, protocol: int, *, source: str = IP6_A, destination: str = IP6_B, extensions: bytes = b""
) -> bytes:
    """Return an IPv6 packet; `protocol` is what the base header names next."""
    header = struct.pack(">IHBB", 6 << 28, len(extensions) + len(payload), protocol, 64)
    return header + ip_bytes(source) + ip_bytes(destination) + extensions + payload


def udp(
    payload: bytes = PAYLOAD,
    *,
    source: str = IP_A,
    destination: str = IP_B,
    source_port: int = 1111,
    destination_port: int = 2222,
) -> bytes:
    """Return a UDP datagram between two addresses."""
    length = 8 + len(payload)
    data = struct.pack(">HHHH", source_port, destination_port, length, 0) + payload
    data = with_checksum(data, 6, pseudo_header(source, destination, UDP, length))
    return data if data[6:8] != b"\0\0" else data[:6] + b"\xff\xff" + data[8:]


def tcp(
    payload: bytes = PAYLOAD, *, source: str = IP_A, destination: str = IP_B, options: bytes = b"", flags: int = 0x18
) -> bytes:
    """Return a TCP segment between two addresses."""
    options += b"\x01" * (-len(options) % 4)
    words = 5 + len(options) // 4
    header = struct.pack(">HHIIBBHHH", 40000, 80, 1, 2, words << 4, flags, 1024, 0, 0)
    data = header + options + payload
    return with_checksum(data, 16, pseudo_header(source, destination, TCP, len(data)))


def tcp4(payload: bytes = PAYLOAD, *, source: str = IP_A, destination: str = IP_B, options: bytes = b"") -> bytes:
    """Return a TCP segment in IPv4."""
    segment = tcp(payload, source=source, destination=destination, options=options)
    return ipv4(segment, TCP, source=source, destination=destination)


def udp4(
    payload: bytes = PAYLOAD, *, source: str = IP_A, destination: str = IP_B, ports: tuple[int, int] = (1111, 2222)
) -> bytes:
    """Return a UDP datagram in IPv4."""
    data = udp(payload, source=source, destination=destination, source_port=ports[0], destination_port=ports[1])
    return ipv4(data, UDP, source=source, destination=destination)


def udp6(payload: bytes = PAYLOAD, *, source: str = IP6_A, destination: str = IP6_B) -> bytes:
    """Return a UDP datagram in IPv6."""
    return ipv6(udp(payload, source=source, destination=destination), UDP, source=source, destination=destination)


def icmp(kind: int, body: bytes, *, code: int = 0, rest: bytes = bytes(4)) -> bytes:
    """Return an ICMP message."""
    return with_checksum(struct.pack(">BBH", kind, code, 0) + rest + body, 2)


def icmpv6(kind: int, body: bytes, *, source: str = IP6_A, destination: str = IP6_B, rest: bytes = bytes(4)) -> bytes:
    """Return an ICMPv6 message between two addresses."""
    data = struct.pack(">BBH", kind, 0, 0) + rest + body
    return with_checksum(data, 2, pseudo_header(source, destination, ICMPV6, len(data)))


def dns_answer(*, ipv4_address: str = IP_C, ipv6_address: str = IP6_C) -> bytes:
    """Return a DNS answer with one A and one AAAA record, names compressed."""
    name = b"\x01h\x07example\0"
    a = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + ip_bytes(ipv4_address)
    aaaa = b"\xc0\x0c" + struct.pack(">HHIH", 28, 1, 60, 16) + ip_bytes(ipv6_address)
    return struct.pack(">HHHHHH", 1, 0x8180, 1, 2, 0, 0) + name + struct.pack(">HH", 1, 1) + a + aaaa


def dhcp_request() -> bytes:
    """Return a DHCP request that names four addresses and a hardware address."""
    fixed = struct.pack(">BBBBIHH", 1, 1, 6, 0, 1, 0, 0)
    addresses = b"".join(ip_bytes(ip) for ip in (IP_A, IP_B, IP_C, IP_D))
    options = bytes([53, 1, 3, 50, 4]) + ip_bytes(IP_A) + bytes([54, 4]) + ip_bytes(IP_B)
    options += bytes([61, 7, 1]) + mac_bytes(MAC_A) + b"\xff"
    return fixed + addresses + mac_bytes(MAC_A) + bytes(10 + 192) + bytes.fromhex("63825363") + options


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet with its time."""

    data: bytes
    time_ns: int = 1_700_000_000_123_456_789
    original_length: int | None = None
    interface: int = 0

    @property
    def length(self) -> int:
        """Its length on the wire."""
        return len(self.data) if self.original_length is None else self.original_length


def packets(*data: bytes) -> list[Packet]:
    """Return packets a second apart."""
    return [Packet(data=one, time_ns=1_700_000_000_000_000_000 + n * 1_000_000_000) for n, one in enumerate(data)]


def pcap(
    contents: list[Packet], *, link_type: int = 1, little: bool = True, nanoseconds: bool = False, snap: int = 65535
) -> bytes:
    """Return a pcap file; `link_type` may use all 32 bits."""
    order = "<" if little else ">"
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link_type)
    for packet in contents:
        seconds, rest = divmod(packet.time_ns, 1_000_000_000)
        fraction = rest if nanoseconds else rest // 1000
        out += struct.pack(order + "IIII", seconds, fraction, len(packet.data), packet.length) + packet.data
    return out


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """Return a pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Return a pcapng block."""
    body += b"\0" * (-len(body) % 4)
    length = 12 + len(body)
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A pcapng interface."""

    link_type: int = 1
    snap: int = 0
    options: bytes = b""
    units_per_second: int = 1_000_000
    offset_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionOf:
    """A pcapng section: what it holds, in its byte order."""

    faces: list[Face] = field(default_factory=lambda: [Face()])
    contents: list[Packet] = field(default_factory=list)
    little: bool = True
    options: bytes = b""
    extra: bytes = b""
    """Blocks between the interfaces and the packets."""
    packet_options: bytes = b""
    packet_kind: int = 6


def pcapng(*sections: SectionOf) -> bytes:
    """Return a pcapng file."""
    return b"".join(_section(section) for section in sections)


def _section(section: SectionOf) -> bytes:
    order = "<" if section.little else ">"
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + section.options, order)
    for face in section.faces:
        out += block(1, struct.pack(order + "HHI", face.link_type, 0, face.snap) + face.options, order)
    out += section.extra
    for packet in section.contents:
        out += _packet_block(section, packet, order)
    return out


def _packet_block(section: SectionOf, packet: Packet, order: str) -> bytes:
    padded = packet.data + b"\0" * (-len(packet.data) % 4)
    if section.packet_kind == 3:
        return block(3, struct.pack(order + "I", packet.length) + padded, order)
    face = section.faces[packet.interface]
    ticks = packet.time_ns * face.units_per_second // 1_000_000_000 - face.offset_seconds * face.units_per_second
    numbers = (ticks >> 32, ticks & 0xFFFFFFFF, len(packet.data), packet.length)
    head = struct.pack(order + "I", packet.interface)
    if section.packet_kind == 2:
        head = struct.pack(order + "HH", packet.interface, 0)
    return block(
        section.packet_kind, head + struct.pack(order + "IIII", *numbers) + padded + section.packet_options, order
    )


def read_pcap(data: bytes) -> list[bytes]:
    """Return the packets of a pcap file."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    found, place = [], 24
    while place < len(data):
        size = struct.unpack_from(order + "I", data, place + 8)[0]
        found.append(data[place + 16 : place + 16 + size])
        place += 16 + size
    return found
