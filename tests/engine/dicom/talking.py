"""Two hosts that talk TCP, packet by packet, and what became of their packets."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gql_server.domain.dicom import ForeignPolicy
from gql_server.engine.dicom.connections import Connection
from gql_server.engine.dicom.image import CaptureImage
from gql_server.engine.dicom.streams import Stream
from tests.captures import (
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    TCP,
    ethernet,
    ip_bytes,
    ipv4,
    ipv6,
    packets,
    pcap,
    pseudo_header,
    read_pcap,
    with_checksum,
)

FIN, SYN, RST, PUSH, ACK, URG = 1, 2, 4, 8, 16, 32
ISN = (1000, 900_000)
PORTS = (40000, 104)
ENDS = (IP_A, IP_B)
ENDS6 = (IP6_A, IP6_B)


def segment(
    data: bytes = b"",
    *,
    side: int = 0,
    at: int = 0,
    flags: int = ACK | PUSH,
    isn: tuple[int, int] = ISN,
    ports: tuple[int, int] = PORTS,
    ends: tuple[str, str] = ENDS,
    options: bytes = b"",
    acknowledged: int = 0,
    urgent: int = 0,
) -> bytes:
    """Return a TCP segment whose payload is at `at` of what a side sends; side 0 is the client."""
    options += b"\x01" * (-len(options) % 4)
    numbers = ((isn[side] + 1 + at) % 2**32, (isn[1 - side] + 1 + acknowledged) % 2**32)
    words = 5 + len(options) // 4
    head = struct.pack(">HHIIBBHHH", ports[side], ports[1 - side], *numbers, words << 4, flags, 1024, 0, urgent)
    whole = head + options + data
    return with_checksum(whole, 16, pseudo_header(ends[side], ends[1 - side], TCP, len(whole)))


def ip(payload: bytes, *, side: int = 0, ends: tuple[str, str] = ENDS, fragment: int = 0) -> bytes:
    """Return an IP packet from a side."""
    if ":" in ends[0]:
        return ipv6(payload, TCP, source=ends[side], destination=ends[1 - side])
    return ipv4(payload, TCP, source=ends[side], destination=ends[1 - side], fragment=fragment)


def send(data: bytes = b"", *, side: int = 0, ends: tuple[str, str] = ENDS, **how: Any) -> bytes:
    """Return an Ethernet frame with a TCP segment."""
    one = segment(data, side=side, ends=ends, **how)
    return ethernet(ip(one, side=side, ends=ends), kind=0x86DD if ":" in ends[0] else 0x0800)


def hello(**how: Any) -> list[bytes]:
    """Return SYN, SYN and ACK, ACK."""
    return [send(at=-1, flags=SYN, **how), send(side=1, at=-1, flags=SYN | ACK, **how), send(flags=ACK, **how)]


def fragments(segment_bytes: bytes, sizes: Sequence[int], *, side: int = 0, name: int = 7) -> list[bytes]:
    """Return a TCP segment as Ethernet frames with IPv4 fragments, of so many times eight bytes."""
    frames, at = [], 0
    for size in [*sizes, len(segment_bytes)]:
        part = segment_bytes[at : at + 8 * size]
        more = at + len(part) < len(segment_bytes)
        packet = ip(part, side=side, fragment=(0x2000 if more else 0) | at // 8)
        frames.append(ethernet(with_checksum(packet[:4] + name.to_bytes(2, "big") + packet[6:20], 10) + packet[20:]))
        at += len(part)
        if not more:
            return frames
    return frames


@contextmanager
def opened(
    directory: Path,
    capture: Sequence[bytes] | bytes,
    *,
    foreign: ForeignPolicy = ForeignPolicy.ZERO,
    link_type: int = 1,
) -> Iterator[CaptureImage]:
    """Open the image of a capture, or of packets as one."""
    source, working = directory / "source", directory / "working"
    working.unlink(missing_ok=True)
    source.write_bytes(capture if isinstance(capture, bytes) else pcap(packets(*capture), link_type=link_type))
    with CaptureImage(source, working, foreign=foreign, progress=lambda _done, _total: None) as image:
        yield image


def packets_of(directory: Path) -> list[bytes]:
    """Return the packets of a working copy that is pcap."""
    return read_pcap((directory / "working").read_bytes())


def settled(
    directory: Path,
    capture: Sequence[bytes],
    *,
    claim: bool = False,
    foreign: ForeignPolicy = ForeignPolicy.ZERO,
    link_type: int = 1,
) -> list[bytes]:
    """Return packets as they are once settled, all connections claimed or none."""
    with opened(directory, capture, foreign=foreign, link_type=link_type) as image:
        if claim:
            for connection in image.connections:
                connection.claim()
        image.settle()
    return packets_of(directory)


def only(image: CaptureImage) -> Connection:
    """Return the one connection of a capture."""
    assert len(image.connections) == 1
    return image.connections[0]


def whole(stream: Stream) -> bytes:
    """Return all of a stream that is before its first hole."""
    return stream.read(0, stream.end)


def overwrite(stream: Stream, at: int, data: bytes) -> None:
    """Write bytes into a stream."""
    stream.write(at, np.frombuffer(data, np.uint8))


def residue(data: bytes, pseudo: bytes) -> int:
    """Return what a checksum is wrong by: 0 for a right one (RFC 1071)."""
    both = pseudo + data
    return int.from_bytes(both + b"\0" * (len(both) % 2), "big") % 0xFFFF


def tcp_residue(frame: bytes) -> int:
    """Return what the checksum of a TCP segment in Ethernet and IP is wrong by."""
    if frame[12:14] == b"\x86\xdd":
        body, addresses = frame[54:], frame[22:54]
        return residue(body, addresses + struct.pack(">IxxxB", len(body), TCP))
    length = int.from_bytes(frame[16:18], "big")
    body, addresses = frame[34 : 14 + length], frame[26:34]
    return residue(body, addresses + struct.pack(">xBH", TCP, len(body)))


def with_wrong_checksum(frame: bytes, by: int = 0x1234) -> bytes:
    """Return a frame with IPv4 and TCP whose checksum is another."""
    held = int.from_bytes(frame[50:52], "big")
    return frame[:50] + ((held + by) % 0x10000).to_bytes(2, "big") + frame[52:]


def left_to_card(frame: bytes) -> bytes:
    """Return a frame with IPv4 and TCP whose checksum field holds the sum of the pseudo-header alone."""
    pseudo = ip_bytes(IP_A) + ip_bytes(IP_B) + struct.pack(">xBH", TCP, len(frame) - 34)
    total: int = sum(struct.unpack(">6H", pseudo))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[:50] + total.to_bytes(2, "big") + frame[52:]
