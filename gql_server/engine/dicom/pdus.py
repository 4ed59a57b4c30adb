"""The PDUs of a stream, and the fragments in them.

PS3.8 §9.3. A kernel follows the chain of lengths through windows of the stream and writes events: each PDU that is not
P-DATA-TF, and each run, which is a row of fragments of one command set or data set with nothing of another message
between them. The fragments themselves are spans.
"""
# kernels take their arguments by position

from typing import Final, NamedTuple

import numpy as np

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.boundaries import (
    ABORT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    ASSOCIATE_RQ,
    HEADER,
    LARGEST_ASSOCIATE,
    MOST_CONTROL,
    P_DATA,
    SHORT,
    SMALLEST_ASSOCIATE,
    SMALLEST_FRAGMENT,
    find_boundary,
    is_boundary,
)
from gql_server.engine.dicom.sources import ByteStream, Spans
from gql_server.engine.memory import load8, load32, pointer

RESERVED: Final = 8
"""A reserved byte that is not zero."""
BROKEN: Final = 9
"""Bytes that are part of no PDU, or of a fragment."""
TORN: Final = 10
"""The same, since bytes before them were not captured."""

_COMMAND: Final = 1
_LAST: Final = 2

EVENT_COLUMNS: Final = 7
KIND: Final = 0
AT: Final = 1
COUNT: Final = 2
"""Bytes: of a PDU with its header, of a run those of its fragments."""
CONTEXT: Final = 3
CONTROL: Final = 4
"""Bit 0: command set; bit 1: ends with its last fragment (PS3.8 Annex E.2)."""
FIRST_SPAN: Final = 5
SPANS: Final = 6

_MORE: Final = 0
_FULL: Final = 1
_DESYNCHRONIZED: Final = 2

_POSITION: Final = 0
_PDU_END: Final = 1
"""Of the P-DATA-TF being read, or 0."""
_EVENTS: Final = 2
_SPANS: Final = 3
_WINDOW_AT: Final = 4
_WINDOW_LENGTH: Final = 5
_EVENT_ROOM: Final = 6
_SPAN_ROOM: Final = 7
_OPEN: Final = 8
"""1 while the last event is a run that may go on."""
_STATE_LENGTH: Final = 9

WINDOW: Final = 1 << 16


class Event(NamedTuple):
    """One PDU or one run."""

    kind: int
    at: int
    length: int
    context: int
    control: int
    first_span: int
    spans: int


@kernel
def _add(e: State, s: State, kind: int, at: int, count: int) -> int:
    i: int = s[_EVENTS] * EVENT_COLUMNS
    s[_EVENTS] += 1
    s[_OPEN] = 0
    e[i + KIND], e[i + AT], e[i + COUNT] = kind, at, count
    e[i + CONTEXT] = e[i + CONTROL] = e[i + FIRST_SPAN] = e[i + SPANS] = 0
    return i


@kernel
def _header(b: Bytes, e: State, s: State, at: int) -> bool:
    """Take the header of a PDU."""
    p = s[_POSITION]
    kind, length = load8(b, at), load32(b, at + 2)
    associate = kind in (ASSOCIATE_RQ, ASSOCIATE_AC) and SMALLEST_ASSOCIATE <= length <= LARGEST_ASSOCIATE
    if kind == P_DATA:
        if length < HEADER:
            return False
        s[_PDU_END] = p + HEADER + length
    elif (associate and SMALLEST_ASSOCIATE <= length <= LARGEST_ASSOCIATE) or (
        ASSOCIATE_RJ <= kind <= ABORT and length == SHORT
    ):
        _add(e, s, kind, p, HEADER + length)
    else:
        return False
    if load8(b, at + 1) != 0:
        _add(e, s, RESERVED, p + 1, 1)
    s[_POSITION] = p + HEADER if kind == P_DATA else p + HEADER + length
    return True


@kernel
def _fragment(b: Bytes, e: State, f: State, s: State, at: int) -> bool:
    """Take the header of a fragment and pass over its bytes."""
    p = s[_POSITION]
    count, context, control = load32(b, at), load8(b, at + 4), load8(b, at + 5)
    if count < SMALLEST_FRAGMENT or p + 4 + count > s[_PDU_END] or context & 1 == 0 or control > MOST_CONTROL:
        return False
    i = (s[_EVENTS] - 1) * EVENT_COLUMNS
    if s[_OPEN] == 0 or e[i + CONTEXT] != context or e[i + CONTROL] != control & _COMMAND:
        i = _add(e, s, P_DATA, p, 0)
        e[i + CONTEXT], e[i + CONTROL], e[i + FIRST_SPAN] = context, control & _COMMAND, s[_SPANS]
    n = s[_SPANS]
    f[2 * n], f[2 * n + 1] = p + HEADER, count - 2
    s[_SPANS] = n + 1
    e[i + SPANS] += 1
    e[i + COUNT] += count - 2
    e[i + CONTROL] = control
    s[_OPEN] = control & _LAST == 0
    s[_POSITION] = p + 4 + count
    return True


@entry
def _scan(window: Bytes, events: State, spans: State, state: State) -> int:
    """Follow the chain through a window."""
    b, e, f, s = pointer(window), pointer(events), pointer(spans), pointer(state)
    while True:
        if s[_EVENTS] + 2 > s[_EVENT_ROOM] or s[_SPANS] >= s[_SPAN_ROOM]:
            return _FULL
        if s[_POSITION] == s[_PDU_END]:
            s[_PDU_END] = 0
        at = s[_POSITION] - s[_WINDOW_AT]
        if s[_PDU_END] != 0 and s[_PDU_END] - s[_POSITION] < HEADER:
            return _DESYNCHRONIZED
        if at + HEADER > s[_WINDOW_LENGTH]:
            return _MORE
        if not (_header(b, e, s, at) if s[_PDU_END] == 0 else _fragment(b, e, f, s, at)):
            return _DESYNCHRONIZED


class PduScanner:
    """Reads streams one after the other with the same tables."""

    def __init__(self) -> None:
        self._window = np.empty(WINDOW, np.uint8)
        self._state = np.zeros(_STATE_LENGTH, np.int64)
        self._events = np.empty(64 * EVENT_COLUMNS, np.int64)
        self._spans = np.empty(64 * 2, np.int64)

    def scan(self, stream: ByteStream, begin: int) -> tuple[list[Event], Spans]:
        """Return all events of a stream from a boundary on, and the spans of its fragments."""
        s, end = self._state, stream.end
        s[:] = (begin, 0, 0, 0, 0, 0, len(self._events) // EVENT_COLUMNS, len(self._spans) // 2, 0)
        place: int | None = begin
        while place is not None and place < end:
            self._load(stream, place)
            status = _scan(self._window, self._events, self._spans, s)
            while status == _FULL:
                self._grow()
                status = _scan(self._window, self._events, self._spans, s)
            place = int(s[_POSITION])
            if status == _DESYNCHRONIZED:
                place = self._resynchronize(stream, place, BROKEN)
            elif place < end and len(stream.read(place, HEADER)) < HEADER:
                place = self._resynchronize(stream, place, TORN)
        rows = self._events[: int(s[_EVENTS]) * EVENT_COLUMNS].reshape(-1, EVENT_COLUMNS).tolist()
        return [Event._make(row) for row in rows], self._spans[: 2 * int(s[_SPANS])].copy().reshape(-1, 2)

    def _load(self, stream: ByteStream, place: int) -> None:
        span = np.array([(place, min(WINDOW, stream.end - place))], np.int64)
        self._state[_WINDOW_AT] = place
        self._state[_WINDOW_LENGTH] = stream.gather(span, self._window)

    def _resynchronize(self, stream: ByteStream, place: int, kind: int) -> int | None:
        """Note bytes as lost up to the next boundary, and go on there; None if there is none."""
        s = self._state
        pdu_end = int(s[_PDU_END])
        beyond = pdu_end if pdu_end > place and is_boundary(stream, pdu_end) else find_boundary(stream, place + 1)
        stop = stream.end if beyond is None else beyond
        if len(self._events) < (int(s[_EVENTS]) + 2) * EVENT_COLUMNS:
            self._grow()
        row = int(s[_EVENTS]) * EVENT_COLUMNS
        self._events[row : row + EVENT_COLUMNS] = (kind, place, stop - place, 0, 0, 0, 0)
        s[_EVENTS] += 1
        s[_OPEN], s[_PDU_END], s[_POSITION] = 0, 0, stop
        return beyond

    def _grow(self) -> None:
        events, spans = self._events, self._spans
        self._events, self._spans = np.empty(len(events) * 4, np.int64), np.empty(len(spans) * 4, np.int64)
        self._events[: len(events)], self._spans[: len(spans)] = events, spans
        self._state[_EVENT_ROOM], self._state[_SPAN_ROOM] = len(self._events) // EVENT_COLUMNS, len(self._spans) // 2
