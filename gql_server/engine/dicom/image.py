"""The working copy of a capture, mapped into memory.

One pass copies the capture, stripped of what is no packet, and indexes it. Afterwards its streams can be read and
written in place; `settle` brings copies and checksums in line and zeroes what nobody claimed.
"""

import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import ForeignPolicy
from gql_server.domain.errors import UnsupportedCapture
from gql_server.domain.traces import CaptureFormat
from gql_server.engine.capture.source import PlainSource
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.dicom.arranging import STREAM_COLUMNS
from gql_server.engine.dicom.connections import Connection
from gql_server.engine.dicom.indexing import Index
from gql_server.engine.dicom.segments import MARK_CHANGED, MARK_LEFT
from gql_server.engine.dicom.settling import CURSOR_LENGTH, DICOM_BYTES, FOREIGN_BYTES, settle_streams
from gql_server.engine.dicom.streams import RELEASE_BYTES

_PACKETS_MOST: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What settling found, in counts."""

    bytes_foreign: int
    """Bytes that are no structure and that nobody claimed: zeroed, or kept by choice."""
    bytes_dicom: int
    """Payload of claimed connections, copies included."""
    packets_rewritten: int
    """Packets that hold other bytes than were captured, checksums aside."""
    checksums_left: int
    """Of those, packets whose checksum was left to a network card and stays."""


class CaptureImage:
    """A capture in memory: a working copy, which is written to, or the source itself, in which nothing changes.

    Args:
        source: An unpacked capture.
        working: A file that must not be there yet, readable by its owner alone; None only looks at the source.
        foreign: What becomes of bytes that nobody claims; only in a working copy.
        progress: Told bytes read and bytes there are.

    Raises:
        CaptureError: the source is no capture.
    """

    windows: CaptureWindows
    """Format, totals and interfaces of the capture, for a summary."""

    def __init__(
        self, source: Path, working: Path | None, *, foreign: ForeignPolicy, progress: Callable[[int, int], None]
    ) -> None:
        self._zero = foreign == ForeignPolicy.ZERO
        self._map: mmap.mmap | None = None
        self._writes = working is not None
        with ExitStack() as stack:
            if working is None:
                self._file = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
            else:
                self._file = os.open(working, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, self._file)
            self._index = Index(foreign)
            self._copy(source, progress)
            access = mmap.ACCESS_WRITE if self._writes else mmap.ACCESS_COPY
            self._map = mmap.mmap(self._file, 0, access=access)
            self._found = self._index.finish(np.frombuffer(self._map, np.uint8))
            self._found.tables.release = self.release
            self.release()
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def format(self) -> CaptureFormat:
        """The format of source and working copy."""
        return self.windows.format

    @property
    def packets(self) -> int:
        """Packets of the capture."""
        return self.windows.packets

    @property
    def octets(self) -> npt.NDArray[np.uint8]:
        """The capture, as it stands now."""
        return self._found.tables.image

    @property
    def connections(self) -> Sequence[Connection]:
        """The TCP connections with payload, by first packet."""
        return self._found

    def settle(self) -> Settled:
        """Bring everything in line with what was written; what is written later needs it again.

        Copies get the bytes of their streams, payload that nobody claimed becomes zero if that is the policy, and
        checksums take the difference.
        """
        tables, marks = self._found.tables, self._index.marks
        cursor = np.zeros(CURSOR_LENGTH, np.int64)
        count = len(tables.streams) // STREAM_COLUMNS
        arrays = (tables.image, marks, tables.segments, tables.streams, tables.copies, self._found.claims, cursor)
        while not settle_streams(*arrays, count, self._zero, RELEASE_BYTES):
            self.release()
        self.release()
        return Settled(
            bytes_foreign=self._index.bytes_foreign + int(cursor[FOREIGN_BYTES]),
            bytes_dicom=int(cursor[DICOM_BYTES]),
            packets_rewritten=int(np.count_nonzero(marks & MARK_CHANGED)),
            checksums_left=int(np.count_nonzero(marks & MARK_LEFT)),
        )

    def release(self) -> None:
        """Give the memory of the image back; what was written stays in the file."""
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Unmap and close the working copy; its streams can no longer be used."""
        self._found.tables.image = np.zeros(0, np.uint8)
        if self._map is not None:
            # An error on its way out may hold parts of it in its frames: it is unmapped when they go.
            with suppress(BufferError):
                self._map.close()
            self._map = None
            os.close(self._file)

    def _copy(self, source: Path, progress: Callable[[int, int], None]) -> None:
        reader, offset = PlainSource(source), 0
        try:
            self.windows = CaptureWindows(reader, strip=self._writes)
            for window in self.windows:
                if self.windows.packets > _PACKETS_MOST:
                    raise UnsupportedCapture(offset=window.base, reason=f"more than {_PACKETS_MOST} packets")
                self._index.add(window, offset)
                offset += self._write(window.data)
                progress(reader.position, reader.size)
        finally:
            reader.close()

    def _write(self, data: memoryview) -> int:
        size = len(data)
        while data and self._writes:
            data = data[os.write(self._file, data) :]
        return size
