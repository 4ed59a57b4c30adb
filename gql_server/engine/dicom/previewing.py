"""The task that shows what a de-identification would do."""

from collections.abc import Callable
from dataclasses import replace

from gql_server.domain.dicom import DicomProposal
from gql_server.engine.dicom.connections import Connection
from gql_server.engine.dicom.image import CaptureImage
from gql_server.engine.dicom.messages import AssociationReader
from gql_server.engine.dicom.policy import Policy
from gql_server.engine.dicom.tasks import DicomPreviewed, PreviewDicomTask
from gql_server.engine.tasks import Progressed

_Row = tuple[int, str, str]


class _Table:
    """Proposals, equal ones told once."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._shown: dict[_Row, DicomProposal] = {}
        self._counts: dict[_Row, int] = {}

    def add(self, proposal: DicomProposal) -> None:
        """Take in the proposal of one element."""
        row = (proposal.association, proposal.path, proposal.element)
        self._counts[row] = self._counts.get(row, 0) + 1
        if len(self._shown) < self._first:
            self._shown.setdefault(row, proposal)

    def listed(self) -> DicomPreviewed:
        """Return the first rows, and how many there are."""
        rows = tuple(replace(shown, count=self._counts[row]) for row, shown in self._shown.items())
        return DicomPreviewed(proposals=rows, total=len(self._counts))


def preview(task: PreviewDicomTask, progress: Callable[[Progressed], None]) -> DicomPreviewed:
    """Carry out a preview task: nothing is written anywhere.

    Raises:
        CaptureError: the source is no capture.
        DicomError: an override cannot be understood.
    """
    policy = Policy(task.dicom, task.key, task.overrides)
    table = _Table(task.first)
    policy.observe(table.add)
    size = task.source.stat().st_size

    def read(done: int, _: int) -> None:
        progress(Progressed(packets=0, bytes_done=done, bytes_total=size))

    with CaptureImage(task.source, None, foreign=task.dicom.foreign, progress=read) as image:
        for connection in image.connections:
            reader = AssociationReader.find(connection)
            if isinstance(reader, AssociationReader):
                _propose(policy, connection, reader)
    return table.listed()


def _propose(policy: Policy, connection: Connection, reader: AssociationReader) -> None:
    for field in reader.fields:
        policy.field(
            field.kind, connection.streams[field.side].read(field.at, field.count), association=connection.number
        )
    for message in reader.messages():
        for data, command in ((message.command, True), (message.data, False)):
            if data is not None:
                policy.apply(data, association=connection.number, command=command)
