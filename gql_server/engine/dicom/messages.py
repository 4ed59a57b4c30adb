"""DIMSE messages of a connection, both ways.

PS3.7 and PS3.8 Annex E. `AssociationReader` follows the PDUs of both streams, reads what opened the associations, and
hands out messages one by one; it knows no policy and writes nothing. Each captured byte of both streams is then either
part of a header that was followed or a number that was checked, or in a field, or in a message, or in `unreadable`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gql_server.domain.dicom import AssociationOutcome, DicomProblem, PresentationContext
from gql_server.engine.dicom.associations import AssociationField, AssociationFieldKind, read_association
from gql_server.engine.dicom.boundaries import (
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    ASSOCIATE_RQ,
    HEADER,
    P_DATA,
    SHORT,
    is_sound,
)
from gql_server.engine.dicom.commands import NO_COMMAND, UNKNOWN_COMMAND, command_facts
from gql_server.engine.dicom.data_sets import DataSet, DataSetReader
from gql_server.engine.dicom.finding import Encrypted, find_begins
from gql_server.engine.dicom.negotiations import AssociationFacts, Negotiation, Syntax, facts_of
from gql_server.engine.dicom.pdus import BROKEN, RESERVED, TORN, Event, PduScanner
from gql_server.engine.dicom.sources import NO_SPANS, Duplex, Spans, read_short
from gql_server.engine.dicom.transfer_syntaxes import SyntaxSource

_COMMAND: Final = 1
_LAST: Final = 2
_KNOWN_SHARE: Final = 0.9
_ENOUGH_ELEMENTS: Final = 8
_ABORT: Final = 7


@dataclass(frozen=True, slots=True)
class UnreadableSpan:
    """Bytes that nothing was made of."""

    side: int
    at: int
    count: int
    problem: DicomProblem


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Message:
    """One DIMSE message, or what is left of it."""

    side: int
    """Which stream it is in."""
    at: int
    """Where its first fragment begins there."""
    name: str
    """Such as C-STORE-RQ; UNKNOWN, or NO-COMMAND where the command set was not captured."""
    context: int
    """Number of the presentation context."""
    abstract_syntax: str
    transfer_syntax: str
    """Empty if it is not known."""
    source: SyntaxSource
    command: DataSet | None
    data: DataSet | None
    """None if there is none, or none that could be read."""
    complete: bool
    """Whether all fragments are there."""


class _Part:
    """A command set or a data set that is being collected."""

    __slots__ = ("runs", "total")

    def __init__(self) -> None:
        self.runs: list[Spans] = []
        self.total = 0

    def add(self, run: Spans, count: int) -> None:
        """Append fragments."""
        self.runs.append(run)
        self.total += count

    @property
    def spans(self) -> Spans:
        """All its fragments."""
        return self.runs[0] if len(self.runs) == 1 else np.concatenate(self.runs)


class _Open:
    """A message whose last fragment has not come yet."""

    __slots__ = ("at", "command", "command_set", "data", "name")

    def __init__(self, at: int) -> None:
        self.at = at
        self.command, self.data = _Part(), _Part()
        self.command_set: DataSet | None = None
        self.name = NO_COMMAND

    def goes_on(self, *, command: bool) -> bool:
        """Say whether a run can be part of this message: no command set goes on once it is whole."""
        if command:
            return self.command_set is None and not self.data.runs
        return self.command_set is not None or not self.command.runs


class AssociationReader:
    """What is to be read in one connection."""

    def __init__(self, connection: Duplex, begins: tuple[int | None, int | None]) -> None:
        """Follow the PDUs of both streams from where they begin."""
        self._streams = connection.streams
        self._reader = DataSetReader()
        self.fields: list[AssociationField] = []
        self.unreadable: list[UnreadableSpan] = []
        """Complete once `messages` has come to its end."""
        self.problems: set[DicomProblem] = set()
        self._negotiations: list[Negotiation] = []
        self._requestor: int | None = None
        scanner = PduScanner()
        self._sides = [self._scan(scanner, side, begin) for side, begin in enumerate(begins)]
        self._negotiate()

    @classmethod
    def find(cls, connection: Duplex) -> "AssociationReader | Encrypted | None":
        """Return a reader if the connection carries DICOM, and how it is known if it is TLS that probably does."""
        short = read_short(connection)
        begins = find_begins(short)
        return cls(short, begins) if isinstance(begins, tuple) else begins

    @property
    def requestor(self) -> int | None:
        """Which stream the association was requested in; None if neither request nor answer was captured."""
        return self._requestor

    @property
    def outcome(self) -> AssociationOutcome:
        """How the association ended; of several on one connection the last one."""
        return self._negotiations[-1].outcome if self._negotiations else AssociationOutcome.NOT_CAPTURED

    @property
    def contexts(self) -> tuple[PresentationContext, ...]:
        """The presentation contexts of all associations, each once."""
        return tuple(dict.fromkeys(context for each in self._negotiations for context in each.contexts()))

    @property
    def facts(self) -> AssociationFacts:
        """What the sides say of themselves."""
        return facts_of(self._negotiations)

    def messages(self) -> Iterator[Message]:
        """Read the messages of one stream after the other, in their order."""
        for side, (events, spans) in enumerate(self._sides):
            yield from self._messages(side, events, spans)

    def _lose(self, side: int, at: int, count: int, problem: DicomProblem) -> None:
        self.problems.add(problem)
        self.unreadable.append(UnreadableSpan(side, at, count, problem))

    def _scan(self, scanner: PduScanner, side: int, begin: int | None) -> tuple[list[Event], Spans]:
        stream = self._streams[side]
        first = stream.next_covered(0)
        if first is not None and begin != first:
            self._lose(side, first, (stream.end if begin is None else begin) - first, DicomProblem.NO_BOUNDARY)
        if begin is None:
            return [], NO_SPANS
        events, spans = scanner.scan(stream, begin)
        if len(spans) and spans[-1].sum() > stream.end:
            # Only the very last fragment can go on behind what was captured; its message is not whole then.
            surplus = int(spans[-1].sum()) - stream.end
            spans[-1, 1] -= surplus
            last = max(place for place, event in enumerate(events) if event.kind == P_DATA)
            run = events[last]
            events[last] = run._replace(control=run.control & _COMMAND, length=run.length - surplus)
        return events, spans

    def _negotiate(self) -> None:
        """Read the PDUs that are no data, and bring requests and answers together."""
        opened: list[list[Negotiation]] = [[], []]
        roles: list[int | None] = [None, None]
        for side, (events, _) in enumerate(self._sides):
            for event in events:
                if event.kind != P_DATA:
                    self._take(side, event, opened, roles)
        self._requestor = next((side for side in (0, 1) if roles[side] == ASSOCIATE_RQ), None)
        if self._requestor is None:
            answering = next((side for side in (0, 1) if roles[side] is not None), None)
            self._requestor = None if answering is None else 1 - answering
        self._pair(opened)
        if not any(each.request for each in self._negotiations):
            self.problems.add(DicomProblem.NO_ASSOCIATION)

    def _take(self, side: int, event: Event, opened: list[list[Negotiation]], roles: list[int | None]) -> None:
        kind, at = event.kind, event.at
        if kind in (ASSOCIATE_RQ, ASSOCIATE_AC):
            data = self._streams[side].read(at, event.length)
            pdu, fields = read_association(data, event.length, side, at)
            self.fields += fields
            self.problems |= pdu.problems
            opened[side].append(Negotiation(request=pdu) if kind == ASSOCIATE_RQ else Negotiation(answer=pdu))
            roles[side] = roles[side] or kind
        elif kind == RESERVED:
            self.fields.append(AssociationField(side, at, event.length, AssociationFieldKind.RESERVED))
        elif kind in (BROKEN, TORN):
            self._lose(
                side, at, event.length, DicomProblem.PDU_MALFORMED if kind == BROKEN else DicomProblem.STREAM_HOLE
            )
        else:
            if not is_sound(self._streams[side].read(at, event.length)):
                self.fields.append(AssociationField(side, at + HEADER, SHORT, AssociationFieldKind.UNKNOWN))
            if kind == ASSOCIATE_RJ:
                opened[side].append(Negotiation(rejected=True))
                roles[side] = roles[side] or kind
            elif kind == _ABORT:
                if not opened[side]:
                    opened[side].append(Negotiation())
                opened[side][-1].aborted = True

    def _pair(self, opened: list[list[Negotiation]]) -> None:
        """Make one negotiation of each request and its answer; both sides then know it by its number."""
        first, second = opened
        # What is missing on one side is at its beginning if the capture joined in the middle, else at its end.
        joined = not all(stream.starts_at_syn and stream.next_covered(0) in (0, None) for stream in self._streams)
        count = max(len(first), len(second))
        self._offsets = [count - len(each) if joined else 0 for each in opened]
        for number in range(count):
            halves = [
                each[number - offset]
                for each, offset in zip(opened, self._offsets, strict=True)
                if 0 <= number - offset < len(each)
            ]
            self._negotiations.append(
                Negotiation(
                    request=next((each.request for each in halves if each.request), None),
                    answer=next((each.answer for each in halves if each.answer), None),
                    rejected=any(each.rejected for each in halves),
                    aborted=any(each.aborted for each in halves),
                )
            )

    def _syntax(self, side: int, seen: int, context: int) -> Syntax:
        """Return what the association says of a context that is the `seen`th one in its stream, from 0."""
        number = seen + self._offsets[side]
        known = self._negotiations[number] if 0 <= number < len(self._negotiations) else Negotiation()
        return known.syntax_of(context)

    def _messages(self, side: int, events: list[Event], spans: Spans) -> Iterator[Message]:
        waiting: dict[int, _Open] = {}
        seen = -1
        for event in events:
            if event.kind == P_DATA:
                yield from self._run(side, seen, event, spans, waiting)
            elif event.kind != RESERVED:
                yield from self._flush(side, seen, waiting)
                seen += event.kind in (ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ)
        yield from self._flush(side, seen, waiting)

    def _flush(self, side: int, seen: int, waiting: dict[int, _Open]) -> Iterator[Message]:
        """Hand out what will not be whole any more."""
        for context, message in waiting.items():
            yield self._finished(side, seen, context, message, complete=False)
        waiting.clear()

    def _run(self, side: int, seen: int, event: Event, spans: Spans, waiting: dict[int, _Open]) -> Iterator[Message]:
        """Add a run to the message of its context; hand out those that end by it."""
        context, last = event.context, bool(event.control & _LAST)
        part = spans[event.first_span : event.first_span + event.spans]
        is_command = bool(event.control & _COMMAND)
        message = waiting.get(context)
        if message is not None and not message.goes_on(command=is_command):
            yield self._finished(side, seen, context, message, complete=False)
            message = None
        if message is None:
            message = waiting[context] = _Open(event.at)
        (message.command if is_command else message.data).add(part, event.length)
        if last and (not is_command or not self._awaits_data(side, message)):
            del waiting[context]
            yield self._finished(side, seen, context, message, complete=True)

    def _awaits_data(self, side: int, message: _Open) -> bool:
        """Read a whole command set and say whether a data set follows; if it does not say, one may."""
        message.command_set = self._command(side, message, whole=True)
        message.name, has_data_set = command_facts(message.command_set)
        return has_data_set is not False

    def _command(self, side: int, message: _Open, *, whole: bool) -> DataSet:
        part = message.command
        return self._noted(side, self._reader.read_command(self._streams[side], part.spans, part.total, whole=whole))

    def _noted(self, side: int, data: DataSet) -> DataSet:
        self.problems |= data.problems
        for spans in data.unread:
            problem = min(data.problems)
            for at, count in spans.tolist():
                self._lose(side, at, count, problem)
        return data

    def _finished(self, side: int, seen: int, context: int, message: _Open, *, complete: bool) -> Message:
        """Read what has not been read of a message."""
        if message.command.runs and message.command_set is None:
            message.command_set = self._command(side, message, whole=False)
            message.name = command_facts(message.command_set).name
        if not complete:
            self.problems.add(DicomProblem.MESSAGE_INCOMPLETE)
        syntax = self._syntax(side, seen, context)
        data = None
        if message.data.runs:
            data, syntax = self._data(side, message, syntax, complete=complete)
        return Message(
            side=side,
            at=message.at,
            name=message.name,
            context=context,
            abstract_syntax=syntax.abstract_syntax,
            transfer_syntax=syntax.transfer_syntax,
            source=syntax.source,
            command=message.command_set,
            data=data,
            complete=complete,
        )

    def _data(self, side: int, message: _Open, syntax: Syntax, *, complete: bool) -> tuple[DataSet | None, Syntax]:
        """Read a data set in the syntax that is known, or in the one in which it makes sense."""
        spans, total, stream = message.data.spans, message.data.total, self._streams[side]
        begun = message.command_set is not None and message.name != UNKNOWN_COMMAND
        problem = DicomProblem.DEFLATE_UNREADABLE
        if begun and len(syntax.encodings) == 1:
            data = self._reader.read_data(stream, spans, total, syntax.encodings[0], whole=complete)
            if not complete:
                problem = DicomProblem.MESSAGE_INCOMPLETE
        else:
            data = self._inferred(side, spans, total, syntax, complete=complete)
            known = syntax.source in (SyntaxSource.NEGOTIATED, SyntaxSource.PROPOSED)
            problem = DicomProblem.MESSAGE_INCOMPLETE if known and not begun else DicomProblem.SYNTAX_UNKNOWN
            if data is not None and not known:
                self.problems.add(DicomProblem.SYNTAX_INFERRED)
                syntax = syntax._replace(transfer_syntax=data.encoding.syntax, source=SyntaxSource.INFERRED)
        if data is None:
            for at, count in spans.tolist():
                self._lose(side, at, count, problem)
            return None, syntax
        return self._noted(side, data), syntax

    def _inferred(self, side: int, spans: Spans, total: int, syntax: Syntax, *, complete: bool) -> DataSet | None:
        """Return the data set in the first encoding in which all of it makes sense, or enough of it before a hole."""
        for encoding in syntax.encodings:
            data = self._reader.read_data(self._streams[side], spans, total, encoding, whole=complete)
            if data is None or DicomProblem.DATA_SET_MALFORMED in data.problems:
                continue
            enough = _ENOUGH_ELEMENTS if data.problems else 1
            if data.count >= enough and data.known >= _KNOWN_SHARE * data.count:
                return data
        return None


__all__ = ["AssociationReader", "DataSet", "Encrypted", "Message", "UnreadableSpan"]
