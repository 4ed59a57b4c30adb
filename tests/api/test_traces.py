"""Traces over GraphQL."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import new_id
from gql_server.domain.jobs import JobKind
from tests.api.conftest import AddJob, AddTrace, NewApp
from tests.conftest import NewActor
from tests.graphql_client import data, execute

TRACE = """
query ($id: ID!) {
  trace(id: $id) {
    id name origin format linkTypes { number name } interfaces packets capturedBytes originalBytes truncatedPackets
    firstPacketAt lastPacketAt sizeBytes sha256 isDeleted deletedAt downloadUrl addressRules { source target }
    flow { name isDefault } job { state kind }
  }
}
"""
RENAME = "mutation ($input: RenameTraceInput!) { renameTrace(input: $input) { trace { name } errors { code path } } }"
DELETE = """
mutation ($input: DeleteTraceInput!) {
  deleteTrace(input: $input) { trace { isDeleted downloadUrl } errors { __typename code message } }
}
"""
RULES = """
mutation ($input: SetAddressRulesInput!) {
  setAddressRules(input: $input) {
    trace { name }
    rules { source action target }
    errors { __typename code path ... on RuleError { index otherIndex reason } }
  }
}
"""
MAC_RULES = """
mutation ($input: SetMacRulesInput!) {
  setMacRules(input: $input) { trace { macRules { originalMac targetOui } } errors { code path } }
}
"""
VENDOR = "ICANN, IANA Department"
"""The IEEE's name for whom 00-00-5E belongs to."""
PREVIEW = """
query ($id: ID!) {
  previewTransformation(traceId: $id, first: 5) { pairs { original replacement kind } errors { code path } }
}
"""


async def test_a_trace_shows_all_that_is_known_of_it(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    id_ = GlobalId("Trace", trace.id).encode()
    assert (await data(app, TRACE, {"id": id_}))["trace"] == {
        "id": id_,
        "name": "Example trace",
        "origin": "UPLOADED",
        "format": "PCAP",
        "linkTypes": [{"number": 1, "name": "ETHERNET"}, {"number": 65000, "name": None}],
        "interfaces": 2,
        "packets": 12,
        "capturedBytes": 1200,
        "originalBytes": 1500,
        "truncatedPackets": 3,
        "firstPacketAt": "2023-11-14T22:13:20.000000001Z",
        "lastPacketAt": "2023-11-14T22:13:21.999999999Z",
        "sizeBytes": 5_000_000_000,
        "sha256": "ab" * 32,
        "isDeleted": False,
        "deletedAt": None,
        "downloadUrl": f"/traces/{trace.id}/capture",
        "addressRules": [],
        "flow": {"name": "Default flow", "isDefault": True},
        "job": {"state": "COMPLETED", "kind": "INGEST"},
    }


async def test_absent_foreign_and_wrong_ids_are_answered_alike(
    app: Starlette, actor: Actor, new_actor: NewActor, add_trace: AddTrace
) -> None:
    own, foreign = await add_trace(actor), await add_trace(await new_actor())
    ids = [GlobalId("Trace", new_id()), GlobalId("Trace", foreign.id), GlobalId("Job", own.job_id)]
    answers = [await execute(app, TRACE, {"id": id_.encode()}) for id_ in ids]
    assert answers == [{"data": {"trace": None}}] * 3


async def test_a_malformed_id_is_a_request_error(app: Starlette) -> None:
    body = await execute(app, TRACE, {"id": "Trace:1"})
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "INVALID_ID"


async def test_pages_run_both_ways_and_count_all(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    for number in range(5):
        await add_trace(actor, f"Trace {number}")
    page = """
    query ($first: Int, $after: Cursor, $last: Int, $before: Cursor) {
      traces(first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
    """
    newest = (await data(app, page, {"first": 2}))["traces"]
    older = (await data(app, page, {"first": 2, "after": newest["pageInfo"]["endCursor"]}))["traces"]
    oldest = (await data(app, page, {"last": 2}))["traces"]
    newer = (await data(app, page, {"last": 2, "before": oldest["pageInfo"]["startCursor"]}))["traces"]

    def names(connection: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
        return [edge["node"]["name"] for edge in connection["edges"]]

    assert names(newest) == ["Trace 4", "Trace 3"]
    assert names(older) == ["Trace 2", "Trace 1"]
    assert names(oldest) == ["Trace 1", "Trace 0"]
    assert names(newer) == ["Trace 3", "Trace 2"]
    assert newest["totalCount"] == 5
    assert (newest["pageInfo"]["hasNextPage"], newest["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (oldest["pageInfo"]["hasNextPage"], oldest["pageInfo"]["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", "last: -1", "first: 2, last: 2"])
async def test_pages_of_a_wrong_size_are_refused_with_a_code(app: Starlette, arguments: str) -> None:
    body = await execute(app, f"{{ traces({arguments}) {{ totalCount }} }}")
    assert body.get("data") is None
    assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


async def test_a_foreign_cursor_is_refused_with_a_code(app: Starlette) -> None:
    body = await execute(app, '{ traces(after: "YXJyYXljb25uZWN0aW9uOjE") { totalCount } }')
    assert body["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_traces_of_one_flow_leave_out_those_of_another_client(
    app: Starlette, actor: Actor, new_actor: NewActor, add_trace: AddTrace
) -> None:
    own, foreign = await add_trace(actor), await add_trace(await new_actor())
    query = "query ($flow: ID) { traces(flowId: $flow) { totalCount edges { node { id } } } }"
    of_own = await data(app, query, {"flow": GlobalId("Flow", own.flow_id).encode()})
    of_foreign = await data(app, query, {"flow": GlobalId("Flow", foreign.flow_id).encode()})
    assert of_own["traces"]["totalCount"] == 1
    assert of_foreign["traces"] == {"totalCount": 0, "edges": []}


async def test_a_trace_is_renamed(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "name": "Renamed"}
    assert (await data(app, RENAME, {"input": given}))["renameTrace"] == {"trace": {"name": "Renamed"}, "errors": []}


async def test_a_viewer_changes_nothing(new_app: NewApp, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    app = new_app(replace(actor, role=Role.VIEWER))
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "name": "Renamed"}
    renamed = (await data(app, RENAME, {"input": given}))["renameTrace"]
    assert renamed == {"trace": None, "errors": [{"code": "FORBIDDEN", "path": []}]}
    assert (await data(app, TRACE, {"id": given["traceId"]}))["trace"]["name"] == "Example trace"


async def test_renaming_anothers_trace_fails_like_renaming_none(
    app: Starlette, new_actor: NewActor, add_trace: AddTrace
) -> None:
    foreign = await add_trace(await new_actor())
    ids = [GlobalId("Trace", foreign.id), GlobalId("Trace", new_id()), GlobalId("Flow", foreign.flow_id)]
    for id_ in ids:
        renamed = await data(app, RENAME, {"input": {"traceId": id_.encode(), "name": "Mine"}})
        expected = [{"code": "NOT_FOUND", "path": ["input", "traceId"]}]
        assert renamed["renameTrace"] == {"trace": None, "errors": expected}


async def test_a_deleted_trace_stays_as_a_tombstone_and_leaves_the_lists(
    app: Starlette, actor: Actor, add_trace: AddTrace
) -> None:
    trace = await add_trace(actor, content=b"bytes")
    id_ = GlobalId("Trace", trace.id).encode()
    deleted = (await data(app, DELETE, {"input": {"traceId": id_}}))["deleteTrace"]
    assert deleted == {"trace": {"isDeleted": True, "downloadUrl": None}, "errors": []}
    assert (await data(app, TRACE, {"id": id_}))["trace"]["isDeleted"] is True
    assert (await data(app, "{ traces { totalCount } }"))["traces"]["totalCount"] == 0


async def test_a_trace_in_use_is_not_deleted(
    app: Starlette, actor: Actor, add_trace: AddTrace, add_job: AddJob
) -> None:
    trace = await add_trace(actor)
    await add_job(actor, kind=JobKind.ADDRESS_ANONYMIZATION, trace_id=trace.id)
    given = {"traceId": GlobalId("Trace", trace.id).encode()}
    errors = (await data(app, DELETE, {"input": given}))["deleteTrace"]["errors"]
    assert [(error["__typename"], error["code"]) for error in errors] == [("GenericError", "TRACE_IN_USE")]


async def test_rules_come_back_the_longest_source_first(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    rules = [{"source": "10.0.0.0/8", "target": "172.0.0.0/8"}, {"source": "10.1.0.0/16", "target": "192.168.0.0/16"}]
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "rules": rules}
    answer = (await data(app, RULES, {"input": given}))["setAddressRules"]
    assert answer["errors"] == []
    assert [rule["source"] for rule in answer["rules"]] == ["10.1.0.0/16", "10.0.0.0/8"]


async def test_a_rule_that_leads_nowhere_takes_no_target(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    wrong = [{"source": "10.0.0.0/8"}, {"source": "10.0.0.0/8", "action": "KEEP", "target": "10.0.0.0/8"}]
    for rule in wrong:
        given = {"traceId": GlobalId("Trace", trace.id).encode(), "rules": [rule]}
        (error,) = (await data(app, RULES, {"input": given}))["setAddressRules"]["errors"]
        assert (error["code"], error["path"]) == ("RULE_MALFORMED", ["input", "rules", "0"])
    right = [{"source": "10.0.0.0/8", "action": "KEEP"}, {"source": "10.1.0.0/16", "action": "MAP"}]
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "rules": right}
    answer = (await data(app, RULES, {"input": given}))["setAddressRules"]
    assert answer["rules"] == [
        {"source": "10.1.0.0/16", "action": "MAP", "target": None},
        {"source": "10.0.0.0/8", "action": "KEEP", "target": None},
    ]


async def test_mac_rules_name_a_vendor_or_its_octets(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    trace = await add_trace(actor)
    id_ = GlobalId("Trace", trace.id).encode()
    rules = [
        {"originalMac": "AC-DE-48-00-11-22", "targetVendor": VENDOR},
        {"originalMac": "ac:de:48:00:11:23", "targetOui": "00-00-5E"},
    ]
    answer = (await data(app, MAC_RULES, {"input": {"traceId": id_, "rules": rules}}))["setMacRules"]
    assert answer["errors"] == []
    assert answer["trace"]["macRules"] == [
        {"originalMac": "ac:de:48:00:11:22", "targetOui": "00:00:5e"},
        {"originalMac": "ac:de:48:00:11:23", "targetOui": "00:00:5e"},
    ]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"originalMac": "ac:de:48:00:11:22"}, "RULE_MALFORMED"),
        ({"originalMac": "ac:de:48:00:11:22", "targetOui": "00:00:5e", "targetVendor": "IANA"}, "RULE_MALFORMED"),
        ({"originalMac": "ac:de:48:00:11:22", "targetVendor": "no such vendor at all"}, "RULE_MALFORMED"),
        ({"originalMac": "ac:de:48:00:11", "targetOui": "00:00:5e"}, "RULE_MALFORMED"),
        ({"originalMac": "ff:ff:ff:ff:ff:ff", "targetOui": "00:00:5e"}, "RULE_MALFORMED"),
        ({"originalMac": "ac:de:48:00:11:22", "targetOui": "01:00:5e"}, "RULE_MALFORMED"),
    ],
)
async def test_a_mac_rule_that_means_nothing_is_refused(
    app: Starlette, actor: Actor, add_trace: AddTrace, rule: dict[str, str], code: str
) -> None:
    trace = await add_trace(actor)
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "rules": [rule]}
    answer = (await data(app, MAC_RULES, {"input": given}))["setMacRules"]
    assert answer["trace"] is None
    assert [(error["code"], error["path"]) for error in answer["errors"]] == [(code, ["input", "rules", "0"])]


async def test_rules_that_clash_name_each_other_and_change_nothing(
    app: Starlette, actor: Actor, add_trace: AddTrace
) -> None:
    trace = await add_trace(actor)
    rules = [{"source": "10.0.0.0/24", "target": "10.9.0.0/24"}, {"source": "10.0.1.0/24", "target": "10.9.0.0/24"}]
    given = {"traceId": GlobalId("Trace", trace.id).encode(), "rules": rules}
    answer = (await data(app, RULES, {"input": given}))["setAddressRules"]
    expected = {
        "__typename": "RuleError",
        "code": "RULE_TARGETS_COLLIDE",
        "path": ["input", "rules", "1"],
        "index": 1,
        "otherIndex": 0,
        "reason": None,
    }
    assert answer == {"trace": None, "rules": [], "errors": [expected]}


async def test_a_preview_of_no_trace_is_an_expected_failure(app: Starlette) -> None:
    answer = await data(app, PREVIEW, {"id": GlobalId("Trace", new_id()).encode()})
    expected = [{"code": "NOT_FOUND", "path": ["input", "traceId"]}]
    assert answer["previewTransformation"] == {"pairs": [], "errors": expected}
