"""Limits a child sets for itself."""

import ctypes
import os
import resource
import signal
from typing import Final

BASE_ADDRESS_SPACE: Final = 512 << 20
"""What Python, numba and the kernels need before they hold a byte of a capture."""
_NICE: Final = 10
_SET_PARENT_DEATH_SIGNAL: Final = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends.

    A parent that ended before this call is noticed by the end of the standard input.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def limit_this_process(memory_bytes: int) -> None:
    """Bound the memory, leave no core file that holds a capture, and step back behind the server."""
    size = BASE_ADDRESS_SPACE + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICE)
