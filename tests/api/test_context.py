"""What a resolver is given."""

from gql_server.api.context import Context
from gql_server.domain.access import Actor
from gql_server.services.resources import Resources


async def test_a_renewed_context_shares_all_but_what_was_loaded(resources: Resources, actor: Actor) -> None:
    context = Context.of(resources, actor)
    renewed = context.renewed()
    assert (renewed.resources, renewed.actor) == (resources, actor)
    assert renewed.loaders is not context.loaders


async def test_a_read_is_inside_the_actors_client(resources: Resources, actor: Actor) -> None:
    async with Context.of(resources, actor).read() as connection:
        row = await connection.exec_driver_sql("SELECT current_setting('gql_server.client_id')")
        assert row.scalar_one() == str(actor.client_id)
