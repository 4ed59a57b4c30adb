"""Nodes by their ids."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import NODE_TYPES, GlobalId
from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import new_id
from gql_server.services.access import settle_flow
from gql_server.services.keys import settle_key
from gql_server.services.resources import Resources
from tests.api.conftest import AddExecution, AddJob, AddTrace, NewApp
from tests.conftest import NewActor
from tests.graphql_client import data, execute

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def test_every_node_can_be_asked_for_again(  # noqa: PLR0917  # pytest passes fixtures by name
    app: Starlette,
    actor: Actor,
    add_job: AddJob,
    add_trace: AddTrace,
    add_execution: AddExecution,
    resources: Resources,
) -> None:
    async with resources.database.transaction(actor.client_id) as session:
        owner = await settle_flow(session, None)
        await settle_key(session, resources.keyring, actor.client_id, owner.engagement_id)
    job = await add_job(actor)
    of_rows = [GlobalId("Trace", (await add_trace(actor)).id), GlobalId("Job", job.id)]
    of_rows.append(GlobalId("Execution", (await add_execution(job)).id))
    flows = await data(app, "{ flows { edges { node { id engagement { id keys { id } } } } } }")
    flow = flows["flows"]["edges"][0]["node"]
    create = 'mutation { createUpload(input: {name: "a", lengthBytes: 1}) { upload { id } } }'
    upload = (await data(app, create))["createUpload"]["upload"]["id"]
    (key,) = flow["engagement"]["keys"]
    ids = [*(id_.encode() for id_ in of_rows), flow["id"], flow["engagement"]["id"], key["id"], upload]
    nodes = (await data(app, NODES, {"ids": ids}))["nodes"]
    assert [node["id"] for node in nodes] == ids
    assert {node["__typename"] for node in nodes} == NODE_TYPES


async def test_foreign_and_absent_nodes_are_null_in_their_place(
    app: Starlette, actor: Actor, new_actor: NewActor, add_trace: AddTrace
) -> None:
    own, foreign = await add_trace(actor), await add_trace(await new_actor())
    ids = [GlobalId("Trace", foreign.id), GlobalId("Trace", own.id), *(GlobalId(name, new_id()) for name in NODE_TYPES)]
    nodes = (await data(app, NODES, {"ids": [id_.encode() for id_ in ids]}))["nodes"]
    assert [node and node["__typename"] for node in nodes] == [None, "Trace", *[None] * len(NODE_TYPES)]
    one = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await data(app, one, {"id": ids[0].encode()}))["node"] is None


async def test_a_hundred_nodes_are_enough(app: Starlette) -> None:
    ids = [GlobalId("Trace", new_id()).encode() for _ in range(101)]
    assert (await execute(app, NODES, {"ids": ids}))["errors"][0]["extensions"]["code"] == "INVALID_INPUT"
    assert (await execute(app, NODES, {"ids": []}))["errors"][0]["extensions"]["code"] == "INVALID_INPUT"
    assert (await data(app, NODES, {"ids": ids[:100]}))["nodes"] == [None] * 100


@pytest.mark.parametrize(("role", "may"), [(Role.ADMIN, True), (Role.ANALYST, True), (Role.VIEWER, False)])
async def test_the_viewer_knows_what_they_may_do(new_app: NewApp, actor: Actor, *, role: Role, may: bool) -> None:
    app = new_app(replace(actor, role=role))
    viewer = (await data(app, "{ viewer { role mayWrite maySeeOriginals } }"))["viewer"]
    assert viewer == {"role": role, "mayWrite": may, "maySeeOriginals": may}
