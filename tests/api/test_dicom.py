"""DICOM over GraphQL: asked for, overridden, previewed."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor, Role
from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.deidentification import deidentification_of
from gql_server.domain.dicom import DicomAction, DicomParameters
from gql_server.domain.dicom_errors import DicomUndecodable
from gql_server.domain.ids import JobId, new_id
from gql_server.domain.jobs import JobState
from gql_server.domain.traces import Trace
from gql_server.engine.dicom.tasks import DicomPreviewed, PreviewDicomTask
from gql_server.engine.tasks import Result, Task
from gql_server.services import executions
from gql_server.services.resources import Resources
from gql_server.store import jobs
from gql_server.store.jobs import JobOrder
from tests.api.conftest import AddJob, AddTrace, NewApp
from tests.conftest import NewActor
from tests.dicom_rows import MANY
from tests.engine.test_dicom_messages import PROPOSAL
from tests.graphql_client import data, execute
from tests.services.desk import NOTE, Puppet, with_child

EXTRACT = """mutation ($input: StartDicomExtractionInput!) { startDicomExtraction(input: $input) {
  job { id kind state } errors { code path } } }"""
DICOM = """mutation ($input: StartDicomDeidentificationInput!) { startDicomDeidentification(input: $input) {
  job { id kind state } errors { code path } } }"""
BOTH = """mutation ($input: StartDeidentificationInput!) { startDeidentification(input: $input) {
  job { id kind state } errors { code path } } }"""
OVERRIDES = """mutation ($input: SetDicomOverridesInput!) { setDicomOverrides(input: $input) {
  trace { dicomOverrides(first: 2) { totalCount edges { cursor node { element action value } } } }
  errors { __typename code path ... on OverrideError { index reason length } } } }"""
PREVIEW = """query ($id: ID!, $dicom: DicomOptionsInput, $first: Int, $skip: Int) {
  previewDicomDeidentification(traceId: $id, dicom: $dicom, first: $first, skip: $skip) {
    total proposals { element association path tag keyword vr tableAction action original proposed length fits count }
    errors { code path } } }"""
LISTS = """query ($id: ID!, $first: Int, $after: Cursor, $last: Int) { trace(id: $id) {
  dicomExtraction { id state }
  dicomAssociations(first: $first, after: $after, last: $last) { totalCount isComplete
    pageInfo { hasNextPage endCursor } edges { node {
      number clientAddress outcome messages { name messages } presentationContexts { number transferSyntaxes result }
    } } }
  dicomDevices { totalCount edges { node { address aeTitles manufacturer softwareVersions } } } } }"""
ERROR = """query ($id: ID!) { job(id: $id) { error {
  __typename code ... on DicomRefusedError { association problem packet } } } }"""
ELEMENT = "ab" * 16
OTHERWISE = {
    "pixels": "KEEP",
    "foreign": "KEEP",
    "dates": "SHIFT",
    "damage": "ZERO",
    "retainUids": True,
    "retainDevice": True,
    "retainPatientCharacteristics": True,
    "cleanDescriptors": True,
}


@pytest.fixture
async def trace(actor: Actor, add_trace: AddTrace) -> Trace:
    return await add_trace(actor, content=b"capture")


def _id(trace: Trace) -> str:
    return GlobalId("Trace", trace.id).encode()


async def _order(resources: Resources, actor: Actor, started: dict[str, Any]) -> JobOrder:
    assert started["errors"] == []
    job_id = JobId(GlobalId.decode(started["job"]["id"]).id)
    async with resources.database.transaction(actor.client_id) as session:
        return await jobs.find_order(session, job_id)


async def test_what_is_not_said_is_the_strictest(
    app: Starlette, actor: Actor, trace: Trace, resources: Resources
) -> None:
    started = (await data(app, DICOM, {"input": {"traceId": _id(trace)}}))["startDicomDeidentification"]
    assert (started["job"]["kind"], started["job"]["state"]) == ("DICOM_DEIDENTIFICATION", "PENDING")
    asked = deidentification_of((await _order(resources, actor, started)).parameters)
    assert (asked.dicom, asked.addresses) == (DicomParameters(), None)


async def test_every_option_is_taken_along(app: Starlette, actor: Actor, trace: Trace, resources: Resources) -> None:
    given = {"traceId": _id(trace), "dicom": OTHERWISE}
    started = (await data(app, DICOM, {"input": given}))["startDicomDeidentification"]
    asked = asdict(deidentification_of((await _order(resources, actor, started)).parameters).dicom)
    default = asdict(DicomParameters())
    assert {name for name in asked if asked[name] == default[name]} == {"version"}


async def test_addresses_and_dicom_are_one_job(
    app: Starlette, actor: Actor, trace: Trace, resources: Resources
) -> None:
    addresses = {"mapping": "PERMUTATION", "macMapping": "KEEP_OUI", "names": "MASK"}
    given = {"traceId": _id(trace), "dicom": {"retainUids": True}, "name": "Both", **addresses}
    started = (await data(app, BOTH, {"input": given}))["startDeidentification"]
    assert started["job"]["kind"] == "DEIDENTIFICATION"
    order = await _order(resources, actor, started)
    asked = deidentification_of(order.parameters)
    assert asked.addresses is not None
    assert asdict(asked.addresses) == {
        **asdict(AnonymizationParameters()),
        "mapping": "PERMUTATION",
        "mac_mapping": "KEEP_OUI",
        "names": "MASK",
    }
    assert (asked.dicom, order.output_name) == (DicomParameters(retain_uids=True), "Both")


@pytest.mark.parametrize("document", [EXTRACT, DICOM, BOTH], ids=["extraction", "dicom", "both"])
async def test_a_start_acts_once_for_a_key_and_not_at_all_on_no_trace(
    app: Starlette, trace: Trace, document: str
) -> None:
    given = {"traceId": _id(trace), "idempotencyKey": "again"}
    answers = [await data(app, document, {"input": given}) for _ in range(2)]
    assert answers[0] == answers[1]
    ((started,),) = (answer.values() for answer in answers[:1])
    assert started["job"] is not None
    absent = await data(app, document, {"input": {"traceId": GlobalId("Trace", new_id()).encode()}})
    expected = {"job": None, "errors": [{"code": "NOT_FOUND", "path": ["input", "traceId"]}]}
    assert list(absent.values()) == [expected]


async def test_overrides_are_stored_and_paged(app: Starlette, trace: Trace) -> None:
    overrides = [
        {"element": ELEMENT, "action": "KEEP"},
        {"element": "0008103E", "action": "REPLACE", "value": "Thorax"},
        {"element": "00400275.00400007", "action": "KEEP"},
    ]
    answer = await data(app, OVERRIDES, {"input": {"traceId": _id(trace), "overrides": overrides}})
    shown = answer["setDicomOverrides"]["trace"]["dicomOverrides"]
    assert shown["totalCount"] == 3
    assert [edge["node"] for edge in shown["edges"]] == [
        {"element": ELEMENT, "action": "KEEP", "value": None},
        {"element": "0008103e", "action": "REPLACE", "value": "Thorax"},
    ]
    rest = """query ($id: ID!, $after: Cursor) {
      trace(id: $id) { dicomOverrides(after: $after) { edges { node { element } } } } }"""
    given = {"id": _id(trace), "after": shown["edges"][-1]["cursor"]}
    found = (await data(app, rest, given))["trace"]["dicomOverrides"]
    assert found == {"edges": [{"node": {"element": "00400275.00400007"}}]}
    # A cursor is good for the overrides that it was made for.
    await data(app, OVERRIDES, {"input": {"traceId": _id(trace), "overrides": overrides[:2]}})
    body = await execute(app, rest, given)
    assert body["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_an_override_that_cannot_be_taken_is_named(app: Starlette, trace: Trace) -> None:
    overrides = [{"element": ELEMENT, "action": "KEEP"}, {"element": "00100010", "action": "REPLACE"}]
    answer = await data(app, OVERRIDES, {"input": {"traceId": _id(trace), "overrides": overrides}})
    assert answer["setDicomOverrides"]["trace"] is None
    (error,) = answer["setDicomOverrides"]["errors"]
    assert error == {
        "__typename": "OverrideError",
        "code": "OVERRIDE_MALFORMED",
        "path": ["input", "overrides", "1"],
        "index": 1,
        "reason": "REPLACE takes a value, and KEEP takes none",
        "length": None,
    }


async def _proposing(task: Task, _: NOTE) -> Result:
    assert isinstance(task, PreviewDicomTask)
    return DicomPreviewed(proposals=(replace(PROPOSAL, count=task.skip),), total=9)


@pytest.fixture
def previewing(resources: Resources, new_app: NewApp, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Starlette:
    # The pool is the door to other processes; what stands behind it here answers at once.
    monkeypatch.setattr(resources.children, "run", Puppet(_proposing).run)
    return new_app(actor)


async def test_a_preview_shows_originals_beside_what_becomes_of_them(previewing: Starlette, trace: Trace) -> None:
    answer = await data(previewing, PREVIEW, {"id": _id(trace), "first": 2, "skip": 4, "dicom": OTHERWISE})
    shown = answer["previewDicomDeidentification"]
    assert (shown["total"], shown["errors"]) == (9, [])
    assert shown["proposals"] == [
        {
            "element": PROPOSAL.element,
            "association": 1,
            "path": "00400275.00400007",
            "tag": "00400007",
            "keyword": "ScheduledProcedureStepDescription",
            "vr": "LO",
            "tableAction": "X",
            "action": DicomAction.BLANKED,
            "original": "THORAX",
            "proposed": "",
            "length": 6,
            "fits": True,
            "count": 4,
        }
    ]


@pytest.mark.parametrize("first", [0, 101])
async def test_a_page_of_a_preview_has_its_bounds(app: Starlette, trace: Trace, first: int) -> None:
    body = await execute(app, PREVIEW, {"id": _id(trace), "first": first})
    assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


async def test_no_viewer_is_shown_an_original(new_app: NewApp, actor: Actor, trace: Trace, new_actor: NewActor) -> None:
    viewer = new_app(replace(actor, role=Role.VIEWER))
    shown = (await data(viewer, PREVIEW, {"id": _id(trace)}))["previewDicomDeidentification"]
    assert shown == {"total": 0, "proposals": [], "errors": [{"code": "FORBIDDEN", "path": []}]}
    foreign = new_app(await new_actor())
    shown = (await data(foreign, PREVIEW, {"id": _id(trace)}))["previewDicomDeidentification"]
    assert shown["errors"] == [{"code": "NOT_FOUND", "path": ["input", "traceId"]}]


async def test_lists_are_null_until_an_extraction_has_completed(
    app: Starlette, actor: Actor, trace: Trace, resources: Resources
) -> None:
    before = (await data(app, LISTS, {"id": _id(trace)}))["trace"]
    assert before == {"dicomExtraction": None, "dicomAssociations": None, "dicomDevices": None}
    started = (await data(app, EXTRACT, {"input": {"traceId": _id(trace)}}))["startDicomExtraction"]
    assert started["job"]["kind"] == "DICOM_EXTRACTION"
    job_id = JobId(GlobalId.decode(started["job"]["id"]).id)
    await executions.carry_out(with_child(resources), actor.client_id, job_id)
    after = (await data(app, LISTS, {"id": _id(trace), "first": 3}))["trace"]
    assert after["dicomExtraction"]["state"] == "COMPLETED"
    page = after["dicomAssociations"]
    assert (page["totalCount"], page["isComplete"], page["pageInfo"]["hasNextPage"]) == (MANY, True, True)
    assert [edge["node"]["number"] for edge in page["edges"]] == [1, 2, 3]
    assert page["edges"][1]["node"] == {
        "number": 2,
        "clientAddress": "10.0.0.1",
        "outcome": "ENCRYPTED",
        "messages": [{"name": "C-ECHO-RQ", "messages": 2}, {"name": "C-ECHO-RSP", "messages": 2}],
        "presentationContexts": [
            {"number": 1, "transferSyntaxes": ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"], "result": None}
        ],
    }
    given = {"id": _id(trace), "first": 2, "after": page["pageInfo"]["endCursor"]}
    following = (await data(app, LISTS, given))["trace"]["dicomAssociations"]
    assert [edge["node"]["number"] for edge in following["edges"]] == [4, 5]
    last = (await data(app, LISTS, {"id": _id(trace), "last": 1}))["trace"]["dicomAssociations"]
    assert [edge["node"]["number"] for edge in last["edges"]] == [MANY]
    (first, _) = after["dicomDevices"]["edges"]
    assert first["node"] == {
        "address": "10.0.0.1",
        "aeTitles": ["CT1", "CT2"],
        "manufacturer": ["Example"],
        "softwareVersions": ["1", "2"],
    }


async def test_dicom_that_cannot_be_read_is_named_by_its_place(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    error = DicomUndecodable(association=3, problem="NO_BOUNDARY", packet=17)
    job = await add_job(actor, state=JobState.FAILED, error=error)
    shown = (await data(app, ERROR, {"id": GlobalId("Job", job.id).encode()}))["job"]["error"]
    assert shown == {
        "__typename": "DicomRefusedError",
        "code": "DICOM_UNDECODABLE",
        "association": 3,
        "problem": "NO_BOUNDARY",
        "packet": 17,
    }
