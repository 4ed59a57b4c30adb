"""Streams over a byte string, with holes; what the reader sees of a TCP connection."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from gql_server.engine.compilation import Bytes
from gql_server.engine.dicom.sources import Spans


@dataclass(slots=True)
class HeldStream:
    """One direction, all of it in memory."""

    data: bytearray
    holes: list[tuple[int, int]] = field(default_factory=list)
    """Begins and ends, ascending, apart from each other."""
    starts_at_syn: bool = True

    @property
    def end(self) -> int:
        parts = self.covered(0, len(self.data))
        return sum(parts[-1]) if parts else 0

    def covered(self, at: int, count: int) -> list[tuple[int, int]]:
        parts, place, stop = [], at, min(at + count, len(self.data))
        for begin, end in [*self.holes, (len(self.data), len(self.data))]:
            if place < min(begin, stop):
                parts.append((place, min(begin, stop) - place))
            place = max(place, end)
        return parts

    def read(self, at: int, count: int) -> bytes:
        parts = self.covered(at, count)
        return bytes(self.data[at : at + parts[0][1]]) if parts and parts[0][0] == at else b""

    def next_covered(self, at: int) -> int | None:
        parts = self.covered(at, len(self.data))
        return parts[0][0] if parts else None

    def gather(self, spans: Spans, out: Bytes) -> int:
        done = 0
        for at, count in spans.tolist():
            part = self.read(at, count)
            out[done : done + len(part)] = np.frombuffer(part, np.uint8)
            done += len(part)
            if len(part) < count:
                break
        return done

    def scatter(self, spans: Spans, data: Bytes) -> None:
        place = 0
        for at, count in spans.tolist():
            for begin, length in self.covered(at, count):
                here = place + begin - at
                self.data[begin : begin + length] = data[here : here + length].tobytes()
            place += count

    def fill(self, at: int, count: int, byte: int = 0) -> int:
        parts = self.covered(at, count)
        for begin, length in parts:
            self.data[begin : begin + length] = bytes([byte]) * length
        return sum(length for _, length in parts)


@dataclass(slots=True)
class HeldConnection:
    """Both directions."""

    streams: tuple[HeldStream, HeldStream]
    client_port: int = 40000
    server_port: int = 4711


def held(data: bytes, holes: Iterable[tuple[int, int]] = (), *, starts_at_syn: bool = True) -> HeldStream:
    return HeldStream(bytearray(data), list(holes), starts_at_syn)


def connection(request: bytes | HeldStream, answer: bytes | HeldStream = b"", **ports: int) -> HeldConnection:
    sides = [each if isinstance(each, HeldStream) else held(each) for each in (request, answer)]
    return HeldConnection((sides[0], sides[1]), **ports)
