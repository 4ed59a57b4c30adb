"""Events for listeners: a completion is told once it opens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.errors import BlobMissing
from gql_server.domain.events import FINAL_EVENTS, START, Event
from gql_server.domain.traces import Trace
from gql_server.services import events
from gql_server.services.events import follow_events
from gql_server.services.resources import Resources
from gql_server.store import traces
from tests.conftest import NewActor
from tests.services.desk import ingest


def follow(resources: Resources, actor: Actor) -> AsyncGenerator[Event, None]:
    return follow_events(resources, actor, after=START, kinds=FINAL_EVENTS, flow_id=None, job_id=None)


def hide(resources: Resources, trace: Trace) -> None:
    path = resources.blobs.trace_path(trace.id, "capture.pcap").parent
    path.rename(path.with_name("hidden"))


def show(resources: Resources, trace: Trace) -> None:
    path = resources.blobs.trace_path(trace.id, "capture.pcap").parent
    path.with_name("hidden").rename(path)


async def test_a_completion_waits_until_its_output_opens_here(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    hide(resources, trace)
    async with aclosing(follow(resources, actor)) as heard:
        waiting = asyncio.ensure_future(anext(heard))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        show(resources, trace)
        assert (await waiting).output_trace_id == trace.id


async def test_a_tombstone_is_told_as_it_is(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    hide(resources, trace)
    async with resources.database.transaction(actor.client_id) as session:
        await traces.bury_trace(session, trace.id)
    async with aclosing(follow(resources, actor)) as heard:
        assert (await anext(heard)).output_trace_id == trace.id


async def test_patience_ends_with_a_code_and_the_listener_comes_back_with_its_cursor(
    resources: Resources, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_PATIENCE_SECONDS", 0.0)
    trace = await ingest(resources, actor)
    hide(resources, trace)
    async with aclosing(follow(resources, actor)) as heard:
        with pytest.raises(BlobMissing):
            await anext(heard)
    show(resources, trace)
    async with aclosing(follow(resources, actor)) as heard:
        assert (await anext(heard)).output_trace_id == trace.id


async def test_a_stranger_is_told_nothing(resources: Resources, actor: Actor, new_actor: NewActor) -> None:
    stranger = await new_actor()
    await ingest(resources, actor)
    own = await ingest(resources, stranger)
    async with aclosing(follow(resources, stranger)) as heard:
        assert (await anext(heard)).output_trace_id == own.id
