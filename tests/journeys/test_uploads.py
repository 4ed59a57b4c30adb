"""Uploads through the doors: what becomes a trace, and what is refused where."""

import gzip
import hashlib
from typing import Any

import pytest
import zstandard

from tests.journeys.doors import CREATE_UPLOAD, FINISH_UPLOAD, Server
from tests.journeys.material import (
    bomb,
    cut,
    empty,
    hospital,
    records,
    repeated,
    with_link_type,
    with_record_length,
)

REFUSED = """query ($id: ID!) { job(id: $id) { state outputTraceId
  error { code message ... on CaptureRefusedError { offset } } inputUpload { state error { code } trace { id } } } }"""


def _refusal(server: Server, body: bytes, **values: Any) -> dict[str, Any]:
    """Upload something that must be refused, and return its job."""
    before = server.ask("{ traces { totalCount } }")
    finished = server.upload(body, **values)
    assert finished["errors"] == []
    event = server.completion(finished["job"]["id"])
    assert (event["state"], event["outputTraceId"], event["outputTrace"]) == ("FAILED", None, None)
    job: dict[str, Any] = server.ask(REFUSED, id=finished["job"]["id"])["job"]
    assert event["error"]["code"] == job["error"]["code"] == job["inputUpload"]["error"]["code"]
    assert (job["inputUpload"]["state"], job["inputUpload"]["trace"]) == ("REFUSED", None)
    assert server.ask("{ traces { totalCount } }") == before
    return job


@pytest.mark.parametrize("body", [b"", b"x", b"not a capture at all, whatever its name says", bytes(4096)])
def test_a_file_that_is_no_capture_is_refused_at_its_first_byte(server: Server, body: bytes) -> None:
    error = _refusal(server, body)["error"]
    assert (error["code"], error["offset"]) == ("NOT_A_CAPTURE", 0)


def test_a_cut_capture_is_refused_where_its_last_record_begins(server: Server) -> None:
    body, offset = cut()
    error = _refusal(server, body)["error"]
    assert (error["code"], error["offset"]) == ("CAPTURE_CUT", offset)


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFFFFF, 1 << 28])
def test_a_record_of_gigabytes_is_refused_where_it_begins(server: Server, declared: int) -> None:
    body, offset = with_record_length(declared)
    error = _refusal(server, body)["error"]
    assert (error["code"], error["offset"]) == ("RECORD_TOO_LARGE", offset)


def test_a_decompression_bomb_is_refused(server: Server) -> None:
    assert _refusal(server, bomb())["error"]["code"] == "COMPRESSION_BOMB"


@pytest.mark.parametrize("wrap", [gzip.compress, zstandard.compress])
def test_a_damaged_compression_is_refused(server: Server, wrap: Any) -> None:
    wrapped = wrap(hospital())
    assert _refusal(server, wrapped[: len(wrapped) // 2])["error"]["code"] == "COMPRESSION_DAMAGED"


def test_bytes_of_another_digest_are_refused(server: Server) -> None:
    other = hashlib.sha256(b"something else").hexdigest()
    assert _refusal(server, hospital(), sha256=other)["error"]["code"] == "DIGEST_MISMATCH"


def test_an_empty_capture_is_a_trace(server: Server) -> None:
    trace = server.trace(server.ingest(empty()))
    assert (trace["packets"], trace["firstPacketAt"], trace["sizeBytes"]) == (0, None, 24)
    output = server.completion(server.start(trace["id"]))
    assert output["outputTrace"]["packets"] == 0


@pytest.mark.parametrize("wrap", [gzip.compress, zstandard.compress])
def test_a_compressed_capture_is_stored_unpacked(server: Server, wrap: Any) -> None:
    wrapped = wrap(hospital())
    finished = server.upload(wrapped, name="hospital.pcap.z", sha256=hashlib.sha256(wrapped).hexdigest())
    trace = server.completion(finished["job"]["id"])["outputTrace"]
    assert trace["sha256"] == hashlib.sha256(hospital()).hexdigest()


def test_packets_of_an_unknown_link_type_become_zeros(server: Server) -> None:
    trace = server.ingest(with_link_type(147))
    assert server.trace(trace)["linkTypes"][0]["number"] == 147
    event = server.completion(server.start(trace))
    assert (event["state"], event["error"]) == ("COMPLETED", None)
    assert {bytes(len(packet)) == packet for _, packet in records(server.download(event["outputTraceId"]))} == {True}


def test_a_small_file_may_come_with_its_creation(server: Server) -> None:
    body = hospital()
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(body)),
        "Content-Type": "application/offset+octet-stream",
    }
    response = server.http.post("/uploads", content=body, headers=headers)
    assert response.status_code == 201
    assert response.headers["Upload-Offset"] == str(len(body))
    finished = server.act(FINISH_UPLOAD, uploadId=response.headers["Upload-Id"])
    assert server.completion(finished["job"]["id"])["outputTrace"]["packets"] == 159


def test_a_download_can_be_resumed_by_range(server: Server) -> None:
    trace = server.trace(server.ingest(hospital()))
    whole = server.http.get(trace["downloadUrl"])
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = server.http.get(trace["downloadUrl"], headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert server.http.get(trace["downloadUrl"], headers={"Range": "bytes=99999999-"}).status_code == 416


def test_a_repeated_create_with_one_key_makes_one_upload(server: Server) -> None:
    values = {"name": "x", "lengthBytes": 5, "idempotencyKey": "journey"}
    first, again = (server.act(CREATE_UPLOAD, **values) for _ in range(2))
    assert first["upload"]["id"] == again["upload"]["id"]
    conflict = server.act(CREATE_UPLOAD, **values | {"lengthBytes": 6})
    assert [error["code"] for error in conflict["errors"]] == ["IDEMPOTENCY_CONFLICT"]


def test_a_deleted_trace_is_a_tombstone_in_its_lineage(server: Server) -> None:
    original = server.ingest(repeated(2))
    output = server.completion(server.start(original))["outputTraceId"]
    url = server.trace(original)["downloadUrl"]
    delete = (
        "mutation ($input: DeleteTraceInput!) { deleteTrace(input: $input) { trace { isDeleted } errors { code } } }"
    )
    assert server.act(delete, traceId=original)["trace"]["isDeleted"]
    assert server.http.get(url).status_code == 410
    assert server.trace(original)["downloadUrl"] is None
    query = """query ($id: ID!) { lineage(id: $id) { nodes { ... on Trace { id isDeleted } } } }"""
    nodes = server.ask(query, id=output)["lineage"]["nodes"]
    assert {"id": original, "isDeleted": True} in nodes
    again = server.act(delete, traceId=original)
    assert [error["code"] for error in again["errors"]] == ["TRACE_DELETED"]
    assert server.download(output)


def test_a_preview_of_an_unknown_link_type_has_no_pairs(server: Server) -> None:
    trace = server.ingest(with_link_type(147))
    query = "query ($id: ID!) { previewTransformation(traceId: $id) { pairs { kind } errors { code } } }"
    shown = server.ask(query, id=trace)["previewTransformation"]
    assert shown == {"pairs": [], "errors": []}
