"""GraphQL over WebSocket: graphql-transport-ws alone."""

from datetime import timedelta

import pytest
from starlette.applications import Starlette

from gql_server.api.graphql_ws import INIT_WAIT, MAX_SUBSCRIPTIONS, GraphQLOverWebSocket
from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from tests.api.conftest import AddJob, NewApp
from tests.graphql_client import connect

PROGRESS = "subscription ($job: ID!) { jobProgress(jobId: $job) { kind } }"


async def test_the_old_protocol_is_not_spoken(app: Starlette) -> None:
    async with connect(app, protocol="graphql-ws") as socket:
        assert await socket.hear() == {"type": "closed", "code": 4406, "reason": "Subprotocol not acceptable"}


async def test_a_page_of_another_site_is_not_let_in(app: Starlette) -> None:
    async with connect(app, headers={"origin": "http://evil.example"}) as socket:
        assert (await socket.hear())["code"] == 1008


async def test_a_stranger_is_not_let_in(new_app: NewApp) -> None:
    async with connect(new_app(None)) as socket:
        assert (await socket.hear())["code"] == 1008


async def test_whoever_does_not_greet_is_not_served(app: Starlette) -> None:
    async with connect(app) as socket:
        await socket.subscribe("1", "{ viewer { role } }")
        assert (await socket.hear())["code"] == 4401


async def test_whoever_says_nothing_is_let_go(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    assert INIT_WAIT.total_seconds() == 5
    endpoints = [vars(route).get("endpoint") for route in app.routes]
    endpoint = next(each for each in endpoints if isinstance(each, GraphQLOverWebSocket))
    monkeypatch.setattr(endpoint, "connection_init_wait_timeout", timedelta())
    async with connect(app) as socket:
        assert (await socket.hear())["code"] == 4408


async def test_queries_are_answered_too(app: Starlette) -> None:
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("1", "{ viewer { role } }")
        answer = await socket.hear()
        assert answer == {"id": "1", "type": "next", "payload": {"data": {"viewer": {"role": "ANALYST"}}}}
        assert await socket.hear() == {"id": "1", "type": "complete"}


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[" * 5000,
        "[]",
        "1",
        '{"type": 1}',
        '{"type": "subscribe", "id": [], "payload": {"query": "{ viewer { role } }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { role } }", "variables": []}}',
        '{"type": "complete"}',
        '{"type": "unheard of"}',
    ],
)
async def test_a_malformed_message_ends_the_connection_in_order(app: Starlette, message: str) -> None:
    async with connect(app) as socket:
        await socket.begin()
        await socket.send(message)
        closed = await socket.hear()
        assert (closed["type"], closed["code"]) == ("closed", 4400)


@pytest.mark.parametrize(
    "query", ["{ " + "a" * 300 + " !", "subscription { nothing }", "{ traces(first: 0) { totalCount } }"]
)
async def test_a_bad_document_fails_alone(app: Starlette, query: str) -> None:
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("bad", query)
        answer = await socket.hear()
        assert (answer["type"], answer["id"]) == ("error", "bad")
        assert answer["payload"][0]["extensions"]["code"]
        await socket.send({"type": "ping"})
        assert (await socket.hear())["type"] == "pong"


async def test_operations_at_once_are_bounded(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = {"job": GlobalId("Job", (await add_job(actor)).id).encode()}
    async with connect(app) as socket:
        await socket.begin()
        for number in range(MAX_SUBSCRIPTIONS):
            await socket.subscribe(str(number), PROGRESS, job)
            assert (await socket.hear())["type"] == "next"
        await socket.subscribe("one more", PROGRESS, job)
        assert (await socket.hear())["payload"][0]["message"] == "Subscription limit reached"


async def test_a_completed_subscription_says_no_more(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = {"job": GlobalId("Job", (await add_job(actor)).id).encode()}
    async with connect(app) as socket:
        await socket.begin()
        await socket.subscribe("1", PROGRESS, job)
        assert (await socket.hear())["type"] == "next"
        await socket.send({"type": "complete", "id": "1"})
        await socket.subscribe("1", "{ viewer { role } }")
        assert (await socket.hear())["payload"] == {"data": {"viewer": {"role": "ANALYST"}}}


def test_frames_are_text() -> None:
    encode = GraphQLOverWebSocket.encode_json
    assert isinstance(encode(None, {"a": 1}), str)  # type: ignore[arg-type]  # it uses nothing of its view
