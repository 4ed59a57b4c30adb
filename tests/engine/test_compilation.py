import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import gql_server.engine
from gql_server.engine.compilation import Bytes, Kernel, State, Words, entry, signature_of
from gql_server.engine.kernels import kernel_environment
from gql_server.engine.memory import load16, pointer


@entry
def last_word(memory: Bytes, at: int) -> int:
    """Read two bytes."""
    return load16(pointer(memory), at)


@pytest.mark.parametrize("at", [-1, 9, 10, 1 << 40])
def test_the_checked_build_refuses_a_byte_out_of_bounds(at: int) -> None:
    with pytest.raises(IndexError):
        last_word(np.zeros(10, np.uint8), at)


def test_the_signature_of_an_entry_point_is_its_annotations() -> None:
    def example(a: Bytes, b: State, c: Words, d: int, e: bool) -> tuple[int, int]:  # noqa: FBT001
        return d, int(e)

    expected = "UniTuple(int64, 2)(uint8[::1], int64[::1], uint64[::1], int64, boolean)"
    assert signature_of(example) == expected


def compiled() -> dict[str, Dispatcher | Kernel]:
    found = {}
    for module in pkgutil.walk_packages(gql_server.engine.__path__, "gql_server.engine."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Dispatcher | Kernel):
                found[f"{module.name}.{name}"] = value
    return found


def test_each_kernel_is_compiled_for_one_set_of_types() -> None:
    assert [name for name, one in compiled().items() if len(one.overloads) > 1] == []


COUNT = """
import sys
from gql_server.engine.loading import ADDRESSES, load_kernels
load_kernels(sys.argv[1], ADDRESSES)
from gql_server.engine.addresses.walk import walk_records
from gql_server.engine.addresses.ipv4 import ipv4
print(sum(walk_records.stats.cache_hits.values()), ipv4.is_set_up)
"""


def test_another_process_finds_the_compiled_kernels(kernels: Path) -> None:
    environment = kernel_environment(kernels, checked=True)
    arguments = [sys.executable, "-c", COUNT, environment["NUMBA_CACHE_DIR"]]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    assert done.stdout.split() == ["1", "False"]
