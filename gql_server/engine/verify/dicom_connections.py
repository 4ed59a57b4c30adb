"""The TCP connections of a capture, in both of its files.

One pass over both: every segment with payload, where it lies in the original and in the output, and what its bytes
became. A connection whose ports are used again is another one (RFC 9293 §3.6.1).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_segments as segments
from gql_server.engine.verify.dicom_fragments import Fragments
from gql_server.engine.verify.dicom_times import TimeShift
from gql_server.engine.verify.layout import PACKET_BEGIN, PACKET_COLUMNS
from gql_server.engine.verify.side_by_side import SideBySide

Numbers = npt.NDArray[np.int64]

_SEED_BITS: Final = 62
_TYPES: Final = {
    "packet": (0, np.uint32),
    "at": (1, np.int64),
    "other": (2, np.int64),
    "stream": (3 + segments.CONNECTION, np.uint32),
    "sequence": (3 + segments.SEQUENCE, np.uint32),
    "flags": (3 + segments.FLAGS, np.uint8),
    "data": (3 + segments.DATA, np.uint32),
    "length": (3 + segments.LENGTH, np.uint32),
    "rewritten": (3 + segments.REWRITTEN, np.bool_),
    "live": (3 + segments.LIVE, np.bool_),
}
"""Columns of a table of rows, and what is kept of them: 39 bytes a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Segments with payload or SYN, in the order of their packets; all arrays of one length."""

    packet: npt.NDArray[np.uint32]
    """From 0."""
    at: Numbers
    """Where the payload lies in the original."""
    other: Numbers
    """Where it lies in the output."""
    stream: npt.NDArray[np.uint32]
    """Twice the number of the connection, and the side that sends."""
    sequence: npt.NDArray[np.uint32]
    flags: npt.NDArray[np.uint8]
    data: npt.NDArray[np.uint32]
    """Where it begins in its packet."""
    length: npt.NDArray[np.uint32]
    rewritten: npt.NDArray[np.bool_]
    """Whether a byte of it is something else in the output, and not zero."""
    live: npt.NDArray[np.bool_]
    """Whether a byte of it is not zero in the output."""


class Indexer:
    """Collects the segments of both files."""

    def __init__(self) -> None:
        self._seed = secrets.randbits(_SEED_BITS)
        self._fragments = Fragments(self._seed)
        self._known: dict[int, int] = {}
        self._begun: dict[int, int] = {}
        self._numbers = 0
        self._parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _TYPES}
        self._begins: list[Numbers] = []
        self.packets = 0
        self.reasons: set[VerificationReason] = set()

    def read(self, original: Path, output: Path, shift: TimeShift, tell: Callable[[int, int, int], None]) -> Segments:
        """Read both files to their end; `tell` is told packets, bytes done and bytes there are."""
        with SideBySide(original, output) as reading:
            for count in reading:
                rows = np.zeros(count * segments.SEGMENT_COLUMNS, np.int64)
                one, two = reading.original, reading.output
                lists = (one.buffer, two.buffer, one.packets, two.packets, rows, self._seed, one.next, two.next, count)
                segments.find_segments(*lists)
                shift.observe(reading, count)
                self._take(reading, rows.reshape(-1, segments.SEGMENT_COLUMNS))
                tell(reading.packets, two.base + len(two.window), two.size)
        self.packets = reading.packets
        return self._segments()

    def begins(self) -> Numbers:
        """Return where the packets of the output begin."""
        return np.concatenate(self._begins) if self._begins else np.zeros(0, np.int64)

    def _take(self, reading: SideBySide, rows: Numbers) -> None:
        one, two, count = reading.original, reading.output, len(rows)
        begins = one.packets.reshape(-1, PACKET_COLUMNS)[one.next : one.next + count, PACKET_BEGIN]
        others = two.packets.reshape(-1, PACKET_COLUMNS)[two.next : two.next + count, PACKET_BEGIN]
        places = np.stack([begins + one.base, others + two.base], axis=1) + rows[:, segments.DATA : segments.DATA + 1]
        self._begins.append(others + two.base)
        packets = reading.packets + np.arange(count)
        carries = (rows[:, segments.LENGTH] > 0) | (rows[:, segments.FLAGS] & segments.SYN != 0)
        chosen = (rows[:, segments.KIND] == segments.SEGMENT) & carries
        table = np.column_stack([packets, places, rows])[chosen]
        parts = np.flatnonzero(rows[:, segments.KIND] == segments.PART)
        if len(parts):
            table = self._with_fragments(reading, rows, np.column_stack([packets, places]), parts, table)
        if len(table):
            self._number(table)
            for name, (column, kind) in _TYPES.items():
                self._parts[name].append(table[:, column].astype(kind))

    def _with_fragments(
        self, reading: SideBySide, rows: Numbers, places: Numbers, parts: Numbers, table: Numbers
    ) -> Numbers:
        found = []
        for i in parts.tolist():
            begin = int(reading.original.packets[(reading.original.next + i) * PACKET_COLUMNS + PACKET_BEGIN])
            at, length = begin + int(rows[i, segments.DATA]), int(rows[i, segments.LENGTH])
            header = reading.original.buffer[begin:at].tobytes()
            payload = reading.original.buffer[at : at + length].tobytes()
            packet, one, two = places[i].tolist()
            for row, *where in self._fragments.take(rows[i], packet, (one, two), header, payload):
                found.append(np.concatenate([np.array(where, np.int64), row]))
        if not found:
            return table
        whole = np.concatenate([table, np.stack(found)])
        return np.asarray(whole[np.argsort(whole[:, 0], kind="stable")])

    def _number(self, table: Numbers) -> None:
        """Replace the digests of connections by numbers of streams."""
        digests = table[:, 3 + segments.CONNECTION]
        distinct, inverse = np.unique(digests, return_inverse=True)
        numbers = np.array([self._number_of(digest) for digest in distinct.tolist()], np.int64)[inverse]
        flags = table[:, 3 + segments.FLAGS]
        for i in np.flatnonzero((flags & (segments.SYN | segments.ACK)) == segments.SYN).tolist():
            digest, first = int(digests[i]), int(table[i, 3 + segments.SEQUENCE])
            known = self._begun.get(digest)
            if known == first:
                continue
            seen = known is not None or (inverse[:i] == inverse[i]).any()
            self._begun[digest] = first
            if seen:
                self._numbers += 1
                self._known[digest] = self._numbers
                numbers[i:][inverse[i:] == inverse[i]] = self._numbers
        table[:, 3 + segments.CONNECTION] = 2 * numbers + table[:, 3 + segments.SIDE]

    def _number_of(self, digest: int) -> int:
        if digest not in self._known:
            self._numbers += 1
            self._known[digest] = self._numbers
            self._begun.pop(digest, None)
        return self._known[digest]

    def _segments(self) -> Segments:
        columns = {}
        for name, (_, kind) in _TYPES.items():
            # One column after the other: the parts go as the whole comes.
            parts = self._parts.pop(name)
            columns[name] = np.concatenate(parts) if parts else np.zeros(0, kind)
        return Segments(**columns)
