"""Bytes in a local directory: uploads, traces, executions.

    root/  uploads/<upload id>
           staging/<job id>.<attempt>/    what an attempt writes; nobody else looks here
           staging/<trace id>.trash/      a trace that is being removed
           traces/<trace id>/             whole from the moment it has this name; files 0440
           executions/exec_<UTC>_<8 hex>/ sealed when finished; files 0440, directory 0550
           store-token                    which directory this is

Rows are the truth: what has no row is swept, and nobody looks at it. Names are made from ids and from the fixed
names below, never from what a user typed. All functions block; call them in a thread.
"""

import contextlib
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from gql_server.domain.errors import BlobMissing, StorageError, StorageFull, StoreNotShared
from gql_server.domain.ids import JobId, TraceId, UploadId
from gql_server.store.durable_files import create_empty, remove_tree, seal_tree, storing, sync_directory, write_durably
from gql_server.store.upload_files import UploadFile

__all__ = ["LocalBlobs", "UploadFile"]

_EXECUTION_NAME = re.compile(r"exec_[0-9]{8}T[0-9]{6}Z_[0-9a-f]{8}")
_FILE_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9]+)+")
_TOKEN = re.compile(r"[0-9a-f]{64}")
_TRASH = ".trash"
_DIRECTORIES = ("uploads", "staging", "traces", "executions")
_SEALED = 0o440


class LocalBlobs:
    """The directory that all servers and workers of one database share."""

    def __init__(self, root: Path, *, reserve_bytes: int) -> None:
        """Make the directories that are missing.

        Args:
            root: the data directory.
            reserve_bytes: what is to stay free on its file system.
        """
        self._root = root
        self._reserve_bytes = reserve_bytes
        with storing():
            if not root.exists():
                root.mkdir(parents=True, exist_ok=True)
                root.chmod(0o711)
            for name in _DIRECTORIES:
                (root / name).mkdir(exist_ok=True)
                (root / name).chmod(0o700)
            sync_directory(root)
            # Its own name too; above a directory that we may not read there is nothing that we could have made.
            with contextlib.suppress(PermissionError):
                sync_directory(root.parent)

    def check_room(self, needed_bytes: int) -> None:
        """Refuse before the disk is full.

        Raises:
            StorageFull: after that many bytes more, less than the reserve would be free.
        """
        with storing():
            status = os.statvfs(self._root)
        if status.f_bavail * status.f_frsize - needed_bytes < self._reserve_bytes:
            raise StorageFull

    def read_or_create_token(self) -> str:
        """Return the 64 hex digits that name this directory; the first to ask makes them. Fsyncs file and directory.

        Raises:
            StoreNotShared: the file holds no token.
        """
        path = self._root / "store-token"
        with storing():
            if not path.exists():
                write_durably(path, secrets.token_hex(32).encode(), mode=0o600, overwrite=False)
            token = path.read_text(encoding="ascii", errors="replace").strip()
        if not _TOKEN.fullmatch(token):
            raise StoreNotShared
        return token

    def upload_path(self, upload_id: UploadId) -> Path:
        """Return where the bytes of an upload lie."""
        return self._root / "uploads" / str(upload_id)

    def create_upload(self, upload_id: UploadId) -> None:
        """Make an empty upload. Fsyncs file and directory."""
        with storing():
            create_empty(self.upload_path(upload_id), mode=0o600)

    def open_upload(self, upload_id: UploadId) -> UploadFile:
        """Open an upload for ourselves alone; read its row's offset only after.

        Raises:
            NotFound, UploadBusy, UploadClosed.
        """
        return UploadFile(self.upload_path(upload_id))

    def append_chunk(self, upload_id: UploadId, *, offset: int, data: bytes) -> int:
        """Append bytes at the acknowledged offset and return the new one. Fsyncs the file.

        Raises:
            NotFound, UploadBusy, UploadClosed, BlobMissing, StorageFull, StorageError.
        """
        with self.open_upload(upload_id) as file:
            file.begin(offset)
            file.write(data)
            return file.sync()

    def digest_upload(self, upload_id: UploadId) -> str:
        """Return the SHA-256 of an upload's bytes.

        Raises:
            BlobMissing: there are none.
        """
        with _missing("upload"), storing(), self.upload_path(upload_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def delete_upload(self, upload_id: UploadId) -> None:
        """Remove the bytes of an upload; none is fine. Nothing is fsynced: what comes back is swept."""
        with storing():
            self.upload_path(upload_id).unlink(missing_ok=True)

    def stage(self, job_id: JobId, attempt: int) -> Path:
        """Return a fresh, empty directory for an attempt; an older one of the same name is removed."""
        directory = self._stage_path(job_id, attempt)
        with storing():
            remove_tree(directory)
            directory.mkdir(mode=0o700)
        return directory

    def discard_stage(self, job_id: JobId, attempt: int) -> None:
        """Remove what an attempt left; nothing is fine."""
        with storing():
            remove_tree(self._stage_path(job_id, attempt))

    def publish(self, staging: Path, trace_id: TraceId) -> None:
        """Make a staging directory the directory of a trace, whole or not at all.

        Fsyncs each file and the directory, renames it, fsyncs the directories it left and came to.

        Raises:
            StorageFull, StorageError: nothing is published, or all of it, which has no row and is swept.
        """
        assert staging.parent == self._root / "staging"
        target = self._trace_path(trace_id)
        with storing():
            seal_tree(staging, file_mode=_SEALED, directory_mode=0o700)
            if target.exists():
                raise FileExistsError(target)
            staging.rename(target)
            sync_directory(target.parent)
            sync_directory(staging.parent)

    def trace_path(self, trace_id: TraceId, file_name: str) -> Path:
        """Return where a file of a trace lies."""
        return self._trace_path(trace_id) / _checked(file_name)

    def open_trace(self, trace_id: TraceId, file_name: str) -> tuple[BinaryIO, int]:
        """Open a file of a trace and tell its size; it stays readable when the trace is removed meanwhile.

        Raises:
            BlobMissing: it is not there.
        """
        return _open(self.trace_path(trace_id, file_name), "trace")

    def remove_trace(self, trace_id: TraceId) -> None:
        """Remove a trace's files; none is fine. Its name goes at once and for good, open downloads finish.

        Fsyncs traces/, not the removal of the files: `empty_trash` comes back for them.
        """
        trash = self._root / "staging" / f"{trace_id}{_TRASH}"
        with storing():
            remove_tree(trash)
            with contextlib.suppress(FileNotFoundError):
                self._trace_path(trace_id).rename(trash)
            sync_directory(self._root / "traces")
            remove_tree(trash)

    def create_execution(self, name: str) -> Path:
        """Make the directory of an execution. Fsyncs executions/."""
        directory = self._execution_path(name)
        with storing():
            directory.mkdir(mode=0o700)
            sync_directory(directory.parent)
        return directory

    def write_execution_file(self, name: str, file_name: str, data: bytes) -> None:
        """Write a file of an execution. Fsyncs the file and the directory."""
        self.write_file_durably(self._execution_path(name) / _checked(file_name), data)

    def seal_execution(self, name: str) -> None:
        """Let nobody change an execution any more. Fsyncs each file and the directory."""
        with storing():
            seal_tree(self._execution_path(name), file_mode=_SEALED, directory_mode=0o550)

    def is_sealed(self, name: str) -> bool:
        """Say whether an execution can be changed no more."""
        with _missing("execution"), storing():
            return not self._execution_path(name).stat().st_mode & stat.S_IWUSR

    def open_artifact(self, name: str, file_name: str) -> tuple[BinaryIO, int]:
        """Open a file of an execution and tell its size.

        Raises:
            BlobMissing: it is not there.
        """
        return _open(self._execution_path(name) / _checked(file_name), "artifact")

    def write_file_durably(self, path: Path, data: bytes) -> None:
        """Write a file in a staging or execution directory: the old one or the new one, never a part.

        Fsyncs the file and the directory.
        """
        assert path.parent.parent in {self._root / "staging", self._root / "executions"}
        with storing():
            write_durably(path, data, mode=_SEALED)

    def list_old_uploads(self, age: timedelta) -> list[UploadId]:
        """List uploads in which nothing has changed for so long."""
        found = map(_read_id, self._list_old("uploads", age))
        return [UploadId(upload_id) for upload_id in found if upload_id is not None]

    def list_old_traces(self, age: timedelta) -> list[TraceId]:
        """List traces that have been there for so long."""
        found = map(_read_id, self._list_old("traces", age))
        return [TraceId(trace_id) for trace_id in found if trace_id is not None]

    def list_old_stages(self, age: timedelta) -> list[tuple[JobId, int]]:
        """List attempts in whose staging directory no file has come or gone for so long."""
        stages: list[tuple[JobId, int]] = []
        for name in self._list_old("staging", age):
            job, _, attempt = name.partition(".")
            job_id = _read_id(job)
            if job_id is not None and attempt.isdecimal():
                stages.append((JobId(job_id), int(attempt)))
        return stages

    def empty_trash(self) -> None:
        """Finish the removals that a crash interrupted."""
        with storing():
            for directory in (self._root / "staging").glob(f"*{_TRASH}"):
                remove_tree(directory)

    def _list_old(self, directory: str, age: timedelta) -> list[str]:
        limit = time.time() - age.total_seconds()
        names: list[str] = []
        with storing(), os.scandir(self._root / directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_ctime <= limit:
                        names.append(entry.name)
        return names

    def _stage_path(self, job_id: JobId, attempt: int) -> Path:
        return self._root / "staging" / f"{job_id}.{attempt}"

    def _trace_path(self, trace_id: TraceId) -> Path:
        return self._root / "traces" / str(trace_id)

    def _execution_path(self, name: str) -> Path:
        if not _EXECUTION_NAME.fullmatch(name):
            raise ValueError("not the name of an execution")
        return self._root / "executions" / name


@contextlib.contextmanager
def _missing(noun: str) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise BlobMissing(noun=noun) from error
        raise


def _open(path: Path, noun: str) -> tuple[BinaryIO, int]:
    with _missing(noun), storing():
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return os.fdopen(descriptor, "rb"), os.fstat(descriptor).st_size


def _checked(file_name: str) -> str:
    if not _FILE_NAME.fullmatch(file_name):
        raise ValueError("not the name of a stored file")
    return file_name


def _read_id(name: str) -> UUID | None:
    try:
        found = UUID(name)
    except ValueError:
        return None
    return found if str(found) == name else None
