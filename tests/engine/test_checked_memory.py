from collections.abc import Callable

import numpy as np
import pytest

from gql_server.engine.checked_memory import load8, load32_little, load64, pointer, store8, store64
from gql_server.engine.compilation import Bytes, U, entry


@entry
def read8(memory: Bytes, at: int) -> int:
    """Read a byte."""
    return load8(pointer(memory), at)


@entry
def read32(memory: Bytes, at: int) -> int:
    """Read four bytes."""
    return load32_little(pointer(memory), at)


@entry
def read64(memory: Bytes, at: int) -> np.uint64:
    """Read eight bytes."""
    return load64(pointer(memory), at)


@entry
def write8(memory: Bytes, at: int) -> None:
    """Write a byte."""
    store8(pointer(memory), at, 1)


@entry
def write64(memory: Bytes, at: int) -> None:
    """Write eight bytes."""
    store64(pointer(memory), at, U(1))


ACCESSES = [(read8, 1), (read32, 4), (read64, 8), (write8, 1), (write64, 8)]


@pytest.mark.parametrize(("access", "size"), ACCESSES, ids=["read8", "read32", "read64", "write8", "write64"])
def test_each_access_is_checked_at_both_ends(access: Callable[[Bytes, int], object], size: int) -> None:
    memory = np.zeros(16, np.uint8)
    access(memory, 0)
    access(memory, 16 - size)
    for at in (-1, 17 - size, 1 << 33):
        with pytest.raises(IndexError):
            access(memory, at)
