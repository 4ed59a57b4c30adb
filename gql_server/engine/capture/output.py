"""The file a task writes, on disk before it is done."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self


class CaptureOutput:
    """A new file, readable by its owner alone; closed in peace, it and its name have reached the disk.

    Without a path it takes everything and keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: int | None = None

    def __enter__(self) -> Self:
        if self._path:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return self

    def write(self, data: memoryview) -> None:
        """Write every byte; a single write may take fewer."""
        if self._file is not None:
            while data:
                data = data[os.write(self._file, data) :]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self._path is None:
            return
        try:
            if kind is None:
                os.fsync(self._file)
                _sync_directory(self._path.parent)
        finally:
            os.close(self._file)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
