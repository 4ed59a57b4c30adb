"""The engine at work on captures in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gql_server.domain.dicom import DicomParameters, DicomReport
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomExtracted,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)

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
        source = self._written(data)
        output = source.parent / "output"
        output.mkdir()
        task = DeidentifyTask(
            source=source,
            output_directory=output,
            dicom=dicom or DicomParameters(),
            key=key,
            memory_bytes=_MEMORY_BYTES,
        )
        done: Deidentified = self._operation("deidentify")(task, _ignore)
        return Outcome(original=source, output=output / done.summary.format.file_name, report=done.report)

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
