"""The store of bytes under failing calls, kills, power loss."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gql_server.domain.error_codes import ErrorCode
from tests.store.blob_workload import DATA, EXECUTION_FILES, TRACE_FILES
from tests.store.power_loss import CALLS, Disk

REPOSITORY = Path(__file__).parents[2]
LONG = os.environ.get("GQL_SERVER_LONG_TESTS") == "1"
SHORT_CALLS = ("fsync", "pwrite64", "rename", "link")
ALL_CALLS = (*SHORT_CALLS, "ftruncate", "mkdir", "fchmod", "unlink", "rmdir", "chmod")
FAULTS = [
    *((call, "error=EIO") for call in SHORT_CALLS),
    *((call, "error=ENOSPC") for call in (SHORT_CALLS if LONG else ("pwrite64", "rename", "link"))),
    *((call, "error=EDQUOT") for call in (SHORT_CALLS if LONG else ("pwrite64",))),
]

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None or platform.machine() != "x86_64", reason="strace for x86_64 is not installed"
)


def run_workload(
    root: Path, generation: int, acknowledged: dict[str, str], *strace: str
) -> subprocess.CompletedProcess[str]:
    known = [f"{step}={value}" for step, value in acknowledged.items()]
    program = [sys.executable, "-B", "-S", "-m", "tests.store.blob_workload", str(root), str(generation), *known]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [*strace, *program], check=False, capture_output=True, text=True, cwd=REPOSITORY, env=environment
    )


def promises(output: str) -> dict[str, str]:
    lines = [line.split() for line in output.splitlines()]
    return {line[1]: line[2] for line in lines if line[0] == "ok"}


def files_below(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def below(files: dict[str, bytes], prefix: str) -> dict[str, bytes]:
    inside = {path.removeprefix(prefix): data for path, data in files.items() if path.startswith(prefix)}
    return {path: data for path, data in inside.items() if path}


def broken_promises(files: dict[str, bytes], promised: dict[str, str]) -> list[str]:
    """Compare what is there with what was promised; also name each trace that is there and not whole."""
    broken = []
    if "token" in promised and files.get("store-token", b"").decode() != promised["token"]:
        broken.append("token")
    if "upload" in promised:
        received = files.get(f"uploads/{promised['upload']}")
        acknowledged = max([0, *(int(value) for step, value in promised.items() if step.startswith("chunk"))])
        if received is None or received[:acknowledged] != DATA[:acknowledged]:
            broken.append("upload")
    visible = {path.split("/")[1] for path in files if path.startswith("traces/") and path != "traces/"}
    broken += [f"half {trace}" for trace in visible if below(files, f"traces/{trace}/") != TRACE_FILES]
    broken += [f"lost {trace}" for trace in {promised.get("trace", "")} - {""} - visible]
    broken += [f"back {trace}" for trace in {promised.get("removed", "")} & visible]
    if "execution" in promised and below(files, f"executions/{promised['execution']}/") != EXECUTION_FILES:
        broken.append("execution")
    return broken


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("call", "fault"), FAULTS)
def test_a_call_that_fails_is_a_refusal_and_the_next_attempt_works(tmp_path: Path, call: str, fault: str) -> None:
    code = ErrorCode.INTERNAL if fault == "error=EIO" else ErrorCode.STORAGE_FULL
    for count in range(1, 1000):
        root, log = tmp_path / str(count), tmp_path / f"{count}.log"
        inject = f"inject={call}:{fault}:when={count}"
        done = run_workload(root, 1, {}, "strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", inject)
        assert done.returncode == 0, done.stderr
        promised = promises(done.stdout)
        assert "removed" in promised
        assert broken_promises(files_below(root), promised) == []
        refusals = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("refused")]
        if "(INJECTED)" not in log.read_text():
            assert refusals == []
            assert count > 1
            return
        assert refusals == [code]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("call", ALL_CALLS if LONG else SHORT_CALLS)
def test_a_kill_at_any_call_breaks_no_promise_and_the_next_run_goes_on(tmp_path: Path, call: str) -> None:
    for count in range(1, 1000):
        root = tmp_path / str(count)
        inject = f"inject={call}:signal=KILL:when={count}"
        killed = run_workload(
            root, 1, {}, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject
        )
        promised = promises(killed.stdout)
        assert "refused" not in killed.stdout
        assert broken_promises(files_below(root), promised) == []
        if killed.returncode == 0:
            assert count > 1
            return
        again = run_workload(root, 2, promised)
        assert again.returncode == 0, again.stderr
        promised |= promises(again.stdout)
        assert "removed" in promised
        assert broken_promises(files_below(root), promised) == []


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("recording")
    root, log = directory / "data", directory / "log"
    options = ("-f", "-qq", "-y", "-xx", "-s", "100000", "-o", str(log), "-e", f"trace={CALLS}")
    done = run_workload(root, 1, {}, "strace", *options)
    assert done.returncode == 0, done.stderr
    return directory, log.read_text()


def promises_broken_by_power_losses(recording: tuple[Path, str], *, ignored: str) -> list[str]:
    disk = Disk(recording[0], ignored=ignored)
    promised: dict[str, str] = {}
    broken: list[str] = []
    for line in disk.replay(recording[1]):
        promised |= promises(line)
        files = {path.removeprefix("data/"): data for path, data in disk.survivors().items()}
        broken += broken_promises(files, promised)
    assert "removed" in promised
    return broken


def test_a_power_loss_after_any_call_breaks_no_promise(recording: tuple[Path, str]) -> None:
    assert promises_broken_by_power_losses(recording, ignored="") == []


@pytest.mark.parametrize("ignored", ["file", "directory"])
def test_without_one_kind_of_fsync_power_losses_would_break_promises(recording: tuple[Path, str], ignored: str) -> None:
    assert promises_broken_by_power_losses(recording, ignored=ignored) != []
