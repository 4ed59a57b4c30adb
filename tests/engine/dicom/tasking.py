"""Captures of one or more conversations, and what the tasks make of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.dicom import DicomOverride, DicomParameters, DicomProblem
from gql_server.engine.dicom.deidentifying import deidentify
from gql_server.engine.dicom.extracting import extract
from gql_server.engine.dicom.previewing import preview
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomExtracted,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)
from gql_server.engine.tasks import Progressed
from tests.dicom.wire import Conversation, Ends, Segment, Wire, capture_of
from tests.engine.dicom import wire
from tests.engine.dicom.data_sets import KEY

CLIENT, SERVER = "10.20.30.41", "10.20.30.40"
ENDS = Ends(client=CLIENT, client_port=40000, server=SERVER, server_port=104)
STORE, STORE_RSP, FIND, FIND_RSP, CREATE = 0x1, 0x8001, 0x20, 0x8020, 0x140
MEMORY = 512 << 20
Turn = tuple[bool, bytes]
"""Whether the client sends, and what."""


def spoken(*turns: Turn, ends: Ends = ENDS, connection: int = 0) -> list[Segment]:
    """Return the segments of a connection, from SYN to FIN."""
    talk = Conversation(connection=connection, sequences=(1000 + connection, 900_000))
    for from_client, data in turns:
        talk.send(data, from_client=from_client)
    talk.close()
    assert ends.client
    return talk.segments


def captured(segments: Sequence[Segment], *ends: Ends) -> bytes:
    """Return segments as a pcap file."""
    return capture_of(Wire(segments=tuple(segments), ends=ends or (ENDS,))).file()


def stored(*data_sets: bytes, syntax: str = wire.EXPLICIT, size: int = 1 << 14) -> list[Turn]:
    """Return what is said when data sets are stored one after the other."""
    turns = [
        (True, wire.associate_rq({1: (wire.CT_STORAGE, [syntax])})),
        (False, wire.associate_ac({1: (0, syntax)})),
    ]
    for data in data_sets:
        turns += [(True, wire.message(STORE, data, size=size)), (False, wire.message(STORE_RSP))]
    return [*turns, (True, wire.RELEASE_RQ), (False, wire.RELEASE_RP)]


class Tasks:
    """Runs tasks on captures, each in a directory of its own; what they tell on their way is kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._runs = 0
        self.told: list[Progressed] = []
        self.source = self.output = directory

    def deidentify(
        self,
        capture: bytes,
        *overrides: DicomOverride,
        key: bytes = KEY,
        addresses: AnonymizationParameters | None = None,
        rules: tuple[tuple[str, str], ...] = (),
        **dicom: Any,
    ) -> Deidentified:
        """De-identify a capture."""
        self._begin(capture)
        task = DeidentifyTask(
            source=self.source,
            output_directory=self.output,
            dicom=DicomParameters(**dicom),
            overrides=overrides,
            addresses=addresses,
            rules=rules,
            key=key,
            memory_bytes=MEMORY,
        )
        return deidentify(task, self.told.append)

    def preview(
        self, capture: bytes, *overrides: DicomOverride, key: bytes = KEY, first: int = 10_000, **dicom: Any
    ) -> DicomPreviewed:
        """Preview what would become of a capture."""
        self._begin(capture)
        task = PreviewDicomTask(
            source=self.source,
            dicom=DicomParameters(**dicom),
            overrides=overrides,
            key=key,
            first=first,
            memory_bytes=MEMORY,
        )
        return preview(task, self.told.append)

    def extract(self, capture: bytes) -> DicomExtracted:
        """List associations and devices of a capture."""
        self._begin(capture)
        task = ExtractDicomTask(source=self.source, output_directory=self.output, memory_bytes=MEMORY)
        return extract(task, self.told.append)

    @property
    def written(self) -> bytes:
        """The one file that the task left behind."""
        (file,) = (each for each in self.output.iterdir() if each.name.startswith("capture"))
        return file.read_bytes()

    @property
    def left(self) -> set[str]:
        """Names of the files that the task left behind."""
        return {each.name for each in self.output.iterdir()}

    def _begin(self, capture: bytes) -> None:
        self._runs += 1
        self.told.clear()
        self.output = self._directory / str(self._runs) / "output"
        self.output.mkdir(parents=True)
        self.source = self.output.parent / "source"
        self.source.write_bytes(capture)


def unreadable(done: Deidentified) -> dict[DicomProblem, tuple[int, int]]:
    """Ranges and bytes that could not be read, by problem."""
    return {each.problem: (each.ranges, each.bytes) for each in done.report.unreadable}


def without(segments: Sequence[Segment], wanted: Callable[[Segment], bool]) -> list[Segment]:
    """Leave out what was not captured."""
    return [each for each in segments if not wanted(each)]
