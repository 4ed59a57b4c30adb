"""tus 1.0: creation, chunks, checksums, expiry, termination."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from email.utils import parsedate_to_datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from gql_server.api.ids import GlobalId
from gql_server.api.tus import BodyStalled, pieces_of
from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import UploadId, new_id
from gql_server.services.resources import Resources
from gql_server.services.uploads import abort_upload
from tests.api.conftest import NewApp
from tests.conftest import NewActor
from tests.graphql_client import converse, data, http, scope_of

TUS = {"tus-resumable": "1.0.0"}
CHUNK = {**TUS, "content-type": "application/offset+octet-stream"}


def said(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


async def create(client: httpx.AsyncClient, length: int, **headers: str) -> str:
    response = await client.post("/uploads", headers={**TUS, "upload-length": str(length), **headers})
    assert response.status_code == 201, response.text
    return response.headers["location"]


async def patch(client: httpx.AsyncClient, url: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
    sent = {**CHUNK, "upload-offset": str(offset), **headers}
    return await client.patch(url, content=content, headers=sent)


async def offset_of(client: httpx.AsyncClient, url: str) -> int:
    response = await client.head(url, headers=TUS)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    return int(response.headers["upload-offset"])


async def test_options_say_what_is_spoken(app: Starlette) -> None:
    async with http(app) as client:
        for path in ("/uploads", f"/uploads/{new_id()}"):
            response = await client.options(path)
            assert response.status_code == 204
            assert response.headers["tus-version"] == "1.0.0"
            assert response.headers["tus-checksum-algorithm"] == "sha256"
            assert response.headers["tus-max-size"] == str(64 << 30)
            extensions = "creation,creation-with-upload,termination,expiration,checksum"
            assert response.headers["tus-extension"] == extensions


async def test_a_file_arrives_in_pieces_and_its_offset_is_told(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 10, **{"upload-metadata": said(filename="büro.pcap")})
        assert await offset_of(client, url) == 0
        first = await patch(client, url, 0, b"hello")
        assert (first.status_code, first.headers["upload-offset"]) == (204, "5")
        assert await offset_of(client, url) == 5
        last = await patch(client, url, 5, b"world")
        assert (last.status_code, last.headers["upload-offset"]) == (204, "10")
        head = await client.head(url, headers=TUS)
    assert head.headers["upload-length"] == "10"
    assert head.headers["upload-metadata"] == said(filename="büro.pcap")
    assert parsedate_to_datetime(head.headers["upload-expires"]).tzinfo is not None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"upload-offset": "5"}, 409),
        ({"upload-offset": ""}, 400),
        ({"upload-offset": "-1"}, 400),
        ({"tus-resumable": "0.2.2"}, 412),
        ({"upload-checksum": "sha256 " + base64.b64encode(bytes(32)).decode()}, 460),
        ({"upload-checksum": "sha1 " + base64.b64encode(bytes(20)).decode()}, 400),
        ({"upload-checksum": "sha256 !"}, 400),
    ],
)
async def test_a_refused_chunk_leaves_no_byte(app: Starlette, headers: dict[str, str], status: int) -> None:
    async with http(app) as client:
        url = await create(client, 10)
        response = await patch(client, url, 0, b"x", **headers)
        assert response.status_code == status
        assert response.headers["tus-resumable"] == "1.0.0"
        assert await offset_of(client, url) == 0


async def test_a_chunk_beyond_the_length_leaves_no_byte(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 3)
        response = await patch(client, url, 0, b"1234")
        assert (response.status_code, response.json()["code"]) == (413, "LENGTH_EXCEEDED")
        assert await offset_of(client, url) == 0


async def test_a_wrong_offset_is_told_the_right_one(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 10)
        await patch(client, url, 0, b"123")
        response = await patch(client, url, 0, b"123")
    assert (response.status_code, response.headers["upload-offset"]) == (409, "3")


async def test_a_chunk_with_its_checksum_is_kept(app: Starlette) -> None:
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    async with http(app) as client:
        url = await create(client, 5)
        assert (await patch(client, url, 0, b"hello", **{"upload-checksum": checksum})).status_code == 204


async def test_bytes_may_come_with_the_creation(app: Starlette) -> None:
    async with http(app) as client:
        headers = {**CHUNK, "upload-length": "5"}
        response = await client.post("/uploads", content=b"hello", headers=headers)
    assert (response.status_code, response.headers["upload-offset"]) == (201, "5")


async def test_a_creation_sent_twice_creates_once(app: Starlette) -> None:
    headers = {**CHUNK, "upload-length": "5", "idempotency-key": "again"}
    async with http(app) as client:
        first = await client.post("/uploads", content=b"hello", headers=headers)
        second = await client.post("/uploads", content=b"hello", headers=headers)
    assert second.headers["location"] == first.headers["location"]
    assert (second.status_code, second.headers["upload-offset"]) == (201, "5")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "INVALID_INPUT"),
        ({"upload-length": "9" * 17}, 413, "UPLOAD_TOO_LARGE"),
        ({"upload-length": "9" * 30}, 400, "INVALID_INPUT"),
        ({"upload-defer-length": "1"}, 400, "INVALID_INPUT"),
        ({"upload-length": "1", "upload-metadata": "filename !"}, 400, "INVALID_INPUT"),
        ({"upload-length": "1", "upload-metadata": said(flow="no id")}, 404, "INVALID_ID"),
        ({"upload-length": "1", "upload-metadata": said(sha256="short")}, 400, "INVALID_INPUT"),
        ({"upload-length": "1", "content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_a_creation_that_makes_no_sense_is_refused(
    app: Starlette, headers: dict[str, str], status: int, code: str
) -> None:
    async with http(app) as client:
        response = await client.post("/uploads", headers={**TUS, **headers})
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_the_upload_of_another_client_answers_like_none(
    new_app: NewApp, actor: Actor, new_actor: NewActor
) -> None:
    async with http(new_app(await new_actor())) as owner:
        foreign = await create(owner, 5)
    async with http(new_app(actor)) as client:
        for url in (foreign, f"/uploads/{new_id()}", "/uploads/nonsense"):
            assert (await client.head(url, headers=TUS)).status_code == 404
            answers = [await patch(client, url, 0, b"x"), await client.delete(url, headers=TUS)]
            assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "NOT_FOUND")] * 2


async def test_a_flow_of_another_client_cannot_be_uploaded_to(
    app: Starlette, new_app: NewApp, new_actor: NewActor
) -> None:
    other = new_app(await new_actor())
    flow = (await data(other, "{ flows { edges { node { id } } } }"))["flows"]["edges"][0]["node"]["id"]
    async with http(app) as client:
        headers = {**TUS, "upload-length": "1", "upload-metadata": said(flow=flow)}
        assert (await client.post("/uploads", headers=headers)).status_code == 404


async def test_a_terminated_upload_is_gone(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 5)
        assert (await client.delete(url, headers=TUS)).status_code == 204
        assert (await client.head(url, headers=TUS)).status_code == 410
        assert (await patch(client, url, 0, b"x")).status_code == 410


async def test_a_viewer_uploads_nothing(new_app: NewApp, actor: Actor) -> None:
    async with http(new_app(replace(actor, role=Role.VIEWER))) as client:
        response = await client.post("/uploads", headers={**TUS, "upload-length": "1"})
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")


async def test_a_post_may_say_another_method(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 5)
        headers = {**CHUNK, "upload-offset": "0", "x-http-method-override": "PATCH"}
        assert (await client.post(url, content=b"hello", headers=headers)).status_code == 204
        assert await offset_of(client, url) == 5


@pytest.mark.parametrize(("method", "path"), [("GET", "/uploads"), ("PUT", "/uploads"), ("GET", "/uploads/1")])
async def test_other_methods_are_not_allowed(app: Starlette, method: str, path: str) -> None:
    async with http(app) as client:
        assert (await client.request(method, path, headers=TUS)).status_code == 405


async def test_what_came_before_a_break_counts(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 10)
        scope = {**scope_of("http", {**CHUNK, "upload-offset": "0"}, url), "method": "PATCH"}
        async with converse(app, scope) as conversation:
            await conversation.to_app.put({"type": "http.request", "body": b"hello", "more_body": True})
            await conversation.to_app.put({"type": "http.disconnect"})
            assert (await conversation.hear())["status"] == 400
        assert await offset_of(client, url) == 5
        assert (await patch(client, url, 5, b"world")).status_code == 204


async def test_a_break_under_a_checksum_counts_for_nothing(app: Starlette) -> None:
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    async with http(app) as client:
        url = await create(client, 5)
        headers = {**CHUNK, "upload-offset": "0", "upload-checksum": checksum}
        async with converse(app, {**scope_of("http", headers, url), "method": "PATCH"}) as conversation:
            await conversation.to_app.put({"type": "http.request", "body": b"hello", "more_body": True})
            await conversation.to_app.put({"type": "http.disconnect"})
            assert (await conversation.hear())["status"] == 400
        assert await offset_of(client, url) == 0


async def test_of_two_writers_at_one_offset_one_wins(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 5)
        answers = await asyncio.gather(*(patch(client, url, 0, letter * 5) for letter in (b"a", b"b")))
        assert await offset_of(client, url) == 5
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 204
    assert statuses[1] in (409, 423)


async def test_an_upload_aborted_meanwhile_takes_no_more(app: Starlette, resources: Resources, actor: Actor) -> None:
    async with http(app) as client:
        url = await create(client, 5)
        upload_id = UploadId(type(new_id())(url.rpartition("/")[2]))
        await abort_upload(resources, actor, upload_id=upload_id)
        assert (await patch(client, url, 0, b"x")).status_code == 410


async def test_a_body_that_stalls_is_given_up() -> None:
    async def silence() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    request = Request({"type": "http", "method": "PATCH", "headers": []}, silence)
    with pytest.raises(BodyStalled):
        _ = [piece async for piece in pieces_of(request, seconds=0)]


async def test_a_finished_upload_becomes_a_job(app: Starlette) -> None:
    async with http(app) as client:
        url = await create(client, 5, **{"upload-metadata": said(filename="small.pcap")})
        await patch(client, url, 0, b"hello")
    id_ = GlobalId("Upload", type(new_id())(url.rpartition("/")[2])).encode()
    finish = """
    mutation ($id: ID!) {
      finishUpload(input: {uploadId: $id}) { upload { state name } job { kind state } errors { code } }
    }
    """
    finished = (await data(app, finish, {"id": id_}))["finishUpload"]
    assert finished == {
        "upload": {"state": "FINISHING", "name": "small.pcap"},
        "job": {"kind": "INGEST", "state": "PENDING"},
        "errors": [],
    }
