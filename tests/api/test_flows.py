"""Flows over GraphQL."""

from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.ids import new_id
from tests.api.conftest import AddJob, AddTrace, NewApp
from tests.conftest import NewActor
from tests.graphql_client import data

FLOWS = "{ flows { totalCount edges { node { id } } } }"
FLOW = """
query ($id: ID!) {
  flow(id: $id) {
    name type state isDefault engagement { name }
    traces { totalCount edges { node { name flow { id } } } }
    jobs(state: PENDING) { totalCount edges { node { kind } } }
    executions { totalCount }
  }
}
"""


async def test_a_flow_shows_its_own_work(app: Starlette, actor: Actor, add_job: AddJob, add_trace: AddTrace) -> None:
    await add_trace(actor)
    await add_job(actor)
    flows = (await data(app, FLOWS))["flows"]
    assert flows["totalCount"] == 1
    id_ = flows["edges"][0]["node"]["id"]
    assert (await data(app, FLOW, {"id": id_}))["flow"] == {
        "name": "Default flow",
        "type": "DISCOVERY",
        "state": "ACTIVE",
        "isDefault": True,
        "engagement": {"name": "Example engagement"},
        "traces": {"totalCount": 1, "edges": [{"node": {"name": "Example trace", "flow": {"id": id_}}}]},
        "jobs": {"totalCount": 1, "edges": [{"node": {"kind": "INGEST"}}]},
        "executions": {"totalCount": 0},
    }


async def test_anothers_flow_is_null_like_none(app: Starlette, new_app: NewApp, new_actor: NewActor) -> None:
    foreign = (await data(new_app(await new_actor()), FLOWS))["flows"]["edges"][0]["node"]["id"]
    for id_ in (foreign, GlobalId("Flow", new_id()).encode(), GlobalId("Trace", new_id()).encode()):
        assert (await data(app, FLOW, {"id": id_}))["flow"] is None
