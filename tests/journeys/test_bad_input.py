"""Bad input: a clear coded error each, nothing lost, the server still up."""

import base64
from typing import Any

import pytest

from tests.journeys.doors import CREATE_UPLOAD, FINISH_UPLOAD, JOB, START, TRACE, Server


def _coded(body: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in body["errors"]]


def _id(kind: str, hexadecimal: str = "00000000000040008000000000000abc") -> str:
    return base64.urlsafe_b64encode(f"{kind}:{hexadecimal}".encode()).decode().rstrip("=")


def test_an_unknown_id_is_null_and_not_found(server: Server) -> None:
    assert server.ask(TRACE, id=_id("Trace"))["trace"] is None
    payload = server.act(START, traceId=_id("Trace"))
    assert payload["job"] is None
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    assert payload["errors"][0]["path"][-1] == "traceId"


def test_an_id_of_another_type_finds_nothing(server: Server) -> None:
    flow = server.ask("{ flows { edges { node { id } } } }")["flows"]["edges"][0]["node"]["id"]
    assert server.ask(TRACE, id=flow)["trace"] is None
    assert server.ask(JOB, id=flow)["job"] is None
    payload = server.act(START, traceId=flow)
    assert payload["job"] is None
    assert payload["errors"][0]["code"] in {"NOT_FOUND", "INVALID_ID"}


@pytest.mark.parametrize("text", ["", "x", "\u0000", "VHJhY2U", "VHJhY2U6MQ", "💥" * 50])
def test_text_that_is_no_id_is_a_request_error(server: Server, text: str) -> None:
    response = server.post(TRACE, {"id": text})
    assert _coded(response.json()) == ["INVALID_ID"] or response.json()["data"]["trace"] is None


def test_an_unknown_enum_value_is_a_request_error(server: Server) -> None:
    response = server.post(START, {"input": {"traceId": _id("Trace"), "mapping": "ROT13"}})
    assert response.status_code in {200, 400}
    assert "errors" in response.json()
    assert "data" not in response.json() or response.json()["data"] is None


@pytest.mark.parametrize("first", [0, -1, 101, 1 << 31])
def test_a_page_of_a_wrong_size_is_a_request_error(server: Server, first: int) -> None:
    body = server.post("query ($n: Int) { traces(first: $n) { totalCount } }", {"n": first}).json()
    assert body["errors"][0]["extensions"]["code"]


def test_a_forged_cursor_is_a_request_error(server: Server) -> None:
    body = server.post('{ traces(after: "forged") { totalCount } }').json()
    assert _coded(body) == ["INVALID_CURSOR"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": " ", "lengthBytes": 1}, "INVALID_INPUT"),
        ({"name": "a\u0007", "lengthBytes": 1}, "INVALID_INPUT"),
        ({"name": "x" * 201, "lengthBytes": 1}, "INVALID_INPUT"),
        ({"name": "x", "lengthBytes": 1 << 50}, "UPLOAD_TOO_LARGE"),
    ],
)
def test_an_upload_that_cannot_be_is_refused(server: Server, values: dict[str, Any], code: str) -> None:
    payload = server.act(CREATE_UPLOAD, **values)
    assert payload["upload"] is None
    assert [error["code"] for error in payload["errors"]] == [code]


def test_an_incomplete_upload_cannot_be_finished(server: Server) -> None:
    created = server.act(CREATE_UPLOAD, name="x", lengthBytes=10)["upload"]
    payload = server.act(FINISH_UPLOAD, uploadId=created["id"])
    assert [error["code"] for error in payload["errors"]] == ["UPLOAD_INCOMPLETE"]
    assert server.http.delete(created["url"], headers={"Tus-Resumable": "1.0.0"}).status_code == 204


def test_a_document_too_deep_or_too_long_is_refused_before_it_costs(server: Server) -> None:
    deep = "{ flows { edges { node { " + "traces { edges { node { flow { " * 8 + "id" + " } } } }" * 8 + " } } } }"
    for query in (deep, "{ " + " ".join(f"a{i}: __typename" for i in range(2000)) + " }", "{" * 20_000):
        body = server.post(query).json()
        assert body["errors"][0]["extensions"]["code"]
        assert "data" not in body or body["data"] is None


def test_the_server_is_still_up(server: Server) -> None:
    assert server.ask("{ __typename }") == {"__typename": "Query"}
