import stat
import subprocess
import sys
from pathlib import Path

from gql_server.engine.kernels import kernel_cache_directory, kernel_environment


def test_the_directory_is_private_and_the_same_for_the_same_build(tmp_path: Path) -> None:
    directory = kernel_cache_directory(tmp_path / "kernels", checked=False)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert kernel_cache_directory(tmp_path / "kernels", checked=False) == directory


def test_the_checked_build_lives_elsewhere(tmp_path: Path) -> None:
    assert kernel_cache_directory(tmp_path, checked=True) != kernel_cache_directory(tmp_path, checked=False)


def test_the_environment_names_the_directory_and_the_build(tmp_path: Path) -> None:
    environment = kernel_environment(tmp_path, checked=True)
    assert environment["GQL_SERVER_CHECKED_KERNELS"] == "1"
    assert Path(environment["NUMBA_CACHE_DIR"]) == kernel_cache_directory(tmp_path, checked=True)


def test_what_the_parent_imports_does_not_load_numba() -> None:
    names = ", ".join(f"gql_server.engine.{name}" for name in ("kernels", "tasks", "keys"))
    code = f"import sys, {names}; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
