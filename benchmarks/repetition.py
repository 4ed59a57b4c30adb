"""Dialogues repeated to fill a capture.

The packets of one repetition are laid out once as a row of a table; the table is filled by columns: times, ports,
sequence numbers, values, pixels, checksums. The same seed and number give the same bytes.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from benchmarks import dialogues
from benchmarks.dialogues import Dialogue, Turn
from benchmarks.frames import Numbers, Rows, checksum_of, in_bytes, sum_of

_SEGMENT_BYTES: Final = 1460
_RECORD: Final = 16
_HEADERS: Final = 54
_CHUNK_BYTES: Final = 1 << 25
_BEGIN_MICROSECONDS: Final = 1_700_000_000_000_000
_GAP_MICROSECONDS: Final = 20
_FIRST_PORT: Final = 10_000
_PORTS: Final = 50_000
_SERVER_PORT: Final = 104
_ACKNOWLEDGED_AT_ONCE: Final = 8
_FIRST_SEQUENCES: Final = (1_000_000, 3_000_000_000)
_LETTERS: Final = (ord("A"), ord("Z") + 1)
_DIGITS: Final = (ord("1"), ord("9") + 1)
_SYN: Final = 0x02
_ACK: Final = 0x10
_PUSH: Final = 0x18
_FIN: Final = 0x11
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    connection: int
    from_client: bool
    sequence: int
    acknowledgment: int
    flags: int
    payload: bytes = b""


class _Talk:
    """A connection: segments, and how far either side has come."""

    def __init__(self, connection: int, sequences: tuple[int, int]) -> None:
        self.connection, self.next = connection, list(sequences)

    def put(self, flags: int, *, from_client: bool, payload: bytes = b"", counts: int = 0) -> _Segment:
        own = 0 if from_client else 1
        segment = _Segment(
            connection=self.connection,
            from_client=from_client,
            sequence=self.next[own],
            acknowledgment=self.next[1 - own],
            flags=flags,
            payload=payload,
        )
        self.next[own] += len(payload) + counts
        return segment

    def opened(self) -> Iterator[_Segment]:
        yield self.put(_SYN, from_client=True, counts=1)
        yield self.put(_SYN | _ACK, from_client=False, counts=1)
        yield self.put(_ACK, from_client=True)

    def said(self, turns: tuple[Turn, ...]) -> Iterator[_Segment]:
        """Yield segments; a side that sends many in a row is acknowledged now and then, as on a quick network."""
        waiting, side = 0, True
        for from_client, pdu in turns:
            waiting, side = waiting if from_client == side else 0, from_client
            for at in range(0, len(pdu), _SEGMENT_BYTES):
                yield self.put(_PUSH, from_client=from_client, payload=pdu[at : at + _SEGMENT_BYTES])
                waiting += 1
                if waiting == _ACKNOWLEDGED_AT_ONCE:
                    yield self.put(_ACK, from_client=not from_client)
                    waiting = 0

    def closed(self) -> Iterator[_Segment]:
        yield self.put(_FIN, from_client=True, counts=1)
        yield self.put(_FIN, from_client=False, counts=1)
        yield self.put(_ACK, from_client=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a file was filled with."""

    packets: int
    repetitions: int


class _Table:
    """Repetitions of the same packets: a row each.

    `strides` tells how many bytes client and server send in each; they are zero where each has connections of its own.
    """

    def __init__(self, segments: list[_Segment], strides: tuple[int, int] = (0, 0), noise: bytes = b"") -> None:
        self._segments, self.strides = segments, strides
        self._ports = 0 if any(strides) else 1 + max(one.connection for one in segments)
        lengths = [_RECORD + _HEADERS + len(one.payload) for one in segments]
        self._begins: list[int] = np.concatenate([[0], np.cumsum(lengths)]).tolist()
        self._template = np.frombuffer(b"".join(map(_record, segments)), np.uint8)
        payload = b"".join(one.payload for one in segments)
        self._columns = np.concatenate(
            [
                np.arange(begin + _RECORD + _HEADERS, end)
                for begin, end in zip(self._begins, self._begins[1:], strict=False)
            ]
        )
        self._noise = _runs(payload, noise) if noise else []
        marks = [(mark, _LETTERS) for mark in dialogues.LETTERS] + [(mark, _DIGITS) for mark in dialogues.DIGITS]
        self._marks = [(places, bounds) for mark, bounds in marks if (places := _places(payload, mark))]

    @property
    def width(self) -> int:
        """Bytes of one repetition."""
        return len(self._template)

    @property
    def packets(self) -> int:
        """Packets of one repetition."""
        return len(self._segments)

    def rows(self, numbers: Numbers, first_packet: Numbers, random: np.random.Generator) -> Rows:
        """Return these repetitions; `first_packet` is how many packets go before each."""
        rows = np.tile(self._template, (len(numbers), 1))
        for begin, end in self._noise:
            values = random.integers(0, 4096, (len(numbers), (end - begin) // 2), np.uint16)
            rows[:, self._columns[begin:end]] = values.view(np.uint8)
        for places, (low, high) in self._marks:
            value = random.integers(low, high, (len(numbers), places[0][1] - places[0][0]), np.uint8)
            for begin, end in places:
                rows[:, self._columns[begin:end]] = value
        for index, segment in enumerate(self._segments):
            self._number(rows[:, self._begins[index] : self._begins[index + 1]], segment, numbers, first_packet + index)
        return rows

    def _number(self, packet: Rows, segment: _Segment, numbers: Numbers, places: Numbers) -> None:
        """Write what differs in the headers of one packet of each repetition."""
        times = _BEGIN_MICROSECONDS + places * _GAP_MICROSECONDS
        for at, number in ((0, times // _MILLION), (4, times % _MILLION)):
            packet[:, at : at + 4] = in_bytes(number, 4)[:, ::-1]
        ports = _FIRST_PORT + numbers * self._ports + segment.connection
        own, other = self.strides if segment.from_client else self.strides[::-1]
        tcp = _RECORD + 34
        packet[:, tcp + (0 if segment.from_client else 2) :][:, :2] = in_bytes(ports, 2)
        packet[:, tcp + 4 : tcp + 8] = in_bytes((segment.sequence + numbers * own) % (1 << 32), 4)
        packet[:, tcp + 8 : tcp + 12] = in_bytes((segment.acknowledgment + numbers * other) % (1 << 32), 4)
        addresses = sum_of(packet[:, _RECORD + 26 : _RECORD + 34])
        total = sum_of(packet[:, tcp:]) + addresses + 6 + packet.shape[1] - tcp
        packet[:, tcp + 16 : tcp + 18] = in_bytes(checksum_of(total), 2)


def _record(segment: _Segment) -> bytes:
    """Return a pcap record with a segment; what differs is zero."""
    client, server = bytes((10, 20, 30, 41)), bytes((10, 20, 30, 40))
    ends = (client, server) if segment.from_client else (server, client)
    length = 40 + len(segment.payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0x4000, 64, 6, 0) + ends[0] + ends[1]
    checksum = int(checksum_of(sum_of(np.frombuffer(ip, np.uint8)[None, :]))[0])
    ports = (0, _SERVER_PORT) if segment.from_client else (_SERVER_PORT, 0)
    tcp = struct.pack(">HHIIBBHHH", *ports, 0, 0, 0x50, segment.flags, 501, 0, 0)
    stations = (b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02")[:: 1 if segment.from_client else -1]
    packet = b"".join(stations) + b"\x08\0" + ip[:10] + checksum.to_bytes(2, "big") + ip[12:] + tcp + segment.payload
    return struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet


def _runs(payload: bytes, unit: bytes) -> list[tuple[int, int]]:
    """Find where a unit of two bytes stands many times in a row."""
    return [one.span() for one in re.finditer(b"(?:%b){32,}" % re.escape(unit), payload)]


def _places(payload: bytes, mark: bytes) -> list[tuple[int, int]]:
    found, at = [], payload.find(mark)
    while at >= 0:
        found.append((at, at + len(mark)))
        at = payload.find(mark, at + len(mark))
    return found


def write(dialogue: Dialogue, path: Path, *, size: int, seed: int = 1) -> Written:
    """Write a pcap file of about this size in bytes.

    Raises:
        ValueError: There are not ports enough for so many associations.
    """
    random, talk = np.random.default_rng(seed), _Talk(0, _FIRST_SEQUENCES)
    head = _Table([*talk.opened(), *talk.said(dialogue.opening)]) if dialogue.opening else None
    table = _continued(talk, dialogue) if head else _Table(list(_each_alone(dialogue)))
    count = max(1, size // table.width)
    if not head and count * len(dialogue.repeated) > _PORTS:
        raise ValueError(f"{count} repetitions take more than {_PORTS} ports")
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        packets = _put(file, head, 1, 0, random) if head else 0
        packets = _put(file, table, count, packets, random)
        if head:
            talk.next = [at + (count - 1) * stride for at, stride in zip(talk.next, table.strides, strict=True)]
            tail = _Table([*talk.said(dialogue.closing), *talk.closed()])
            packets = _put(file, tail, 1, packets, random)
    return Written(packets=packets, repetitions=count)


def _continued(talk: _Talk, dialogue: Dialogue) -> _Table:
    before = tuple(talk.next)
    segments = [segment for turns in dialogue.repeated for segment in talk.said(turns)]
    client, server = (after - at for after, at in zip(talk.next, before, strict=True))
    return _Table(segments, strides=(client, server), noise=dialogue.noise)


def _each_alone(dialogue: Dialogue) -> Iterator[_Segment]:
    for connection, turns in enumerate(dialogue.repeated):
        talk = _Talk(connection, _FIRST_SEQUENCES)
        yield from talk.opened()
        yield from talk.said(turns)
        yield from talk.closed()


def _put(file: BinaryIO, table: _Table, count: int, packets: int, random: np.random.Generator) -> int:
    """Write repetitions some at a time; return how many packets there are then."""
    step = max(1, _CHUNK_BYTES // table.width)
    for first in range(0, count, step):
        numbers = np.arange(first, min(first + step, count))
        table.rows(numbers, packets + numbers * table.packets, random).tofile(file)
    return packets + count * table.packets
