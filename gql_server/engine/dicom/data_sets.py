"""A command set or a data set: its bytes, its elements.

`DataSetReader` loads as much of a message as the walk asks for. Values longer than LONGEST_VALUE are left out, and so
is native pixel data longer than LONGEST_PIXELS: their rows are OUTSIDE, and AT is where they would begin in `values`.
Once MOST_HELD bytes are held, so is everything longer than LONGEST_LATE_VALUE. Deflated data sets are held whole.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DicomProblem
from gql_server.engine.compilation import Bytes, State
from gql_server.engine.dicom import frames
from gql_server.engine.dicom.deflating import deflate_to, inflate
from gql_server.engine.dicom.dictionary import dictionary
from gql_server.engine.dicom.elements import ELEMENT_COLUMNS
from gql_server.engine.dicom.sources import ByteStream, Spans, count_of, cut, gather_torn
from gql_server.engine.dicom.transfer_syntaxes import COMMAND_ENCODING, Encoding
from gql_server.engine.dicom.walking import begin_walk, walk, walk_whole

LONGEST_VALUE: Final = 1 << 20
LONGEST_PIXELS: Final = 1 << 16
LONGEST_LATE_VALUE: Final = 1 << 12
MOST_HELD: Final = 16 << 20
_FIRST_LOAD: Final = 1 << 16
_NEXT_LOAD: Final = 1 << 18
_FIRST_ROWS: Final = 1 << 10
_NOTHING_MISSING: Final = np.zeros(2, np.int64)


@dataclass(slots=True, eq=False, kw_only=True)
class DataSet:
    """One command set or data set."""

    stream: ByteStream
    spans: Spans
    """Where `values` come from; of a deflated data set, its deflated bytes."""
    encoding: Encoding
    values: Bytes
    """Its bytes, inflated if it was deflated, without what is OUTSIDE; zeros for what was not captured."""
    elements: npt.NDArray[np.int64]
    """int64[n, ELEMENT_COLUMNS], see `elements`."""
    problems: set[DicomProblem]
    outside: dict[int, Spans] = field(default_factory=dict)
    """Where the value of an OUTSIDE row is."""
    unread: list[Spans] = field(default_factory=list)
    """What nothing was made of and is not held either."""
    known: int = 0
    """Elements with a tag that is in the dictionary, or private."""
    count: int = 0
    """Elements."""

    def save(self) -> bool:
        """Write `values` back to where they came from.

        Of a deflated data set nothing is written, and False returned, when the values do not deflate to the length
        that it had: blank more of them and save again, or discard.
        """
        if not self.encoding.deflated:
            self.stream.scatter(self.spans, self.values)
            return True
        packed = deflate_to(self.values.tobytes(), count_of(self.spans))
        if packed is None:
            return False
        self.stream.scatter(self.spans, np.frombuffer(packed, np.uint8).copy())
        return True

    def discard(self) -> int:
        """Zero all its bytes in the stream; return how many were there."""
        everything = [self.spans, *self.outside.values(), *self.unread]
        return sum(self.stream.fill(at, count) for spans in everything for at, count in spans.tolist())

    def fill_outside(self, row: int, byte: int) -> int:
        """Set the bytes of an OUTSIDE row's value; return how many were captured."""
        return sum(self.stream.fill(at, count, byte) for at, count in self.outside[row].tolist())

    def read_outside(self, row: int, at: int, count: int) -> bytes:
        """Return part of an OUTSIDE row's value: up to its end, or to the first byte that was not captured."""
        spans = cut(self.outside[row], at, count)
        out = np.empty(count_of(spans), np.uint8)
        return out[: self.stream.gather(spans, out)].tobytes()

    def write_outside(self, row: int, at: int, data: bytes) -> None:
        """Replace part of an OUTSIDE row's value."""
        spans = cut(self.outside[row], at, len(data))
        self.stream.scatter(spans, np.frombuffer(data, np.uint8)[: count_of(spans)].copy())

    def is_torn(self, row: int) -> bool:
        """Say whether part of an OUTSIDE row's value was not captured."""
        spans = self.outside[row].tolist()
        return any(sum(part for _, part in self.stream.covered(at, count)) < count for at, count in spans)


class DataSetReader:
    """Reads one data set after the other with the same tables."""

    def __init__(self) -> None:
        self._tables = dictionary()
        self._state = np.zeros(frames.STATE_LENGTH, np.int64)
        self._rows = np.empty(_FIRST_ROWS * ELEMENT_COLUMNS, np.int64)

    def read_command(self, stream: ByteStream, spans: Spans, total: int, *, whole: bool) -> DataSet:
        """Read a command set (PS3.7 §6.3)."""
        return self._read(stream, spans, total, COMMAND_ENCODING, command=True, whole=whole)

    def read_data(
        self, stream: ByteStream, spans: Spans, total: int, encoding: Encoding, *, whole: bool
    ) -> DataSet | None:
        """Read a data set; None when it is deflated and cannot be inflated.

        Args:
            stream: Holds the bytes.
            spans: Where they are.
            total: How many they are.
            encoding: How the elements are written.
            whole: Whether its last fragment is there.
        """
        if encoding.deflated:
            return self._inflated(stream, spans, encoding) if whole else None
        return self._read(stream, spans, total, encoding, command=False, whole=whole)

    def _inflated(self, stream: ByteStream, spans: Spans, encoding: Encoding) -> DataSet | None:
        packed = np.empty(count_of(spans), np.uint8)
        if stream.gather(spans, packed) < len(packed):
            return None
        plain = inflate(packed.tobytes())
        if plain is None:
            return None
        values = np.frombuffer(plain, np.uint8).copy()
        self._walk_whole(values, encoding, command=False, cut=False)
        return self._finished(stream, spans, encoding, values)

    def _read(
        self, stream: ByteStream, spans: Spans, total: int, encoding: Encoding, *, command: bool, whole: bool
    ) -> DataSet:
        if total <= _FIRST_LOAD:
            values = np.empty(total, np.uint8)
            if stream.gather(spans, values) == total:
                self._walk_whole(values, encoding, command=command, cut=not whole)
                return self._finished(stream, spans, encoding, values)
        begin_walk(self._state, total, len(self._rows) // ELEMENT_COLUMNS, encoding.number, command, not whole)
        self._state[frames.VALUE_LIMIT], self._state[frames.PIXEL_LIMIT] = LONGEST_VALUE, LONGEST_PIXELS
        return _Loading(self, stream, spans, total).read(encoding)

    def _walk_whole(self, values: Bytes, encoding: Encoding, *, command: bool, cut: bool) -> None:
        number = encoding.number
        status = walk_whole(values, _NOTHING_MISSING, self._rows, self._state, self._tables, number, command, cut)
        while status == frames.FULL:
            self._grow_rows()
            status = self._walk(values, _NOTHING_MISSING)

    def _walk(self, values: Bytes, missing: State) -> int:
        return walk(values, missing, self._rows, self._state, self._tables)

    def _grow_rows(self) -> None:
        rows = np.empty(len(self._rows) * 4, np.int64)
        rows[: len(self._rows)] = self._rows
        self._rows = rows
        self._state[frames.CAPACITY] = len(rows) // ELEMENT_COLUMNS

    def _finished(self, stream: ByteStream, spans: Spans, encoding: Encoding, values: Bytes) -> DataSet:
        s = self._state[: frames.FRAMES].tolist()
        used = s[frames.ROWS] * ELEMENT_COLUMNS
        problems = set()
        if s[frames.MALFORMED]:
            problems.add(DicomProblem.COMMAND_MALFORMED if s[frames.COMMAND] else DicomProblem.DATA_SET_MALFORMED)
        if s[frames.TORN]:
            problems.add(DicomProblem.MESSAGE_INCOMPLETE if s[frames.CUT] else DicomProblem.STREAM_HOLE)
        return DataSet(
            stream=stream,
            spans=spans,
            encoding=encoding,
            values=values,
            elements=self._rows[:used].copy().reshape(-1, ELEMENT_COLUMNS),
            problems=problems,
            known=s[frames.KNOWN],
            count=s[frames.ELEMENTS],
        )


class _Loading:
    """Loads a long or torn data set piece by piece."""

    def __init__(self, reader: DataSetReader, stream: ByteStream, spans: Spans, total: int) -> None:
        self._reader, self._stream, self._spans, self._total = reader, stream, spans, total
        self._values = np.empty(min(total, _FIRST_LOAD), np.uint8)
        self._missing: list[tuple[int, int]] = []
        self._missing_array = _NOTHING_MISSING
        self._held: list[Spans] = []
        """Spans of what is held, but for the last part, which begins at `_begun`."""
        self._begun = 0
        self._outside: dict[int, Spans] = {}
        self._unread: list[Spans] = []

    def read(self, encoding: Encoding) -> DataSet:
        """Load and walk to the end."""
        reader, state = self._reader, self._reader._state  # noqa: SLF001  # one reader in two classes
        state[frames.NEEDED] = min(self._total, _FIRST_LOAD)
        status = frames.MORE
        while status != frames.DONE:
            if status == frames.MORE:
                self._load(int(state[frames.NEEDED]))
            elif status == frames.FULL:
                reader._grow_rows()  # noqa: SLF001  # the same
            else:
                self._leave_out()
            status = reader._walk(self._values, self._missing_array)  # noqa: SLF001  # the same
        self._held.append(cut(self._spans, self._begun, self._total - self._begun))
        loaded = int(state[frames.LOADED])
        found = reader._finished(self._stream, np.concatenate(self._held), encoding, self._values[:loaded])  # noqa: SLF001
        found.outside, found.unread = self._outside, self._unread
        return found

    def _load(self, needed: int) -> None:
        state = self._reader._state  # noqa: SLF001  # one reader in two classes
        loaded = int(state[frames.LOADED])
        until = min(int(state[frames.TOTAL]), max(needed, loaded + (_NEXT_LOAD if loaded else _FIRST_LOAD)))
        if until > len(self._values):
            values = np.empty(max(until, min(2 * len(self._values), self._total)), np.uint8)
            values[:loaded] = self._values[:loaded]
            self._values = values
        spans = cut(self._spans, loaded + int(state[frames.SHIFT]), until - loaded)
        out = self._values[loaded:until]
        if self._stream.gather(spans, out) < len(out):
            missing = gather_torn(self._stream, spans, out)
            self._miss([*self._missing, *((loaded + begin, loaded + end) for begin, end in missing)])
        state[frames.LOADED] = until
        if until > MOST_HELD:
            state[frames.VALUE_LIMIT] = state[frames.PIXEL_LIMIT] = LONGEST_LATE_VALUE

    def _miss(self, missing: list[tuple[int, int]]) -> None:
        self._missing = missing
        self._missing_array = np.array(missing or [(0, 0)], np.int64).reshape(-1)
        self._reader._state[frames.MISSING] = len(missing)  # noqa: SLF001  # one reader in two classes

    def _leave_out(self) -> None:
        state = self._reader._state  # noqa: SLF001  # the same
        at, count, row = (int(state[place]) for place in (frames.SKIP_AT, frames.SKIP_COUNT, frames.SKIP_ROW))
        part = cut(self._spans, at, count)
        if row >= 0:
            self._outside[row] = part
        else:
            self._unread.append(part)
        self._held.append(cut(self._spans, self._begun, at - self._begun))
        self._begun = at + count
        loaded = int(state[frames.LOADED])
        self._miss([(begin, min(end, loaded)) for begin, end in self._missing if begin < loaded])
