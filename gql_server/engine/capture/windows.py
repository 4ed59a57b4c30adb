"""A capture as a stream of windows of whole records.

The window is 3 MiB. It grows for a record that does not fit, up to the record limit and no further, so memory stays
bounded whatever a record declares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np
import numpy.typing as npt

from gql_server.domain.errors import CaptureCut, NotACapture
from gql_server.domain.traces import CaptureFormat
from gql_server.engine.capture.headers import SECTION_MAGIC, is_pcap
from gql_server.engine.capture.pcap import PcapFraming
from gql_server.engine.capture.pcapng import PcapngFraming
from gql_server.engine.capture.records import FRAMED, RECORD_COLUMNS, TOTAL_COLUMNS, TOTAL_PACKETS, TOTAL_RECORDS
from gql_server.engine.capture.source import Source

WINDOW_BYTES = 3 << 20
RECORD_LIMIT_BYTES = 64 << 20
RECORD_LIST_LENGTH = 1 << 16
"""Records handed over at once."""


@dataclass(slots=True, kw_only=True)
class Window:
    """Whole records, as they are to be written; whoever shortens packets moves its end."""

    buffer: npt.NDArray[np.uint8]
    begin: int
    end: int
    """The bytes to write are `buffer[begin:end]`."""
    records: npt.NDArray[np.int64]
    """The record list; positions count from the start of `buffer`."""
    count: int
    first_packet: int
    """Packets before this window."""
    base: int
    """Where `buffer[0]`, as it was read, lies in the unpacked capture."""
    little: bool = True
    """The byte order of what surrounds the packets."""
    totals: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(TOTAL_COLUMNS, np.int64))
    """The totals of the capture so far, which packets that are shortened change."""

    @property
    def data(self) -> memoryview:
        """The bytes to write."""
        return self.buffer.data[self.begin : self.end]


class CaptureWindows:
    """Reads a capture once.

    With `strip`, the windows hold a pcapng file without anything but packets, sections and interfaces, the latter
    two without names or comments. A pcap file has nothing to strip.
    """

    def __init__(self, source: Source, *, strip: bool, window_bytes: int = WINDOW_BYTES) -> None:
        self._source = source
        self._buffer = np.empty(window_bytes, np.uint8)
        self._have = 0
        self._base = 0
        self._ended = False
        self._framed = False
        self._records = np.zeros(RECORD_LIST_LENGTH * RECORD_COLUMNS, np.int64)
        self.totals = np.zeros(TOTAL_COLUMNS, np.int64)
        self.format = self._detect()
        self._framing: PcapFraming | PcapngFraming
        match self.format:
            case CaptureFormat.PCAP:
                self._framing = PcapFraming(self._records, self.totals, limit=RECORD_LIMIT_BYTES)
            case CaptureFormat.PCAPNG:
                self._framing = PcapngFraming(self._records, self.totals, limit=RECORD_LIMIT_BYTES, strip=strip)
            case _:
                assert_never(self.format)

    @property
    def framing(self) -> PcapFraming | PcapngFraming:
        """What is known of the format and its interfaces so far."""
        return self._framing

    @property
    def packets(self) -> int:
        """Packets found so far."""
        return int(self.totals[TOTAL_PACKETS])

    def __iter__(self) -> Iterator[Window]:
        while not (self._ended and self._framed):
            self._fill()
            position = out = 0
            code = None
            while code != FRAMED:
                begin, first = out, self.packets
                self.totals[TOTAL_RECORDS] = 0
                position, out, code = self._framing.frame(self._buffer, position, out, self._have, self._base)
                if out > begin:
                    yield self._window(begin, out, first)
            self._advance(position)
            self._framed = self._ended
        if self._have:
            raise CaptureCut(offset=self._base, packets=self.packets)

    def _window(self, begin: int, end: int, first: int) -> Window:
        return Window(
            buffer=self._buffer,
            begin=begin,
            end=end,
            records=self._records,
            count=int(self.totals[TOTAL_RECORDS]),
            first_packet=first,
            base=self._base,
            little=self._framing.little,
            totals=self.totals,
        )

    def _detect(self) -> CaptureFormat:
        while self._have < len(SECTION_MAGIC) and not self._ended:
            self._fill()
        magic = self._buffer[: min(self._have, len(SECTION_MAGIC))].tobytes()
        if magic == SECTION_MAGIC:
            return CaptureFormat.PCAPNG
        if len(magic) == len(SECTION_MAGIC) and is_pcap(magic):
            return CaptureFormat.PCAP
        raise NotACapture(offset=0)

    def _fill(self) -> None:
        """Read until the window is full or the source ends; a stream may give little at a time."""
        while self._have < len(self._buffer) and not self._ended:
            count = self._source.read_into(self._buffer.data[self._have :])
            self._have += count
            self._ended = count == 0

    def _advance(self, position: int) -> None:
        """Keep what is not framed yet, and make room when not even one record fitted."""
        rest = self._have - position
        kept = self._buffer[position : self._have]
        if position == 0 and not self._ended:
            kept, self._buffer = self._buffer, self._grown()
        self._buffer[:rest] = kept[:rest]
        self._have = rest
        self._base += position

    def _grown(self) -> npt.NDArray[np.uint8]:
        # A record above the limit was refused by its declared length before it came to this.
        assert len(self._buffer) <= RECORD_LIMIT_BYTES
        return np.empty(min(2 * len(self._buffer), RECORD_LIMIT_BYTES + WINDOW_BYTES), np.uint8)
