"""Events: polled, and listened to."""

from contextlib import aclosing

import pytest
from starlette.applications import Starlette

from gql_server.api.events import STATE_AFTER
from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.errors import CaptureCut, StorageError
from gql_server.domain.events import EventKind
from gql_server.domain.ids import JobId, new_id
from gql_server.domain.jobs import JobState
from gql_server.services.resources import Resources
from tests.api.conftest import AddJob, AddTrace, end_job
from tests.conftest import NewActor
from tests.graphql_client import connect, data, post, subscribe

EVENTS = """
query ($after: EventCursor, $first: Int! = 50, $job: ID) {
  events(after: $after, first: $first, jobId: $job) {
    events { cursor kind sequence state job { state } outputTraceId } endCursor latestCursor
  }
}
"""
COMPLETED = """
subscription ($flow: ID, $job: ID, $after: EventCursor) {
  jobCompleted(flowId: $flow, jobId: $job, after: $after) {
    cursor state outputTraceId outputTrace { id isDeleted }
    error { code ... on CaptureRefusedError { offset } } job { id state }
  }
}
"""
PROGRESS = """
subscription ($job: ID!, $after: EventCursor) {
  jobProgress(jobId: $job, after: $after) { cursor kind sequence state }
}
"""


def test_every_kind_of_event_leads_to_a_state() -> None:
    assert set(STATE_AFTER) == set(EventKind)


async def test_the_log_is_read_on_from_a_cursor(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, content=b"bytes")
    first = (await data(app, EVENTS, {"first": 1}))["events"]
    rest = (await data(app, EVENTS, {"after": first["endCursor"]}))["events"]
    kinds = [event["kind"] for page in (first, rest) for event in page["events"]]
    assert kinds == ["JOB_SUBMITTED", "JOB_COMPLETED"]
    assert [event["sequence"] for page in (first, rest) for event in page["events"]] == [1, 2]
    assert rest["events"][0]["outputTraceId"] == GlobalId("Trace", trace.id).encode()
    after_all = (await data(app, EVENTS, {"after": rest["latestCursor"]}))["events"]
    assert after_all["events"] == []


async def test_the_log_of_another_client_is_empty(app: Starlette, new_actor: NewActor, add_job: AddJob) -> None:
    foreign = await add_job(await new_actor())
    assert (await data(app, EVENTS, {"job": GlobalId("Job", foreign.id).encode()}))["events"]["events"] == []


async def test_a_completion_carries_a_trace_that_can_be_read(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    latest = (await data(app, EVENTS))["events"]["latestCursor"]
    trace = await add_trace(actor, content=b"bytes")
    async with aclosing(subscribe(app, COMPLETED, {"after": latest})) as heard:
        event = (await anext(heard))["data"]["jobCompleted"]
    id_ = GlobalId("Trace", trace.id).encode()
    assert (event["state"], event["outputTraceId"]) == ("COMPLETED", id_)
    assert event["outputTrace"] == {"id": id_, "isDeleted": False}
    assert event["error"] is None


async def test_a_failure_carries_a_coded_error_and_no_trace(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = await add_job(actor, state=JobState.FAILED, error=CaptureCut(offset=24, packets=0))
    results = [result async for result in subscribe(app, COMPLETED, {"job": GlobalId("Job", job.id).encode()})]
    event = results[0]["data"]["jobCompleted"]
    assert (event["state"], event["outputTraceId"], event["outputTrace"]) == ("FAILED", None, None)
    assert event["error"] == {"code": "CAPTURE_CUT", "offset": 24}
    assert len(results) == 1


async def test_a_job_that_a_fault_of_the_server_ended_does_not_stop_its_listeners(
    app: Starlette, actor: Actor, add_job: AddJob
) -> None:
    job = await add_job(actor, state=JobState.FAILED, error=StorageError())
    results = [result async for result in subscribe(app, COMPLETED, {"job": GlobalId("Job", job.id).encode()})]
    assert [result["data"]["jobCompleted"]["error"] for result in results] == [{"code": "INTERNAL"}]


async def test_each_event_is_answered_from_rows_as_they_are_by_then(
    app: Starlette, actor: Actor, resources: Resources, add_job: AddJob
) -> None:
    job = await add_job(actor)
    query = "subscription ($job: ID!) { jobProgress(jobId: $job) { kind job { state } } }"
    heard = subscribe(app, query, {"job": GlobalId("Job", job.id).encode()})
    first = (await anext(heard))["data"]["jobProgress"]
    await end_job(resources, job, JobState.FAILED, CaptureCut(offset=1, packets=0))
    rest = [result["data"]["jobProgress"] async for result in heard]
    assert first == {"kind": "JOB_SUBMITTED", "job": {"state": "PENDING"}}
    assert rest == [{"kind": "JOB_FAILED", "job": {"state": "FAILED"}}]


async def test_a_listener_that_is_cut_again_and_again_hears_of_each_job_once(
    app: Starlette, actor: Actor, add_job: AddJob
) -> None:
    cursor = (await data(app, EVENTS))["events"]["latestCursor"]
    jobs: list[JobId] = []
    heard: list[str] = []
    for number in range(10):
        jobs += [(await add_job(actor, state=JobState.CANCELLED)).id for _ in range(2)]
        async with aclosing(subscribe(app, COMPLETED, {"after": cursor})) as listening:
            for _ in range(1 + number % 3):
                if len(heard) == len(jobs):
                    break
                event = (await anext(listening))["data"]["jobCompleted"]
                cursor = event["cursor"]
                heard.append(event["job"]["id"])
    async with aclosing(subscribe(app, COMPLETED, {"after": cursor})) as listening:
        while len(heard) < len(jobs):
            heard.append((await anext(listening))["data"]["jobCompleted"]["job"]["id"])
    assert heard == [GlobalId("Job", job).encode() for job in jobs]


async def test_progress_resumes_after_its_cursor_and_ends_with_the_job(
    app: Starlette, actor: Actor, add_job: AddJob
) -> None:
    job = await add_job(actor, state=JobState.CANCELLED)
    given = {"job": GlobalId("Job", job.id).encode()}
    whole = [result["data"]["jobProgress"] async for result in subscribe(app, PROGRESS, given)]
    rest = [
        result["data"]["jobProgress"]
        async for result in subscribe(app, PROGRESS, {**given, "after": whole[0]["cursor"]})
    ]
    assert [(event["kind"], event["state"]) for event in whole] == [
        ("JOB_SUBMITTED", "PENDING"),
        ("JOB_CANCELLED", "CANCELLED"),
    ]
    assert rest == whole[1:]


@pytest.mark.parametrize("kind", ["foreign", "absent", "wrong type"])
async def test_following_what_is_not_there_is_refused_alike(
    app: Starlette, actor: Actor, new_actor: NewActor, add_job: AddJob, kind: str
) -> None:
    ids = {
        "foreign": GlobalId("Job", (await add_job(await new_actor())).id),
        "absent": GlobalId("Job", new_id()),
        "wrong type": GlobalId("Trace", new_id()),
    }
    results = [result async for result in subscribe(app, PROGRESS, {"job": ids[kind].encode()})]
    errors = results[0]["errors"]
    assert [(error["message"], error["extensions"]["code"]) for error in errors] == [
        ("There is no such job.", "NOT_FOUND")
    ]


async def test_a_cursor_of_somebody_elses_making_is_refused(app: Starlette) -> None:
    results = [result async for result in subscribe(app, COMPLETED, {"after": "1"})]
    assert results[0]["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_listeners_of_one_flow_hear_nothing_of_another_client(
    app: Starlette, new_actor: NewActor, actor: Actor, add_job: AddJob
) -> None:
    latest = (await data(app, EVENTS))["events"]["latestCursor"]
    await add_job(await new_actor(), state=JobState.CANCELLED)
    own = await add_job(actor, state=JobState.CANCELLED)
    given = {"flow": GlobalId("Flow", own.flow_id).encode(), "after": latest}
    async with aclosing(subscribe(app, COMPLETED, given)) as heard:
        event = (await anext(heard))["data"]["jobCompleted"]
    assert event["job"]["id"] == GlobalId("Job", own.id).encode()


async def test_server_sent_events_end_lines_with_a_line_feed(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = await add_job(actor, state=JobState.CANCELLED)
    body = {"query": COMPLETED, "variables": {"job": GlobalId("Job", job.id).encode()}}
    async with post(app, body, {"accept": "text/event-stream"}) as (status, headers, pieces):
        text = "".join([piece async for piece in pieces])
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    events = [part for part in text.split("\n\n") if not part.startswith(":") and part]
    assert events[0].startswith('event: next\ndata: {"data":{"jobCompleted":{"cursor":')
    assert events[1:] == ["event: complete\ndata: "]
    assert "\r" not in text


async def test_two_subscriptions_share_a_socket_and_end_apart(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    done, waiting = await add_job(actor, state=JobState.CANCELLED), await add_job(actor)
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("waiting", PROGRESS, {"job": GlobalId("Job", waiting.id).encode()})
        assert (await socket.hear())["id"] == "waiting"
        await socket.subscribe("done", COMPLETED, {"job": GlobalId("Job", done.id).encode()})
        assert [(await socket.hear())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.send({"type": "ping"})
        assert (await socket.hear())["type"] == "pong"


async def test_who_leaves_is_listened_for_no_more(
    app: Starlette, actor: Actor, resources: Resources, add_job: AddJob
) -> None:
    given = {"job": GlobalId("Job", (await add_job(actor)).id).encode()}
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("1", PROGRESS, given)
        assert (await socket.hear())["type"] == "next"
        body = {"query": PROGRESS, "variables": given}
        async with post(app, body, {"accept": "text/event-stream"}) as (_, _, pieces):
            assert await anext(pieces) == ":\n\n"
            assert (await anext(pieces)).startswith("event: next")
            assert len(resources.hub._listeners) == 2
        assert len(resources.hub._listeners) == 1
    assert len(resources.hub._listeners) == 0
