"""The guard of the embedded database: parent of PostgreSQL.

A process of its own, started by file name, that imports the standard library only and so is up in milliseconds.
It starts PostgreSQL, says so on its output, starts it again when it crashes, and stops it when its last user is gone.

What is alive is never read from a process id, which the system may have given to somebody else, but from locks
that the kernel releases however a process dies:

    users.lock      shared by everybody who uses the database
    lifecycle.lock  held while the cluster is made, started or stopped
    server.lock     inherited by PostgreSQL and all its children: free means that not one of them is left
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

READY = b"ready\n"
START_SECONDS = 120.0
"""How long PostgreSQL may take to recover and be ready."""
STOP_SECONDS = 30.0
START_ATTEMPTS = 3
POLL_SECONDS = 0.2

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The values of a row or a statement may be names of patients: none of them may reach the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
}
_STATUS_LINE = 7
"""Where postmaster.pid says how far PostgreSQL has come."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one embedded database lives, what runs it and as whom."""

    root: str
    socket_directory: str
    binaries: str
    uid: int | None
    """Whom PostgreSQL runs as; None for the user who starts it."""
    gid: int | None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory; it exists whole or not at all."""
        return Path(self.root, "cluster")

    @property
    def log(self) -> Path:
        """What PostgreSQL and its guard say."""
        return Path(self.root, "postgres.log")

    @property
    def extra_groups(self) -> list[int] | None:
        """No further groups for another user; our own ones otherwise."""
        return None if self.uid is None else []

    def lock(self, name: str, *, create: bool = True) -> int:
        """Open one of the lock files; closing the descriptor releases the lock."""
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        return os.open(Path(self.root, f"{name}.lock"), flags, 0o600)

    def command(self) -> list[str]:
        """Return PostgreSQL's command line."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        program = str(Path(self.binaries, "postgres"))
        return [program, "-D", str(self.cluster), "-k", self.socket_directory, *settings]

    def is_ready(self) -> bool:
        """Say whether PostgreSQL takes connections."""
        try:
            status = Path(self.cluster, "postmaster.pid").read_text().splitlines()[_STATUS_LINE].strip()
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2)
                probe.connect(str(Path(self.socket_directory, ".s.PGSQL.5432")))
        except (OSError, IndexError, ValueError):
            return False
        return status == "ready"


def clean_environment() -> dict[str, str]:
    """Return the little that PostgreSQL may see; our own environment may name secrets, and a locale it lacks."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def take(descriptor: int, *, seconds: float) -> bool:
    """Take a lock for ourselves alone; False if somebody else kept it all the time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


@contextlib.contextmanager
def held(descriptor: int) -> Iterator[None]:
    """Wait for a lock and hold it within the block."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_used(place: Place) -> bool:
    users = place.lock("users", create=False)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(users)
    return False


def _die_with_parent() -> None:
    # A guard that is killed must not leave a server that nobody will ever stop.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))


def _remove_leftovers(place: Place) -> None:
    # They name a process id; after a crash the system may have given it to an innocent process, for whose sake
    # PostgreSQL would not start. Whoever holds server.lock knows better.
    for leftover in (place.cluster / "postmaster.pid", Path(place.socket_directory, ".s.PGSQL.5432.lock")):
        leftover.unlink(missing_ok=True)


def _spawn(place: Place, server_lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own argument list
        place.command(),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        cwd="/",
        env=clean_environment(),
        start_new_session=True,
        pass_fds=(server_lock,),
        user=place.uid,
        group=place.gid,
        extra_groups=place.extra_groups,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # the guard has one thread
    )


def _stop(server: subprocess.Popen[bytes]) -> None:
    for demand in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(demand)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
            return


def _start_once(place: Place, deadline: float) -> subprocess.Popen[bytes] | None:
    lock = place.lock("server")
    try:
        if not take(lock, seconds=deadline - time.monotonic()):
            return None
        _remove_leftovers(place)
        server = _spawn(place, lock)
    finally:
        os.close(lock)
    while server.poll() is None:
        if place.is_ready():
            return server
        if time.monotonic() > deadline:
            _stop(server)
            return None
        time.sleep(0.02)
    return None


def _start(place: Place) -> subprocess.Popen[bytes] | None:
    deadline = time.monotonic() + START_SECONDS
    for _ in range(START_ATTEMPTS):
        server = _start_once(place, deadline)
        if server is not None:
            return server
    return None


def _revive(place: Place) -> subprocess.Popen[bytes] | None:
    with held(place.lock("lifecycle", create=False)):
        if not _is_used(place) or place.is_ready():
            return None
        return _start(place)


def _watch(place: Place, server: subprocess.Popen[bytes]) -> None:
    while True:
        time.sleep(POLL_SECONDS)
        if server.poll() is not None:
            revived = _revive(place) if server.returncode else None
            if revived is None:
                return
            server = revived
        elif _stop_if_unused(place, server):
            return


def _stop_if_unused(place: Place, server: subprocess.Popen[bytes]) -> bool:
    try:
        if _is_used(place):
            return False
        with held(place.lock("lifecycle", create=False)):
            if _is_used(place):
                return False
            _stop(server)
    except FileNotFoundError:
        # Somebody removed the directory; make nothing in it that would be left behind.
        _stop(server)
    return True


def _detach() -> None:
    if os.fork():
        os._exit(0)
    # A stopped terminal or service must not take the database from a user who is still finishing.
    for demand in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(demand, signal.SIG_IGN)


def main() -> None:
    """Guard the place named by the first argument, holding the lifecycle lock named by the second until it is up."""
    place, lifecycle = Place(**json.loads(sys.argv[1])), int(sys.argv[2])
    _detach()
    server = _start(place)
    if server is None:
        sys.exit(1)
    os.write(sys.stdout.fileno(), READY)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(lifecycle)
    _watch(place, server)


if __name__ == "__main__":
    main()
