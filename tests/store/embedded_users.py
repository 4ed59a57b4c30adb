"""Processes that use an embedded database, to be killed."""

import fcntl
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gql_server.store.postgres_binaries import find_binaries

REPOSITORY = Path(__file__).parents[2]
WAIT_SECONDS = 60.0

_SCRIPT = """\
import dataclasses, json, sys
from pathlib import Path
from gql_server.domain.errors import GqlServerError
from gql_server.store.embedded import EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]), binaries=Path(sys.argv[2]))
try:
    answer = dataclasses.asdict(database.start())
    answer["server"] = Path(sys.argv[1], "cluster", "postmaster.pid").read_text().split()[0]
except GqlServerError as error:
    answer = {"refusal": str(error)}
print(json.dumps(answer), flush=True)
sys.stdin.read()
"""


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds; fail when it never does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_stopped(root: Path) -> bool:
    """Say whether no process of the server is left: then its lock is free."""
    try:
        descriptor = os.open(root / "server.lock", os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def server_pid(root: Path) -> int:
    """Return the process id of the postmaster."""
    return int((root / "cluster" / "postmaster.pid").read_text().split()[0])


def parent_of(pid: int) -> int:
    """Return the process id of the parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_lines(root: Path) -> dict[int, list[str]]:
    """Return the command line of each process that names a path below the root."""
    found: dict[int, list[str]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parts = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:
            continue
        if any(str(root) in part for part in parts):
            found[int(process.name)] = parts
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An ordinary user and an interpreter that it can run."""

    uid: int
    gid: int
    python: str


def ordinary_account() -> Account | None:
    """Find a user other than root and the server's own; None when no interpreter is open to it."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), python=sys.executable)
    entry = next(entry for entry in pwd.getpwall() if entry.pw_uid not in {0, 65534})
    for python in (sys.executable, "/usr/bin/python3"):
        check = [
            python,
            "-c",
            f"import sys; open({str(REPOSITORY / 'pyproject.toml')!r}); assert sys.version_info >= (3, 11)",
        ]
        try:
            subprocess.run(
                check, check=True, stderr=subprocess.DEVNULL, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[]
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid, python=python)
    return None


class User:
    """One process that joins the database, or is told why it cannot."""

    def __init__(self, root: Path, environment: dict[str, str], account: Account | None, binaries: Path | None) -> None:
        programs = str(binaries or find_binaries(None).directory)
        change = account is not None and account.uid != os.geteuid()
        self.process = subprocess.Popen(
            [account.python if account else sys.executable, "-c", _SCRIPT, str(root), programs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"} | environment,
            user=account.uid if account and change else None,
            group=account.gid if account and change else None,
            extra_groups=[] if change else None,
        )
        self._answer: dict[str, str] = {}

    def joined(self) -> Self:
        """Wait until it uses the database."""
        self.answer()
        assert "refusal" not in self._answer, self._answer
        return self

    def answer(self) -> dict[str, str]:
        """Wait for what it was told."""
        if not self._answer:
            assert self.process.stdout is not None
            self._answer = json.loads(self.process.stdout.readline())
        return self._answer

    def leave(self) -> None:
        """End in order."""
        self.process.communicate()

    def kill(self) -> None:
        """End by kill -9."""
        self.process.kill()
        self.process.communicate()


class Playground:
    """A directory that every user may pass, and the databases and processes in it."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="gql-server-test-")).resolve()
        self.directory.chmod(0o711)
        self.root = self.directory / "postgres"
        self._users: list[User] = []
        self._roots: set[Path] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for user in self._users:
            user.kill()
        for root in self._roots | {self.root}:
            wait_until(lambda root=root: is_stopped(root))  # type: ignore[misc]
        wait_until(lambda: not command_lines(self.directory))
        shutil.rmtree(self.directory)

    def user(
        self,
        *,
        root: Path | None = None,
        environment: dict[str, str] | None = None,
        account: Account | None = None,
        binaries: Path | None = None,
    ) -> User:
        """Start a process that joins; it may still be on its way."""
        user = User(root or self.root, environment or {}, account, binaries)
        self._users.append(user)
        self._roots.add(root or self.root)
        return user

    def programs_that(self, action: str, *, at: str) -> Path:
        """Make programs that do something of their own when their last argument is the given one."""
        directory = self.directory / "programs"
        directory.mkdir()
        real = find_binaries(None).directory
        for name in ("postgres", "initdb"):
            lines = ("#!/bin/sh", "for last; do :; done", f'if [ "$last" = "{at}" ]; then {action}; fi')
            program = directory / name
            program.write_text("\n".join((*lines, f'exec "{real / name}" "$@"')) + "\n")
            program.chmod(0o755)
        directory.chmod(0o755)
        return directory
