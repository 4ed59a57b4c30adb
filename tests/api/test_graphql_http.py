"""GraphQL over HTTP: negotiation, status codes and streams."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from strawberry.types import ExecutionResult

from gql_server.api.graphql_http import GRAPHQL_JSON, JSON, MAX_BODY_BYTES, Accepted, with_heartbeats
from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from tests.api.conftest import AddTrace, NewApp
from tests.graphql_client import http, post

QUERY = {"query": "{ viewer { role } }"}


async def send(app: Starlette, body: object = None, *, accept: str = GRAPHQL_JSON, **options: Any) -> httpx.Response:
    async with http(app) as client:
        if "content" not in options:
            options["json"] = QUERY if body is None else body
        headers = {"accept": accept, **options.pop("headers", {})}
        return await client.post("/graphql", headers=headers, **options)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, (JSON, False)),
        ("*/*", (JSON, False)),
        ("application/*;q=0.5", (JSON, False)),
        (GRAPHQL_JSON, (GRAPHQL_JSON, False)),
        (f"{JSON};q=0.9, {GRAPHQL_JSON}", (GRAPHQL_JSON, False)),
        (f"{GRAPHQL_JSON}, {JSON}", (GRAPHQL_JSON, False)),
        ("application/graphql-response+json; charset=utf-8, text/event-stream", (GRAPHQL_JSON, True)),
        ("text/event-stream", (None, True)),
        ("text/event-stream;q=0", (None, False)),
        ("text/html", (None, False)),
        (f"{JSON};q=bad", (None, False)),
    ],
)
def test_what_a_client_accepts(accept: str | None, expected: tuple[str | None, bool]) -> None:
    accepted = Accepted.of(accept)
    assert (accepted.one, accepted.stream) == expected


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_a_result_comes_in_the_form_that_was_asked_for(app: Starlette, accept: str) -> None:
    response = await send(app, accept=accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.json() == {"data": {"viewer": {"role": "ANALYST"}}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "PARSE_FAILED"),
        ("{ nothing }", "VALIDATION_FAILED"),
        ("query ($id: ID!) { trace(id: $id) { name } }", "VALIDATION_FAILED"),
        ('{ trace(id: "x") { name } }', "INVALID_ID"),
        ("{ events(after: 1) { endCursor } }", "INVALID_CURSOR"),
    ],
)
@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL_JSON, 400), (JSON, 200)])
async def test_a_request_error_has_a_code_and_no_data(
    app: Starlette, query: str, code: str, accept: str, status: int
) -> None:
    response = await send(app, {"query": query}, accept=accept)
    assert response.status_code == status
    assert "data" not in response.json()
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_an_error_below_the_root_keeps_the_rest(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    id_ = GlobalId("Trace", (await add_trace(actor)).id).encode()
    query = "query ($id: ID!) { viewer { role } lineage(id: $id, depth: 51) { isComplete } }"
    response = await send(app, {"query": query, "variables": {"id": id_}})
    assert response.status_code == 200
    assert response.json()["data"] == {"viewer": {"role": "ANALYST"}, "lineage": None}
    assert response.json()["errors"][0]["path"] == ["lineage"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"[" * 100_000, 400),
        (b'[{"query": "{ viewer { role } }"}]', 400),
        (b'{"query": 1}', 400),
        (b"{}", 400),
        (b'{"query": "{ viewer { role } }", "variables": []}', 400),
        (b'{"query": "{ viewer { role } }", "operationName": 1}', 400),
        (b'{"query": "{ viewer { role } }", "extensions": ""}', 400),
        (b'{"query": "{ viewer { role } }", "operationName": "Other"}', 400),
        (b'{"query": "{ viewer { role } } # ' + b"x" * MAX_BODY_BYTES + b'"}', 413),
    ],
)
async def test_what_is_no_single_request_is_refused(app: Starlette, content: bytes, status: int) -> None:
    response = await send(app, content=content, headers={"content-type": JSON})
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        f"{JSON}; charset=latin-1",
        "",
    ],
)
async def test_only_json_in_utf8_is_read(app: Starlette, content_type: str) -> None:
    response = await send(app, content=b"{}", headers={"content-type": content_type})
    assert response.status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_only_post_is_answered(app: Starlette, method: str) -> None:
    async with http(app) as client:
        response = await client.request(method, "/graphql", params={"query": "{ viewer { role } }"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_an_answer_that_cannot_be_given_is_not_acceptable(app: Starlette) -> None:
    assert (await send(app, accept="text/html")).status_code == 406


async def test_a_subscription_without_a_stream_is_refused(app: Starlette) -> None:
    response = await send(app, {"query": "subscription { jobCompleted { cursor } }"})
    assert response.status_code == 406
    assert "text/event-stream" in response.json()["errors"][0]["message"]


async def test_a_query_is_streamed_only_to_a_client_that_reads_nothing_else(app: Starlette) -> None:
    both = await send(app, accept=f"text/event-stream, {GRAPHQL_JSON}")
    assert both.headers["content-type"].startswith(GRAPHQL_JSON)
    async with post(app, QUERY, {"accept": "text/event-stream"}) as (status, _, pieces):
        text = "".join([piece async for piece in pieces])
    assert status == 200
    assert 'event: next\ndata: {"data":{"viewer":{"role":"ANALYST"}}}\n\nevent: complete\ndata: \n\n' in text


async def test_an_invalid_subscription_is_told_so_in_its_stream(app: Starlette) -> None:
    body = {"query": "subscription { nothing }"}
    async with post(app, body, {"accept": "text/event-stream"}) as (_, _, pieces):
        text = "".join([piece async for piece in pieces])
    assert '"VALIDATION_FAILED"' in text
    assert text.endswith("event: complete\ndata: \n\n")


async def test_a_stranger_is_not_let_in(new_app: NewApp) -> None:
    response = await send(new_app(None))
    assert response.status_code == 401
    assert response.json()["code"] == "UNAUTHENTICATED"


async def test_suggestions_tell_nothing_of_the_schema(app: Starlette) -> None:
    for query in (
        "{ viewr { role } }",
        "{ jobs(stat: PENDING) { totalCount } }",
        "{ jobs(state: PENDNG) { totalCount } }",
    ):
        assert "Did you mean" not in (await send(app, {"query": query})).text


async def results_of(*results: int, closed: list[bool]) -> AsyncGenerator[ExecutionResult, None]:
    try:
        for number in results:
            yield ExecutionResult(data={"number": number}, errors=None)
    finally:
        closed.append(True)


async def test_heartbeats_lose_no_result_and_close_the_source() -> None:
    closed: list[bool] = []
    heard = [result async for result in with_heartbeats(results_of(1, 2, closed=closed), seconds=0)]
    assert [cast("dict[str, int]", result.data)["number"] for result in heard if result is not None] == [1, 2]
    assert closed == [True]
