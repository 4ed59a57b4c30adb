"""Where the bytes of messages come from: spans of a stream.

A span is a place in a stream and a count of bytes; a message is an array of them, int64[n, 2].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gql_server.engine.compilation import Bytes

Spans = npt.NDArray[np.int64]
"""int64[n, 2]: place in the stream, bytes."""
NO_SPANS: Final[Spans] = np.empty((0, 2), np.int64)


SHORT_STREAM: Final = 1 << 15


class ByteStream(Protocol):
    """One direction of a TCP connection, as far as it was captured; places count from its first byte."""

    @property
    def end(self) -> int:
        """Where the last captured byte ends."""

    @property
    def starts_at_syn(self) -> bool:
        """Whether its very beginning is known."""

    def read(self, at: int, count: int) -> bytes:
        """Return the bytes from a place on, up to the first one that was not captured."""

    def next_covered(self, at: int) -> int | None:
        """Return the first captured place from this one on."""

    def covered(self, at: int, count: int) -> list[tuple[int, int]]:
        """Return the captured parts of a range as places and counts."""

    def gather(self, spans: Spans, out: Bytes) -> int:
        """Copy spans one behind the other, up to the first byte that was not captured; return how many bytes."""

    def scatter(self, spans: Spans, data: Bytes) -> None:
        """Copy bytes back to where `gather` takes them from; what was not captured is passed over."""

    def fill(self, at: int, count: int, byte: int = 0) -> int:
        """Set all captured bytes of a range; return how many there were."""


class Duplex(Protocol):
    """Both directions of a TCP connection."""

    @property
    def client_port(self) -> int:
        """The port of the side that connected."""

    @property
    def server_port(self) -> int:
        """The port it connected to."""

    @property
    def streams(self) -> Sequence[ByteStream]:
        """From client to server, and back."""


class ShortStream:
    """A stream that is short and whole, read once; what is written goes to the stream itself.

    Nobody reads again what was written: what is short has no values outside.
    """

    __slots__ = ("_bytes", "_data", "_stream", "end", "starts_at_syn")

    def __init__(self, stream: ByteStream, data: bytes) -> None:
        self._stream, self._data, self._bytes = stream, data, np.frombuffer(data, np.uint8)
        self.end, self.starts_at_syn = len(data), stream.starts_at_syn

    def read(self, at: int, count: int) -> bytes:
        """Return bytes, as many as there are."""
        return self._data[at : at + count]

    def next_covered(self, at: int) -> int | None:
        """Return the place itself, if it is in the stream."""
        return at if at < self.end else None

    def covered(self, at: int, count: int) -> list[tuple[int, int]]:
        """Return the range itself, as far as it is in the stream."""
        return [(at, min(count, self.end - at))] if at < self.end and count > 0 else []

    def gather(self, spans: Spans, out: Bytes) -> int:
        """Copy spans one behind the other; return how many bytes."""
        done = 0
        for at, count in spans.tolist():
            part = self._bytes[at : at + count]
            out[done : done + len(part)] = part
            done += len(part)
            if len(part) < count:
                break
        return done

    def scatter(self, spans: Spans, data: Bytes) -> None:
        """Write to the stream itself."""
        self._stream.scatter(spans, data)

    def fill(self, at: int, count: int, byte: int = 0) -> int:
        """Fill a range of the stream itself."""
        return self._stream.fill(at, count, byte)


@dataclass(frozen=True, slots=True)
class ShortDuplex:
    """A connection, each stream of which is read once if it is short."""

    client_port: int
    server_port: int
    streams: tuple[ByteStream, ...]


def read_short(connection: Duplex) -> ShortDuplex:
    """Return the connection with its short streams in memory: that saves most of the time of small associations."""
    streams = tuple(_read_short(stream) for stream in connection.streams)
    return ShortDuplex(connection.client_port, connection.server_port, streams)


def _read_short(stream: ByteStream) -> ByteStream:
    end = stream.end
    if end > SHORT_STREAM:
        return stream
    data = stream.read(0, end)
    return ShortStream(stream, data) if len(data) == end else stream


def count_of(spans: Spans) -> int:
    """Return how many bytes spans hold."""
    return int(spans[:, 1].sum())


def cut(spans: Spans, at: int, count: int) -> Spans:
    """Return the spans of a range of the bytes that spans hold, clipped to them."""
    ends = np.cumsum(spans[:, 1])
    first = int(np.searchsorted(ends, at, "right"))
    last = int(np.searchsorted(ends, at + count, "left")) + 1
    part = spans[first:last].copy()
    if not len(part) or count <= 0:
        return NO_SPANS
    before = int(ends[first - 1]) if first else 0
    surplus = int(ends[min(last, len(ends)) - 1]) - at - count
    part[-1, 1] -= max(surplus, 0)
    part[0] += (at - before, before - at)
    return part


def gather_torn(stream: ByteStream, spans: Spans, out: Bytes) -> list[tuple[int, int]]:
    """Copy spans one behind the other, zeros for what was not captured; return begins and ends of that."""
    out[:] = 0
    missing: list[tuple[int, int]] = []
    place = 0
    for at, count in spans.tolist():
        reached = place
        for begin, length in stream.covered(at, count):
            to = place + begin - at
            stream.gather(np.array([(begin, length)], np.int64), out[to : to + length])
            if to > reached:
                missing.append((reached, to))
            reached = to + length
        place += count
        if place > reached:
            missing.append((reached, place))
    return missing
