import fcntl
import pickle
from pathlib import Path

import pytest

from tests.dicom.scenes import Play, Recording, play_all, play_few, record

SEED = 20240611


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
