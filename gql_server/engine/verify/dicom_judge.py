"""The judge of one direction of an association.

It feeds the kernels with what a stream holds and takes from them what they cannot conclude: association PDUs, deflated
data sets, and every distinct value that must become another.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import PixelPolicy
from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_associating import judge_control
from gql_server.engine.verify.dicom_dictionary import EXTRA_ROWS, Dictionary
from gql_server.engine.verify.dicom_paths import path_digests
from gql_server.engine.verify.dicom_reading import read_stream
from gql_server.engine.verify.dicom_streams import Chunk, Octets
from gql_server.engine.verify.dicom_values import ValueJudge

Numbers = npt.NDArray[np.int64]

_MOST_INFLATED: Final = 64 << 20
_NOWHERE: Final = np.zeros(1, np.int64)
_NONE: Final = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Places of a stream whose class is asked for."""

    targets: Numbers
    """Begin and end of each, one behind the other, by begin."""
    marks: Numbers
    """Classes, which the kernels fill in."""


class StreamJudge:
    """Judges streams one after the other and counts over all of them."""

    def __init__(self, expected: DicomExpectation, dictionary: Dictionary, values: ValueJudge) -> None:
        self._values = values
        self._words = dictionary.words
        rows = len(dictionary.tags) + EXTRA_ROWS
        self.counts = np.zeros(rows * d.OUTCOMES * 2, np.int64)
        self.pixels = np.zeros(d.PIXEL_ROWS * d.PIXEL_COLUMNS, np.int64)
        self.state = np.zeros(d.STATE_LENGTH, np.int64)
        self.state[d.KEEP_PIXELS] = expected.pixels is PixelPolicy.KEEP
        self._overrides = path_digests(expected.overridden)
        self.state[d.OVERRIDES] = len(expected.overridden)
        self._seen = np.zeros(d.SEEN_WORDS, np.uint64)
        self._rows = np.zeros(d.MOST_ROWS * d.ROW_COLUMNS, np.int64)
        self._was, self._now = np.zeros(d.ARENA_BYTES, np.uint8), np.zeros(d.ARENA_BYTES, np.uint8)
        self._set = (np.zeros(d.BUFFER, np.uint8), np.zeros(d.BUFFER, np.uint8))
        self._places = np.zeros(d.BUFFER, np.int64)
        self._asked: Asked | None = None
        self._parts: list[tuple[bytes, bytes]] = []
        self.deflated_kept = 0
        """Bytes that stayed in what came out of deflated data sets: they stand nowhere in the file."""
        self.inflated: list[tuple[int, bytes, bytes]] | None = None
        """What came out of deflated data sets of both files, with their places; None when nobody asks."""

    def read(self, chunks: Iterable[Chunk], contexts: dict[int, int], asked: Asked | None = None) -> None:
        """Judge one stream, or only tell what stands in the places asked for."""
        s = self.state
        self._asked = asked
        s[d.MODE] = s[d.PDU_LEFT] = s[d.PDV_LEFT] = s[d.ACTIVE] = 0
        s[d.TARGETS] = len(asked.marks) if asked else 0
        s[d.CONTEXTS : d.CONTEXTS + 256] = 0
        for context, syntax in contexts.items():
            s[d.CONTEXTS + context] = syntax
        self._parts.clear()
        original, output, place = _NONE, _NONE, 0
        for chunk in chunks:
            place = chunk.at
            original, output = self._feed(chunk, original, output)
        end = Chunk(at=place, original=_NONE, output=_NONE, missing=d.ENDLESS >> 1)
        self._feed(end, original, output)

    def _feed(self, chunk: Chunk, original: Octets, output: Octets) -> tuple[Octets, Octets]:
        """Judge what was left and what came; return what is left now."""
        s = self.state
        s[d.BASE] = chunk.at - len(original)
        if len(original):
            original = np.concatenate([original, chunk.original])
            output = np.concatenate([output, chunk.output])
        else:
            original, output = chunk.original, chunk.output
        s[d.HAVE], s[d.AT], s[d.MISSING] = len(original), 0, chunk.missing
        while (answer := self._step(original, output, self._set, alone=False)) != d.MORE:
            if answer == d.CONTROL:
                self._control(original, output)
            elif answer == d.FLUSH:
                self.flush()
            else:
                self._deflated()
        at = int(s[d.AT])
        return original[at:], output[at:]

    def _step(self, original: Octets, output: Octets, buffers: tuple[Octets, Octets], *, alone: bool) -> int:
        asked = self._asked
        targets, marks = (asked.targets, asked.marks) if asked else (_NOWHERE, _NOWHERE)
        return int(
            read_stream(
                original,
                output,
                *buffers,
                self._places,
                self.state,
                self._words,
                self.counts,
                self.pixels,
                self._seen,
                self._rows,
                self._was,
                self._now,
                targets,
                marks,
                self._overrides,
                alone,
            )
        )

    def _control(self, original: Octets, output: Octets) -> None:
        s = self.state
        at = int(s[d.AT])
        whole = 6 + int.from_bytes(original[at + 2 : at + 6].tobytes(), "big")
        pdu, new = original[at : at + whole].tobytes(), output[at : at + whole].tobytes()
        length = len(pdu)
        if self._asked is None:
            found = judge_control(pdu, new, self._values, missing=whole - length)
            s[d.STRUCTURE] += found.structure
            s[d.LEFT] += found.left
            s[d.UNDECODABLE] += found.undecodable
        else:
            self._mark(self._asked, int(s[d.BASE]) + at, length, d.PLACE_KEPT if pdu == new else d.PLACE_REWRITTEN)
        s[d.PDUS] += 1
        s[d.AT] += length

    @staticmethod
    def _mark(asked: Asked, begin: int, length: int, kind: int) -> None:
        targets = asked.targets.reshape(-1, 2)
        inside = (targets[:, 0] < begin + length) & (targets[:, 1] > begin)
        asked.marks[: len(targets)][inside] |= kind

    def flush(self) -> None:
        """Take the rows of values."""
        s = self.state
        rows = self._rows.reshape(-1, d.ROW_COLUMNS)[: int(s[d.ROWS])].tolist()
        if self._asked is None:
            was, now = self._was[: int(s[d.ARENA])].tobytes(), self._now[: int(s[d.ARENA])].tobytes()
            for tag, _, vr, rule, outcome, at, length, charset in rows:
                self._values.take(tag, vr, rule, outcome, was[at : at + length], now[at : at + length], charset)
        s[d.ROWS] = s[d.ARENA] = 0
        if s[d.SEEN] > d.SEEN_WORDS // 2 - 1:
            self._seen[:] = 0
            s[d.SEEN] = 0

    def _deflated(self) -> None:
        """Take part of a deflated data set, and judge it once it is all there (PS3.5 §A.5)."""
        s = self.state
        have = int(s[d.SET_HAVE])
        self._parts.append((self._set[0][:have].tobytes(), self._set[1][:have].tobytes()))
        place = int(s[d.BASE] + s[d.AT])
        s[d.SET_BASE] += have
        s[d.SET_HAVE] = 0
        is_last = bool(s[d.PDV_LEFT] == 0 and s[d.FLAGS] & 2)
        is_cut = bool(s[d.PDV_LEFT] > 0 and s[d.MISSING] > 0 and s[d.AT] == s[d.HAVE])
        if not is_last and not is_cut:
            if s[d.PDV_LEFT] == 0:
                s[d.MODE] = d.IN_DATA
            return
        was, now = (b"".join(parts) for parts in zip(*self._parts, strict=True))
        self._parts.clear()
        one, other = (None, None) if is_cut else (_inflated(was), _inflated(now))
        if one is None or other is None or len(one) != len(other):
            s[d.LEFT] += sum(byte != 0 for byte in now)
            s[d.UNDECODABLE] += len(now)
        else:
            self._walk(one, other, place)
        # The rest of what was cut can no more be read.
        s[d.SYNTAX], s[d.SET_AT], s[d.SET_BASE], s[d.UNREAD] = d.IMPLICIT, 0, 0, d.ENDLESS
        s[d.SET_HAVE] = s[d.DEPTH] = s[d.VALUE_LEFT] = 0
        if is_last:
            s[d.MODE], s[d.ACTIVE] = d.IN_DATA, 0
            s[d.DATA_SETS] += 1

    def _walk(self, was: bytes, now: bytes, place: int) -> None:
        """Walk a data set that came out of deflate."""
        if self.inflated is not None:
            self.inflated.append((place, was, now))
        s = self.state
        kept, asked, targets = int(s[d.KEPT_BYTES] + s[d.PIXELS_KEPT]), self._asked, int(s[d.TARGETS])
        self.look_up(was, now, None)
        self._asked, s[d.TARGETS] = asked, targets
        self.deflated_kept += int(s[d.KEPT_BYTES] + s[d.PIXELS_KEPT]) - kept

    def look_up(self, was: bytes, now: bytes, asked: Asked | None) -> None:
        """Walk a whole data set in explicit VR little endian, or tell what stands in the places asked for."""
        s, self._asked = self.state, asked
        s[d.TARGETS] = len(asked.marks) if asked else 0
        buffers = (np.frombuffer(was, np.uint8).copy(), np.frombuffer(now, np.uint8).copy())
        if len(self._places) < len(was):
            self._places = np.zeros(len(was), np.int64)
        self._places[: len(was)] = np.arange(len(was))
        s[d.SYNTAX], s[d.SET_BASE], s[d.SET_HAVE], s[d.SET_AT] = d.EXPLICIT, 0, len(was), 0
        s[d.VALUE_LEFT] = s[d.UNREAD] = s[d.DEPTH] = s[d.MODALITY] = s[d.CHARSET] = s[d.HAS_PIXELS] = 0
        while self._step(_NONE, _NONE, buffers, alone=True) == d.FLUSH:
            self.flush()


def _inflated(data: bytes) -> bytes | None:
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = reader.decompress(data, _MOST_INFLATED)
    except zlib.error:
        return None
    return found if reader.eof else None
