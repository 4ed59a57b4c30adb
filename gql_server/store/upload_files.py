"""One upload's bytes on disk, open for one writer.

The row says how many bytes are acknowledged; the file may hold more after a crash, never fewer. The lock on the file
is held from opening to closing, so that whoever opens it reads the row's offset after every earlier writer moved it.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from gql_server.domain.errors import BlobMissing, NotFound, StorageError, UploadBusy, UploadClosed
from gql_server.domain.uploads import UploadState
from gql_server.store.durable_files import storing, write_all


class UploadFile:
    """The file of one upload; a context manager that closes it and lets the next writer in."""

    def __init__(self, path: Path) -> None:
        """Open the file for ourselves alone.

        Raises:
            NotFound: there is no such upload.
            UploadBusy: another writer has it.
            UploadClosed: it has become a trace's file.
        """
        self._descriptor = _open(path)
        self._begun_at: int | None = None
        self._end = 0
        self._failed = False

    def begin(self, offset: int) -> None:
        """Cut off what lies beyond the acknowledged offset; `write` goes on from there. Nothing is fsynced.

        Raises:
            BlobMissing: the file is shorter than what was acknowledged.
            UploadClosed: the file is a trace's file too, which nobody changes.
        """
        with storing():
            status = os.fstat(self._descriptor)
            if status.st_nlink > 1:
                raise UploadClosed(state=UploadState.FINISHING.value)
            if status.st_size < offset:
                raise BlobMissing(noun="upload")
            os.ftruncate(self._descriptor, offset)
        self._begun_at = self._end = offset
        self._failed = False

    def write(self, data: bytes) -> None:
        """Write the next bytes; they count once `sync` has returned.

        Raises:
            StorageFull, StorageError: they do not count, nor does anything since `begin`.
        """
        self._require_whole()
        try:
            with storing():
                write_all(self._descriptor, data, offset=self._end)
        except StorageError:
            self._give_up()
            raise
        self._end += len(data)

    def sync(self) -> int:
        """Fsync the file and return the offset that may be acknowledged now.

        Raises:
            StorageFull, StorageError: nothing since `begin` counts; it must be sent again, after another `begin`.
        """
        self._require_whole()
        try:
            with storing():
                os.fsync(self._descriptor)
        except StorageError:
            self._give_up()
            raise
        return self._end

    def roll_back(self, offset: int) -> None:
        """Cut the file back to the acknowledged offset; as tidiness only, for `begin` does it again.

        Nothing happens before `begin` has found the file fit for writing.
        """
        if self._begun_at is None:
            return
        with contextlib.suppress(OSError):
            if os.fstat(self._descriptor).st_size > offset:
                os.ftruncate(self._descriptor, offset)
        self._end = offset

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)

    def _require_whole(self) -> None:
        if self._failed:
            raise StorageError
        assert self._begun_at is not None, "begin comes first"

    def _give_up(self) -> None:
        assert self._begun_at is not None
        self._failed = True
        self.roll_back(self._begun_at)


def _open(path: Path) -> int:
    try:
        with storing():
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except StorageError as error:
        match error.__cause__:
            case FileNotFoundError():
                raise NotFound(noun="upload") from error
            case PermissionError():
                raise UploadClosed(state=UploadState.FINISHING.value) from error
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UploadBusy from error
    return descriptor
