"""Loads and stores for kernels, in the build that runs.

Everything on the wire is big-endian; the little-endian loads are for capture files written on such machines, and for
bytes in whatever order.
"""

from typing import TYPE_CHECKING

import numpy as np

from gql_server.engine.compilation import CHECKED, Bytes, U, kernel

if TYPE_CHECKING or not CHECKED:
    from gql_server.engine.fast_memory import (
        load8,
        load16,
        load16_little,
        load32,
        load32_little,
        load64,
        pointer,
        prefetch,
        store8,
        store16,
        store32,
        store64,
    )
else:
    from gql_server.engine.checked_memory import (
        load8,
        load16,
        load16_little,
        load32,
        load32_little,
        load64,
        pointer,
        prefetch,
        store8,
        store16,
        store32,
        store64,
    )

__all__ = [
    "load8",
    "load16",
    "load16_little",
    "load32",
    "load32_little",
    "load48",
    "load64",
    "pointer",
    "prefetch",
    "store8",
    "store16",
    "store32",
    "store48",
    "store64",
]


@kernel
def load48(b: Bytes, o: int) -> np.uint64:
    """Load a MAC address."""
    return (U(load32(b, o)) << U(16)) | U(load16(b, o + 4))


@kernel
def store48(b: Bytes, o: int, value: np.uint64) -> None:
    """Store a MAC address."""
    store32(b, o, np.int64(value >> U(16)))  # type: ignore[arg-type]  # an int to numba
    store16(b, o + 4, np.int64(value & U(0xFFFF)))  # type: ignore[arg-type]  # the same
