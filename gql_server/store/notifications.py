"""The event hub: one reader of the log, many listeners.

NOTIFY is only a wake-up: it is sent outside every business transaction (inside, it would serialise all commits),
coalesced, and a read every second stands behind it. The table is the truth.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Self

import asyncpg

from gql_server.domain.events import START, Cursor, Event, EventKind
from gql_server.domain.ids import ClientId, FlowId, JobId
from gql_server.store import events
from gql_server.store.database import Database, plain_dsn

log = logging.getLogger(__name__)

_CHANNEL = "gql_server_events"
_PAGE = 500
_POLL_SECONDS = 1.0
_COALESCE_SECONDS = 0.02
_RETRY_SECONDS = 0.2
_BUFFERED_EVENTS = 256


class Announcer:
    """Tells all nodes that there is something new; many announcements become one NOTIFY."""

    def __init__(self, app_url: str) -> None:
        self._dsn = plain_dsn(app_url)
        self._dirty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """Say that a transaction with an event has committed."""
        self._dirty.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await _stop(self._task)

    async def _run(self) -> None:
        connection: asyncpg.Connection | None = None
        try:
            while True:
                await self._dirty.wait()
                self._dirty.clear()
                try:
                    if connection is None or connection.is_closed():
                        connection = await asyncpg.connect(self._dsn)
                    await connection.execute(f"NOTIFY {_CHANNEL}")
                except Exception as error:  # noqa: BLE001  # asyncpg has no common base; the poll stands behind this
                    log.warning("wake-up not sent", extra={"error_type": type(error).__name__})
                    if connection is not None:
                        connection.terminate()
                    connection = None
                await asyncio.sleep(_COALESCE_SECONDS)
        finally:
            if connection is not None:
                connection.terminate()


class _Listener:
    """What one subscription waits on: a bounded buffer, and whether it overflowed."""

    def __init__(self, wants: Callable[[Event], bool]) -> None:
        self.wants = wants
        self.buffer: asyncio.Queue[Event] = asyncio.Queue(_BUFFERED_EVENTS)
        self.overflowed = False

    def offer(self, event: Event) -> None:
        if not self.wants(event) or self.overflowed:
            return
        try:
            self.buffer.put_nowait(event)
        except asyncio.QueueFull:
            # A slow listener reads the table again from where it stands; nothing is lost, nothing piles up.
            self.overflowed = True


class EventHub:
    """Reads the log once for this process and hands events to its listeners."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dsn = plain_dsn(database.urls.system)
        self._listeners: set[_Listener] = set()
        self._head = START
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with self._database.read_across_tenants() as connection:
            self._head = await events.head_cursor(connection)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await _stop(self._task)

    async def follow(
        self,
        client_id: ClientId,
        *,
        after: Cursor | None,
        kinds: frozenset[EventKind],
        flow_id: FlowId | None = None,
        job_id: JobId | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the client's events after the cursor, first from the table, then as they happen.

        Without a cursor it starts now, or, for one job, at the job's beginning: who asks for a job that is already
        done hears so at once. There is no gap and no double between replay and live.
        """

        def wants(event: Event) -> bool:
            return (
                event.client_id == client_id
                and event.kind in kinds
                and flow_id in (None, event.flow_id)
                and job_id in (None, event.job_id)
            )

        last = after or (START if job_id is not None else self._head)
        listener = _Listener(wants)
        self._listeners.add(listener)
        try:
            while True:
                async for event in self._replay(client_id, last, kinds, flow_id, job_id):
                    last = event.cursor
                    yield event
                async for event in _drain(listener):
                    if event.cursor > last:
                        last = event.cursor
                        yield event
                listener.buffer = asyncio.Queue(_BUFFERED_EVENTS)
                listener.overflowed = False
        finally:
            self._listeners.discard(listener)

    async def _replay(
        self,
        client_id: ClientId,
        after: Cursor,
        kinds: frozenset[EventKind],
        flow_id: FlowId | None,
        job_id: JobId | None,
    ) -> AsyncIterator[Event]:
        while True:
            async with self._database.read(client_id) as connection:
                page = await events.list_events(
                    connection, after=after, kinds=kinds, flow_id=flow_id, job_id=job_id, limit=_PAGE
                )
            for event in page:
                after = event.cursor
                yield event
            if len(page) < _PAGE:
                return

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  # asyncpg has no common base; the hub must outlive any outage
                log.warning("event log not readable", extra={"error_type": type(error).__name__})
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        wake = asyncio.Event()
        connection = await asyncpg.connect(self._dsn, server_settings={"application_name": "gql-server-events"})
        try:
            connection.add_termination_listener(lambda *_: wake.set())
            await connection.add_listener(_CHANNEL, lambda *_: wake.set())
            while not connection.is_closed():
                # Read first: what committed before LISTEN was active sent no wake-up that we heard.
                await self._read_on()
                await _await_wake(wake, _POLL_SECONDS)
                wake.clear()
        finally:
            connection.terminate()

    async def _read_on(self) -> None:
        while True:
            async with self._database.read_across_tenants() as connection:
                page = await events.list_events(connection, after=self._head, limit=_PAGE)
            for event in page:
                self._head = event.cursor
                for listener in self._listeners:
                    listener.offer(event)
            if len(page) < _PAGE:
                return


async def _drain(listener: _Listener) -> AsyncIterator[Event]:
    """Yield what the hub hands out, until the buffer is empty after an overflow."""
    while not (listener.overflowed and listener.buffer.empty()):
        yield await listener.buffer.get()


async def _await_wake(wake: asyncio.Event, seconds: float) -> None:
    # Not `wait_for`: before Python 3.12 it loses a cancellation that comes in the moment of the wake-up, and the hub
    # could not be stopped.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
