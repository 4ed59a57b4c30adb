"""The hub: from the table, then live, with no gap and no double."""

import asyncio
import random
from contextlib import aclosing

from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.events import START, Cursor, Event, EventKind
from gql_server.domain.ids import JobId
from gql_server.domain.jobs import Progress
from gql_server.store import events, jobs
from gql_server.store.database import Database
from gql_server.store.notifications import Announcer, EventHub, _await_wake
from tests.conftest import NewActor
from tests.factories import make_job

EVERYTHING = frozenset(EventKind)
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"


async def _happen(database: Database, actor: Actor, job_id: JobId) -> None:
    async with database.transaction(actor.client_id) as session:
        await jobs.lock_job(session, job_id)
        progress = Progress(packets=1, bytes_done=1, bytes_total=1)
        await events.append_event(session, job_id, EventKind.JOB_PROGRESSED, progress=progress)


async def _take(
    hub: EventHub, actor: Actor, after: Cursor | None, count: int, job_id: JobId | None = None
) -> list[Event]:
    taken: list[Event] = []
    async with aclosing(hub.follow(actor.client_id, after=after, kinds=EVERYTHING, job_id=job_id)) as stream:
        async with asyncio.timeout(60):
            async for event in stream:
                taken.append(event)
                if len(taken) == count:
                    break
    return taken


async def test_a_listener_that_is_cut_fifty_times_hears_everything_once(database: Database, actor: Actor) -> None:
    job_ids = [await make_job(database, actor) for _ in range(4)]
    dice = random.Random(7)

    async def write(job_id: JobId) -> None:
        for _ in range(75):
            await _happen(database, actor, job_id)
            announcer.announce()
            await asyncio.sleep(dice.random() * 0.005)

    heard: list[Event] = []
    async with EventHub(database) as hub, Announcer(database.urls.app) as announcer:
        writing = asyncio.gather(*(write(job_id) for job_id in job_ids))
        cursor = START
        while len(heard) < 4 * 76:
            heard += await _take(hub, actor, cursor, min(6, 4 * 76 - len(heard)))
            cursor = heard[-1].cursor
        await writing
    numbers = [event.cursor.id for event in heard]
    assert len(set(numbers)) == len(numbers) == 4 * 76
    for job_id in job_ids:
        assert [event.seq for event in heard if event.job_id == job_id] == list(range(1, 77))


async def test_a_listener_without_a_cursor_hears_only_news(database: Database, actor: Actor) -> None:
    old, new = await make_job(database, actor), await make_job(database, actor)
    async with EventHub(database) as hub:
        listening = asyncio.create_task(_take(hub, actor, None, 1))
        await asyncio.sleep(0.2)
        await _happen(database, actor, new)
        heard = await listening
    assert [event.job_id for event in heard] == [new] != [old]


async def test_who_asks_for_one_job_hears_its_past(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    async with EventHub(database) as hub:
        heard = await _take(hub, actor, None, 1, job_id=job_id)
    assert heard[0].kind is EventKind.JOB_SUBMITTED


async def test_a_slow_listener_overflows_and_still_hears_everything(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    count = 700
    async with EventHub(database) as hub:
        stream = hub.follow(actor.client_id, after=START, kinds=EVERYTHING)
        first = await anext(stream)
        for _ in range(count):
            await _happen(database, actor, job_id)
        await asyncio.sleep(1.5)
        async with asyncio.timeout(60):
            rest = [await anext(stream) for _ in range(count)]
        await stream.aclose()
    assert [event.seq for event in [first, *rest]] == list(range(1, count + 2))


async def test_another_tenants_events_are_not_heard(database: Database, new_actor: NewActor) -> None:
    mine, theirs = await new_actor(), await new_actor()
    foreign = await make_job(database, theirs)
    async with EventHub(database) as hub:
        listening = asyncio.create_task(_take(hub, mine, START, 1))
        await _happen(database, theirs, foreign)
        own = await make_job(database, mine)
        heard = await listening
    assert [event.job_id for event in heard] == [own]


async def test_the_hub_survives_the_loss_of_all_its_connections(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    async with EventHub(database) as hub:
        listening = asyncio.create_task(_take(hub, actor, None, 1, job_id=job_id))
        await listening
        async with database.read_across_tenants() as connection:
            await connection.execute(text(CUT), {"name": "gql-server-events"})
        again = asyncio.create_task(_take(hub, actor, None, 2, job_id=job_id))
        await _happen(database, actor, job_id)
        assert [event.seq for event in await again] == [1, 2]


async def test_a_hub_that_is_woken_in_the_moment_it_is_stopped_stops() -> None:
    wake = asyncio.Event()

    async def listen() -> None:
        while True:
            await _await_wake(wake, 60)
            wake.clear()

    task = asyncio.create_task(listen())
    await asyncio.sleep(0)
    wake.set()
    await asyncio.sleep(0)
    task.cancel()
    _, still_running = await asyncio.wait({task}, timeout=20)
    assert not still_running
