"""Captures read a second time: records, TCP streams.

What arrives first counts; a later copy that differs is remembered as a conflict. Nothing here knows what the engine
does, or how.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.dicom.wire import ETHERNET, RAW, SLL, SLL2, SYN

_TCP: Final = 6
_FARTHEST: Final = 1 << 20
"""No hole of a capture that is meant to be read is longer."""
_VLANS: Final = (b"\x81\x00", b"\x88\xa8")


class Record(NamedTuple):
    """A packet as a file holds it."""

    link_type: int
    said: bytes
    """What the file says of its time and lengths."""
    data: bytes


class Piece(NamedTuple):
    """What one TCP segment brought."""

    flow: tuple[bytes, int, bytes, int]
    """Source and its port, destination and its port."""
    sequence: int
    flags: int
    payload: bytes
    packet: int
    """From 0."""


@dataclass(slots=True, kw_only=True)
class Stream:
    """One direction of one connection."""

    flow: tuple[bytes, int, bytes, int]
    epoch: int
    """Which connection between these ports it belongs to, from 0."""
    data: bytearray = field(default_factory=bytearray)
    there: bytearray = field(default_factory=bytearray)
    """1 where a byte was captured."""
    conflicts: list[int] = field(default_factory=list)
    """Places where copies differ."""
    apart: list[bytes] = field(default_factory=list)
    """What claims to stand so far behind everything else that only damage explains it."""

    @property
    def whole(self) -> bytes:
        """The bytes up to the first hole."""
        hole = self.there.find(0)
        return bytes(self.data if hole < 0 else self.data[:hole])

    def add(self, at: int, payload: bytes) -> None:
        """Take the bytes that nothing brought before."""
        skip = max(0, -at)
        at, payload = at + skip, payload[skip:]
        end = at + len(payload)
        if at > len(self.data) + _FARTHEST:
            self.apart.append(payload)
            return
        if end > len(self.data):
            self.there.extend(bytes(end - len(self.data)))
            self.data.extend(bytes(end - len(self.data)))
        if not any(self.there[at:end]):
            self.data[at:end], self.there[at:end] = payload, b"\1" * len(payload)
            return
        for place, byte in enumerate(payload, at):
            if not self.there[place]:
                self.data[place], self.there[place] = byte, 1
            elif self.data[place] != byte:
                self.conflicts.append(place)


def records_of(data: bytes) -> list[Record]:
    """Read a pcap or pcapng file."""
    return list(_blocks(data) if data[:4] == b"\n\r\r\n" else _records(data))


def _records(data: bytes) -> Iterator[Record]:
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        yield Record(link_type, data[at : at + 16], data[at + 16 : at + 16 + size])
        at += 16 + size


def _blocks(data: bytes) -> Iterator[Record]:
    links: list[int] = []
    at, order = 0, "<"
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\n\r\r\n":
            order, links = ("<" if data[at + 8] == 0x4D else ">"), []
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind == 1:
            links.append(struct.unpack_from(order + "H", data, at + 8)[0])
        elif kind == 6:
            face, size = struct.unpack_from(order + "I8xI", data, at + 8)
            yield Record(links[face], data[at + 8 : at + 28], data[at + 28 : at + 28 + size])
        at += length


def _network(record: Record) -> bytes:
    """Return the IP packet of a frame, or nothing."""
    data = record.data
    match record.link_type:
        case 1:
            at = 12
            while data[at : at + 2] in _VLANS:
                at += 4
            kind, at = data[at : at + 2], at + 2
        case 113:
            kind, at = data[14:16], 16
        case 276:
            kind, at = data[:2], 20
        case 101:
            kind, at = (b"\x08\x00" if data[:1] and data[0] >> 4 == 4 else b"\x86\xdd"), 0
        case _:
            return b""
    return data[at:] if kind in (b"\x08\x00", b"\x86\xdd") else b""


KNOWN_LINKS: Final = {ETHERNET, RAW, SLL, SLL2}


class _Fragments:
    """Puts IPv4 packets together again (RFC 791 §3.2)."""

    def __init__(self) -> None:
        self._parts: dict[bytes, dict[int, bytes]] = defaultdict(dict)
        self._ends: dict[bytes, int] = {}

    def add(self, packet: bytes) -> bytes:
        """Return the payload of a packet once all of it is there, and nothing before."""
        head, total = 4 * (packet[0] & 15), int.from_bytes(packet[2:4], "big")
        flags = int.from_bytes(packet[6:8], "big")
        body, at = packet[head:total], 8 * (flags & 0x1FFF)
        if not flags & 0x3FFF:
            return body
        key = packet[4:6] + packet[12:20]
        self._parts[key][at] = body
        if not flags & 0x2000:
            self._ends[key] = at + len(body)
        whole = b"".join(self._parts[key][begin] for begin in sorted(self._parts[key]))
        if len(whole) != self._ends.get(key):
            return b""
        del self._parts[key], self._ends[key]
        return whole


def pieces_of(records: Iterable[Record]) -> Iterator[Piece]:
    """Yield what TCP segments bring, as far as they were captured."""
    fragments = _Fragments()
    for number, record in enumerate(records):
        packet = _network(record)
        if len(packet) >= 20 and packet[0] >> 4 == 4 and packet[9] == _TCP:
            ends, body = (packet[12:16], packet[16:20]), fragments.add(packet)
        elif len(packet) >= 40 and packet[0] >> 4 == 6 and packet[6] == _TCP:
            ends, body = (packet[8:24], packet[24:40]), packet[40 : 40 + int.from_bytes(packet[4:6], "big")]
        else:
            continue
        if len(body) >= 20:
            ports = struct.unpack_from(">HH", body)
            flow = (ends[0], ports[0], ends[1], ports[1])
            sequence = int.from_bytes(body[4:8], "big")
            yield Piece(flow, sequence, body[13], body[4 * (body[12] >> 4) :], number)


def streams_of(pieces: Iterable[Piece]) -> list[Stream]:
    """Put streams together, by the order of their first segments; a new opening begins a new stream."""
    groups: dict[tuple[bytes, int, bytes, int], list[list[Piece]]] = {}
    opened: dict[tuple[bytes, int, bytes, int], int] = {}
    for piece in pieces:
        group = groups.setdefault(piece.flow, [[]])
        if piece.flags & SYN and opened.get(piece.flow) != piece.sequence:
            if piece.flow in opened:
                group.append([])
            opened[piece.flow] = piece.sequence
        group[-1].append(piece)
    return [_stream(flow, epoch, one) for flow, group in groups.items() for epoch, one in enumerate(group)]


def _stream(flow: tuple[bytes, int, bytes, int], epoch: int, pieces: list[Piece]) -> Stream:
    first = pieces[0].sequence
    relative = [(one.sequence - first + (1 << 31)) % (1 << 32) - (1 << 31) for one in pieces]
    opening = [at + 1 for at, one in zip(relative, pieces, strict=True) if one.flags & SYN]
    base = (
        opening[0] if opening else min((at for at, one in zip(relative, pieces, strict=True) if one.payload), default=0)
    )
    stream = Stream(flow=flow, epoch=epoch)
    for at, one in zip(relative, pieces, strict=True):
        if one.payload:
            stream.add(at - base + bool(one.flags & SYN), one.payload)
    return stream


def connections_of(streams: list[Stream]) -> list[tuple[Stream, Stream]]:
    """Pair the two directions of each connection, by the order of their first segments."""
    index = {(one.flow, one.epoch): one for one in streams}
    found: list[tuple[Stream, Stream]] = []
    seen: set[tuple[tuple[bytes, int, bytes, int], int]] = set()
    for one in streams:
        back = (one.flow[2], one.flow[3], one.flow[0], one.flow[1])
        if (one.flow, one.epoch) not in seen:
            seen |= {(one.flow, one.epoch), (back, one.epoch)}
            found.append((one, index.get((back, one.epoch), Stream(flow=back, epoch=one.epoch))))
    return found


def connections_in(data: bytes) -> list[tuple[Stream, Stream]]:
    """Return the connections of a capture file."""
    return connections_of(streams_of(pieces_of(records_of(data))))
