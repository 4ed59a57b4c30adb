import os
import tempfile
from pathlib import Path

import pytest

from gql_server.engine.kernels import kernel_environment
from tests.kernels import load_all_kernels

KERNELS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Have every kernel of this process bounds-checked, and compiled once for all runs."""
    root = Path(tempfile.gettempdir()) / f"gql-server-kernels-{os.geteuid()}"
    config.stash[KERNELS] = root
    os.environ.update(kernel_environment(root, checked=True))
    load_all_kernels()


@pytest.fixture(scope="session")
def kernels(pytestconfig: pytest.Config) -> Path:
    """Where compiled kernels are kept between runs; children use the fast build."""
    return pytestconfig.stash[KERNELS]
