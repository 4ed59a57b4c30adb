"""The guard: crashed servers come back, abandoned ones end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gql_server.store import embedded_guard
from gql_server.store.embedded import SERVER_UID, EmbeddedPostgres
from tests.store.embedded_users import Playground, is_stopped, parent_of, server_pid, wait_until


@pytest.fixture
def playground() -> Iterator[Playground]:
    with Playground() as playground:
        yield playground


def has_another_server(root: Path, old: int) -> bool:
    try:
        lines = (root / "cluster" / "postmaster.pid").read_text().splitlines()
        return int(lines[0]) != old and lines[7].strip() == "ready"
    except (OSError, IndexError, ValueError):
        return False


def test_a_killed_server_comes_back_for_those_who_use_it(playground: Playground) -> None:
    user = playground.user().joined()
    for _ in range(3):
        old = server_pid(playground.root)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda old=old: has_another_server(playground.root, old))  # type: ignore[misc]
    user.kill()
    wait_until(lambda: is_stopped(playground.root))


def test_a_server_that_was_stopped_on_purpose_stays_down(playground: Playground) -> None:
    user = playground.user().joined()
    guard = parent_of(server_pid(playground.root))
    os.kill(server_pid(playground.root), signal.SIGINT)
    wait_until(lambda: not Path(f"/proc/{guard}").exists())
    assert is_stopped(playground.root)

    other = playground.user().joined()
    assert user.answer()["app"] == other.answer()["app"]


def test_a_killed_guard_takes_its_server_along(playground: Playground) -> None:
    playground.user().joined()
    os.kill(parent_of(server_pid(playground.root)), signal.SIGKILL)
    wait_until(lambda: is_stopped(playground.root))
    playground.user().joined()


def test_signals_meant_for_our_service_do_not_end_the_guard(playground: Playground) -> None:
    user = playground.user().joined()
    guard = parent_of(server_pid(playground.root))
    for demand in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(guard, demand)
    second = playground.user().joined()
    assert user.answer()["server"] == second.answer()["server"]
    assert parent_of(server_pid(playground.root)) == guard


def test_a_guard_whose_user_and_server_are_killed_together_ends(playground: Playground) -> None:
    user = playground.user().joined()
    guard = parent_of(server_pid(playground.root))
    user.process.kill()
    os.kill(server_pid(playground.root), signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{guard}").exists())
    assert is_stopped(playground.root)
    playground.user().joined()


def test_an_innocent_process_with_a_recycled_id_survives_and_does_not_matter(playground: Playground) -> None:
    user = playground.user().joined()
    guard = parent_of(server_pid(playground.root))
    old_lines = (playground.root / "cluster" / "postmaster.pid").read_text().splitlines()
    os.kill(guard, signal.SIGSTOP)
    os.kill(int(old_lines[0]), signal.SIGKILL)
    user.kill()
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: is_stopped(playground.root))
    # A process of the server's own user: PostgreSQL would take it for a server that is up.
    uid = SERVER_UID if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=uid) as innocent:
        for name in ("cluster/postmaster.pid", "socket/.s.PGSQL.5432.lock"):
            (playground.root / name).write_text("\n".join([str(innocent.pid), *old_lines[1:]]) + "\n")
        playground.user().joined().leave()
        wait_until(lambda: is_stopped(playground.root))
        assert innocent.poll() is None
        innocent.communicate()
    assert innocent.returncode == 0


@pytest.mark.parametrize("torn", [b"", b"1", b"\xff\xfe\n\n", b"12345\n/nowhere\n"])
def test_torn_lock_files_of_a_crash_do_not_matter(playground: Playground, torn: bytes) -> None:
    database = EmbeddedPostgres(playground.root)
    database.start()
    database.close()
    wait_until(lambda: is_stopped(playground.root))
    for name in ("cluster/postmaster.pid", "socket/.s.PGSQL.5432.lock"):
        (playground.root / name).write_bytes(torn)
    database.start()
    database.close()


def test_a_guard_whose_directory_is_removed_ends_and_leaves_nothing(playground: Playground) -> None:
    playground.user().joined()
    server = server_pid(playground.root)
    guard = parent_of(server)
    playground.root.rename(playground.directory / "taken away")
    wait_until(lambda: not Path(f"/proc/{server}").exists() and not Path(f"/proc/{guard}").exists())
    assert not playground.root.exists()


def test_the_guard_needs_nothing_but_the_standard_library() -> None:
    program = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, embedded_guard.__file__], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names | {"__main__"}
