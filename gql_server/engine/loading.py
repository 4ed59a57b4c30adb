"""Kernels loaded, and compiled by one process if need be.

Compiling takes half a minute for what concerns addresses, and as long again for DICOM. So the second begins when the
first is done, in a process of its own, and only who is asked about DICOM waits for it.

Run as: python -m gql_server.engine.loading, it compiles the kernels of DICOM.
"""

import contextlib
import fcntl
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gql_server.engine.kernels import python_path
from gql_server.engine.limits import die_with_parent

_NICE: Final = 10
_ENGINE: Final = "gql_server.engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelGroup:
    """Modules whose kernels are compiled together, in two halves side by side: no kernel belongs to both."""

    mark: str
    """The file that says that they are compiled."""
    rewriting: tuple[str, ...]
    proving: tuple[str, ...]
    """The second reader's."""

    def mark_in(self, cache_directory: str) -> Path:
        """Return where that file is, beside numba's own."""
        return Path(cache_directory, self.mark)


ADDRESSES: Final = KernelGroup(
    mark=".compiled",
    rewriting=(
        f"{_ENGINE}.addresses.anonymizing",
        f"{_ENGINE}.inspect.inspecting",
        f"{_ENGINE}.inspect.locating",
    ),
    proving=(f"{_ENGINE}.verify.verifying",),
)
DICOM: Final = KernelGroup(
    mark=".compiled-dicom",
    rewriting=(
        f"{_ENGINE}.dicom.deidentifying",
        f"{_ENGINE}.dicom.previewing",
        f"{_ENGINE}.dicom.extracting",
    ),
    proving=(f"{_ENGINE}.verify.dicom_proving",),
)
"""They stand on those of addresses, which are compiled before."""


def load_kernels(cache_directory: str, group: KernelGroup) -> None:
    """Compile a group unless that is done; of several processes one compiles and the others wait."""
    mark = group.mark_in(cache_directory)
    if mark.exists():
        return
    lock = os.open(cache_directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.exists():  # made by the one before us
            return
        with _proving_beside(group):
            _import(group.rewriting)
        _import(group.proving)
        mark.touch(mode=0o600)
    finally:
        os.close(lock)


class DicomKernels:
    """The kernels of DICOM, which another process compiles meanwhile if nobody has."""

    def __init__(self, cache_directory: str) -> None:
        self._directory = cache_directory
        self._compiler: subprocess.Popen[bytes] | None = None
        if not DICOM.mark_in(cache_directory).exists():
            self._compiler = _start("-m", f"{_ENGINE}.loading")

    def load(self) -> None:
        """Wait until they are compiled."""
        # The limits of a job hold for this process and not for the other.
        if self._compiler is not None:
            self._compiler.wait()
        load_kernels(self._directory, DICOM)


@contextlib.contextmanager
def _proving_beside(group: KernelGroup) -> Iterator[None]:
    code = f"from {_ENGINE}.limits import die_with_parent; die_with_parent(); import {', '.join(group.proving)}"
    beside = _start("-c", code)
    try:
        yield
    finally:
        beside.wait()


def _start(*arguments: str) -> "subprocess.Popen[bytes]":
    # It says nothing, and what it fails at is compiled by who needs it.
    return subprocess.Popen(  # noqa: S603  # our own code
        [sys.executable, "-P", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": python_path()},
    )


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        importlib.import_module(name)


if __name__ == "__main__":
    die_with_parent()
    os.nice(_NICE)
    load_kernels(os.environ["NUMBA_CACHE_DIR"], DICOM)
