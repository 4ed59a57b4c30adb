"""The embedded database: PostgreSQL, started and shared by us.

Every process that needs it calls `start()`; the first one makes and starts the server, the others share it, and a
guard stops it when the last of them is gone, however it died.

    root/  cluster/        PostgreSQL's data directory
           socket/         0700: whoever can enter is let in (short-lived under /tmp when the path is too long)
           binaries/       a copy of PostgreSQL's programs, when the server's user cannot reach the installed ones
           *.lock          see embedded_guard
           postgres.log

PostgreSQL refuses to run as root. Started by root, it runs as user 65534, and nothing outside root/ changes owner
or mode for it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from gql_server.domain.errors import SetupError
from gql_server.store import embedded_guard
from gql_server.store.embedded_cluster import APP_ROLE, DATABASE, OWNER_ROLE, SYSTEM_ROLE, make_cluster
from gql_server.store.embedded_guard import READY, START_SECONDS, Place, clean_environment, take
from gql_server.store.postgres_binaries import PostgresBinaries, can_run, copy_binaries, find_binaries

SERVER_UID = 65534
"""Whom PostgreSQL runs as when we are root."""
SERVER_GID = 65533
"""A group that no system hands out: other programs that run as 65534 cannot pass root/, which is closed to them."""

_SOCKET_DIRECTORY_BYTES = 90
"""The kernel takes 107 bytes, of which the socket's own name needs 14."""
_PLAIN_PATH = re.compile(r"[\w/.+ -]+")
"""Paths that PostgreSQL's list of directories and a database URL read alike."""
_LOG_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedUrls:
    """How the three roles reach the database."""

    owner: str
    """For migrations."""
    app: str
    """For the server and the workers, inside a tenant."""
    system: str
    """For what belongs to no tenant."""


class EmbeddedPostgres:
    """One embedded database and our share in it."""

    def __init__(self, root: Path, *, binaries: Path | None = None) -> None:
        self._root = root.absolute()
        self._explicit_binaries = binaries
        self._share: int | None = None

    def start(self) -> EmbeddedUrls:
        """Start the server, or join those who use it; blocks until it takes connections.

        Raises:
            SetupError: it cannot run here; says why and what to do.
        """
        place = self._prepare()
        with self._alone(place) as lifecycle:
            share = place.lock("users")
            try:
                fcntl.flock(share, fcntl.LOCK_SH)
                if not place.is_ready():
                    self._launch(place, lifecycle)
            except BaseException:
                os.close(share)
                raise
            self.close()
            self._share = share
        return _urls(place)

    def close(self) -> None:
        """Give up our share; the guard stops the server when it was the last."""
        if self._share is not None:
            os.close(self._share)
            self._share = None

    def _prepare(self) -> Place:
        uid, gid = (SERVER_UID, SERVER_GID) if os.geteuid() == 0 else (None, None)
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root = self._root.resolve()
            if gid is not None:
                os.chown(root, 0, gid)
            root.chmod(0o700 if gid is None else 0o710)
        except OSError as error:
            raise SetupError(
                advice=f"The directory {self._root} cannot be used ({error.strerror}); "
                "set GQL_SERVER_DATA_DIRECTORY to one that can"
            ) from error
        if uid is not None and (closed := _closed_directory(root.parent, uid)) is not None:
            raise SetupError(
                advice=f"PostgreSQL runs as user {uid} when the server is started by root, and {closed} is closed to "
                f"it; set GQL_SERVER_DATA_DIRECTORY to a directory outside, or open it with chmod o+x {closed}"
            )
        return Place(root=str(root), socket_directory=str(_socket_directory(root)), binaries="", uid=uid, gid=gid)

    @contextlib.contextmanager
    def _alone(self, place: Place) -> Iterator[int]:
        lifecycle = place.lock("lifecycle")
        try:
            if not take(lifecycle, seconds=START_SECONDS):
                raise SetupError(advice=f"Another process has been starting the database in {place.root} for too long")
            yield lifecycle
        finally:
            os.close(lifecycle)

    def _launch(self, place: Place, lifecycle: int) -> None:
        binaries = self._reachable_binaries(place)
        place = replace(place, binaries=str(binaries.directory))
        make_cluster(place, binaries, lifecycle=lifecycle)
        _make_socket_directory(place)
        if _run_guard(place, lifecycle) != READY:
            raise SetupError(advice=f"PostgreSQL did not start; its last words in {place.log}: {_last_words(place)}")

    def _reachable_binaries(self, place: Place) -> PostgresBinaries:
        binaries = find_binaries(self._explicit_binaries)
        if place.uid is None or place.gid is None or can_run(binaries, uid=place.uid, gid=place.gid):
            return binaries
        return copy_binaries(binaries, Path(place.root, "binaries"))


def _closed_directory(directory: Path, uid: int) -> Path | None:
    for path in (*reversed(directory.parents), directory):
        status = path.stat()
        if not status.st_mode & (stat.S_IXUSR if status.st_uid == uid else stat.S_IXOTH):
            return path
    return None


def _socket_directory(root: Path) -> Path:
    directory = root / "socket"
    if len(os.fsencode(directory)) <= _SOCKET_DIRECTORY_BYTES and _PLAIN_PATH.fullmatch(str(directory)):
        return directory
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    # Not the TMPDIR of one process: everybody who shares the database must come to the same place.
    return Path("/tmp", f"gql-server-{os.geteuid()}-{digest}", "socket")  # noqa: S108  # owner and mode are checked


def _make_socket_directory(place: Place) -> None:
    directory = Path(place.socket_directory)
    if directory.parent != Path(place.root):
        _make_private(directory.parent, mode=0o700 if place.gid is None else 0o710, uid=None, gid=place.gid)
    _make_private(directory, mode=0o700, uid=place.uid, gid=place.gid)


def _make_private(directory: Path, *, mode: int, uid: int | None, gid: int | None) -> None:
    uid = os.geteuid() if uid is None else uid
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), uid}:
        raise SetupError(advice=f"{directory} belongs to somebody else; remove it")
    if gid is not None:
        os.chown(directory, uid, gid)
    directory.chmod(mode)


def _run_guard(place: Place, lifecycle: int) -> bytes:
    log = place.log
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        with subprocess.Popen(  # noqa: S603  # our own argument list
            # -I and -S: nothing but the standard library, whatever the environment says.
            [sys.executable, "-I", "-S", embedded_guard.__file__, json.dumps(asdict(place)), str(lifecycle)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd="/",
            env=clean_environment(),
            start_new_session=True,
            pass_fds=(lifecycle,),
        ) as guard:
            assert guard.stdout is not None
            return guard.stdout.readline()
    finally:
        os.close(output)


def _last_words(place: Place) -> str:
    lines = place.log.read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "rror" in line]
    return telling[-1] if telling else "none"


def _urls(place: Place) -> EmbeddedUrls:
    # The port is said, or the environment's PGPORT would count.
    address = f"/{DATABASE}?host={quote(place.socket_directory, safe='/')}&port=5432"
    owner, app, system = (f"postgresql+asyncpg://{role}@{address}" for role in (OWNER_ROLE, APP_ROLE, SYSTEM_ROLE))
    return EmbeddedUrls(owner=owner, app=app, system=system)
