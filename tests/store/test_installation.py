"""Facts of the installation: the first word holds."""

import asyncio

from gql_server.domain.ids import new_id
from gql_server.store.database import Database
from gql_server.store.installation import settle_fact


async def _settle(database: Database, name: str, value: str) -> str:
    async with database.install() as session:
        return await settle_fact(session, name, value)


async def test_the_first_value_holds(database: Database) -> None:
    name = f"fact {new_id()}"
    assert await _settle(database, name, "first") == "first"
    assert await _settle(database, name, "second") == "first"
    assert await _settle(database, f"another {name}", "second") == "second"


async def test_of_many_at_once_all_hear_the_same(database: Database) -> None:
    name = f"fact {new_id()}"
    heard = await asyncio.gather(*(_settle(database, name, str(number)) for number in range(8)))
    assert len(set(heard)) == 1
