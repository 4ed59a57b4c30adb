"""The proof of DICOM: both files, connection by connection.

One reading lists every TCP segment; then each stream that carries DICOM is put together and judged; then the output is
searched for what must be gone.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DatePolicy, ForeignPolicy
from gql_server.domain.dicom_verification import DicomExpectation, SecretScan
from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_associating import syntaxes_of
from gql_server.engine.verify.dicom_connections import Indexer, Segments
from gql_server.engine.verify.dicom_dictionary import Dictionary, dictionary_for
from gql_server.engine.verify.dicom_judge import StreamJudge
from gql_server.engine.verify.dicom_leaks import search
from gql_server.engine.verify.dicom_recognition import begins_dicom, holds_command
from gql_server.engine.verify.dicom_streams import AT, OTHER, Chunk, Laid, PairReader, Pieces, chunks_of
from gql_server.engine.verify.dicom_times import TimeShift
from gql_server.engine.verify.dicom_values import ValueJudge
from gql_server.engine.verify.layout import PACKET_BEGIN, PACKET_COLUMNS, PACKET_JUDGED_AT, PACKET_JUDGED_END
from gql_server.engine.verify.side_by_side import Reading

Numbers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]
Tell = Callable[[int, int, int], None]

_COUNTED: Final = (
    (d.STRUCTURE, VerificationReason.STRUCTURE_CHANGED),
    (d.LEFT, VerificationReason.UNDECODABLE_LEFT),
    (d.BULK_LEFT, VerificationReason.VALUE_KEPT),
    (d.PIXELS_LEFT, VerificationReason.PIXELS_LEFT),
    (d.ALTERED, VerificationReason.VALUE_ALTERED),
    (d.PIXELS_KEPT, VerificationReason.PIXELS_KEPT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Payload of connections that carry DICOM, by packet."""

    packet: Rows
    """From 0."""
    data: Rows
    """Where it begins in its packet."""
    length: Rows


@dataclass(slots=True, kw_only=True)
class DicomEvidence:
    """What the reading of DICOM found."""

    expected: DicomExpectation
    shift: TimeShift
    judged: Judged
    judge: StreamJudge
    dictionary: Dictionary
    values: ValueJudge
    scan: SecretScan
    reasons: set[VerificationReason]
    connections: int
    streams: int
    copies: int

    def mark(self, reading: Reading, count: int) -> None:
        """Tell the reader of packets which payload is judged here, and which times are right."""
        reader = reading.original
        rows = reader.packets.reshape(-1, PACKET_COLUMNS)[reader.next : reader.next + count]
        rows[:, PACKET_JUDGED_AT] = rows[:, PACKET_JUDGED_END] = 0
        low, high = np.searchsorted(self.judged.packet, (reading.packets, reading.packets + count))
        some = self.judged.packet[low:high].astype(np.int64) - reading.packets
        begin = rows[some, PACKET_BEGIN] + self.judged.data[low:high]
        rows[some, PACKET_JUDGED_AT] = begin
        rows[some, PACKET_JUDGED_END] = begin + self.judged.length[low:high]
        self.shift.settle(reading, count)


def prove_dicom(original: Path, output: Path, expected: DicomExpectation, tell: Tell) -> DicomEvidence:
    """Judge the DICOM of both files."""
    shift = TimeShift(wanted=expected.dates is DatePolicy.SHIFT)
    indexer = Indexer()
    found = indexer.read(original, output, shift, tell)
    dictionary = dictionary_for(expected)
    values = ValueJudge(expected)
    judge = StreamJudge(expected, dictionary, values)
    proof = _Proof(found, expected, judge)
    with _opened(original) as one, _opened(output) as other:
        proof.judge_all(PairReader(one, other))
        judge.flush()
        files = (one, other)
        scan, leaks = search(
            files=files,
            streams=proof.sources(),
            begins=indexer.begins(),
            secrets=values.secrets,
            dictionary=dictionary,
            expected=expected,
        )
    reasons = values.reasons | values.pseudonyms.conclude() | proof.reasons | leaks
    reasons |= {reason for counter, reason in _COUNTED if judge.state[counter]}
    if len(values.days) > 1 or (values.days and shift.days is not None and values.days != {shift.days}):
        reasons.add(VerificationReason.DATES_INCONSISTENT)
    return DicomEvidence(
        expected=expected,
        shift=shift,
        judged=proof.judged(),
        judge=judge,
        dictionary=dictionary,
        values=values,
        scan=scan,
        reasons=reasons,
        connections=proof.connections,
        streams=proof.streams,
        copies=proof.copies,
    )


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield number
    finally:
        os.close(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One direction of a TCP connection, to be searched."""

    pieces: Pieces
    is_dicom: bool
    contexts: dict[int, int]


class _Proof:
    """Judges connection by connection."""

    def __init__(self, found: Segments, expected: DicomExpectation, judge: StreamJudge) -> None:
        self._found = found
        self._expected = expected
        self._judge = judge
        self._laid = Laid(found)
        self._numbers = self._laid.numbers
        self._contexts: dict[int, dict[int, int]] = {}
        self.rows: list[Rows] = []
        self.reasons: set[VerificationReason] = set()
        self.connections = self.streams = self.copies = 0

    def _connections(self) -> Iterator[list[int]]:
        """Yield the streams of each connection, by their place in the list."""
        i = 0
        while i < len(self._numbers):
            both = i + 1 < len(self._numbers) and self._numbers[i] >> 1 == self._numbers[i + 1] >> 1
            yield [i, i + 1] if both else [i]
            i += 2 if both else 1

    def judge_all(self, reader: PairReader) -> None:
        """Judge every connection that carries DICOM."""
        for streams in self._connections():
            rows = [self._laid.rows(stream) for stream in streams]
            pieces = [self._laid.pieces(stream) for stream in streams]
            chunks = [chunks_of(each, reader) for each in pieces]
            firsts = [next(each, None) for each in chunks]
            if not self._is_dicom(np.concatenate(rows), firsts, pieces, reader):
                continue
            contexts: dict[int, int] = {}
            for first in firsts:
                if first is not None and len(first.original):
                    contexts |= _contexts_of(first)
            for one, some, first, rest in zip(streams, pieces, firsts, chunks, strict=True):
                self._contexts[one] = contexts
                self._judge.read(chain([first] if first else [], rest), contexts)
                self._hold_copies(some, reader)
            self.rows += rows
            self.connections += 1
            self.streams += len(streams)

    def _is_dicom(self, rows: Numbers, firsts: list[Chunk | None], pieces: list[Pieces], reader: PairReader) -> bool:
        """Say whether a connection carries DICOM: by its content, or because the output treats it so."""
        if self._found.rewritten[rows].any():
            return True
        if any(first is not None and begins_dicom(first.original[:512].tobytes()) for first in firsts):
            return True
        lives = bool(self._found.live[rows].any())
        if self._expected.foreign is ForeignPolicy.ZERO or not lives:
            return lives
        # What stayed as a foreign payload must not be DICOM that nobody noticed.
        return any(holds_command(chunk.original.tobytes()) for each in pieces for chunk in chunks_of(each, reader))

    def _hold_copies(self, pieces: Pieces, reader: PairReader) -> None:
        """Hold bytes that came again to what stands where they came first; those before the stream to zero."""
        self.copies += len(pieces.copies)
        for row in pieces.before:
            if reader.gather(row[None, :], OTHER).any():
                self.reasons.add(VerificationReason.COPY_DIFFERS)
        for row in pieces.copies:
            again = reader.gather(row[None, :], OTHER)
            first = reader.gather(_between(pieces.first, int(row[0]), int(row[1])), OTHER)
            if again.any() and not np.array_equal(again, first):
                self.reasons.add(VerificationReason.COPY_DIFFERS)

    def judged(self) -> Judged:
        """Return the payload of connections that carry DICOM."""
        rows = np.concatenate(self.rows) if self.rows else np.zeros(0, np.uint32)
        rows = rows[np.argsort(self._found.packet[rows], kind="stable")]
        return Judged(packet=self._found.packet[rows], data=self._found.data[rows], length=self._found.length[rows])

    def sources(self) -> Iterator[Source]:
        """Yield the streams of which anything is left in the output."""
        for stream in range(len(self._numbers)):
            if self._found.live[self._laid.rows(stream)].any():
                contexts = self._contexts.get(stream)
                yield Source(pieces=self._laid.pieces(stream), is_dicom=contexts is not None, contexts=contexts or {})


def _contexts_of(first: Chunk) -> dict[int, int]:
    length = 6 + int.from_bytes(first.original[2:6].tobytes(), "big")
    return syntaxes_of(first.original[:length].tobytes()) if length <= len(first.original) else {}


def _between(first: Numbers, begin: int, end: int) -> Numbers:
    """Return the parts of pieces that lie between two positions."""
    some = first[(first[:, 0] < end) & (first[:, 1] > begin)].copy()
    skipped = np.maximum(begin - some[:, 0], 0)
    some[:, [0, AT, OTHER]] += skipped[:, None]
    some[:, 1] = np.minimum(some[:, 1], end)
    return some
