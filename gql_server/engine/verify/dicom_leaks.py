"""The leak scan: every original value, over all of the output.

Every stream is searched as it was put together, everything else as it lies in the file. Each hit has a place, which
explains it or not. In payload that is no DICOM nothing explains one, kept or not.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom_verification import (
    DicomExpectation,
    SecretFinding,
    SecretForm,
    SecretKind,
    SecretPlace,
    SecretScan,
)
from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import Dictionary
from gql_server.engine.verify.dicom_judge import Asked, StreamJudge
from gql_server.engine.verify.dicom_scanning import Hit, Scanner
from gql_server.engine.verify.dicom_secrets import Secrets, is_weak
from gql_server.engine.verify.dicom_streams import BEGIN, END, OTHER, PairReader, Pieces, chunks_of
from gql_server.engine.verify.dicom_values import ValueJudge, vocabulary

Numbers = npt.NDArray[np.int64]

_WINDOW: Final = 4 << 20
_OVERLAP: Final = 1 << 16
_BETWEEN: Final = b"\xff\xff"
"""Stands between parts that do not follow each other."""
_HEADERS: Final = 66
"""Bytes of a packet that are headers at most, where nothing better is known: Ethernet, IPv4, TCP with timestamps."""
_CHANCE: Final = 6
"""Shorter patterns are met by chance among binary headers."""
_MOST_HITS: Final = 1_000_000


class Stream(Protocol):
    """One direction of a TCP connection."""

    @property
    def pieces(self) -> Pieces:
        """What is there of it."""

    @property
    def is_dicom(self) -> bool:
        """Whether it carries DICOM."""

    @property
    def contexts(self) -> dict[int, int]:
        """The transfer syntax of each presentation context."""


@dataclass(slots=True)
class _Tally:
    hits: int = 0
    packet: int = 0
    offset: int = 0


@dataclass(slots=True)
class _Search:
    scanner: Scanner
    files: tuple[int, int]
    begins: Numbers
    """Where the packets of the output begin."""
    found: dict[tuple[SecretKind, SecretForm, SecretPlace], _Tally] = field(default_factory=dict)
    raw: int = 0
    reassembled: int = 0
    hits: int = 0

    def note(self, hit: Hit, place: SecretPlace, offset: int) -> None:
        """Count a hit."""
        self.hits += 1
        tally = self.found.setdefault((hit.kind, hit.form, place), _Tally())
        if tally.hits == 0 or offset < tally.offset:
            tally.packet, tally.offset = int(np.searchsorted(self.begins, offset, side="right")), offset
        tally.hits += 1

    def findings(self) -> tuple[SecretFinding, ...]:
        """Return what was counted."""
        return tuple(
            SecretFinding(
                kind=kind, form=form, place=place, hits=tally.hits, first_packet=tally.packet, first_offset=tally.offset
            )
            for (kind, form, place), tally in sorted(self.found.items())
        )


def search(
    *,
    files: tuple[int, int],
    streams: Iterable[Stream],
    begins: Numbers,
    secrets: Secrets,
    dictionary: Dictionary,
    expected: DicomExpectation,
) -> tuple[SecretScan, set[VerificationReason]]:
    """Search the output; return what was found, and what follows from it."""
    scanner = Scanner(secrets)
    run = _Search(scanner, files, begins)
    painter = StreamJudge(expected, dictionary, ValueJudge(expected))
    covered = []
    for stream in streams:
        if stream.is_dicom:
            rows = np.concatenate([stream.pieces.first, stream.pieces.copies])
            covered.append(np.column_stack([rows[:, OTHER], rows[:, OTHER] + rows[:, END] - rows[:, BEGIN]]))
            _search_dicom(run, stream, painter)
        else:
            _search_foreign(run, stream)
    _search_raw(run, _Judged(covered))
    reasons = set()
    if any(place is SecretPlace.UNEXPLAINED for _, _, place in run.found):
        reasons.add(VerificationReason.SECRET_LEAKED)
    if secrets.is_full or run.hits >= _MOST_HITS:
        reasons.add(VerificationReason.TOO_MANY_VALUES)
    scan = SecretScan(
        secrets=secrets.values,
        bytes_raw=run.raw,
        bytes_reassembled=run.reassembled,
        bytes_unpacked=scanner.unpacked,
        findings=run.findings(),
    )
    return scan, reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """Parts of a window, one behind the other, and where they lie in the file."""

    data: bytes
    places: Numbers
    """Where each begins in `data`."""
    offsets: Numbers
    """Where it begins in the file."""

    def offset(self, place: int) -> int:
        """Return where a place of the data lies in the file."""
        i = int(np.searchsorted(self.places, place, side="right")) - 1
        return int(self.offsets[i]) + place - int(self.places[i])


class _Judged:
    """Parts of the output that were searched as streams."""

    def __init__(self, covered: list[Numbers]) -> None:
        rows = np.concatenate(covered) if covered else np.zeros((0, 2), np.int64)
        rows = rows[np.argsort(rows[:, 0])]
        self._begins = rows[:, 0]
        # A copy may lie within the segment of which another part came first.
        self._ends = np.maximum.accumulate(rows[:, 1])

    def rest_of(self, data: bytes, at: int) -> _Rest:
        """Return what else there is of a window that begins at `at` in the file."""
        low = int(np.searchsorted(self._ends, at, side="right"))
        high = int(np.searchsorted(self._begins, at + len(data)))
        begins = np.concatenate([[at], np.maximum(self._ends[low:high], at)])
        ends = np.concatenate([self._begins[low:high], [at + len(data)]])
        some = ends > begins
        begins, ends = begins[some], ends[some]
        parts = [data[begin:end] for begin, end in zip((begins - at).tolist(), (ends - at).tolist(), strict=True)]
        places = np.concatenate([[0], np.cumsum(ends - begins + len(_BETWEEN))[:-1]]) if len(begins) else begins
        return _Rest(data=_BETWEEN.join(parts), places=places, offsets=begins)


def _search_raw(run: _Search, judged: _Judged) -> None:
    """Search the file as it lies there."""
    size, at = os.fstat(run.files[1]).st_size, 0
    while at < size and run.hits < _MOST_HITS:
        data = os.pread(run.files[1], _WINDOW + _OVERLAP, at)
        rest = judged.rest_of(data, at)
        run.raw += len(judged.rest_of(data[:_WINDOW], at).data)
        for hit in run.scanner.scan(rest.data):
            offset = rest.offset(hit.at)
            if offset < at + _WINDOW or at + len(data) == size:
                run.note(hit, _raw_place(run, hit, offset), offset)
        at += _WINDOW


def _raw_place(run: _Search, hit: Hit, offset: int) -> SecretPlace:
    """Say what explains a hit outside DICOM: chance, of few bytes in a header."""
    i = int(np.searchsorted(run.begins, offset, side="right")) - 1
    begin = int(run.begins[i]) if i >= 0 else 0
    is_short = hit.form is SecretForm.BYTES and hit.end - hit.at < _CHANCE
    return (
        SecretPlace.STRUCTURAL
        if is_short and offset + hit.end - hit.at - begin <= _HEADERS
        else SecretPlace.UNEXPLAINED
    )


def _hits_of(run: _Search, stream: Stream) -> list[Hit]:
    """Return the hits in a stream, with their positions in it."""
    found: list[Hit] = []
    rest, base = b"", 0
    reader = PairReader(*run.files)
    for chunk in chunks_of(stream.pieces, reader, original=False):
        if chunk.missing:
            rest = b""
            continue
        base = chunk.at - len(rest)
        data = rest + chunk.output.tobytes()
        known = len(rest)
        run.reassembled += len(chunk.output)
        hits = run.scanner.scan(data)
        found += (replace(hit, at=base + hit.at, end=base + hit.end) for hit in hits if hit.end > known)
        rest = data[-_OVERLAP:]
        if len(found) > _MOST_HITS:
            break
    return found


def _offset(pieces: Pieces, position: int) -> int:
    """Return where a position of a stream lies in the output."""
    rows = pieces.first
    i = max(int(np.searchsorted(rows[:, BEGIN], position, side="right")) - 1, 0)
    return int(rows[i, OTHER]) + max(position - int(rows[i, BEGIN]), 0)


def _search_foreign(run: _Search, stream: Stream) -> None:
    """Search payload that is no DICOM: nothing explains a hit in it."""
    rows = stream.pieces.first
    for hit in _hits_of(run, stream):
        i = int(np.searchsorted(rows[:, BEGIN], hit.at, side="right")) - 1
        if hit.form is SecretForm.BYTES and hit.end <= rows[i, END]:
            continue  # the raw search finds what lies in one packet
        run.note(hit, SecretPlace.UNEXPLAINED, _offset(stream.pieces, hit.at))


def _search_dicom(run: _Search, stream: Stream, painter: StreamJudge) -> None:
    """Search a stream of DICOM, and look up what each hit stands in."""
    if d.DEFLATED in stream.contexts.values():
        _search_inflated(run, stream, painter)
    hits = sorted(_hits_of(run, stream), key=lambda hit: hit.at)
    if not hits:
        return
    targets = np.array([(hit.at, hit.end) for hit in hits], np.int64)
    asked = Asked(targets=targets.reshape(-1), marks=np.zeros(len(hits), np.int64))
    painter.read(chunks_of(stream.pieces, PairReader(*run.files)), stream.contexts, asked)
    for hit, marks in zip(hits, asked.marks.tolist(), strict=True):
        # Nothing explains what was packed.
        place = place_of(hit, marks) if hit.form is SecretForm.BYTES else SecretPlace.UNEXPLAINED
        run.note(hit, place, _offset(stream.pieces, hit.at))


def _search_inflated(run: _Search, stream: Stream, painter: StreamJudge) -> None:
    """Search what comes out of deflated data sets."""
    painter.inflated = []
    painter.read(chunks_of(stream.pieces, PairReader(*run.files)), stream.contexts)
    inflated, painter.inflated = painter.inflated, None
    for position, was, now in inflated:
        hits = sorted(run.scanner.scan(now, packed=False), key=lambda hit: hit.at)
        targets = np.array([(hit.at, hit.end) for hit in hits], np.int64)
        asked = Asked(targets=targets.reshape(-1), marks=np.zeros(len(hits), np.int64))
        if hits:
            painter.look_up(was, now, asked)
        run.scanner.unpacked += len(now)
        for hit, marks in zip(hits, asked.marks.tolist(), strict=True):
            packed = replace(hit, form=SecretForm.COMPRESSED)
            run.note(packed, place_of(hit, marks), _offset(stream.pieces, position))


def place_of(hit: Hit, marks: int) -> SecretPlace:
    """Say what explains a hit in a stream of DICOM."""
    is_chance = is_weak(hit.pattern) or hit.pattern in vocabulary()
    if marks == d.PLACE_KEPT:
        return SecretPlace.VALUE_KEPT
    if marks and is_chance:
        return SecretPlace.VALUE_REPLACED
    return SecretPlace.STRUCTURAL if is_chance and not marks else SecretPlace.UNEXPLAINED
