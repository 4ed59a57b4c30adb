"""The survey of a capture while its windows go by.

It reads the stream that is written, so it costs no second read and tells of the stored capture itself. Memory is
bounded: what finds no row is counted as lost, rows that are there stay exact, and nothing depends on where windows
begin.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.inspection import FileDigest
from gql_server.engine.capture.headers import (
    PCAP_HEADER_BYTES,
    SECTION_MAGIC,
    PcapHeader,
    parse_interface,
    parse_pcap_header,
    section_byte_order,
)
from gql_server.engine.capture.windows import Window
from gql_server.engine.inspect import layout
from gql_server.engine.inspect.faces import face_of
from gql_server.engine.inspect.files import write_survey
from gql_server.engine.inspect.findings import Findings, MarkKind
from gql_server.engine.inspect.names import service_table
from gql_server.engine.inspect.tables import index_rows
from gql_server.engine.inspect.walk import (
    DONE,
    HEADER_BLOCK,
    MARKED,
    NO_ROOM,
    survey_blocks,
    survey_records,
)

MARK_BYTES: Final = 1 << 20
"""So far apart lie the places from which packets can be found again."""
_FIRST_SLOTS: Final = 1 << 12
_GROWTH: Final = 4
_WORD_BITS: Final = 64
_UNLIMITED: Final = 1 << 62
_INDEXES: Final = (layout.TALKER_INDEX, layout.CONVERSATION_INDEX, layout.PAIR_INDEX)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyLimits:
    """How many rows there may be."""

    talkers: int = layout.TALKERS_MOST
    conversations: int = layout.CONVERSATIONS_MOST
    pairs: int = layout.PAIRS_MOST


class Survey:
    """Surveys one capture."""

    def __init__(self, limits: SurveyLimits | None = None) -> None:
        limits = limits or SurveyLimits()
        self._state = np.zeros(layout.STATE_LENGTH, np.int64)
        seeds = np.frombuffer(secrets.token_bytes(16), np.int64) | 1
        self._state[layout.SEED_LOW], self._state[layout.SEED] = seeds
        for index, most in zip(_INDEXES, (limits.talkers, limits.conversations, limits.pairs), strict=True):
            self._state[index + layout.INDEX_MOST] = most
        # Untouched pages take no memory.
        self._rows = np.zeros(layout.ROW_WORDS, np.uint64)
        self._slots = dict.fromkeys(_INDEXES, _FIRST_SLOTS)
        self._index = self._lay_out()
        self._services = service_table()
        self._pcap: PcapHeader | None = None
        self._faces = np.zeros(0, np.int64)
        self._little = True
        self._offset = 0
        self._next_mark = 0
        self._marks: list[tuple[int, int, int]] = []

    def add(self, window: Window) -> None:
        """Take the next window of the capture as it is written."""
        position, end = window.begin, window.end
        start = self._offset - window.begin
        if self._offset == 0 and window.buffer[position : position + 4].tobytes() != SECTION_MAGIC:
            self._pcap = parse_pcap_header(window.buffer[position : position + PCAP_HEADER_BYTES].tobytes())
            position += PCAP_HEADER_BYTES
        while position < end:
            position, reason = self._run(window.buffer, position, end, self._next_mark - start)
            if reason == MARKED:
                self._mark(MarkKind.PACKETS, start + position)
                self._next_mark = start + position + MARK_BYTES
            elif reason == NO_ROOM:
                self._grow()
            elif reason == HEADER_BLOCK:
                position = self._header_block(window.buffer, position, start + position)
            elif reason != DONE:
                raise ValueError("a window does not hold whole records")
        self._offset += end - window.begin

    def finish(self, directory: Path) -> tuple[FileDigest, ...]:
        """Write down what was found, beside the capture."""
        return write_survey(directory, self.findings())

    def findings(self) -> Findings:
        """Return what was found so far."""
        return Findings(state=self._state, rows=self._rows, marks=np.array(self._marks, np.int64).reshape(-1, 3))

    def _run(self, buffer: npt.NDArray[np.uint8], position: int, end: int, mark: int) -> tuple[int, int]:
        tables = (buffer, self._state, self._rows, self._index, self._services)
        if self._pcap is None:
            return survey_blocks(*tables, self._faces, position, end, mark, self._little)
        header = self._pcap
        return survey_records(*tables, position, end, mark, header.link_type, header.fraction, header.little)

    def _mark(self, kind: MarkKind, offset: int) -> None:
        self._marks.append((kind, int(self._state[layout.PACKETS]), offset))

    def _header_block(self, buffer: npt.NDArray[np.uint8], position: int, offset: int) -> int:
        start = buffer[position : position + 12].tobytes()
        if start[:4] == SECTION_MAGIC:
            self._little = section_byte_order(start, offset)
            self._faces = np.zeros(0, np.int64)
            self._mark(MarkKind.SECTION, offset)
        length = int.from_bytes(start[4:8], "little" if self._little else "big")
        if start[:4] != SECTION_MAGIC:
            block = buffer[position : position + length].tobytes()
            face = face_of(parse_interface(block, offset, little=self._little))
            self._faces = np.concatenate([self._faces, face])
            self._mark(MarkKind.INTERFACE, offset)
        return position + length

    def _lay_out(self) -> npt.NDArray[np.uint64]:
        """Describe the indexes in the state, and fill new ones with the rows that are there."""
        s, at = self._state, 0
        for index, slots in self._slots.items():
            s[index + layout.INDEX_AT], s[index + layout.INDEX_MASK] = at, slots - 1
            s[index + layout.INDEX_SHIFT] = _WORD_BITS - slots.bit_length() + 1
            holds_all = slots // 2 >= s[index + layout.INDEX_MOST]
            s[index + layout.INDEX_LIMIT] = _UNLIMITED if holds_all else slots // 2
            at += slots
        words = np.zeros(at, np.uint64)
        for index in self._slots:
            index_rows(s, self._rows, words, index)
        return words

    def _grow(self) -> None:
        s = self._state
        for index in self._slots:
            if s[index + layout.INDEX_COUNT] + layout.TALKERS_A_QUEUE > s[index + layout.INDEX_LIMIT]:
                self._slots[index] *= _GROWTH
        self._index = self._lay_out()
