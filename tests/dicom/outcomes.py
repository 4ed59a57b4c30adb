"""The engine at work on captures in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gql_server.domain.dicom import DicomParameters, DicomReport
from gql_server.engine.dicom.tasks import Deidentified, DeidentifyTask

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

    def __init__(self, directory: Path, deidentify: Callable[[DeidentifyTask, Any], Deidentified]) -> None:
        self._directory, self._deidentify = directory, deidentify
        self._runs = 0

    def run(self, data: bytes, dicom: DicomParameters | None = None, *, key: bytes = KEY) -> Outcome:
        """De-identify a capture; what the engine raises is raised, and then there is no output."""
        self._runs += 1
        directory = self._directory / str(self._runs)
        directory.mkdir()
        source = directory / "source"
        source.write_bytes(data)
        output = directory / "output"
        output.mkdir()
        task = DeidentifyTask(
            source=source,
            output_directory=output,
            dicom=dicom or DicomParameters(),
            key=key,
            memory_bytes=_MEMORY_BYTES,
        )
        done = self._deidentify(task, _ignore)
        return Outcome(original=source, output=output / done.summary.format.file_name, report=done.report)


def _ignore(_: object) -> None:
    """Take what a task tells on its way."""
