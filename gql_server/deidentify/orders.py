"""What is asked for, checked before anything is done."""

import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gql_server.domain.anonymization import AddressMapping, MacMapping, NamePolicy, PayloadPolicy
from gql_server.domain.error_tree import error_of
from gql_server.domain.errors import Fact, InvalidInput, RuleMalformed, RulesError
from gql_server.domain.rules import parse_address_rules
from gql_server.engine.tasks import KEY_BYTES

STANDARD: Final = "-"
"""Stands for the standard input or output."""
_RULES_BYTES: Final = 1 << 20
_HEX_KEY: Final = re.compile(rb"[0-9A-Fa-f]{64}")
_BY_LINE: Final = "A rule's number is that of its line."
_PACKED: Final = (".gz", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One capture to de-identify, and how."""

    source: Path | None
    """None is the standard input."""
    target: Path | None
    """None is the standard output."""
    report: Path | None
    mapping: AddressMapping
    mac_mapping: MacMapping
    payload: PayloadPolicy
    names: NamePolicy
    rules: tuple[tuple[str, str], ...] = field(repr=False)
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
        raise InvalidInput(field="IN", reason=_strerror(error)) from error
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
        raise InvalidInput(field=name, reason=_strerror(error)) from error
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
        raise InvalidInput(field="--key-file", reason=_strerror(error)) from error
    if len(body) == KEY_BYTES:
        return body
    if _HEX_KEY.fullmatch(digits := body.strip()):
        return bytes.fromhex(digits.decode())
    raise InvalidInput(field="--key-file", reason=f"neither {KEY_BYTES} bytes nor {2 * KEY_BYTES} hexadecimal digits")


def read_rules(path: Path | None) -> tuple[tuple[str, str], ...]:
    """Return the rules of a file, one a line: a CIDR, and a CIDR or keep, map or zero; # begins a comment.

    Raises:
        InvalidInput: the file cannot be read.
        RulesError: as `parse_address_rules`; its numbers are those of lines, from 1.
    """
    if path is None:
        return ()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_RULES_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = _strerror(error) if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidInput(field="--rules", reason=reason) from error
    if len(text) > _RULES_BYTES:
        raise InvalidInput(field="--rules", reason=f"it is longer than {_RULES_BYTES} characters")
    return _parse_rules(text)


def _parse_rules(text: str) -> tuple[tuple[str, str], ...]:
    lines: list[int] = []
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match line.partition("#")[0].split():
            case []:
                continue
            case [source, target]:
                lines.append(number)
                pairs.append((source, target))
            case _:
                malformed = RuleMalformed(index=number, reason="not a source and what becomes of it")
                malformed.add_note(_BY_LINE)
                raise malformed
    try:
        return tuple(rule.as_text() for rule in parse_address_rules(pairs))
    except RulesError as error:
        facts: dict[str, Fact] = error.facts()
        facts |= {name: lines[int(facts[name])] for name in ("index", "other") if name in facts}
        told = error_of(error.code, facts)
        told.add_note(_BY_LINE)
        raise told from error


def _strerror(error: OSError) -> str:
    # The text of the error itself names the path.
    return error.strerror or type(error).__name__
