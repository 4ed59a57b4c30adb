"""Access: who may change, what may be a name, what is there."""

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import Forbidden, InvalidInput, NotFound, TraceDeleted
from gql_server.domain.ids import ClientId, FlowId, TraceId, UserId, new_id
from gql_server.services.access import MAX_NAME, checked_name, hold_trace, require_write, settle_flow
from gql_server.store import traces
from gql_server.store.database import Database
from tests.conftest import NewActor
from tests.factories import make_trace


@pytest.mark.parametrize("role", list(Role))
def test_all_but_viewers_may_change(role: Role) -> None:
    actor = Actor(client_id=ClientId(new_id()), user_id=UserId(new_id()), role=role)
    if role is Role.VIEWER:
        with pytest.raises(Forbidden):
            require_write(actor)
    else:
        require_write(actor)


@pytest.mark.parametrize("name", ["a", "  ward 7.pcap ", "Büro Süd", "名前", "x" * MAX_NAME])
def test_a_name_is_kept_without_the_blanks_around_it(name: str) -> None:
    assert checked_name(name) == name.strip()


@pytest.mark.parametrize("name", ["", "   ", "x" * (MAX_NAME + 1), "a\nb", "a\x00b", "a\x1b[31mb", "a\u202eb"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        checked_name(name)


async def test_without_a_flow_the_default_one_is_meant(database: Database, actor: Actor) -> None:
    async with database.transaction(actor.client_id) as session:
        flow = await settle_flow(session, None)
        assert flow.is_default
        assert (await settle_flow(session, flow.id)).id == flow.id


async def test_a_flow_that_is_absent_or_anothers_is_not_there(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    stranger = await new_actor()
    async with database.transaction(stranger.client_id) as session:
        theirs = await settle_flow(session, None)
    async with database.transaction(actor.client_id) as session:
        for flow_id in (theirs.id, FlowId(new_id())):
            with pytest.raises(NotFound, match="flow"):
                await settle_flow(session, flow_id)


async def test_a_client_without_a_flow_is_told_so(database: Database) -> None:
    async with database.transaction(ClientId(new_id())) as session:
        with pytest.raises(NotFound, match="flow"):
            await settle_flow(session, None)


async def test_a_trace_is_held_unless_it_is_gone_or_anothers(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    mine, theirs = await make_trace(database, actor), await make_trace(database, await new_actor())
    async with database.transaction(actor.client_id) as session:
        assert (await hold_trace(session, mine)).id == mine
        for trace_id in (theirs, TraceId(new_id())):
            with pytest.raises(NotFound, match="trace"):
                await hold_trace(session, trace_id)
        await traces.bury_trace(session, mine)
        with pytest.raises(TraceDeleted):
            await hold_trace(session, mine)
