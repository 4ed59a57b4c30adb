import os
import subprocess
import sys
from pathlib import Path

from gql_server.engine.kernels import kernel_environment

CODE = """
import numpy as np
from gql_server.engine.compilation import CHECKED, Bytes, U, entry
from gql_server.engine.memory import *

@entry
def mixed(memory: Bytes) -> int:
    b = pointer(memory)
    prefetch(b, 0)
    prefetch(b, 1 << 40)
    store8(b, 0, 0x1FF)
    store16(b, 1, 0x1234)
    store32(b, 3, 0x56789ABC)
    store64(b, 7, U(0x0102030405060708))
    store48(b, 15, U(0xA1A2A3A4A5A6))
    wide = np.int64(load64(b, 7)) + np.int64(load48(b, 15))
    return load8(b, 0) + load16(b, 1) + load32(b, 3) + load32_little(b, 3) + wide

memory = np.zeros(21, np.uint8)
print(CHECKED, mixed(memory), memory.tobytes().hex())
"""


def run(kernels: Path, tmp_path: Path, *, checked: bool) -> list[str]:
    script = tmp_path / "mixed.py"
    script.write_text(CODE)
    environment = {**os.environ, **kernel_environment(kernels, checked=checked)}
    environment |= {"NUMBA_CACHE_DIR": str(tmp_path / f"cache-{checked}"), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.split()


def test_both_builds_read_and_write_the_same(kernels: Path, tmp_path: Path) -> None:
    fast, checked = run(kernels, tmp_path, checked=False), run(kernels, tmp_path, checked=True)
    assert (fast[0], checked[0]) == ("False", "True")
    assert fast[1:] == checked[1:]
    assert fast[2] == "ff123456789abc0102030405060708a1a2a3a4a5a6"
