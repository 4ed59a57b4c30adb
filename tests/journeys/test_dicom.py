"""DICOM through the real doors: seen, reviewed, de-identified, proven."""

import json
from typing import Any

import pytest

from tests.journeys.doors import Installation, Server
from tests.journeys.material import records
from tests.journeys.packets import addresses, packets
from tests.journeys.studies import CLIENT, DESCRIPTION, PATIENT, PATIENT_ID, SERIAL, SERVER, stored_in, study

EXTRACT = """mutation ($input: StartDicomExtractionInput!) { startDicomExtraction(input: $input) {
  job { id } errors { code message } } }"""
DICOM = """mutation ($input: StartDicomDeidentificationInput!) { startDicomDeidentification(input: $input) {
  job { id } errors { code message } } }"""
BOTH = """mutation ($input: StartDeidentificationInput!) { startDeidentification(input: $input) {
  job { id } errors { code message } } }"""
OVERRIDE = """mutation ($input: SetDicomOverridesInput!) { setDicomOverrides(input: $input) {
  trace { dicomOverrides { totalCount } } errors { code message } } }"""
PREVIEW = """query ($id: ID!) { previewDicomDeidentification(traceId: $id) { total
  proposals { element path keyword action original proposed length count } errors { code message } } }"""
LISTS = """query ($id: ID!) { trace(id: $id) {
  dicomExtraction { state artifacts { name downloadUrl } }
  dicomAssociations { totalCount edges { node { clientAddress serverAddress serverPort outcome callingAeTitle
    calledAeTitle messages { name messages } dataSets presentationContexts { abstractSyntax acceptedSyntax } } } }
  dicomDevices { edges { node { address manufacturer serialNumber stationName } } } } }"""
PROOF = """query ($id: ID!) { trace(id: $id) { origin verification { status reasons
  dicom { connections dataSets leftBytes elements { tag action elements } scan { secrets findings { place hits } } } }
  job { executions { edges { node { artifacts { name downloadUrl } } } } } } }"""
FAILED = """query ($id: ID!) { job(id: $id) { state outputTraceId error {
  code ... on DicomRefusedError { association problem packet } } } }"""


@pytest.fixture
def trace(server: Server) -> str:
    return server.ingest(study(), "study.pcap")


def _completed(server: Server, started: dict[str, Any]) -> dict[str, Any]:
    assert started["errors"] == []
    event = server.completion(started["job"]["id"])
    assert (event["state"], event["error"]) == ("COMPLETED", None)
    return event


def _previewed(server: Server, trace: str) -> dict[str, dict[str, Any]]:
    shown = server.ask(PREVIEW, id=trace)["previewDicomDeidentification"]
    assert shown["errors"] == []
    assert shown["total"] == len(shown["proposals"])
    return {row["keyword"]: row for row in shown["proposals"]}


def test_an_extraction_tells_of_associations_and_devices_and_makes_no_trace(server: Server, trace: str) -> None:
    event = _completed(server, server.act(EXTRACT, traceId=trace))
    assert (event["outputTraceId"], event["outputTrace"]) == (None, None)
    found = server.ask(LISTS, id=trace)["trace"]
    assert found["dicomExtraction"]["state"] == "COMPLETED"
    (edge,) = found["dicomAssociations"]["edges"]
    node = edge["node"]
    assert (node["clientAddress"], node["serverAddress"], node["serverPort"]) == (CLIENT, SERVER, 11112)
    assert (node["outcome"], node["callingAeTitle"], node["calledAeTitle"]) == ("ACCEPTED", "MODALITY", "ARCHIVE")
    assert {each["name"]: each["messages"] for each in node["messages"]} == {"C-STORE-RQ": 1, "C-STORE-RSP": 1}
    assert node["dataSets"] == 1
    devices = {each["node"]["address"]: each["node"] for each in found["dicomDevices"]["edges"]}
    assert devices[CLIENT]["manufacturer"] == ["Example Imaging"]
    assert (devices[CLIENT]["serialNumber"], devices[CLIENT]["stationName"]) == ([SERIAL], ["MODALITY"])
    files = {each["name"]: each["downloadUrl"] for each in found["dicomExtraction"]["artifacts"]}
    assert json.loads(server.http.get(files["associations.json"]).text)[0]["calling_ae"] == "MODALITY"


def test_a_job_writes_what_the_preview_showed_and_a_person_decided(server: Server, trace: str) -> None:
    shown = _previewed(server, trace)
    assert shown["PatientName"]["original"] == PATIENT
    assert shown["StudyDescription"]["action"] == "BLANKED"
    overrides = [
        {"element": shown["StudyDescription"]["element"], "action": "KEEP"},
        {"element": shown["PatientID"]["path"], "action": "REPLACE", "value": "CASE-1"},
    ]
    answer = server.act(OVERRIDE, traceId=trace, overrides=overrides)
    assert answer == {"trace": {"dicomOverrides": {"totalCount": 2}}, "errors": []}
    again = _previewed(server, trace)
    assert (again["StudyDescription"]["proposed"], again["PatientID"]["proposed"]) == (DESCRIPTION, "CASE-1")
    output = _completed(server, server.act(DICOM, traceId=trace))["outputTraceId"]
    result = server.download(output)
    written = stored_in(result)
    assert str(written.PatientName) == shown["PatientName"]["proposed"] != PATIENT
    assert (written.StudyDescription, written.PatientID) == (DESCRIPTION, "CASE-1")
    assert set(written.PixelData) == {0}
    assert SERIAL.encode() not in result
    for (before, _), (after, _) in zip(records(study()), records(result), strict=True):
        assert before == after
    assert [addresses(each) for each in packets(result)] == [addresses(each) for each in packets(study())]


def test_the_output_is_proven_and_reported(server: Server, trace: str, installation: Installation) -> None:
    output = _completed(server, server.act(DICOM, traceId=trace))["outputTraceId"]
    made = server.ask(PROOF, id=output)["trace"]
    assert made["origin"] == "DICOM_DEIDENTIFIED"
    assert made["verification"]["status"] in {"VERIFIED", "PARTIAL"}
    proof = made["verification"]["dicom"]
    assert (proof["connections"], proof["dataSets"], proof["leftBytes"]) == (1, 1, 0)
    assert proof["scan"]["secrets"] > 0
    assert [finding for finding in proof["scan"]["findings"] if finding["place"] == "UNEXPLAINED"] == []
    (edge,) = made["job"]["executions"]["edges"]
    texts = {each["name"]: server.http.get(each["downloadUrl"]).text for each in edge["node"]["artifacts"]}
    assert set(texts) == {"dicom_report.json", "manifest.json", "overrides.json", "rules.json", "verification.json"}
    report = json.loads(texts["dicom_report.json"])
    assert (report["edition"], report["data_sets"]) == ("PS3.15 2026c", 1)
    assert len(report["does_not_claim"]) >= 4
    for text in (*texts.values(), installation.log.read_text()):
        assert [word for word in (PATIENT, PATIENT_ID, DESCRIPTION, SERIAL) if word in text] == []


def test_addresses_and_dicom_are_done_in_one_job(server: Server, trace: str) -> None:
    output = _completed(server, server.act(BOTH, traceId=trace, dicom={"retainUids": True}))["outputTraceId"]
    result = server.download(output)
    before = {each for packet in packets(study()) for each in addresses(packet)}
    after = {each for packet in packets(result) for each in addresses(packet)}
    assert before & after == set()
    written = stored_in(result)
    assert written.SOPInstanceUID == stored_in(study()).SOPInstanceUID
    assert (str(written.PatientName) == PATIENT, written.PatientID == PATIENT_ID) == (False, False)
    made = server.ask(PROOF, id=output)["trace"]
    assert made["origin"] == "DEIDENTIFIED"
    (edge,) = made["job"]["executions"]["edges"]
    assert {"report.json", "dicom_report.json"} < {each["name"] for each in edge["node"]["artifacts"]}


@pytest.fixture
def damaged(server: Server) -> str:
    """A trace whose data set makes no sense although it was captured whole."""
    return server.ingest(study(b"\x10\x00\x10\x00XX\x04\x00" + b"\xff" * 100), "damaged.pcap")


def test_dicom_that_cannot_be_read_fails_the_job_unless_it_may_become_zero(server: Server, damaged: str) -> None:
    started = server.act(DICOM, traceId=damaged)
    event = server.completion(started["job"]["id"])
    assert (event["state"], event["error"]["code"]) == ("FAILED", "DICOM_UNDECODABLE")
    job = server.ask(FAILED, id=started["job"]["id"])["job"]
    assert job["outputTraceId"] is None
    assert (job["error"]["association"], job["error"]["packet"] > 1) == (1, True)
    zeroed = _completed(server, server.act(DICOM, traceId=damaged, dicom={"damage": "ZERO"}))["outputTraceId"]
    assert b"\xff" * 100 not in server.download(zeroed)
