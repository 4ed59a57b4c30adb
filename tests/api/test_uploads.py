"""Uploads over GraphQL."""

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.ids import new_id
from tests.api.conftest import NewApp
from tests.conftest import NewActor
from tests.graphql_client import data, execute, http

CREATE = """
mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) {
    upload {
      id name state url offsetBytes lengthBytes sha256 job { id } trace { id } error { code } flow { isDefault }
    }
    errors { __typename code path ... on LimitError { limit } }
  }
}
"""
FINISH = """
mutation ($input: FinishUploadInput!) {
  finishUpload(input: $input) {
    upload { state } job { id kind }
    errors { __typename code path ... on UploadOffsetError { offsetBytes lengthBytes } }
  }
}
"""
ABORT = """
mutation ($input: AbortUploadInput!) {
  abortUpload(input: $input) { upload { state } errors { code ... on WrongStateError { state } } }
}
"""


async def test_an_upload_says_where_its_bytes_go(app: Starlette) -> None:
    given = {"name": "capture.pcap", "lengthBytes": 5_000_000_000, "sha256": "AB" * 32}
    created = (await data(app, CREATE, {"input": given}))["createUpload"]
    upload = created["upload"]
    own = GlobalId.decode(upload.pop("id")).of("Upload")
    assert created["errors"] == []
    assert upload == {
        "name": "capture.pcap",
        "state": "RECEIVING",
        "url": f"/uploads/{own}",
        "offsetBytes": 0,
        "lengthBytes": 5_000_000_000,
        "sha256": "ab" * 32,
        "job": None,
        "trace": None,
        "error": None,
        "flow": {"isDefault": True},
    }


async def test_one_key_creates_one_upload(app: Starlette) -> None:
    given = {"name": "a", "lengthBytes": 1, "idempotencyKey": "again"}
    ids = {(await data(app, CREATE, {"input": given}))["createUpload"]["upload"]["id"] for _ in range(2)}
    assert len(ids) == 1


async def test_too_large_an_upload_is_told_the_limit(app: Starlette) -> None:
    created = (await data(app, CREATE, {"input": {"name": "a", "lengthBytes": 2**50}}))["createUpload"]
    expected = {
        "__typename": "LimitError",
        "code": "UPLOAD_TOO_LARGE",
        "path": ["input", "lengthBytes"],
        "limit": 64 << 30,
    }
    assert created == {"upload": None, "errors": [expected]}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "a", "lengthBytes": -1}, "INVALID_INPUT"),
        ({"name": "a", "lengthBytes": "1"}, "INVALID_INPUT"),
        ({"name": "a", "lengthBytes": 1, "sha256": "short"}, "INVALID_INPUT"),
        ({"name": "a", "lengthBytes": 1, "flowId": "x"}, "INVALID_ID"),
        ({"name": "a"}, "VALIDATION_FAILED"),
    ],
)
async def test_values_that_make_no_sense_are_request_errors(
    app: Starlette, given: dict[str, object], code: str
) -> None:
    body = await execute(app, CREATE, {"input": given})
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == code


async def test_an_incomplete_upload_says_what_is_missing(app: Starlette) -> None:
    upload = (await data(app, CREATE, {"input": {"name": "a", "lengthBytes": 5}}))["createUpload"]["upload"]
    finished = (await data(app, FINISH, {"input": {"uploadId": upload["id"]}}))["finishUpload"]
    expected = {
        "__typename": "UploadOffsetError",
        "code": "UPLOAD_INCOMPLETE",
        "path": [],
        "offsetBytes": 0,
        "lengthBytes": 5,
    }
    assert finished == {"upload": None, "job": None, "errors": [expected]}


async def test_a_complete_upload_is_finished_once(app: Starlette) -> None:
    upload = (await data(app, CREATE, {"input": {"name": "a", "lengthBytes": 5}}))["createUpload"]["upload"]
    headers = {"tus-resumable": "1.0.0", "upload-offset": "0", "content-type": "application/offset+octet-stream"}
    async with http(app) as client:
        assert (await client.patch(upload["url"], content=b"hello", headers=headers)).status_code == 204
    given = {"input": {"uploadId": upload["id"]}}
    first = (await data(app, FINISH, given))["finishUpload"]
    second = (await data(app, FINISH, given))["finishUpload"]
    assert first["upload"] == {"state": "FINISHING"}
    assert first["job"]["kind"] == "INGEST"
    assert second["job"] == first["job"]


async def test_an_aborted_upload_is_closed(app: Starlette) -> None:
    upload = (await data(app, CREATE, {"input": {"name": "a", "lengthBytes": 5}}))["createUpload"]["upload"]
    given = {"input": {"uploadId": upload["id"]}}
    assert (await data(app, ABORT, given))["abortUpload"] == {"upload": {"state": "ABORTED"}, "errors": []}
    again = (await data(app, ABORT, given))["abortUpload"]
    assert again == {"upload": None, "errors": [{"code": "UPLOAD_CLOSED", "state": "ABORTED"}]}


async def test_anothers_upload_is_null_like_none(app: Starlette, new_app: NewApp, new_actor: NewActor) -> None:
    other = new_app(await new_actor())
    foreign = (await data(other, CREATE, {"input": {"name": "a", "lengthBytes": 5}}))["createUpload"]["upload"]["id"]
    query = "query ($id: ID!) { upload(id: $id) { name } }"
    for id_ in (foreign, GlobalId("Upload", new_id()).encode(), GlobalId("Job", new_id()).encode()):
        assert (await data(app, query, {"id": id_}))["upload"] is None
    assert (await data(other, query, {"id": foreign}))["upload"] == {"name": "a"}
