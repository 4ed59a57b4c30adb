"""The real command, as a process, in a directory of its own."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.journeys.doors import PATIENCE_SECONDS
from tests.journeys.material import hospital
from tests.store.embedded_users import wait_until

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
Told = subprocess.CompletedProcess[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A directory with a capture in it, and kernels that are compiled already."""

    directory: Path
    kernel_root: Path

    @property
    def capture(self) -> Path:
        return self.directory / "in.pcap"

    @property
    def output(self) -> Path:
        return self.directory / "out.pcap"

    @property
    def key_file(self) -> Path:
        return self.directory / "key"

    def lay_out(self) -> None:
        """Put a capture and a key there."""
        (self.directory / "data").mkdir()
        (self.directory / "data" / "kernels").symlink_to(self.kernel_root)
        (self.directory / "tmp").mkdir()
        self.capture.write_bytes(hospital())
        self.key_file.touch(mode=0o600)
        self.key_file.write_bytes(KEY)

    def environment(self) -> dict[str, str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith("GQL_SERVER_")}
        return known | {
            "GQL_SERVER_DATA_DIRECTORY": str(self.directory / "data"),
            "TMPDIR": str(self.directory / "tmp"),
        }

    def command(self, *arguments: str | Path) -> list[str]:
        asked = () if "--dicom" in arguments else ("--addresses",)
        return [sys.executable, "-m", "gql_server", "deidentify", *asked, *map(str, arguments)]

    def run(self, *arguments: str | Path, given: bytes = b"") -> Told:
        """Run the command to its end."""
        return subprocess.run(
            self.command(*arguments),
            input=given,
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def deidentified(self, *arguments: str | Path, given: bytes = b"") -> bytes:
        """Run the command, which must succeed in silence, and return what it wrote."""
        told = self.run(*arguments, given=given)
        assert (told.returncode, told.stderr) == (0, b"")
        return told.stdout or self.output.read_bytes()

    def refused(self, *arguments: str | Path, given: bytes = b"") -> str:
        """Run the command, which must fail and leave nothing new; return the one line that says why."""
        before = self.names()
        told = self.run(*arguments, given=given)
        assert told.returncode == 1
        assert told.stdout == b""
        assert self.names() == before
        (line,) = told.stderr.decode().splitlines()
        return line

    def start(self, *arguments: str | Path, stdin: int | IO[Any] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start the command and go on."""
        # Whoever runs the tests in the background ignores interrupts, and so would what they start.
        return subprocess.Popen(
            ["env", "--default-signal=INT,HUP", *self.command(*arguments)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            cwd=ROOT,
        )

    def names(self) -> set[str]:
        """What lies here, hidden files too, without what the program keeps for itself."""
        return {path.name for path in self.directory.iterdir()} | {
            f"tmp/{path.name}" for path in (self.directory / "tmp").iterdir()
        }

    def staged(self) -> list[Path]:
        """Private directories of runs."""
        return [path for path in self.directory.iterdir() if path.name.startswith(".gql-server-deidentify-")]


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the process ids of its children that run the engine."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == process.pid and b"gql_server.engine.child" in command:
            found.append(int(entry.name))
    return found


def halt_at_work(desk: Desk, process: subprocess.Popen[bytes]) -> list[int]:
    """Stop the process once its children have begun, so that it can publish nothing; return them."""
    wait_until(lambda: bool(children_of(process)) and bool(desk.staged()))
    process.send_signal(signal.SIGSTOP)
    return children_of(process)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; nobody may have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True
