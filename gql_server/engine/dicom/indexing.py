"""The index of a capture, made while its windows go by.

The tables grow as they fill: a row of 32 bytes for each segment with payload, and what each connection needs.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import ForeignPolicy
from gql_server.engine.capture.windows import Window
from gql_server.engine.dicom import layout
from gql_server.engine.dicom.arranging import (
    NEEDS_LENGTH,
    NEEDS_SPARE,
    STREAM_COLUMNS,
    group,
    lay_out_streams,
    sort_streams,
    spread_streams,
)
from gql_server.engine.dicom.connections import Connections, listed, streams_of
from gql_server.engine.dicom.fragments import give_up_all
from gql_server.engine.dicom.packets import index_records
from gql_server.engine.dicom.segments import SEGMENT_COLUMNS
from gql_server.engine.dicom.settling import clear_rows
from gql_server.engine.dicom.streams import Tables
from gql_server.engine.dicom.tracking import rehash

_GROWTH: Final = 8
"""A full table grows by this part of itself: little of it is ever empty."""
_WORD_BITS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Growing:
    """How a table grows, and where the state says how full it is."""

    used: int
    room: int
    columns: int
    first: int
    """Rows to begin with."""
    at_once: int
    """Rows that one packet may need."""
    ahead: int = 0
    """Words before the rows."""


_SEGMENTS: Final = _Growing(
    used=layout.ROWS, room=layout.ROW_ROOM, columns=SEGMENT_COLUMNS, first=1 << 13, at_once=layout.ROOM_AHEAD
)
_FOREIGN: Final = _Growing(
    used=layout.FOREIGN, room=layout.FOREIGN_ROOM, columns=SEGMENT_COLUMNS, first=0, at_once=layout.ROOM_AHEAD
)
_CONNECTIONS: Final = _Growing(
    used=layout.CONNECTIONS,
    room=layout.CONNECTION_ROOM,
    columns=layout.CONNECTION_COLUMNS,
    first=1 << 8,
    at_once=1,
)
_FRAGMENTS: Final = _Growing(
    used=layout.PENDING,
    room=layout.PENDING_ROOM,
    columns=layout.FRAGMENT_COLUMNS,
    first=1 << 6,
    at_once=1,
    ahead=layout.BUCKETS,
)


class Index:
    """Finds the segments of a capture, and zeroes what is foreign in the windows if that is asked."""

    def __init__(self, foreign: ForeignPolicy) -> None:
        self._state = np.zeros(layout.STATE_LENGTH, np.int64)
        self._state[layout.ZERO] = foreign == ForeignPolicy.ZERO
        seeds = np.frombuffer(secrets.token_bytes(8 * layout.SEED_COUNT), np.int64)
        self._state[layout.SEEDS : layout.SEEDS + layout.SEED_COUNT] = seeds | 1
        self.marks = np.zeros(1, np.uint8)
        self._segments, self._foreign, self._connections, self._fragments = (np.zeros(0, np.int64) for _ in range(4))
        self._slots = np.zeros(0, np.int64)
        self._make_room()

    @property
    def bytes_foreign(self) -> int:
        """Foreign bytes so far; payload of TCP may become so later."""
        return int(self._state[layout.BYTES_FOREIGN])

    def add(self, window: Window, offset: int) -> None:
        """Index a window that is going to be written at `offset`."""
        self.marks.resize(window.first_packet + window.count + 1, refcheck=False)
        self._state[layout.SHIFT] = offset - window.begin
        first = 0
        while first < window.count:
            tables = (self._state, self.marks, self._connections, self._slots, self._segments)
            fragments = (self._fragments, self._foreign)
            first = index_records(window.buffer, window.records, *tables, *fragments, first, window.count)
            if first < window.count:
                self._make_room()

    def finish(self, image: npt.NDArray[np.uint8]) -> Connections:
        """Put what was found in order, once the image is there."""
        s = self._state
        self._finish_fragments(image)
        self._slots = np.zeros(0, np.int64)
        rows, places = listed(self._connections, int(s[layout.CONNECTIONS]))
        self._segments.resize(int(s[layout.ROWS]) * SEGMENT_COLUMNS, refcheck=False)
        group(self._segments, places.copy(), int(s[layout.ROWS]))
        with_payload = rows[:, layout.CONNECTION_PACKETS] > 0
        chosen = rows[with_payload]
        streams = streams_of(chosen, places.reshape(-1, 2)[with_payload])
        self._connections = np.zeros(0, np.int64)
        copies = self._arrange(image, streams)
        tables = Tables(image=image, segments=self._segments, streams=streams, copies=copies)
        return Connections(chosen[:, : layout.DIRECTIONS].copy(), tables)

    def _arrange(self, image: npt.NDArray[np.uint8], streams: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Put the segments of each stream in order; return the table of copies."""
        count, needs = len(streams) // STREAM_COLUMNS, np.zeros(NEEDS_LENGTH, np.int64)
        sort_streams(self._segments, streams, needs, count)
        # Untouched pages take no memory.
        most, spare, together = (needs * SEGMENT_COLUMNS).tolist()
        if spare:
            self._segments.resize(len(self._segments) + spare, refcheck=False)
            spread_streams(self._segments, streams, count, int(needs[NEEDS_SPARE]))
        copies, heap = np.zeros(most, np.int64), np.zeros(together, np.int64)
        used = lay_out_streams(image, self._segments, streams, copies, heap, count)
        copies.resize(used * SEGMENT_COLUMNS, refcheck=False)
        return copies

    def _finish_fragments(self, image: npt.NDArray[np.uint8]) -> None:
        """Zero what was found foreign only after its window had gone by."""
        s = self._state
        needed = int(s[layout.FOREIGN] + s[layout.PENDING]) * SEGMENT_COLUMNS
        self._foreign.resize(max(needed, len(self._foreign)), refcheck=False)
        give_up_all(s, self._fragments, self._foreign)
        if s[layout.ZERO]:
            clear_rows(image, self.marks, self._foreign, int(s[layout.FOREIGN]))
        self._fragments = self._foreign = np.zeros(0, np.int64)

    def _make_room(self) -> None:
        """Let the tables that are nearly full grow."""
        s = self._state
        self._grow(self._segments, _SEGMENTS)
        self._grow(self._foreign, _FOREIGN)
        self._grow(self._fragments, _FRAGMENTS)
        if self._grow(self._connections, _CONNECTIONS):
            slots = 1 << (2 * int(s[layout.CONNECTION_ROOM])).bit_length()
            if slots > len(self._slots):
                self._slots = np.zeros(slots, np.int64)
                s[layout.SLOT_MASK], s[layout.SLOT_SHIFT] = slots - 1, _WORD_BITS + 1 - slots.bit_length()
                rehash(s, self._connections, self._slots)

    def _grow(self, table: npt.NDArray[np.int64], growing: _Growing) -> bool:
        used, room = int(self._state[growing.used]), int(self._state[growing.room])
        if used + growing.at_once <= room:
            return False
        room = max(used + growing.at_once, room + room // _GROWTH, growing.first)
        self._state[growing.room] = room
        table.resize(growing.ahead + room * growing.columns, refcheck=False)
        return True
