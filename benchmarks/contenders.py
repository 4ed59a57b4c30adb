"""Who is measured: the engine, and programs beside it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gql_server.engine.kernels import kernel_environment

NEWER_TCPREWRITE: Final = "TCPREWRITE_455"
"""Names the path of a tcprewrite 4.5.5 that was built with -O3; Debian's is a debug build, some 3.5 times slower."""


class Failed(Exception):
    """A contender did not do its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a warm engine tells of one capture."""

    packets: int
    peak_bytes: int
    seconds: float
    """Of the processor."""


class WarmEngine:
    """A process with loaded kernels, pinned to one core (`warm_engine.py`)."""

    def __init__(self, kernel_root: Path, *, core: int) -> None:
        environment = os.environ | kernel_environment(kernel_root)
        command = [sys.executable, "-m", "benchmarks.warm_engine"]
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        os.sched_setaffinity(self._process.pid, {core})
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout

    def __enter__(self) -> Self:
        self._read()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()

    def begin(self, work: str, source: Path, directory: Path) -> None:
        """Ask for a work without waiting for it."""
        self._input.write(json.dumps({"work": work, "source": str(source), "directory": str(directory)}) + "\n")

    def finish(self) -> Answer:
        """Wait for the work that was begun."""
        return Answer(**json.loads(self._read()))

    def do(self, work: str, source: Path, directory: Path) -> Answer:
        """Have a work done."""
        self.begin(work, source, directory)
        return self.finish()

    def _read(self) -> str:
        line = self._output.readline()
        if not line:
            raise Failed("the engine ended; its complaint stands above")
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Something that reads a capture and writes another into a directory."""

    name: str
    work: Callable[[Path, Path], object]
    absent: str = ""
    """Why it cannot be measured here."""


REWRITE: Final = "engine: rewrite"
TASK: Final = "engine: task"
INSPECT: Final = "engine: inspect"
VERIFY: Final = "engine: verify"
REWRITTEN: Final = "rewritten"
"""The directory beside the capture that holds what `rewrite` made of it, for `verify`."""
DEIDENTIFY: Final = "deidentify"
PREVIEW: Final = "preview"
COPY: Final = "cp"
DEBIAN: Final = "tcprewrite"
NEWER: Final = "tcprewrite 4.5.5 -O3"


def contenders(engine: WarmEngine) -> list[Contender]:
    """Return all of them, in the order in which a round runs them."""
    newer = os.environ.get(NEWER_TCPREWRITE, "")
    return [
        _program(COPY, "cp"),
        _of_engine(engine, REWRITE, "rewrite"),
        _of_engine(engine, TASK, "task"),
        _of_engine(engine, INSPECT, "inspect"),
        _of_engine(engine, VERIFY, "verify"),
        _program(DEBIAN, "tcprewrite", "--seed=42", "--enet-mac-seed=7", "-i", _SOURCE, "-o", _TARGET),
        _program(NEWER, newer, "--seed=42", "--enet-mac-seed=7", "-i", _SOURCE, "-o", _TARGET)
        if newer
        else Contender(name=NEWER, work=_nothing, absent=f"{NEWER_TCPREWRITE} names none"),
        _program("tcpdump -r -w", "tcpdump", "-r", _SOURCE, "-w", _TARGET),
        _program("editcap -F", "editcap", "-F", _FORMAT, _SOURCE, _TARGET),
    ]


_SOURCE: Final = "{source}"
_TARGET: Final = "{target}"
_FORMAT: Final = "{format}"


def _of_engine(engine: WarmEngine, name: str, work: str) -> Contender:
    return Contender(name=name, work=lambda source, directory: engine.do(work, source, directory))


def _program(name: str, program: str, *arguments: str) -> Contender:
    found = shutil.which(program)
    if found is None:
        return Contender(name=name, work=_nothing, absent=f"{program} is not installed")

    def work(source: Path, directory: Path) -> None:
        words = {"source": source, "target": directory / "capture", "format": source.suffix.lstrip(".")}
        command = [found, *(argument.format(**words) for argument in arguments or (_SOURCE, _TARGET))]
        done = subprocess.run(  # noqa: S603  # a program of the table
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        if done.returncode != 0 or not (directory / "capture").stat().st_size:
            raise Failed(f"{name} ended with status {done.returncode}")

    return Contender(name=name, work=work)


def _nothing(_: Path, __: Path) -> None:
    """Stand where a contender is absent."""
