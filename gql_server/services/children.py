"""Child processes: a few are warm, each does one job and ends.

A child is a process of its own, so that killing it is cancelling, a crash or a memory bomb stays inside, and the
event loop never waits for the processor. It dies with us: its standard input ends when we do.
"""

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Self, assert_never

from gql_server.domain.errors import ChildCrashed, ResourceLimit
from gql_server.domain.jobs import Progress
from gql_server.engine.kernels import kernel_environment, python_path
from gql_server.engine.messages import Finished, Message, Ready, Refused, decode_message, encode_task
from gql_server.engine.tasks import Progressed, Result, Task

log = logging.getLogger(__name__)

_LINE_BYTES = 1 << 24
"""The report on a capture with ten thousand associations takes megabytes."""
_WARM_UP_SECONDS = 600.0
"""Compiling the kernels for the first time takes a minute or two on a quiet machine, and many on a busy one."""
_LAST_WORDS_SECONDS = 1.0
_LAST_WORDS = re.compile(rb"^engine child: (\w{1,60})$", re.MULTILINE)
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


class _Child:
    """One process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, environment: dict[str, str]) -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # Without -P whatever lies in the working directory could be imported.
            "-P",
            "-m",
            "gql_server.engine.child",
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_LINE_BYTES,
        )
        return cls(process)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def receive(self) -> Message:
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
            return decode_message(line)
        except ValueError as error:
            log.warning("child ended without a verdict", extra={"error_type": await self._last_words()})
            raise ChildCrashed from error

    async def _last_words(self) -> str:
        """Return the kind of error that a child ended with; it writes nothing else, and nothing else is kept."""
        assert self._process.stderr is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                said = await self._process.stderr.read(_LINE_BYTES)
                if found := _LAST_WORDS.search(said):
                    return found[1].decode()
        return "unknown"

    async def send(self, task: Task) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode_task(task))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChildCrashed from error

    async def end(self) -> None:
        # The whole group: whatever a child may have started goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


class ChildPool:
    """Children in waiting: as many as are to be warm, and never more than there are tasks to come."""

    def __init__(self, kernel_root: Path, *, warm: int, tasks: int = sys.maxsize) -> None:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._environment = inherited | {"PYTHONPATH": python_path()} | kernel_environment(kernel_root)
        self._warm, self._tasks = warm, tasks
        self._spares: deque[asyncio.Task[_Child]] = deque()

    async def __aenter__(self) -> Self:
        self._refill()
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._spares:
            await self._discard(self._spares.popleft())

    async def run(self, task: Task, *, on_progress: Callable[[Progress], None], time_limit: timedelta) -> Result:
        """Have a child do the task.

        Raises:
            ChildCrashed: it ended without a verdict.
            ResourceLimit: it took too long.
            GqlServerError: what the child refused the task with.
        """
        child = await self._take()
        try:
            async with asyncio.timeout(time_limit.total_seconds()):
                await child.send(task)
                return await self._listen(child, on_progress)
        except TimeoutError as error:
            raise ResourceLimit(resource="time") from error
        finally:
            await asyncio.shield(child.end())

    async def warm_up(self) -> None:
        """Wait until a child is ready; the first one ever compiles the kernels."""
        if self._spares:
            await asyncio.wait([self._spares[0]])

    async def _listen(self, child: _Child, on_progress: Callable[[Progress], None]) -> Result:
        while True:
            match message := await child.receive():
                case Progressed():
                    on_progress(
                        Progress(
                            packets=message.packets, bytes_done=message.bytes_done, bytes_total=message.bytes_total
                        )
                    )
                case Finished():
                    return message.result
                case Refused():
                    raise message.error
                case Ready():
                    pass
                case _:
                    assert_never(message)

    async def _take(self) -> _Child:
        self._tasks -= 1
        for _ in range(len(self._spares)):
            spare = self._spares.popleft()
            try:
                child = await asyncio.shield(spare)
            except ChildCrashed:
                continue
            except asyncio.CancelledError:
                self._spares.appendleft(spare)
                raise
            if child.is_alive:
                self._refill()
                return child
        self._refill()
        return await self._start()

    def _refill(self) -> None:
        while len(self._spares) < min(self._warm, self._tasks):
            self._spares.append(asyncio.create_task(self._start()))

    async def _start(self) -> _Child:
        child = await _Child.start(self._environment)
        try:
            async with asyncio.timeout(_WARM_UP_SECONDS):
                while not isinstance(await child.receive(), Ready):
                    pass
        except BaseException as error:
            await child.end()
            if isinstance(error, TimeoutError):
                raise ChildCrashed from error
            raise
        return child

    async def _discard(self, spare: asyncio.Task[_Child]) -> None:
        spare.cancel()
        with contextlib.suppress(asyncio.CancelledError, ChildCrashed):
            await (await spare).end()
