"""The task that lists associations and devices of a capture."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

from gql_server.domain.dicom import (
    AssociationOutcome,
    DicomAssociation,
    DicomProblem,
    ForeignPolicy,
    PresentationContext,
)
from gql_server.engine.dicom.connections import Connection
from gql_server.engine.dicom.devices import Devices
from gql_server.engine.dicom.image import CaptureImage
from gql_server.engine.dicom.messages import AssociationReader, Encrypted
from gql_server.engine.dicom.negotiations import AssociationFacts
from gql_server.engine.dicom.tasks import DicomExtracted, ExtractDicomTask
from gql_server.engine.tasks import Progressed


def extract(task: ExtractDicomTask, progress: Callable[[Progressed], None]) -> DicomExtracted:
    """Carry out an extraction: nothing is written anywhere.

    Raises:
        CaptureError: the source is no capture.
    """
    associations: list[DicomAssociation] = []
    devices = Devices()
    size = task.source.stat().st_size

    def read(done: int, _: int) -> None:
        progress(Progressed(packets=0, bytes_done=done, bytes_total=size))

    with CaptureImage(task.source, None, foreign=ForeignPolicy.KEEP, progress=read) as image:
        for connection in image.connections:
            match AssociationReader.find(connection):
                case AssociationReader() as reader:
                    associations.append(_Extraction(connection, reader, devices).associated())
                case Encrypted():
                    associations.append(_encrypted(connection))
                case None:
                    pass
    encrypted = sum(each.outcome is AssociationOutcome.ENCRYPTED for each in associations)
    return DicomExtracted(associations=tuple(associations), devices=devices.listed(), encrypted=encrypted)


_Ends = tuple[tuple[str, int], tuple[str, int]]
"""Address and port of the client, and of the server."""


class _Extraction:
    """One connection that carries DICOM."""

    def __init__(self, connection: Connection, reader: AssociationReader, devices: Devices) -> None:
        self._connection, self._reader, self._devices = connection, reader, devices
        # Who asked for the association is its client, even where the capture does not show who connected.
        self._client_side = 0 if reader.requestor is None else reader.requestor
        first, second = _ends_of(connection)
        self._ends = (first, second) if self._client_side == 0 else (second, first)

    def associated(self) -> DicomAssociation:
        """Read all of it."""
        reader, facts = self._reader, self._reader.facts
        self._name_devices(facts)
        messages, data_sets = self._read_messages()
        return _association(
            self._connection,
            self._ends,
            facts,
            outcome=reader.outcome,
            contexts=reader.contexts,
            messages=dict(sorted(messages.items())),
            data_sets=data_sets,
            bytes_unreadable=sum(span.count for span in reader.unreadable),
            problems=reader.problems | _problems_of(self._connection),
        )

    def _name_devices(self, facts: AssociationFacts) -> None:
        for (address, _), title in zip(self._ends, (facts.calling_ae, facts.called_ae), strict=True):
            self._devices.name(address, title)

    def _read_messages(self) -> tuple[Counter[str], int]:
        messages: Counter[str] = Counter()
        data_sets = 0
        for message in self._reader.messages():
            messages[message.name] += 1
            if message.data is not None:
                data_sets += 1
                # What a query answers describes other machines than the one that answers.
                if not message.name.startswith(("C-FIND", "C-MOVE", "C-GET")):
                    self._devices.read(self._ends[message.side ^ self._client_side][0], message.data)
        return messages, data_sets


def _problems_of(connection: Connection) -> set[DicomProblem]:
    problems = set()
    for stream in connection.streams:
        if stream.holes:
            problems.add(DicomProblem.STREAM_HOLE)
        if stream.cut:
            problems.add(DicomProblem.SEGMENT_CUT)
        if stream.conflicts:
            problems.add(DicomProblem.CONFLICTING_OVERLAP)
    return problems


def _encrypted(connection: Connection) -> DicomAssociation:
    return _association(
        connection,
        _ends_of(connection),
        AssociationFacts(),
        outcome=AssociationOutcome.ENCRYPTED,
        contexts=(),
        messages={},
        data_sets=0,
        bytes_unreadable=sum(stream.end for stream in connection.streams),
        problems={DicomProblem.ENCRYPTED},
    )


def _ends_of(connection: Connection) -> _Ends:
    return (connection.client, connection.client_port), (connection.server, connection.server_port)


def _association(
    connection: Connection,
    ends: _Ends,
    facts: AssociationFacts,
    *,
    outcome: AssociationOutcome,
    contexts: tuple[PresentationContext, ...],
    messages: dict[str, int],
    data_sets: int,
    bytes_unreadable: int,
    problems: set[DicomProblem],
) -> DicomAssociation:
    (client, client_port), (server, server_port) = ends
    return DicomAssociation(
        number=connection.number,
        client=client,
        client_port=client_port,
        server=server,
        server_port=server_port,
        first_packet=connection.first_packet,
        packets=connection.packets,
        outcome=outcome,
        **asdict(facts),
        contexts=contexts,
        messages=messages,
        data_sets=data_sets,
        bytes=sum(stream.end for stream in connection.streams),
        bytes_unreadable=bytes_unreadable,
        problems=tuple(sorted(problems)),
    )
