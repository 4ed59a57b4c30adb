"""What stands beside DICOM in a capture: the same patient in other protocols and other encodings."""

import base64
import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from tests.captures import Face, Packet, SectionOf, icmp, ipv4, option, pcapng, udp
from tests.dicom.planting import Kind, Oracle
from tests.dicom.recording import CLIENT, SERVER
from tests.dicom.wire import (
    ACK,
    PSH,
    Capture,
    Ends,
    Segment,
    ethernet_bytes,
    packet_of,
)

Surrounding = Callable[[Capture, str, str], Iterator[bytes]]
"""Given a capture, a name and an identifier: frames to add."""
_ETHERNET: Final = 14
_ICMP: Final = 1
_UDP: Final = 17
_GRE: Final = 47


def _hl7(name: str, identifier: str) -> bytes:
    return f"\x0bMSH|^~\\&|RIS|A|PACS|B|20240101||ADT^A01|1|P|2.3\rPID|1||{identifier}||{name}\r\x1c\r".encode()


def _over_tcp(payload: bytes, port: int) -> bytes:
    ends = Ends(client=CLIENT, client_port=51000 + port % 1000, server=SERVER, server_port=port)
    flags = ACK | PSH
    segment = Segment(connection=0, from_client=True, sequence=7, acknowledgment=9, flags=flags, payload=payload)
    return packet_of(segment, ends, port)


def _over_ip(payload: bytes, protocol: int) -> bytes:
    return ethernet_bytes(ipv4(payload, protocol, source=CLIENT, destination=SERVER), from_client=True)


def _over_udp(payload: bytes, port: int) -> bytes:
    return _over_ip(udp(payload, source=CLIENT, destination=SERVER, destination_port=port), _UDP)


def _telling(capture: Capture, name: str) -> bytes:
    """Return the first frame in which the name stands."""
    return next(one.data for one in capture.packets if name.encode() in one.data)


def hl7(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """HL7 over MLLP."""
    yield _over_tcp(_hl7(name, identifier), 2575)


def lower_case(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """HL7 with a name in another case."""
    yield _over_tcp(_hl7(name.title(), identifier.lower()), 2576)


def icmp_quote(capture: Capture, name: str, _: str) -> Iterator[bytes]:
    """ICMP "fragmentation needed", which quotes a packet."""
    yield _over_ip(icmp(3, _telling(capture, name)[_ETHERNET:], code=4), _ICMP)


def gre(capture: Capture, name: str, _: str) -> Iterator[bytes]:
    """A packet in a GRE tunnel."""
    yield _over_ip(b"\0\0\x08\0" + _telling(capture, name)[_ETHERNET:], _GRE)


def vxlan(capture: Capture, name: str, _: str) -> Iterator[bytes]:
    """A frame in a VXLAN tunnel."""
    yield _over_udp(b"\x08\0\0\0\0\0\x07\0" + _telling(capture, name), 4789)


def syslog(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """A line of a log over UDP."""
    yield _over_udp(f"<13>pacs: stored {identifier} {name}".encode(), 514)


def gzipped(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """DICOM JSON, compressed, over HTTP."""
    body = gzip.compress(f'{{"00100010":"{name}","00100020":"{identifier}"}}'.encode(), mtime=0)
    yield _over_tcp(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + body, 8042)


def deflated(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """The same in zlib's format."""
    body = zlib.compress(f'{{"00100010":"{name}","00100020":"{identifier}"}}'.encode())
    yield _over_tcp(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + body, 8043)


def base64_text(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """Base64 over HTTP."""
    yield _over_tcp(b'{"hdr":"' + base64.b64encode(f"x{name}{identifier}".encode()) + b'"}', 8044)


def percent(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """Every character of a query escaped."""
    escaped = "".join(f"%{byte:02X}" for byte in f"{name} {identifier}".encode())
    yield _over_tcp(f"GET /studies?q={escaped} HTTP/1.1\r\n\r\n".encode(), 8045)


def hexadecimal(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """A dump in hexadecimal digits."""
    yield _over_tcp(f"{name} {identifier}".encode().hex().encode(), 8046)


def utf16(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """A query of a database, in UTF-16."""
    yield _over_tcp(f"select * from p where id='{identifier}' and name='{name}'".encode("utf-16-le"), 1433)


def trailer(capture: Capture, _: str, identifier: str) -> Iterator[bytes]:
    """An identifier behind the end of a packet, in the padding of its frame."""
    yield next(one.data for one in capture.packets if len(one.data) == 54) + identifier.encode()


def unknown_ethertype(_: Capture, name: str, identifier: str) -> Iterator[bytes]:
    """A protocol of a vendor's own."""
    yield ethernet_bytes(f"{name} {identifier}".encode() + bytes(20), from_client=True, kind=0x88B5)


SURROUNDINGS: Final[dict[str, Surrounding]] = {
    one.__name__: one
    for one in (
        hl7,
        lower_case,
        icmp_quote,
        gre,
        vxlan,
        syslog,
        gzipped,
        deflated,
        base64_text,
        percent,
        hexadecimal,
        utf16,
        trailer,
        unknown_ethertype,
    )
}


def surrounded(capture: Capture, oracle: Oracle, *names: str) -> Capture:
    """Return a capture with packets of these surroundings behind its own."""
    data = b"".join(one.data for one in capture.packets)
    name = next(one.text for one in oracle if one.kind is Kind.NAME and one.data in data and one.text.isascii())
    identifier = next(one.text for one in oracle if one.place == "PatientID" and one.data in data)
    last = capture.packets[-1].time_ns
    frames = [frame for each in names for frame in SURROUNDINGS[each](capture, name, identifier)]
    more = (Packet(data=frame, time_ns=last + 1000 * (n + 1)) for n, frame in enumerate(frames))
    return replace(capture, packets=(*capture.packets, *more))


def with_frame_checks(capture: Capture) -> Capture:
    """Return frames that end in their check sequences (IEEE 802.3 FCS), each a digest of the frame."""
    return capture.with_frames(one.data + struct.pack("<I", zlib.crc32(one.data)) for one in capture.packets)


def two_interfaces(capture: Capture, oracle: Oracle) -> bytes:
    """Return a pcapng file of two interfaces, with a patient's name in the comments of section and interface."""
    name = next(one.text for one in oracle if one.kind is Kind.NAME and one.text.isascii())
    comment = option(1, f"ticket 42, reported by {name}".encode())
    end = option(0, b"")
    section = SectionOf(
        faces=[Face(options=comment + end), Face(options=option(2, name.encode()) + end)],
        contents=[replace(one, interface=n % 2) for n, one in enumerate(capture.packets)],
        options=comment + end,
    )
    return pcapng(section)
