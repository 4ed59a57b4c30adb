"""The graph: what holds for all of its nodes."""

from starlette.applications import Starlette

from gql_server.api.ids import NODE_TYPES
from gql_server.api.schema import build_schema
from gql_server.domain.access import Actor
from tests.api.conftest import AddTrace
from tests.graphql_client import data


def test_the_nodes_are_those_that_ids_can_name() -> None:
    types = build_schema().introspect()["__schema"]["types"]
    node = next(type_ for type_ in types if type_["name"] == "Node")
    assert {type_["name"] for type_ in node["possibleTypes"]} == NODE_TYPES


async def test_what_hangs_together_can_be_walked_in_one_query(
    app: Starlette, actor: Actor, add_trace: AddTrace
) -> None:
    await add_trace(actor)
    query = """
    {
      traces { edges { node { job { outputTrace {
        flow { engagement { name } } job { executions { totalCount } }
      } } } } }
    }
    """
    trace = (await data(app, query))["traces"]["edges"][0]["node"]["job"]["outputTrace"]
    assert trace == {
        "flow": {"engagement": {"name": "Example engagement"}},
        "job": {"executions": {"totalCount": 0}},
    }
