"""Downloads: authorized, ranged, and of a name that is ours."""

import io

import pytest
from starlette.applications import Starlette

from gql_server.api.files import Unsatisfiable, parse_range
from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.ids import TraceId, new_id
from gql_server.services import traces
from gql_server.services.resources import Resources
from tests.api.conftest import AddExecution, AddJob, AddTrace, NewApp
from tests.conftest import NewActor
from tests.graphql_client import data, http

CONTENT = bytes(range(256)) * 4096


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=2-100", (2, 10)),
        ("bytes=0-1,4-5", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("lines=1-2", None),
        ("bytes=a-b", None),
        (f"bytes={'9' * 30}-", None),
    ],
)
def test_a_range(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)])
def test_a_range_beyond_the_end(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


async def test_a_capture_is_sent_whole_as_an_attachment(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, '../../etc/pass"wd\n', content=CONTENT)
    async with http(app) as client:
        response = await client.get(f"/traces/{trace.id}/capture")
    assert response.status_code == 200
    assert response.content == CONTENT
    assert response.headers["content-length"] == str(len(CONTENT))
    assert response.headers["content-type"] == "application/vnd.tcpdump.pcap"
    assert response.headers["content-disposition"] == f'attachment; filename="capture-{trace.id.hex[:8]}.pcap"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"].startswith("private")
    assert response.headers["etag"] == f'"{trace.summary.sha256}"'


async def test_a_head_is_a_get_without_its_bytes(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, content=CONTENT)
    async with http(app) as client:
        got, head = [await client.request(method, f"/traces/{trace.id}/capture") for method in ("GET", "HEAD")]
    assert head.content == b""
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


async def test_ranges_put_together_are_the_file(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, content=CONTENT)
    async with http(app) as client:
        url = f"/traces/{trace.id}/capture"
        first = await client.get(url, headers={"range": "bytes=0-299999"})
        rest = await client.get(url, headers={"range": "bytes=300000-", "if-range": first.headers["etag"]})
        changed = await client.get(url, headers={"range": "bytes=300000-", "if-range": '"other"'})
        beyond = await client.get(url, headers={"range": f"bytes={len(CONTENT)}-"})
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-299999/{len(CONTENT)}")
    assert first.content + rest.content == CONTENT
    assert (changed.status_code, changed.content) == (200, CONTENT)
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")


async def test_what_is_known_already_is_not_sent_again(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, content=CONTENT)
    async with http(app) as client:
        headers = {"if-none-match": f'"{trace.summary.sha256}"'}
        response = await client.get(f"/traces/{trace.id}/capture", headers=headers)
    assert (response.status_code, response.content) == (304, b"")


async def test_anothers_capture_is_answered_like_none(app: Starlette, new_actor: NewActor, add_trace: AddTrace) -> None:
    foreign = await add_trace(await new_actor(), content=CONTENT)
    async with http(app) as client:
        answers = [await client.get(f"/traces/{name}/capture") for name in (foreign.id, new_id(), "nonsense")]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (404, b'{"code":"NOT_FOUND","message":"There is no such trace.","facts":{"noun":"trace"}}')
    }


async def test_the_capture_of_a_tombstone_is_gone(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, content=CONTENT)
    id_ = GlobalId("Trace", trace.id).encode()
    await data(app, "mutation ($id: ID!) { deleteTrace(input: {traceId: $id}) { errors { code } } }", {"id": id_})
    async with http(app) as client:
        response = await client.get(f"/traces/{trace.id}/capture")
    assert (response.status_code, response.json()["code"]) == (410, "TRACE_DELETED")


async def test_a_stranger_gets_nothing(new_app: NewApp, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor, content=CONTENT)
    async with http(new_app(None)) as client:
        assert (await client.get(f"/traces/{trace.id}/capture")).status_code == 401


async def test_an_artifact_is_sent_by_its_name_alone(
    app: Starlette, actor: Actor, add_job: AddJob, add_execution: AddExecution
) -> None:
    execution = await add_execution(await add_job(actor))
    async with http(app) as client:
        found = await client.get(f"/executions/{execution.id}/artifacts/report.json")
        missing = await client.get(f"/executions/{execution.id}/artifacts/other.json")
        above = await client.get(f"/executions/{execution.id}/artifacts/..%2f..%2fkeys%2fkek")
    assert (found.status_code, found.content) == (200, b"{}")
    assert found.headers["content-type"] == "application/json"
    assert (missing.status_code, above.status_code) == (404, 404)


async def test_the_file_is_closed_whatever_is_asked_of_it(
    app: Starlette, actor: Actor, add_trace: AddTrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = await add_trace(actor, content=CONTENT)
    opened: list[io.BufferedReader] = []
    really_open = traces.open_capture

    async def open_and_note(resources: Resources, actor: Actor, trace_id: TraceId) -> traces.OpenFile:
        found = await really_open(resources, actor, trace_id)
        assert isinstance(found.file, io.BufferedReader)
        opened.append(found.file)
        return found

    monkeypatch.setattr(traces, "open_capture", open_and_note)
    async with http(app) as client:
        url = f"/traces/{trace.id}/capture"
        await client.get(url)
        await client.head(url)
        await client.get(url, headers={"range": "bytes=9999999-"})
        await client.get(url, headers={"if-none-match": f'"{trace.summary.sha256}"'})
    assert [file.closed for file in opened] == [True] * 4
