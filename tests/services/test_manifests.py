"""Manifests: what was done, without a name, an address or a key."""

import hashlib
import json
from dataclasses import asdict

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.errors import CaptureCut
from gql_server.domain.jobs import ExecutionState
from gql_server.services.attempts import Attempt
from gql_server.services.manifests import execution_manifest, reports_of, rules_of, seal_abandoned, seal_manifest
from gql_server.services.plans import make_plan, run_plan
from gql_server.services.resources import Resources
from gql_server.services.traces import set_address_rules
from tests.services.desk import claim, ingest, manifest_of, receive, start, with_child

SOURCE, TARGET = "10.1.2.0/24", "198.18.7.0/24"


@pytest.fixture
async def attempt(resources: Resources, actor: Actor) -> Attempt:
    """An anonymization with a rule, claimed."""
    trace = await ingest(resources, actor)
    await set_address_rules(resources, actor, trace_id=trace.id, rules=[(SOURCE, TARGET)])
    return await claim(resources, await start(resources, actor, trace))


async def test_a_manifest_names_the_inputs_by_digest_and_tells_nothing_about_people(
    resources: Resources, attempt: Attempt
) -> None:
    plan, result = await run_plan(with_child(resources), await make_plan(resources, attempt), lambda _: None)
    text = execution_manifest(resources, attempt, ExecutionState.COMPLETED, plan=plan, result=result)
    read = json.loads(text)
    assert plan.input_trace is not None
    assert read["input"] == {"traceId": str(plan.input_trace.id), "sha256": plan.input_trace.summary.sha256}
    assert (read["attempt"], read["kind"], read["outcome"]) == (1, "ADDRESS_ANONYMIZATION", "COMPLETED")
    assert read["parameters"] == asdict(AnonymizationParameters())
    assert read["keyId"] == str(attempt.order.key_id)
    assert read["startedAt"] <= read["finishedAt"]
    for word in (SOURCE, TARGET, attempt.order.output_name, "example.pcap"):
        assert word.encode() not in text
    assert list(reports_of(result)) == ["report.json", "verification.json"]


async def test_the_rules_stand_beside_it_and_their_digest_in_it(resources: Resources, attempt: Attempt) -> None:
    rules = rules_of(attempt)
    assert json.loads(rules) == [{"source": SOURCE, "target": TARGET}]
    read = json.loads(execution_manifest(resources, attempt, ExecutionState.FAILED))
    assert read["rulesSha256"] == hashlib.sha256(rules).hexdigest()


async def test_a_failed_execution_says_why(resources: Resources, attempt: Attempt) -> None:
    await seal_manifest(resources, attempt, ExecutionState.FAILED, CaptureCut(offset=40, packets=1))
    read = manifest_of(resources, attempt.execution)
    assert read["error"] == {"code": "CAPTURE_CUT", "facts": {"offset": 40, "packets": 1}}
    assert "output" not in read


async def test_what_is_sealed_stays_as_it_is(resources: Resources, attempt: Attempt) -> None:
    await seal_manifest(resources, attempt, ExecutionState.COMPLETED, None)
    before = manifest_of(resources, attempt.execution)
    await seal_manifest(resources, attempt, ExecutionState.ABANDONED, None)
    assert manifest_of(resources, attempt.execution) == before


async def test_an_abandoned_execution_is_written_down_under_its_own_number(resources: Resources, actor: Actor) -> None:
    attempt = await claim(resources, (await receive(resources, actor))[1])
    await seal_abandoned(resources, attempt, (attempt.execution,))
    read = manifest_of(resources, attempt.execution)
    assert (read["outcome"], read["executionId"]) == ("ABANDONED", str(attempt.execution.id))


async def test_a_directory_that_is_gone_is_no_reason_to_fail(
    resources: Resources, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    (resources.blobs._root / "executions" / attempt.execution.name).rmdir()
    await seal_manifest(resources, attempt, ExecutionState.FAILED, None)
    assert "manifest not written" in caplog.text
