"""Lineage over GraphQL."""

import itertools
from typing import Any

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.ids import new_id
from gql_server.domain.jobs import JobKind
from gql_server.domain.lineage import EdgeKind, LineageEdge
from gql_server.services.resources import Resources
from gql_server.store import lineage
from tests.api.conftest import AddExecution, AddJob, AddTrace
from tests.conftest import NewActor
from tests.graphql_client import data, execute

LINEAGE = """
query ($id: ID!, $direction: Direction! = BOTH, $depth: Int! = 10) {
  lineage(id: $id, direction: $direction, depth: $depth) {
    nodes { ... on Node { id } }
    edges { kind source { ... on Node { id } } target { ... on Node { id } } }
    isComplete
  }
}
"""


@pytest.fixture
async def family(
    resources: Resources, actor: Actor, add_job: AddJob, add_trace: AddTrace, add_execution: AddExecution
) -> dict[str, str]:
    """A trace, the execution that used it, and the trace that came out."""
    parent, child = await add_trace(actor, "Parent"), await add_trace(actor, "Child")
    execution = await add_execution(await add_job(actor, kind=JobKind.ADDRESS_ANONYMIZATION, trace_id=parent.id))
    none: dict[str, Any] = {
        "source_trace_id": None,
        "source_execution_id": None,
        "target_trace_id": None,
        "target_execution_id": None,
    }
    edges = [
        {"kind": EdgeKind.USED, "source_execution_id": execution.id, "target_trace_id": parent.id},
        {"kind": EdgeKind.GENERATED, "source_execution_id": execution.id, "target_trace_id": child.id},
        {"kind": EdgeKind.DERIVED_FROM, "source_trace_id": child.id, "target_trace_id": parent.id},
    ]
    async with resources.database.transaction(actor.client_id) as session:
        for edge in edges:
            await lineage.add_edge(session, actor.client_id, LineageEdge(**(none | edge)))
    return {
        "parent": GlobalId("Trace", parent.id).encode(),
        "child": GlobalId("Trace", child.id).encode(),
        "execution": GlobalId("Execution", execution.id).encode(),
    }


async def test_a_child_leads_to_what_it_was_made_from(app: Starlette, family: dict[str, str]) -> None:
    found = (await data(app, LINEAGE, {"id": family["child"], "direction": "ANCESTORS"}))["lineage"]
    assert found["nodes"][0] == {"id": family["child"]}
    assert {node["id"] for node in found["nodes"]} == set(family.values())
    assert {edge["kind"] for edge in found["edges"]} == {"USED", "GENERATED", "DERIVED_FROM"}
    derived = next(edge for edge in found["edges"] if edge["kind"] == "DERIVED_FROM")
    assert (derived["source"]["id"], derived["target"]["id"]) == (family["child"], family["parent"])
    assert found["isComplete"] is True


async def test_a_parent_leads_to_what_was_made_from_it(app: Starlette, family: dict[str, str]) -> None:
    found = (await data(app, LINEAGE, {"id": family["parent"], "direction": "DESCENDANTS"}))["lineage"]
    assert {node["id"] for node in found["nodes"]} == set(family.values())


async def test_an_execution_stands_between(app: Starlette, family: dict[str, str]) -> None:
    found = (await data(app, LINEAGE, {"id": family["execution"]}))["lineage"]
    assert {node["id"] for node in found["nodes"]} == set(family.values())


async def test_a_short_walk_says_that_there_is_more(
    app: Starlette, resources: Resources, actor: Actor, add_trace: AddTrace
) -> None:
    rows = [await add_trace(actor, f"Generation {number}") for number in range(3)]
    async with resources.database.transaction(actor.client_id) as session:
        for older, younger in itertools.pairwise(rows):
            edge = LineageEdge(
                kind=EdgeKind.DERIVED_FROM,
                source_trace_id=younger.id,
                source_execution_id=None,
                target_trace_id=older.id,
                target_execution_id=None,
            )
            await lineage.add_edge(session, actor.client_id, edge)
    id_ = GlobalId("Trace", rows[0].id).encode()
    near = (await data(app, LINEAGE, {"id": id_, "depth": 1}))["lineage"]
    far = (await data(app, LINEAGE, {"id": id_, "depth": 2}))["lineage"]
    assert (len(near["nodes"]), near["isComplete"]) == (2, False)
    assert (len(far["nodes"]), far["isComplete"]) == (3, True)


async def test_a_trace_tells_its_lineage_itself(app: Starlette, family: dict[str, str]) -> None:
    query = "query ($id: ID!) { trace(id: $id) { lineage(direction: ANCESTORS) { nodes { __typename } isComplete } } }"
    found = (await data(app, query, {"id": family["child"]}))["trace"]["lineage"]
    assert sorted(node["__typename"] for node in found["nodes"]) == ["Execution", "Trace", "Trace"]


async def test_a_tombstone_keeps_its_place(app: Starlette, actor: Actor, add_trace: AddTrace) -> None:
    id_ = GlobalId("Trace", (await add_trace(actor, content=b"bytes")).id).encode()
    await data(app, "mutation ($id: ID!) { deleteTrace(input: {traceId: $id}) { errors { code } } }", {"id": id_})
    assert (await data(app, LINEAGE, {"id": id_}))["lineage"] == {
        "nodes": [{"id": id_}],
        "edges": [],
        "isComplete": True,
    }


async def test_anothers_lineage_is_null_like_none(app: Starlette, new_actor: NewActor, add_trace: AddTrace) -> None:
    foreign = GlobalId("Trace", (await add_trace(await new_actor())).id)
    for id_ in (foreign, GlobalId("Trace", new_id()), GlobalId("Job", new_id())):
        assert (await data(app, LINEAGE, {"id": id_.encode()}))["lineage"] is None


@pytest.mark.parametrize("depth", [0, 51])
async def test_a_depth_out_of_bounds_is_refused_with_a_code(app: Starlette, family: dict[str, str], depth: int) -> None:
    body = await execute(app, LINEAGE, {"id": family["child"], "depth": depth})
    assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"
