"""Jobs and executions over GraphQL."""

from dataclasses import asdict

from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.anonymization import anonymization_of
from gql_server.domain.errors import AttemptsExhausted, CaptureCut
from gql_server.domain.ids import JobId, new_id
from gql_server.domain.jobs import JobState
from gql_server.services.resources import Resources
from gql_server.services.traces import WantedMacRule, set_mac_rules
from gql_server.store import jobs
from tests.api.conftest import AddExecution, AddJob, AddTrace
from tests.conftest import NewActor
from tests.graphql_client import data

JOB = """
query ($id: ID!) {
  job(id: $id) {
    kind state attempt maxAttempts progress { packets bytesDone bytesTotal fraction }
    outputTraceId outputTrace { id } inputTrace { name } inputUpload { name } finishedAt
    error {
      __typename code path
      ... on CaptureRefusedError { offset packet } ... on JobGivenUpError { attempts resource }
    }
    flow { name } executions { totalCount edges { node { attempt state } } }
  }
}
"""
START = """
mutation ($input: StartAddressAnonymizationInput!) {
  startAddressAnonymization(input: $input) {
    job { id kind state inputTrace { name } } errors { __typename code path }
  }
}
"""
START_MACS = """
mutation ($input: StartMacTransformationInput!) {
  startMacTransformation(input: $input) { job { id kind state } errors { code path } }
}
"""
CANCEL = """
mutation ($input: CancelJobInput!) {
  cancelJob(input: $input) { job { state } errors { __typename code path ... on WrongStateError { state } } }
}
"""


async def test_a_job_that_waits_has_no_outcome(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = await add_job(actor)
    assert (await data(app, JOB, {"id": GlobalId("Job", job.id).encode()}))["job"] == {
        "kind": "INGEST",
        "state": "PENDING",
        "attempt": 0,
        "maxAttempts": 3,
        "progress": {"packets": 0, "bytesDone": 0, "bytesTotal": 0, "fraction": 0.0},
        "outputTraceId": None,
        "outputTrace": None,
        "inputTrace": None,
        "inputUpload": None,
        "finishedAt": None,
        "error": None,
        "flow": {"name": "Default flow"},
        "executions": {"totalCount": 0, "edges": []},
    }


async def test_a_completed_job_names_its_output(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    id_ = GlobalId("Trace", trace.id).encode()
    job = (await data(app, JOB, {"id": GlobalId("Job", trace.job_id).encode()}))["job"]
    assert (job["state"], job["outputTraceId"], job["outputTrace"]) == ("COMPLETED", id_, {"id": id_})


async def test_a_refused_capture_says_at_which_byte(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = await add_job(actor, state=JobState.FAILED, error=CaptureCut(offset=24, packets=0))
    error = (await data(app, JOB, {"id": GlobalId("Job", job.id).encode()}))["job"]["error"]
    refused = {"__typename": "CaptureRefusedError", "code": "CAPTURE_CUT", "path": [], "offset": 24, "packet": 0}
    assert error == refused


async def test_a_job_given_up_says_how_often_it_was_tried(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = await add_job(actor, state=JobState.FAILED, error=AttemptsExhausted(attempts=3))
    error = (await data(app, JOB, {"id": GlobalId("Job", job.id).encode()}))["job"]["error"]
    assert (error["code"], error["attempts"], error["resource"]) == ("ATTEMPTS_EXHAUSTED", 3, None)


async def test_jobs_are_listed_by_state(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    await add_job(actor)
    await add_job(actor, state=JobState.FAILED, error=AttemptsExhausted(attempts=3))
    query = "query ($state: JobState) { jobs(state: $state) { totalCount edges { node { state } } } }"
    assert (await data(app, query))["jobs"]["totalCount"] == 2
    failed = (await data(app, query, {"state": "FAILED"}))["jobs"]
    assert failed == {"totalCount": 1, "edges": [{"node": {"state": "FAILED"}}]}


async def test_a_start_returns_the_job_at_once_and_acts_once_for_a_key(
    app: Starlette, actor: Actor, add_trace: AddTrace
) -> None:
    trace = await add_trace(actor)
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "idempotencyKey": "again"}
    first = (await data(app, START, {"input": given}))["startAddressAnonymization"]
    second = (await data(app, START, {"input": given}))["startAddressAnonymization"]
    assert first["errors"] == []
    assert (first["job"]["kind"], first["job"]["state"]) == ("ADDRESS_ANONYMIZATION", "PENDING")
    assert first["job"]["inputTrace"] == {"name": "Example trace"}
    assert second["job"]["id"] == first["job"]["id"]


async def test_one_key_for_two_requests_is_a_conflict(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "idempotencyKey": "again"}
    await data(app, START, {"input": given})
    other = (await data(app, START, {"input": {**given, "mapping": "CRYPTO_PAN"}}))["startAddressAnonymization"]
    expected = {"__typename": "GenericError", "code": "IDEMPOTENCY_CONFLICT", "path": ["input", "idempotencyKey"]}
    assert other == {"job": None, "errors": [expected]}


async def test_a_waiting_job_is_cancelled_once(app: Starlette, actor: Actor, add_job: AddJob) -> None:
    job = await add_job(actor)
    given = {"input": {"jobId": GlobalId("Job", job.id).encode()}}
    assert (await data(app, CANCEL, given))["cancelJob"] == {"job": {"state": "CANCELLED"}, "errors": []}
    again = (await data(app, CANCEL, given))["cancelJob"]
    expected = {"__typename": "WrongStateError", "code": "JOB_NOT_CANCELLABLE", "path": [], "state": "CANCELLED"}
    assert again == {"job": None, "errors": [expected]}


async def test_anothers_job_is_cancelled_like_none(app: Starlette, new_actor: NewActor, add_job: AddJob) -> None:
    foreign = await add_job(await new_actor())
    for id_ in (GlobalId("Job", foreign.id), GlobalId("Job", new_id())):
        cancelled = (await data(app, CANCEL, {"input": {"jobId": id_.encode()}}))["cancelJob"]
        expected = {"__typename": "GenericError", "code": "NOT_FOUND", "path": ["input", "jobId"]}
        assert cancelled == {"job": None, "errors": [expected]}


async def test_an_execution_shows_its_job_and_files(
    app: Starlette, actor: Actor, add_job: AddJob, add_execution: AddExecution
) -> None:
    job = await add_job(actor)
    execution = await add_execution(job)
    query = """
    query ($id: ID!, $job: ID!) {
      execution(id: $id) {
        name state attempt error { code } job { id } flow { name }
        artifacts { name mediaType sizeBytes sha256 downloadUrl }
      }
      executions(jobId: $job) { totalCount edges { node { name } } }
    }
    """
    ids = {"id": GlobalId("Execution", execution.id).encode(), "job": GlobalId("Job", job.id).encode()}
    answer = await data(app, query, ids)
    assert answer["execution"]["job"] == {"id": ids["job"]}
    assert answer["execution"]["artifacts"] == [
        {
            "name": "report.json",
            "mediaType": "application/json",
            "sizeBytes": 2,
            "sha256": "cd" * 32,
            "downloadUrl": f"/executions/{execution.id}/artifacts/report.json",
        }
    ]
    assert answer["executions"] == {"totalCount": 1, "edges": [{"node": {"name": execution.name}}]}


async def test_a_mac_transformation_takes_the_rules_along(
    app: Starlette, actor: Actor, add_trace: AddTrace, resources: Resources
) -> None:
    trace = await add_trace(actor)
    rules = [WantedMacRule(original="ac:de:48:00:11:22", vendor=None, oui="00:00:5e")]
    await set_mac_rules(resources, actor, trace_id=trace.id, rules=rules)
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "nic": "MAP", "payload": "ZERO"}
    answer = (await data(app, START_MACS, {"input": given}))["startMacTransformation"]
    assert answer["errors"] == []
    assert (answer["job"]["kind"], answer["job"]["state"]) == ("MAC_TRANSFORMATION", "PENDING")
    job_id = GlobalId.decode(answer["job"]["id"]).id
    async with resources.database.transaction(actor.client_id) as session:
        order = await jobs.find_order(session, JobId(job_id))
    assert (order.parameters["nic"], order.parameters["payload"]) == ("MAP", "ZERO")
    assert order.rules == (("ac:de:48:00:11:22", "00:00:5e"),)


async def test_an_anonymization_takes_its_policies_along(
    app: Starlette, actor: Actor, add_trace: AddTrace, resources: Resources
) -> None:
    trace = await add_trace(actor)
    asked = {"mapping": "PERMUTATION", "macMapping": "KEEP_OUI", "payload": "TRUNCATE", "names": "MASK"}
    given = {"traceId": GlobalId("Trace", trace.id).encode()} | asked
    answer = (await data(app, START, {"input": given}))["startAddressAnonymization"]
    job_id = GlobalId.decode(answer["job"]["id"]).id
    async with resources.database.transaction(actor.client_id) as session:
        order = await jobs.find_order(session, JobId(job_id))
    assert asdict(anonymization_of(order.parameters)) == {
        "mapping": "PERMUTATION",
        "mac_mapping": "KEEP_OUI",
        "payload": "TRUNCATE",
        "names": "MASK",
        "version": 2,
    }
