"""The private directory of a run, gone when the run is.

It lies beside the output, so that a rename publishes it, and is locked as long as its run lives: what a killed run
left behind is removed by the next one beside it.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gql_server.domain.errors import InvalidInput
from gql_server.store.durable_files import remove_tree, storing

_PREFIX: Final = ".gql-server-deidentify-"
_SPOOL_BYTES: Final = 1 << 20


@contextmanager
def private_directory(target: Path | None) -> Iterator[Path]:
    """Yield an empty directory that only its owner can enter: beside the target, or where temporary files go.

    Raises:
        InvalidInput: it cannot be made.
    """
    parent = target.parent if target else Path(tempfile.gettempdir())
    remove_abandoned(parent)
    try:
        directory, lock = _make(parent)
    except OSError as error:
        reason = f"nothing can be written beside it ({error.strerror})"
        raise InvalidInput(field="OUT", reason=reason) from error
    try:
        yield directory
    finally:
        remove_tree(directory)
        os.close(lock)


def remove_abandoned(parent: Path) -> None:
    """Remove directories of our own whose run is dead."""
    for directory in parent.glob(f"{_PREFIX}*"):
        # Another's, or gone meanwhile: no business of ours.
        with contextlib.suppress(OSError):
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove_tree(directory)
            finally:
                os.close(lock)


def _make(parent: Path) -> tuple[Path, int]:
    while True:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        # Where locks do not work nobody can take another's directory for abandoned either.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if directory.exists():
            return directory, lock
        # Another run came in between and took it for abandoned.
        os.close(lock)


def spool(source: Path | None, path: Path) -> None:
    """Write down what comes through a pipe, the standard input when no source is named.

    Raises:
        InvalidInput: it cannot be read.
        StorageFull: there is no room.
    """
    with storing(), path.open("xb", buffering=0) as file, _opened(source) as descriptor:
        while chunk := _read(descriptor):
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) :]


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _SPOOL_BYTES)
    except OSError as error:
        raise InvalidInput(field="IN", reason=error.strerror or "unreadable") from error


@contextmanager
def _opened(source: Path | None) -> Iterator[int]:
    if source is None:
        yield 0
        return
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
