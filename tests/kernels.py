"""Every kernel of a build, compiled unless it is.

Run as: python -m tests.kernels, it takes the build from its environment.
"""

import os

from gql_server.engine.loading import ADDRESSES, DICOM, load_kernels


def load_all_kernels() -> None:
    """Compile what the environment asks for; of several processes one compiles and the others wait."""
    # numba reads its environment on import, so nothing that imports it is imported above.
    for group in (ADDRESSES, DICOM):
        load_kernels(os.environ["NUMBA_CACHE_DIR"], group)


if __name__ == "__main__":
    load_all_kernels()
