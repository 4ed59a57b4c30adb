"""Children: killed, too slow, refused, replaced, never orphaned."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from gql_server.domain.errors import ChildCrashed, NotACapture, ResourceLimit
from gql_server.domain.jobs import Progress
from gql_server.engine.tasks import Inspected, InspectTask, Result
from gql_server.services.children import ChildPool
from tests.journeys.material import hospital
from tests.services.desk import until

LONG = timedelta(seconds=60)


def children_at_work() -> list[int]:
    """Return the process ids of our children that run the engine, dead ones left out."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z" and b"gql_server.engine.child" in command:
            found.append(int(process.name))
    return found


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def are_none() -> bool:
    return children_at_work() == []


async def are_known_dead(pool: ChildPool) -> bool:
    return not any(spare.result().is_alive for spare in pool._spares)


@pytest.fixture
async def pool(kernel_root: Path) -> AsyncIterator[ChildPool]:
    async with ChildPool(kernel_root, warm=0) as opened:
        yield opened
    assert children_at_work() == []


def inspection(directory: Path, source: Path) -> InspectTask:
    return InspectTask(
        source=source,
        output_directory=directory,
        unpacked_limit_bytes=1 << 30,
        unpacked_ratio=200,
        memory_bytes=256 << 20,
    )


@pytest.fixture
def good(tmp_path: Path) -> InspectTask:
    (tmp_path / "good").write_bytes(hospital())
    return inspection(tmp_path, tmp_path / "good")


@pytest.fixture
def endless(tmp_path: Path) -> InspectTask:
    """A task that waits for bytes that nobody sends."""
    os.mkfifo(tmp_path / "endless")
    return inspection(tmp_path, tmp_path / "endless")


@pytest.fixture
def writers() -> Iterator[list[int]]:
    """Open ends of pipes, closed afterwards."""
    opened: list[int] = []
    yield opened
    for descriptor in opened:
        os.close(descriptor)


async def is_read(task: InspectTask, writers: list[int]) -> bool:
    """Say whether a child has opened its source; as our end stays open, it goes on waiting."""
    try:
        writers.append(os.open(task.source, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


async def run(pool: ChildPool, task: InspectTask, time_limit: timedelta = LONG) -> Result:
    return await pool.run(task, on_progress=lambda _: None, time_limit=time_limit)


async def test_a_child_does_its_task_and_tells_how_far_it_is(pool: ChildPool, good: InspectTask) -> None:
    told: list[Progress] = []
    result = await pool.run(good, on_progress=told.append, time_limit=LONG)
    assert isinstance(result, Inspected)
    assert result.summary.size_bytes == told[-1].bytes_total == len(hospital())
    assert children_at_work() == []


async def test_a_refusal_crosses_the_pipe_with_its_facts(pool: ChildPool, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"no capture at all, only text")
    with pytest.raises(NotACapture) as caught:
        await run(pool, inspection(tmp_path, tmp_path / "bad"))
    assert caught.value.offset == 0


async def test_a_child_that_is_killed_has_crashed(pool: ChildPool, endless: InspectTask, writers: list[int]) -> None:
    work = asyncio.create_task(run(pool, endless))
    await until(partial(is_read, endless, writers))
    for pid in children_at_work():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ChildCrashed):
        await work


async def test_a_child_that_takes_too_long_is_ended(pool: ChildPool, endless: InspectTask) -> None:
    with pytest.raises(ResourceLimit) as caught:
        await run(pool, endless, timedelta(seconds=0.2))
    assert caught.value.resource == "time"
    assert children_at_work() == []


async def test_a_cancelled_run_takes_its_child_along(pool: ChildPool, endless: InspectTask, writers: list[int]) -> None:
    work = asyncio.create_task(run(pool, endless))
    await until(partial(is_read, endless, writers))
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await until(are_none)


async def test_a_spare_is_used_and_replaced(kernel_root: Path, good: InspectTask) -> None:
    async with ChildPool(kernel_root, warm=1) as pool:
        await pool.warm_up()
        (spare,) = children_at_work()
        await run(pool, good)
        await pool.warm_up()
        (next_one,) = children_at_work()
        assert next_one != spare
    assert children_at_work() == []


async def test_no_more_are_warmed_than_there_are_tasks_to_come(
    kernel_root: Path, good: InspectTask, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    async with ChildPool(kernel_root, warm=1, tasks=2) as pool:
        await run(pool, good)
        assert len(children_at_work()) == 1
        assert isinstance(await run(pool, inspection(tmp_path / "elsewhere", good.source)), Inspected)
        assert children_at_work() == []


async def test_a_spare_that_died_meanwhile_is_passed_over(kernel_root: Path, good: InspectTask) -> None:
    async with ChildPool(kernel_root, warm=2) as pool:
        await asyncio.wait(pool._spares)
        for pid in children_at_work():
            os.kill(pid, signal.SIGKILL)
        await until(partial(are_known_dead, pool))
        assert isinstance(await run(pool, good), Inspected)
    assert children_at_work() == []


async def test_a_pool_that_is_closed_at_once_leaves_nobody(kernel_root: Path) -> None:
    async with ChildPool(kernel_root, warm=2):
        pass
    assert children_at_work() == []


async def test_a_child_is_told_nothing_that_it_needs_not(kernel_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GQL_SERVER_DATABASE_URL", "a secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    async with ChildPool(kernel_root, warm=1) as pool:
        await pool.warm_up()
        (spare,) = children_at_work()
        environment = environment_of(spare)
    assert b"secret" not in environment.lower()
    assert b"another" not in environment
