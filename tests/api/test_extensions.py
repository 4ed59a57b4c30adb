"""Extensions: loaders of one's own, documents seen before."""

from starlette.applications import Starlette

from gql_server.api.context import Context
from gql_server.api.extensions import FreshLoaders, ParsedOnce
from gql_server.api.ids import GlobalId
from gql_server.api.schema import build_schema
from gql_server.domain.access import Actor
from gql_server.services.resources import Resources
from tests.api.conftest import AddTrace
from tests.graphql_client import connect, execute

RENAME = "mutation ($id: ID!, $name: String!) { renameTrace(input: {traceId: $id, name: $name}) { trace { name } } }"


async def test_operations_on_one_socket_do_not_share_what_they_loaded(
    app: Starlette, actor: Actor, add_trace: AddTrace
) -> None:
    id_ = GlobalId("Trace", (await add_trace(actor)).id).encode()
    query = "query ($id: ID!) { trace(id: $id) { name } }"
    async with connect(app) as socket:
        await socket.begin()
        names = []
        for number in range(2):
            await socket.subscribe("1", query, {"id": id_})
            names.append((await socket.hear())["payload"]["data"]["trace"]["name"])
            assert (await socket.hear())["type"] == "complete"
            await execute(app, RENAME, {"id": id_, "name": f"Renamed {number}"})
    assert names == ["Example trace", "Renamed 0"]


async def test_the_callers_context_is_left_alone(resources: Resources, actor: Actor) -> None:
    context = Context.of(resources, actor)
    before = context.loaders
    result = await build_schema().execute("{ viewer { role } }", context_value=context)
    assert result.errors is None
    assert context.loaders is before


def test_extensions_are_made_anew_for_each_operation() -> None:
    assert {ParsedOnce, FreshLoaders} <= set(build_schema().extensions)


async def test_a_document_that_failed_fails_again_with_the_same_words(app: Starlette) -> None:
    answers = [await execute(app, "{ nothing }") for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["errors"][0]["message"] == "Cannot query field 'nothing' on type 'Query'."
