"""The engine at work on captures in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.dicom import DicomParameters, DicomReport
from gql_server.domain.verification import Verification
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomExtracted,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)
from gql_server.engine.tasks import Verified
from gql_server.services.verification import verify_task

KEY: Final = bytes(range(32))
_MEMORY_BYTES: Final = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A capture, what became of it, and where both lie."""

    original: Path
    output: Path
    report: DicomReport

    @property
    def before(self) -> bytes:
        """The capture as it was."""
        return self.original.read_bytes()

    @property
    def after(self) -> bytes:
        """What was made of it."""
        return self.output.read_bytes()


class Engine:
    """Runs de-identifications, each in a directory of its own."""

    def __init__(self, directory: Path, operation: Callable[[str], Callable[[Any, Any], Any]]) -> None:
        self._directory, self._operation = directory, operation
        self._runs = 0

    def run(self, data: bytes, dicom: DicomParameters | None = None, *, key: bytes = KEY) -> Outcome:
        """De-identify a capture; what the engine raises is raised, and then there is no output."""
        task = self._task(data, dicom or DicomParameters(), key=key)
        done: Deidentified = self._operation("deidentify")(task, _ignore)
        output = task.output_directory / done.summary.format.file_name
        return Outcome(original=task.source, output=output, report=done.report)

    def prove(self, data: bytes, dicom: DicomParameters, addresses: AnonymizationParameters | None) -> Verification:
        """De-identify a capture, and let the second reader say what it thinks of that."""
        task = self._task(data, dicom, addresses=addresses)
        done: Deidentified = self._operation("deidentify")(task, _ignore)
        proof = verify_task(task, task.output_directory / done.summary.format.file_name, done.overridden)
        proven: Verified = self._operation("verify")(proof, _ignore)
        return proven.verification

    def _task(
        self, data: bytes, dicom: DicomParameters, *, addresses: AnonymizationParameters | None = None, key: bytes = KEY
    ) -> DeidentifyTask:
        source = self._written(data)
        output = source.parent / "output"
        output.mkdir()
        return DeidentifyTask(
            source=source,
            output_directory=output,
            dicom=dicom,
            addresses=addresses,
            key=key,
            memory_bytes=_MEMORY_BYTES,
        )

    def preview(self, data: bytes, dicom: DicomParameters | None = None, *, first: int = 100_000) -> DicomPreviewed:
        """Show what a de-identification would make of a capture."""
        task = PreviewDicomTask(
            source=self._written(data),
            dicom=dicom or DicomParameters(),
            key=KEY,
            first=first,
            memory_bytes=_MEMORY_BYTES,
        )
        shown: DicomPreviewed = self._operation("preview")(task, _ignore)
        return shown

    def extract(self, data: bytes) -> DicomExtracted:
        """Tell associations and devices of a capture."""
        source = self._written(data)
        task = ExtractDicomTask(source=source, output_directory=source.parent, memory_bytes=_MEMORY_BYTES)
        told: DicomExtracted = self._operation("extract")(task, _ignore)
        return told

    def _written(self, data: bytes) -> Path:
        self._runs += 1
        source = self._directory / str(self._runs) / "source"
        source.parent.mkdir()
        source.write_bytes(data)
        return source


def _ignore(_: object) -> None:
    """Take what a task tells on its way."""
