import fcntl
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gql_server.engine.dicom.tasks import ExtractDicomTask
from gql_server.engine.kernels import kernel_environment
from gql_server.engine.loading import ADDRESSES, DICOM, load_kernels
from gql_server.engine.messages import Finished, Ready, decode_message, encode_task
from tests.captures import packets, pcap, udp4
from tests.journeys.doors import await_true

CODE = """
import sys
sys.path.insert(0, sys.argv[2])
from gql_server.engine.loading import KernelGroup, load_kernels
load_kernels(sys.argv[1], KernelGroup(mark="mark", rewriting=("rewriting",), proving=("proving",)))
"""


class Modules:
    """Modules that note who imports them, in place of kernels."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cache = directory / "cache"
        self.cache.mkdir()
        for name in ("rewriting", "proving"):
            self.write(name)

    def write(self, name: str, more: str = "") -> None:
        note = f"import os\nopen({str(self._notes(name))!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        (self.directory / f"{name}.py").write_text(note + more)

    def _notes(self, name: str) -> Path:
        return self.directory / f"{name}.txt"

    def importers(self, name: str) -> list[str]:
        return self._notes(name).read_text().split() if self._notes(name).exists() else []

    def start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", CODE, str(self.cache), str(self.directory)],
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(Path.cwd()), str(self.directory)))},
        )

    @property
    def is_marked(self) -> bool:
        return (self.cache / "mark").exists()


@pytest.fixture
def modules(tmp_path: Path) -> Modules:
    return Modules(tmp_path)


def test_one_process_compiles_and_the_others_wait(modules: Modules) -> None:
    modules.write("rewriting", "import time; time.sleep(0.5)\n")
    runs = [modules.start() for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    (compiler,) = modules.importers("rewriting")
    assert compiler in {str(run.pid) for run in runs}
    assert modules.is_marked
    assert modules.start().wait(60) == 0
    assert modules.importers("rewriting") == [compiler]


def test_what_proves_is_compiled_beside(modules: Modules) -> None:
    run = modules.start()
    assert run.wait(60) == 0
    beside, here = modules.importers("proving")
    assert beside != str(run.pid)
    assert here == str(run.pid)


def test_what_fails_beside_is_compiled_here(modules: Modules) -> None:
    modules.write("proving", "import sys\nassert 'rewriting' in sys.modules\n")
    assert modules.start().wait(60) == 0
    assert modules.is_marked


@pytest.mark.parametrize("name", ["rewriting", "proving"])
def test_what_cannot_be_compiled_is_not_marked(modules: Modules, name: str) -> None:
    modules.write(name, "raise ValueError\n")
    assert modules.start().wait(60) == 1
    assert not modules.is_marked


def test_the_process_beside_runs_the_same_files(modules: Modules, tmp_path: Path) -> None:
    """An installed copy of the package must not be taken for the one that runs."""
    other = tmp_path / "other" / "gql_server" / "engine"
    other.mkdir(parents=True)
    for directory in (other, other.parent):
        (directory / "__init__.py").write_text("raise ImportError\n")
    run = subprocess.Popen(
        [sys.executable, "-c", CODE, str(modules.cache), str(modules.directory)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path / "other"), str(modules.directory)))},
    )
    assert run.wait(60) == 0
    assert len(modules.importers("proving")) == 2


def test_kernels_are_marked_as_compiled(kernels: Path) -> None:
    directory = kernel_environment(kernels, checked=True)["NUMBA_CACHE_DIR"]
    for group in (ADDRESSES, DICOM):
        load_kernels(directory, group)
        assert (Path(directory) / group.mark).is_file()


@pytest.fixture
def unmarked(kernels: Path, tmp_path: Path) -> Path:
    """Compiled kernels of the fast build; nothing says that those of DICOM are complete."""
    compiled = kernel_environment(kernels)["NUMBA_CACHE_DIR"]
    environment = os.environ | kernel_environment(kernels)
    subprocess.run([sys.executable, "-m", "tests.kernels"], env=environment, check=True)
    copied = tmp_path / "copied"
    shutil.copytree(compiled, copied)
    (copied / DICOM.mark).unlink()
    return copied


@contextmanager
def child_of(directory: Path) -> "Iterator[subprocess.Popen[bytes]]":
    environment = os.environ | {"NUMBA_CACHE_DIR": str(directory), "GQL_SERVER_CHECKED_KERNELS": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "gql_server.engine.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env=environment,
    ) as child:
        yield child
        child.kill()


def test_a_waiting_child_has_the_kernels_of_dicom_compiled(unmarked: Path) -> None:
    with child_of(unmarked) as child:
        assert child.stdout is not None
        assert decode_message(child.stdout.readline()) == Ready()
        await_true((unmarked / DICOM.mark).exists)


def test_only_dicom_waits_for_its_kernels(unmarked: Path, tmp_path: Path) -> None:
    (tmp_path / "in.pcap").write_bytes(pcap(packets(udp4())))
    task = ExtractDicomTask(source=tmp_path / "in.pcap", output_directory=tmp_path, memory_bytes=256 << 20)
    lock = os.open(unmarked, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with child_of(unmarked) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert decode_message(child.stdout.readline()) == Ready()
        child.stdin.write(encode_task(task))
        assert select.select([child.stdout], [], [], 5)[0] == []
        os.close(lock)
        *_, last = [decode_message(line) for line in child.stdout]
        assert isinstance(last, Finished)
        assert (unmarked / DICOM.mark).exists()
