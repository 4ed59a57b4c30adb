"""A gzip file, unpacked a window at a time (RFC 1952)."""

from pathlib import Path
from typing import cast

from isal import isal_zlib

from gql_server.domain.errors import CompressionDamaged
from gql_server.engine.capture.unpacking import UnpackingLimit

_CHUNK = 1 << 16
_GZIP_WRAPPER = 31
_DAMAGED = cast("type[Exception]", isal_zlib.IsalError)  # the stub calls it an instance


class GzipSource:
    """Members are read one after the other; zeros may fill up the end, anything else there is damage."""

    def __init__(self, path: Path, limit: UnpackingLimit) -> None:
        self._file = path.open("rb")
        self._limit = limit
        self._unpacked = 0
        self._member = isal_zlib.decompressobj(wbits=_GZIP_WRAPPER)
        self._begun = False
        self._pending = b""
        self.size = path.stat().st_size
        self.position = 0

    def read_into(self, window: memoryview) -> int:
        """Fill the front of the window; 0 means the end.

        Raises:
            CompressionDamaged: damaged or cut.
            CompressionBomb: it unpacks too far.
        """
        while self._refill():
            piece = self._unpack(len(window))
            if piece:
                window[: len(piece)] = piece
                self._unpacked += len(piece)
                self._limit.check(self._unpacked, self.size, self.position)
                return len(piece)
        return 0

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _refill(self) -> bool:
        """Have input for the member; False at the proper end of the file."""
        if self._member.eof:
            self._next_member()
        if not self._pending:
            self._pending = self._file.read(_CHUNK)
            self.position += len(self._pending)
        if self._pending:
            return True
        if self._begun:
            raise CompressionDamaged(offset=self.position)
        return False

    def _next_member(self) -> None:
        self._member = isal_zlib.decompressobj(wbits=_GZIP_WRAPPER)
        self._begun = False
        rest = self._pending.lstrip(b"\0")
        while not rest and (chunk := self._file.read(_CHUNK)):
            self.position += len(chunk)
            rest = chunk.lstrip(b"\0")
        self._pending = rest

    def _unpack(self, most: int) -> bytes:
        self._begun = True
        try:
            piece = self._member.decompress(self._pending, most)
        except _DAMAGED as error:
            raise CompressionDamaged(offset=self.position) from error
        self._pending = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return bytes(piece)
