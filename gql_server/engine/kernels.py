"""Where compiled kernels are kept, told without numba.

A compiled kernel is found again by the source file of its entry point alone: edit a function it calls and the old
machine code would run on, and a bounds-checked run would load the unchecked build. So the cache directory is named by
everything the machine code depends on, and the parent puts it into the child's environment as NUMBA_CACHE_DIR before
the child imports numba. The modules that import numba: `memory`, and what stands on it in `capture/framing`,
`addresses/`, `inspect/`, `verify/` and `child`.
"""

import hashlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

CHECKED_VARIABLE = "GQL_SERVER_CHECKED_KERNELS"
"""Set to 1 in the child's environment to run the bounds-checked build of the same kernels."""

_ENGINE = Path(__file__).resolve().parent
_CPU_INFO = Path("/proc/cpuinfo")


def kernel_cache_directory(root: Path, *, checked: bool) -> Path:
    """Return the directory for this build's compiled kernels, made with mode 0700 when it is not there."""
    digest = hashlib.sha256()
    for part in (*_source_parts(), *_machine_parts(), b"checked" if checked else b"fast"):
        digest.update(len(part).to_bytes(8, "big") + part)
    directory = root / digest.hexdigest()[:32]
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def kernel_environment(root: Path, *, checked: bool = False) -> dict[str, str]:
    """Return what a child's environment needs, beside what it inherits."""
    return {
        "NUMBA_CACHE_DIR": str(kernel_cache_directory(root, checked=checked)),
        CHECKED_VARIABLE: "1" if checked else "0",
    }


def python_path() -> str:
    """Return a PYTHONPATH for processes that must run these very files: a kernel is found again by its source."""
    return os.pathsep.join(filter(None, (str(_ENGINE.parents[1]), os.environ.get("PYTHONPATH"))))


def _source_parts() -> list[bytes]:
    parts = []
    for path in sorted(_ENGINE.rglob("*.py")):
        # numba stamps its files with the source's time, so a touched source means another directory.
        parts += [os.fsencode(path), str(path.stat().st_mtime_ns).encode(), path.read_bytes()]
    return parts


def _machine_parts() -> list[bytes]:
    parts = [version(name).encode() for name in ("numba", "llvmlite", "numpy")]
    # As numba has it: a kernel holds for all patches of a Python version.
    parts += [str(sys.implementation.cache_tag).encode(), platform.machine().encode(), _processor()]
    return parts + [os.environ.get(name, "").encode() for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_OPT")]


def _processor() -> bytes:
    if not _CPU_INFO.exists():
        return platform.processor().encode()
    wanted = (b"vendor_id", b"cpu family", b"model", b"stepping", b"flags", b"Features", b"CPU part")
    first_core = _CPU_INFO.read_bytes().split(b"\n\n", 1)[0]
    return b"\n".join(line for line in first_core.splitlines() if line.startswith(wanted))
