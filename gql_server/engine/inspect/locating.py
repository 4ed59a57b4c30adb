"""Finds packets in a stored capture.

The marks of the survey lead close to a packet by its number; a conversation is searched from the front.
"""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from gql_server.domain.errors import CaptureCut
from gql_server.domain.packets import ConversationKey
from gql_server.engine.capture.headers import (
    PCAP_HEADER_BYTES,
    SECTION_MAGIC,
    PcapHeader,
    parse_interface,
    parse_pcap_header,
    section_byte_order,
)
from gql_server.engine.capture.windows import RECORD_LIMIT_BYTES
from gql_server.engine.inspect import layout, matching
from gql_server.engine.inspect.faces import face_of
from gql_server.engine.inspect.findings import MarkKind
from gql_server.engine.inspect.rows import MARK, MARKS_FILE
from gql_server.engine.inspect.walk import HEADER_BLOCK

_WINDOW_BYTES: Final = 1 << 20
_BLOCK_HEADER: Final = 12
_WORD: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedPacket:
    """A packet as it lies in the capture."""

    number: int
    time_ns: int | None
    link_type: int
    original_length: int
    data: bytes


def locate_packets(
    capture: Path, *, first: int, last: int, conversation: ConversationKey | None = None
) -> list[LocatedPacket]:
    """Return packets `first` to `last` - 1 from 0: of the capture, or of those of one conversation.

    Raises:
        CaptureError: the file is not what it was when it was stored.
    """
    if last <= first:
        return []
    with _Search(capture, first=first, last=last, conversation=conversation) as search:
        if conversation is None:
            search.skip(_read_marks(capture.parent / MARKS_FILE))
        return search.run()


def _read_marks(path: Path) -> npt.NDArray[np.void]:
    """Return the marks of the survey, none where there was no survey."""
    return np.frombuffer(path.read_bytes() if path.exists() else b"", MARK)


class _Search:
    """One pass over a capture, or a part of it."""

    def __init__(self, path: Path, *, first: int, last: int, conversation: ConversationKey | None) -> None:
        self._path = path
        self._state = np.zeros(layout.STATE_LENGTH, np.int64)
        self._wanted = _wanted(first, last, conversation)
        self._places = np.zeros((last - first) * matching.PLACE_COLUMNS, np.int64)
        self._services = np.zeros(1 << 16, np.uint8)
        self._faces = np.zeros(0, np.int64)
        self._little = True
        self._buffer = np.empty(_WINDOW_BYTES, np.uint8)
        self._base = 0
        self._found: list[LocatedPacket] = []

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        start = os.pread(self._file, PCAP_HEADER_BYTES, 0)
        self._pcap: PcapHeader | None = None
        if start[:4] != SECTION_MAGIC:
            self._pcap = parse_pcap_header(start)
            self._base = PCAP_HEADER_BYTES
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def skip(self, marks: npt.NDArray[np.void]) -> None:
        """Begin at the last mark before the first packet that is wanted, knowing the interfaces before it."""
        first = int(self._wanted[matching.WANT_FIRST])
        near = marks[(marks["kind"] == MarkKind.PACKETS) & (marks["packets"] <= first)]
        if not len(near):
            return
        self._base = int(near[-1]["offset"])
        self._wanted[[matching.MATCHED, matching.PASSED]] = int(near[-1]["packets"])
        for mark in marks[(marks["kind"] != MarkKind.PACKETS) & (marks["offset"] < self._base)]:
            start = os.pread(self._file, _BLOCK_HEADER, int(mark["offset"]))
            length = self._length(start, int(mark["offset"]))
            self._take_header(os.pread(self._file, length, int(mark["offset"])), int(mark["offset"]))

    def run(self) -> list[LocatedPacket]:
        """Look until all that are wanted were found, or the capture ends."""
        have = 0
        while count := os.preadv(self._file, [self._buffer.data[have:]], self._base + have):
            have += count
            position, done = self._look(have)
            if done:
                break
            self._keep(position, have)
            have -= position
            self._base += position
        else:
            if have:
                raise CaptureCut(offset=self._base, packets=int(self._wanted[matching.PASSED]))
        return self._found

    def _look(self, have: int) -> tuple[int, bool]:
        position, reason = 0, HEADER_BLOCK
        while reason == HEADER_BLOCK:
            position, reason = self._match(position, have)
            self._collect()
            if reason == HEADER_BLOCK:
                length = self._length(
                    self._buffer[position : position + _BLOCK_HEADER].tobytes(), self._base + position
                )
                if length > have - position:
                    return position, False
                self._take_header(self._buffer[position : position + length].tobytes(), self._base + position)
                position += length
        return position, reason == matching.FOUND_ALL

    def _match(self, position: int, have: int) -> tuple[int, int]:
        shared = (self._buffer, self._state, self._wanted, self._places, self._services)
        if self._pcap is None:
            return matching.match_blocks(*shared, self._faces, position, have, self._little)
        header = self._pcap
        return matching.match_records(*shared, position, have, header.link_type, header.fraction, header.little)

    def _collect(self) -> None:
        """Copy the packets that were found while they are in the window."""
        count = int(self._wanted[matching.FOUND]) - len(self._found)
        places = self._places.reshape(-1, matching.PLACE_COLUMNS)[len(self._found) :][:count].tolist()
        for number, begin, end, length, time, link_type in places:
            self._found.append(
                LocatedPacket(
                    number=number,
                    time_ns=None if time == layout.NO_TIME else time,
                    link_type=link_type,
                    original_length=length,
                    data=self._buffer[begin:end].tobytes(),
                )
            )

    def _length(self, start: bytes, offset: int) -> int:
        if start[:4] == SECTION_MAGIC:
            return int.from_bytes(start[4:8], "little" if section_byte_order(start, offset) else "big")
        return int.from_bytes(start[4:8], "little" if self._little else "big")

    def _take_header(self, block: bytes, offset: int) -> None:
        if block[:4] == SECTION_MAGIC:
            self._little = section_byte_order(block, offset)
            self._faces = np.zeros(0, np.int64)
        else:
            face = face_of(parse_interface(block, offset, little=self._little))
            self._faces = np.concatenate([self._faces, face])

    def _keep(self, position: int, have: int) -> None:
        """Keep what is not read yet, and make room when not even one record fitted."""
        rest = self._buffer[position:have].copy()
        if position == 0 and have == len(self._buffer):
            if have > RECORD_LIMIT_BYTES + _WINDOW_BYTES:
                raise CaptureCut(offset=self._base, packets=int(self._wanted[matching.PASSED]))
            self._buffer = np.empty(2 * have, np.uint8)
        self._buffer[: len(rest)] = rest


def _wanted(first: int, last: int, conversation: ConversationKey | None) -> npt.NDArray[np.int64]:
    wanted = np.zeros(matching.WANT_COLUMNS, np.int64)
    wanted[[matching.WANT_FIRST, matching.WANT_LAST]] = first, last
    if conversation is None:
        return wanted
    source, destination = ip_address(conversation.source), ip_address(conversation.destination)
    words = [int(source) >> 64, int(source) & _WORD, int(destination) >> 64, int(destination) & _WORD]
    wanted[matching.WANT_VERSION] = source.version
    wanted[matching.WANT_SOURCE_HIGH : matching.WANT_PROTOCOL] = np.array(words, np.uint64).view(np.int64)
    wanted[matching.WANT_PROTOCOL] = conversation.protocol
    ports = conversation.source_port, conversation.destination_port
    wanted[[matching.WANT_PORTS, matching.WANT_PORTS_BACK]] = layout.NO_PORTS
    if ports[0] is not None and ports[1] is not None:
        wanted[matching.WANT_PORTS] = ports[0] << 16 | ports[1]
        wanted[matching.WANT_PORTS_BACK] = ports[1] << 16 | ports[0]
    return wanted
