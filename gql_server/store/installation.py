"""Facts of the installation as a whole."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gql_server.store.database import Session
from gql_server.store.tables import Installation


async def settle_fact(session: Session, name: str, value: str) -> str:
    """Set a fact unless it is set, and return what holds from now on."""
    await session.execute(insert(Installation).values(name=name, value=value).on_conflict_do_nothing())
    held = await session.scalar(select(Installation.value).where(Installation.name == name))
    return value if held is None else held
