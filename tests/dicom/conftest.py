import fcntl
import importlib
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gql_server.engine.kernels import kernel_environment
from tests.dicom.outcomes import Engine, Outcome
from tests.dicom.scenes import Play, Recording, play_all, play_few, record
from tests.dicom.wire import capture_of
from tests.kernels import load_all_kernels

SEED = 20240611


def pytest_configure(config: pytest.Config) -> None:
    """Have every kernel of this process bounds-checked, as in the engine's own tests, and compiled before any test."""
    root = Path(tempfile.gettempdir()) / f"gql-server-kernels-{os.geteuid()}"
    os.environ.update(kernel_environment(root, checked=True))
    load_all_kernels()


def _cached(factory: pytest.TempPathFactory, play: Play) -> Recording:
    """Record once for all processes of a run."""
    directory = factory.getbasetemp()
    # A process of several has a directory of its own below the run's.
    shared = directory.parent if directory.name.startswith("popen-") else directory
    path = Path(shared) / f"recording-{play.__name__}"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(pickle.dumps(record(SEED, play)))
        recording: Recording = pickle.loads(path.read_bytes())
        return recording


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Every service and transfer syntax."""
    return _cached(tmp_path_factory, play_all)


@pytest.fixture(scope="session")
def small_recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A little of everything, in a few kilobytes."""
    return _cached(tmp_path_factory, play_few)


Operation = Callable[[str], Callable[[Any, Any], Any]]
MODULES = {
    "deidentify": "dicom.deidentifying",
    "preview": "dicom.previewing",
    "extract": "dicom.extracting",
    "verify": "verify.verifying",
}


@pytest.fixture(scope="session")
def operation() -> Operation:
    """What the engine can do by name."""

    def named(name: str) -> Callable[[Any, Any], Any]:
        found: Callable[[Any, Any], Any] = getattr(importlib.import_module(f"gql_server.engine.{MODULES[name]}"), name)
        return found

    return named


@pytest.fixture
def engine(operation: Operation, tmp_path: Path) -> Engine:
    return Engine(tmp_path, operation)


@pytest.fixture(scope="session")
def clean_outcome(operation: Operation, recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What becomes of the recording as it is."""
    return Engine(tmp_path_factory.mktemp("clean"), operation).run(capture_of(recording.wire).file())
