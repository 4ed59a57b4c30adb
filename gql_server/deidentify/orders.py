"""What is asked for, checked before anything is done."""

import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.dicom import DicomOverride, DicomParameters
from gql_server.domain.errors import InvalidInput
from gql_server.engine.tasks import KEY_BYTES

STANDARD: Final = "-"
"""Stands for the standard input or output."""
_HEX_KEY: Final = re.compile(rb"[0-9A-Fa-f]{64}")
_PACKED: Final = (".gz", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One capture to de-identify, and how."""

    source: Path | None
    """None is the standard input."""
    target: Path | None
    """None is the standard output."""
    report: Path | None
    addresses: AnonymizationParameters | None
    """None leaves addresses as they are."""
    dicom: DicomParameters | None
    """None leaves DICOM as it is; one of the two is asked for."""
    rules: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    overrides: tuple[DicomOverride, ...] = field(default=(), repr=False)
    key: bytes = field(repr=False)
    key_is_given: bool
    """Else it was made for this run and nobody keeps it."""

    @property
    def comes_once(self) -> bool:
        """Whether the source is a pipe, so that its bytes must be kept to be read again."""
        return self.source is None or not self.source.is_file()


def read_source(text: str) -> Path | None:
    """Return where the capture comes from; links are followed.

    Raises:
        InvalidInput: it cannot be read.
    """
    if text == STANDARD:
        return None
    path = Path(text)
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path = path.resolve()
            # A pipe is opened only once, by who reads it.
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise InvalidInput(field="IN", reason=strerror_of(error)) from error
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise InvalidInput(field="IN", reason="it is neither a file nor a pipe")
    return path


def read_target(name: str, text: str) -> Path | None:
    """Return where a file goes, links followed; nothing but a regular file is ever replaced.

    Raises:
        InvalidInput: no file can be there.
    """
    if text == STANDARD:
        return None
    try:
        path = Path(text).resolve()
        known = path.parent.stat()
        if path.exists() and not path.is_file():
            raise InvalidInput(field=name, reason="it is there and no regular file")
    except OSError as error:
        raise InvalidInput(field=name, reason=strerror_of(error)) from error
    if not stat.S_ISDIR(known.st_mode):
        raise InvalidInput(field=name, reason="its folder is none")
    if path.suffix.lower() in _PACKED:
        raise InvalidInput(field=name, reason=f"it is written unpacked and must not be called {path.suffix}")
    return path


def check_distinct(source: Path | None, target: Path | None, report: Path | None) -> None:
    """Refuse to write over what is read, or two things to one place.

    Raises:
        InvalidInput: two of the three are one file.
    """
    for name, path, others in (("OUT", target, (source,)), ("--report", report, (source, target))):
        if path is not None and any(other is not None and _same(path, other) for other in others):
            raise InvalidInput(field=name, reason="this file is already named for something else")


def _same(one: Path, other: Path) -> bool:
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def read_key(path: Path | None) -> bytes:
    """Return the key of a file, 32 bytes or 64 hexadecimal digits; without a file a new one.

    Raises:
        InvalidInput: others may read the file, or it holds no key.
    """
    if path is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise InvalidInput(field="--key-file", reason="others may read it: chmod 600 it, and its key is known")
            # Over a pipe, a digit more than any key tells enough.
            body = file.read(2 * KEY_BYTES + 2)
    except OSError as error:
        raise InvalidInput(field="--key-file", reason=strerror_of(error)) from error
    if len(body) == KEY_BYTES:
        return body
    if _HEX_KEY.fullmatch(digits := body.strip()):
        return bytes.fromhex(digits.decode())
    raise InvalidInput(field="--key-file", reason=f"neither {KEY_BYTES} bytes nor {2 * KEY_BYTES} hexadecimal digits")


def strerror_of(error: OSError) -> str:
    """Say what the system said, without a path."""
    # The text of the error itself names the path.
    return error.strerror or type(error).__name__
