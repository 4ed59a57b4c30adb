import os
import tempfile
from pathlib import Path

import pytest

from gql_server.engine.kernels import kernel_environment
from gql_server.engine.loading import ADDRESSES, DICOM, load_kernels

KERNELS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Have every kernel of this process bounds-checked, and compiled once for all runs."""
    root = Path(tempfile.gettempdir()) / f"gql-server-kernels-{os.geteuid()}"
    config.stash[KERNELS] = root
    os.environ.update(kernel_environment(root, checked=True))
    # Several test processes may start at once: the loader lets one of them compile.
    # numba reads its environment on import, so nothing that imports it is imported above.
    for group in (ADDRESSES, DICOM):
        load_kernels(os.environ["NUMBA_CACHE_DIR"], group)


@pytest.fixture(scope="session")
def kernels(pytestconfig: pytest.Config) -> Path:
    """Where compiled kernels are kept between runs; children use the fast build."""
    return pytestconfig.stash[KERNELS]
