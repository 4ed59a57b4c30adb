"""Where capture bytes come from: plain, gzip or zstd.

The wrapping is told by content, never by name. A wrapped file may unpack to a limit of bytes and to a multiple of its
own size, and no further: what goes beyond is a bomb. Each step unpacks at most a small window, so a bomb is refused
before it is held.
"""

import os
from pathlib import Path
from typing import Protocol

from gql_server.domain.traces import CaptureCompression
from gql_server.engine.capture.gzip_source import GzipSource
from gql_server.engine.capture.unpacking import UnpackingLimit
from gql_server.engine.capture.zstd_source import ZSTD_MAGICS, ZstdSource

GZIP_MAGIC = b"\x1f\x8b"


class Source(Protocol):
    """Bytes of a capture, unpacked, in order."""

    size: int
    """Bytes of the file as it lies on disk."""
    position: int
    """Bytes of that file read so far."""

    def read_into(self, window: memoryview) -> int:
        """Fill the front of the window; 0 means the end."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


class PlainSource:
    """A file read as it is."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._file).st_size
        self.position = 0

    def read_into(self, window: memoryview) -> int:
        """Fill the front of the window; 0 means the end."""
        count = os.readv(self._file, [window])
        self.position += count
        return count

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)


def detect_compression(path: Path) -> CaptureCompression:
    """Tell the wrapping of a file by its first bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == GZIP_MAGIC:
        return CaptureCompression.GZIP
    if len(start) == len(ZSTD_MAGICS[0]) and start in ZSTD_MAGICS:
        return CaptureCompression.ZSTD
    return CaptureCompression.NONE


def open_source(path: Path, limit: UnpackingLimit) -> Source:
    """Open a file for reading its capture bytes."""
    match detect_compression(path):
        case CaptureCompression.GZIP:
            return GzipSource(path, limit)
        case CaptureCompression.ZSTD:
            return ZstdSource(path, limit)
        case CaptureCompression.NONE:
            return PlainSource(path)
