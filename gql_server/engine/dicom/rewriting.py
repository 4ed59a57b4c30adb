"""One association after the other: read, replaced, written.

What cannot be read becomes zero. Where every byte was captured that is damage, which ends the job if it is asked to;
what a capture missed it explains itself.
"""

from collections import Counter
from typing import Final

import numpy as np

from gql_server.domain.dicom import DamagePolicy, DicomProblem
from gql_server.domain.dicom_errors import DicomUndecodable
from gql_server.engine.dicom.associations import AssociationField, AssociationFieldKind
from gql_server.engine.dicom.connections import Connection
from gql_server.engine.dicom.elements import KIND, UNREADABLE
from gql_server.engine.dicom.messages import AssociationReader, DataSet, Encrypted, Message, UnreadableSpan
from gql_server.engine.dicom.policy import Policy
from gql_server.engine.dicom.streams import Stream
from gql_server.engine.dicom.tally import Tally

_DAMAGE: Final = frozenset(
    {
        DicomProblem.NO_BOUNDARY,
        DicomProblem.PDU_MALFORMED,
        DicomProblem.COMMAND_MALFORMED,
        DicomProblem.DATA_SET_MALFORMED,
        DicomProblem.SYNTAX_UNKNOWN,
        DicomProblem.DEFLATE_UNREADABLE,
    }
)


class Rewriting:
    """De-identifies the associations of a capture in place."""

    def __init__(self, policy: Policy, damage: DamagePolicy) -> None:
        self._policy, self._damage = policy, damage
        self.associations = 0
        self.encrypted = 0
        self.data_sets = 0
        self.messages: Counter[str] = Counter()
        self._cleared: list[tuple[int, DicomProblem, int]] = []

    def rewrite(self, connection: Connection) -> None:
        """De-identify a connection if it carries DICOM.

        Raises:
            DicomUndecodable: it is damaged, and damage is to end the job.
            DicomError: a value cannot be replaced as asked.
        """
        found = AssociationReader.find(connection)
        match found:
            case None:
                return
            case Encrypted():
                self.encrypted += 1
                return
            case AssociationReader():
                self.associations += 1
                connection.claim()
                _Association(self, connection, found).rewrite()

    def lose(self, connection: Connection, side: int, at: int, problem: DicomProblem) -> None:
        """End the job over bytes that cannot be read, unless they are to become zero or the capture explains them.

        Raises:
            DicomUndecodable: see above.
        """
        if self._damage is DamagePolicy.FAIL and problem in _DAMAGE and not _is_explained(connection, side, problem):
            packet = connection.streams[side].packet_at(at)
            raise DicomUndecodable(association=connection.number, problem=problem.value, packet=packet)

    def clear(self, connection: Connection, problem: DicomProblem, count: int) -> None:
        """Count bytes that became zero."""
        self._cleared.append((connection.number, problem, count))

    @property
    def policy(self) -> Policy:
        """What becomes of values."""
        return self._policy

    def tally(self) -> Tally:
        """Return the counts of the policy, and of what became zero before any policy saw it."""
        tally = self._policy.tally
        for association, problem, count in self._cleared:
            tally.add_unreadable(association, problem, 1, count)
        return tally


def _is_explained(connection: Connection, side: int, problem: DicomProblem) -> bool:
    """Say whether bytes were not captured without which a stream cannot be read."""
    other = connection.streams[1 - side]
    # Which syntax counts is what the other side says, who has to say something before.
    if problem is DicomProblem.SYNTAX_UNKNOWN and (other.next_covered(0) is None or _is_torn(other)):
        return True
    return _is_torn(connection.streams[side])


def _is_torn(stream: Stream) -> bool:
    """Say whether bytes of a stream were not captured."""
    return not stream.starts_at_syn or stream.holes > 0 or stream.cut > 0


class _Association:
    """One connection that carries DICOM."""

    def __init__(self, rewriting: Rewriting, connection: Connection, reader: AssociationReader) -> None:
        self._rewriting, self._connection, self._reader = rewriting, connection, reader
        self._policy, self._number = rewriting.policy, connection.number

    def rewrite(self) -> None:
        """Take all of it."""
        for message in self._reader.messages():
            self._take(message)
        for field in self._reader.fields:
            self._replace(field)
        for span in self._reader.unreadable:
            self._clear(span)

    def _take(self, message: Message) -> None:
        self._rewriting.messages[message.name] += 1
        for data, command in ((message.command, True), (message.data, False)):
            if data is not None:
                self._require_sound(message, data)
                lost = min(data.problems, default=DicomProblem.DATA_SET_MALFORMED)
                self._policy.apply(data, association=self._number, command=command, lost=lost)
                self._save(data, command=command)
        self._rewriting.data_sets += message.data is not None

    def _require_sound(self, message: Message, data: DataSet) -> None:
        if data.problems and (data.elements[:, KIND] == UNREADABLE).any():
            for problem in sorted(data.problems):
                self._rewriting.lose(self._connection, message.side, message.at, problem)

    def _save(self, data: DataSet, *, command: bool) -> None:
        if data.save():
            return
        # Pseudonyms compress worse than what they replace.
        self._policy.blank(data, association=self._number, command=command)
        if not data.save():
            self._rewriting.clear(self._connection, DicomProblem.DEFLATE_UNREADABLE, data.discard())

    def _replace(self, field: AssociationField) -> None:
        stream = self._connection.streams[field.side]
        value = stream.read(field.at, field.count)
        if len(value) < field.count:
            self._clear(UnreadableSpan(field.side, field.at, field.count, DicomProblem.STREAM_HOLE))
            return
        if field.kind is AssociationFieldKind.UNREADABLE:
            self._clear(UnreadableSpan(field.side, field.at, field.count, DicomProblem.PDU_MALFORMED))
            return
        replaced = self._policy.field(field.kind, value, association=self._number)
        if replaced != value:
            stream.write(field.at, np.frombuffer(bytearray(replaced), np.uint8))

    def _clear(self, span: UnreadableSpan) -> None:
        self._rewriting.lose(self._connection, span.side, span.at, span.problem)
        cleared = self._connection.streams[span.side].fill(span.at, span.count)
        self._rewriting.clear(self._connection, span.problem, cleared)
