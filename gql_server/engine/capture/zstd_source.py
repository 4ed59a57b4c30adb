"""A zstd file, unpacked a block at a time (RFC 8878).

The decompressor is fed exactly one block at a step. A block unpacks to 128 KiB at most, so memory stays bounded
whatever the file says, and a file that ends between blocks is known to be cut.
"""

from pathlib import Path

import zstandard

from gql_server.domain.errors import CompressionDamaged
from gql_server.engine.capture.unpacking import UnpackingLimit

FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE_MAGICS = tuple(bytes([0x50 + index, 0x2A, 0x4D, 0x18]) for index in range(16))
ZSTD_MAGICS = (FRAME_MAGIC, *SKIPPABLE_MAGICS)

_MAX_WINDOW = 1 << 27
_CHECKSUM_BYTES = 4
_SINGLE_SEGMENT = 0x20
_HAS_CHECKSUM = 0x04
_RLE_BLOCK = 1
_DICTIONARY_ID_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)


class ZstdSource:
    """Frames are read one after the other, skippable ones are passed over."""

    def __init__(self, path: Path, limit: UnpackingLimit) -> None:
        self._file = path.open("rb")
        self._limit = limit
        self._unpacked = 0
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._checksum = False
        self._ready = memoryview(b"")
        self.size = path.stat().st_size
        self.position = 0

    def read_into(self, window: memoryview) -> int:
        """Fill the front of the window; 0 means the end.

        Raises:
            CompressionDamaged: damaged or cut.
            CompressionBomb: it unpacks too far.
        """
        while not self._ready:
            if not (self._read_block() if self._frame else self._begin_frame()):
                return 0
        count = min(len(window), len(self._ready))
        window[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _read(self, count: int) -> bytes:
        piece = self._file.read(count)
        self.position += len(piece)
        if len(piece) < count:
            raise CompressionDamaged(offset=self.position)
        return piece

    def _begin_frame(self) -> bool:
        magic = self._file.read(len(FRAME_MAGIC))
        self.position += len(magic)
        if not magic:
            return False
        if magic in SKIPPABLE_MAGICS:
            self._skip(int.from_bytes(self._read(4), "little"))
        elif magic == FRAME_MAGIC:
            self._begin_data_frame()
        else:
            raise CompressionDamaged(offset=self.position)
        return True

    def _skip(self, count: int) -> None:
        if self.position + count > self.size:
            raise CompressionDamaged(offset=self.position)
        self._file.seek(count, 1)
        self.position += count

    def _begin_data_frame(self) -> None:
        descriptor = self._read(1)
        flags = descriptor[0]
        single = bool(flags & _SINGLE_SEGMENT)
        size_bytes = _CONTENT_SIZE_BYTES[flags >> 6] or int(single)
        rest = self._read((0 if single else 1) + _DICTIONARY_ID_BYTES[flags & 3] + size_bytes)
        self._checksum = bool(flags & _HAS_CHECKSUM)
        self._frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
        self._feed(FRAME_MAGIC + descriptor + rest)

    def _read_block(self) -> bool:
        header = self._read(3)
        word = int.from_bytes(header, "little")
        last, kind, size = word & 1, (word >> 1) & 3, word >> 3
        body = self._read(1 if kind == _RLE_BLOCK else size)
        self._feed(header + body)
        if last:
            if self._checksum:
                self._feed(self._read(_CHECKSUM_BYTES))
            self._frame = None
        return True

    def _feed(self, piece: bytes) -> None:
        assert self._frame is not None
        try:
            out = self._frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise CompressionDamaged(offset=self.position) from error
        if out:
            self._unpacked += len(out)
            self._limit.check(self._unpacked, self.size, self.position)
            self._ready = memoryview(bytes(self._ready) + out)
