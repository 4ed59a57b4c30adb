"""TCP conversations as segments, and as packets on links of several kinds.

The wire formats are written here on their own: nothing is shared with what is judged.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Final

from tests.captures import TCP, Packet, checksum, ip_bytes, mac_bytes, pseudo_header, with_checksum

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

ETHERNET: Final = 1
RAW: Final = 101
SLL: Final = 113
SLL2: Final = 276

SEGMENT_BYTES: Final = 1448
CLIENT_MAC: Final = "02:10:20:30:40:41"
SERVER_MAC: Final = "02:10:20:30:40:40"
BEGIN_NS: Final = 1_700_000_000_000_000_000
STEP_NS: Final = 100_000
_STEPS: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Both ends of a TCP connection."""

    client: str
    client_port: int
    server: str
    server_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One TCP segment; sequence numbers count modulo 2^32."""

    connection: int
    """Index of its ends."""
    from_client: bool
    sequence: int
    acknowledgment: int
    flags: int
    payload: bytes = b""
    options: bytes = b""

    def moved(self, payload: bytes, offset: int) -> "Segment":
        """Return a segment of other bytes, so many bytes behind this one's begin."""
        return replace(self, payload=payload, sequence=(self.sequence + offset) % _STEPS)

    @property
    def end(self) -> int:
        """The sequence number behind its last byte."""
        return (self.sequence + len(self.payload)) % _STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What went over the wire: segments in their order."""

    segments: tuple[Segment, ...]
    ends: tuple[Ends, ...]

    def with_segments(self, segments: Iterable[Segment]) -> "Wire":
        """Return the same connections with other segments."""
        return replace(self, segments=tuple(segments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Packets of one link, not yet a file."""

    packets: tuple[Packet, ...]
    link_type: int = ETHERNET
    magic: int = 0xA1B2C3D4
    order: str = "<"

    def with_frames(self, frames: Iterable[bytes], link_type: int | None = None) -> "Capture":
        """Return a capture of other packets, a step of time apart."""
        return replace(self, packets=timed(frames), link_type=self.link_type if link_type is None else link_type)

    def file(self) -> bytes:
        """Return it as a pcap file with microseconds."""
        parts = [struct.pack(self.order + "IHHiIII", self.magic, 2, 4, 0, 0, 262144, self.link_type)]
        for packet in self.packets:
            seconds, rest = divmod(packet.time_ns, 1_000_000_000)
            parts.append(struct.pack(self.order + "IIII", seconds, rest // 1000, len(packet.data), packet.length))
            parts.append(packet.data)
        return b"".join(parts)


def timed(frames: Iterable[bytes]) -> tuple[Packet, ...]:
    """Return packets a step of time apart."""
    return tuple(Packet(data=data, time_ns=BEGIN_NS + n * STEP_NS) for n, data in enumerate(frames))


@dataclass(slots=True, kw_only=True)
class _Side:
    sequence: int
    options: bytes = b""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A TCP connection in the making: an opening, data both ways, an end."""

    connection: int
    sequences: tuple[int, int]
    """Initial sequence numbers of client and server."""
    segment_bytes: int = SEGMENT_BYTES
    segments: list[Segment] = field(default_factory=list)
    _client: _Side = field(init=False)
    _server: _Side = field(init=False)

    def __post_init__(self) -> None:
        self._client, self._server = (_Side(sequence=number) for number in self.sequences)
        opening = b"\x02\x04\x05\xb4\x01\x03\x03\x07"
        self._put(SYN, from_client=True, options=opening, counts=1)
        self._put(SYN | ACK, from_client=False, options=opening, counts=1)
        self._put(ACK, from_client=True)

    def send(self, data: bytes, *, from_client: bool) -> None:
        """Send bytes in as few segments as they take; the other side acknowledges every second one."""
        for at in range(0, len(data), self.segment_bytes):
            piece = data[at : at + self.segment_bytes]
            last = at + len(piece) == len(data)
            self._put(ACK | PSH if last else ACK, from_client=from_client, payload=piece)
            if last or at // self.segment_bytes % 2:
                self._put(ACK, from_client=not from_client)

    def close(self) -> None:
        """End it from both sides."""
        self._put(FIN | ACK, from_client=True, counts=1)
        self._put(FIN | ACK, from_client=False, counts=1)
        self._put(ACK, from_client=True)

    def _put(
        self, flags: int, *, from_client: bool, payload: bytes = b"", options: bytes = b"", counts: int = 0
    ) -> None:
        own, other = (self._client, self._server) if from_client else (self._server, self._client)
        self.segments.append(
            Segment(
                connection=self.connection,
                from_client=from_client,
                sequence=own.sequence,
                acknowledgment=other.sequence if flags & ACK else 0,
                flags=flags,
                payload=payload,
                options=options,
            )
        )
        own.sequence = (own.sequence + len(payload) + counts) % _STEPS


def tcp_bytes(segment: Segment, source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    """Return a segment's header and payload, its checksum right."""
    words = 5 + len(segment.options) // 4
    ports = (source[1], destination[1])
    head = struct.pack(">HHIIBB", *ports, segment.sequence, segment.acknowledgment, words << 4, segment.flags)
    data = head + struct.pack(">HHH", 501, 0, 0) + segment.options + segment.payload
    return with_checksum(data, 16, pseudo_header(source[0], destination[0], TCP, len(data)))


def ipv4_bytes(payload: bytes, source: str, destination: str, *, number: int, fragment: int = 0x4000) -> bytes:
    """Return an IPv4 packet with a TCP segment, or a part of one."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), number & 0xFFFF, fragment, 64, TCP, 0)
    return with_checksum(head + ip_bytes(source) + ip_bytes(destination), 10) + payload


def ipv6_bytes(payload: bytes, source: str, destination: str) -> bytes:
    """Return an IPv6 packet with a TCP segment."""
    return struct.pack(">IHBB", 6 << 28, len(payload), TCP, 64) + ip_bytes(source) + ip_bytes(destination) + payload


def ethernet_bytes(payload: bytes, *, from_client: bool, kind: int = 0x0800) -> bytes:
    """Return an Ethernet frame between the two stations."""
    stations = (SERVER_MAC, CLIENT_MAC) if from_client else (CLIENT_MAC, SERVER_MAC)
    return b"".join(mac_bytes(one) for one in stations) + struct.pack(">H", kind) + payload


def mapped(address: str) -> str:
    """Return the IPv6 address that stands in for an IPv4 address here."""
    return f"2001:db8::{int(IPv4Address(address)) >> 16:x}:{int(IPv4Address(address)) & 0xFFFF:x}"


def packet_of(segment: Segment, ends: Ends, number: int, *, six: bool = False) -> bytes:
    """Return an Ethernet frame with a segment."""
    client, server = (ends.client, ends.client_port), (ends.server, ends.server_port)
    if six:
        client, server = (mapped(client[0]), client[1]), (mapped(server[0]), server[1])
    source, destination = (client, server) if segment.from_client else (server, client)
    body = tcp_bytes(segment, source, destination)
    if six:
        packet = ipv6_bytes(body, source[0], destination[0])
        return ethernet_bytes(packet, from_client=segment.from_client, kind=0x86DD)
    packet = ipv4_bytes(body, source[0], destination[0], number=number)
    return ethernet_bytes(packet, from_client=segment.from_client)


def capture_of(wire: Wire, *, six: bool = False) -> Capture:
    """Return the packets of a wire on Ethernet, every checksum right."""
    frames = (packet_of(one, wire.ends[one.connection], n, six=six) for n, one in enumerate(wire.segments))
    return Capture(packets=timed(frames))


def pseudo_checksum(source: str, destination: str, length: int) -> int:
    """Return what a driver leaves in a TCP checksum for the network card: the sum of the pseudo-header alone."""
    return checksum(pseudo_header(source, destination, TCP, length)) ^ 0xFFFF
