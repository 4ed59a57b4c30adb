"""Files that survive a power loss, or are refused.

A name is durable when the file's directory was fsynced, bytes when the file was. A failed fsync is final: the kernel
has dropped the pages, so a second fsync would succeed over a hole.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from gql_server.domain.errors import StorageError, StorageFull

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_WRITE_BYTES = 1 << 20


@contextlib.contextmanager
def storing() -> Iterator[None]:
    """Turn what the disk says within the block into our words.

    Raises:
        StorageFull: there is no room, or no quota.
        StorageError: anything else that the disk refuses.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise StorageError from error


def write_all(descriptor: int, data: bytes, *, offset: int) -> None:
    """Write all of the data at an offset; nothing is fsynced."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest[:_WRITE_BYTES], offset)
        rest, offset = rest[written:], offset + written


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_empty(path: Path, *, mode: int) -> None:
    """Make an empty file; it must not be there. Fsyncs the file, then the directory."""
    _write_new(path, b"", mode)
    sync_directory(path.parent)


def write_durably(path: Path, data: bytes, *, mode: int, overwrite: bool = True) -> bool:
    """Write a file so that its name means all of its bytes, now and after a power loss.

    Fsyncs the file, then the directory. Returns False if the file was there and must not be overwritten.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_new(fresh, data, mode)
        if overwrite:
            fresh.rename(path)
        else:
            # link, not rename: of two that come at once, one wins and both see the same file.
            path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def seal_tree(directory: Path, *, file_mode: int, directory_mode: int) -> None:
    """Close a directory and all below it to writing; fsyncs each file and each directory."""
    for parent, _, names in os.walk(directory, topdown=False, onerror=_raise):
        for name in names:
            _seal_file(Path(parent, name), file_mode)
        Path(parent).chmod(directory_mode)
        sync_directory(Path(parent))


def remove_tree(directory: Path) -> None:
    """Remove a directory and all below it, sealed or not; an absent one is fine."""
    try:
        # A sealed directory lets nobody but root take its files out.
        directory.chmod(0o700)
        for entry in list(os.scandir(directory)):
            if entry.is_dir(follow_symlinks=False):
                remove_tree(Path(entry.path))
            else:
                Path(entry.path).unlink(missing_ok=True)
        directory.rmdir()
    except FileNotFoundError:
        return


def _write_new(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data, offset=0)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _seal_file(path: Path, mode: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        assert stat.S_ISREG(os.fstat(descriptor).st_mode)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _raise(error: OSError) -> None:
    raise error
