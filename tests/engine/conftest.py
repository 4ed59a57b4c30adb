import os
import tempfile
from pathlib import Path

import pytest

from gql_server.engine.kernels import kernel_environment

KERNELS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Have every kernel of this process bounds-checked, and compiled once for all runs."""
    root = Path(tempfile.gettempdir()) / f"gql-server-kernels-{os.geteuid()}"
    config.stash[KERNELS] = root
    os.environ.update(kernel_environment(root, checked=True))
    # Several test processes may start at once: the child's loader lets one of them compile.
    from gql_server.engine.child import load_kernels  # noqa: PLC0415  # numba reads its environment on import

    load_kernels(os.environ["NUMBA_CACHE_DIR"])


@pytest.fixture(scope="session")
def kernels(pytestconfig: pytest.Config) -> Path:
    """Where compiled kernels are kept between runs; children use the fast build."""
    return pytestconfig.stash[KERNELS]
