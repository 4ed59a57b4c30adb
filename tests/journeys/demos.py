"""Runs of `gql-server demo`, as a newcomer starts them."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from gql_server.engine.kernels import kernel_environment
from tests.journeys.doors import PATIENCE_SECONDS, Installation, await_true

REPOSITORY = Path(__file__).resolve().parents[2]
STAYS_UP = "Ctrl-C ends it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom a demo runs as, and the interpreter that is open to them."""

    uid: int
    gid: int
    python: str
    environment: dict[str, str] = field(default_factory=dict)


OURS = Account(uid=os.geteuid(), gid=os.getegid(), python=sys.executable)


def ordinary_account() -> Account | None:
    """Find somebody other than root, and other than 65534, to whom root's embedded database belongs."""
    entry = next(entry for entry in pwd.getpwall() if entry.pw_uid not in {0, 65534})
    # An interpreter below root's home is closed to everybody else; the system's can load the same packages.
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}
    for python, environment in ((sys.executable, {}), ("/usr/bin/python3", packages)):
        account = Account(uid=entry.pw_uid, gid=entry.pw_gid, python=python, environment=environment)
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                [python, "-c", "import gql_server.__main__, numba"],
                cwd=REPOSITORY,
                env=os.environ | environment,
                user=account.uid,
                group=account.gid,
                extra_groups=[],
                capture_output=True,
                check=True,
            )
            return account
    return None


@dataclass
class Demo:
    """One run; what it says goes to a file."""

    installation: Installation
    arguments: tuple[str, ...] = ()
    account: Account = OURS
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def output(self) -> Path:
        return self.installation.directory / "out" / "result.pcap"

    @property
    def log(self) -> Path:
        return self.installation.directory / "demo.log"

    @property
    def told(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        """Where it says that GraphiQL is."""
        urls: list[str] = re.findall(r"^GraphiQL (http://\S+/)$", self.told, re.MULTILINE)
        return urls[-1]

    def __enter__(self) -> Self:
        self.output.parent.mkdir(exist_ok=True)
        os.chown(self.output.parent, self.account.uid, self.account.gid)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.account.python, "-m", "gql_server", "demo", "--output", str(self.output), *self.arguments],
                cwd=REPOSITORY,
                env=self.installation.environment() | self.account.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=[] if self.account != OURS else None,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def await_words(self, words: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None or words in self.told, self.told
            return words in self.told

        await_true(said, what=words)

    def await_end(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def succeed(self) -> str:
        """Wait for a good end and return what it said."""
        assert self.await_end() == 0, self.told
        return self.told


def relatives(installation: Installation) -> dict[int, str]:
    """Return the names of the processes that were started for an installation and are still there."""
    found = {}
    mark = os.fsencode(installation.directory)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "cmdline").read_bytes() + (process / "environ").read_bytes():
                found[int(process.name)] = (process / "comm").read_text().strip()
        except OSError:
            continue
    return found


def give_away(installation: Installation, account: Account) -> None:
    """Make an installation another user's, with a copy of the compiled kernels."""
    kernels = installation.directory / "kernels"
    shared, own = kernels.resolve(), Path(tempfile.gettempdir()) / f"gql-server-kernels-{account.uid}"
    environment = kernel_environment(shared)
    compiled = Path(environment["NUMBA_CACHE_DIR"])
    kernels.unlink()
    kernels.symlink_to(own)
    if not (own / compiled.name).exists():
        # Copied half compiled, they would be compiled a second time.
        loading = [sys.executable, "-m", "tests.kernels"]
        subprocess.run(loading, cwd=REPOSITORY, env=os.environ | environment, check=True)
        shutil.copytree(compiled, own / compiled.name)
        _give(own, account)
    _give(installation.directory, account)


def _give(directory: Path, account: Account) -> None:
    for path in (directory, *directory.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
