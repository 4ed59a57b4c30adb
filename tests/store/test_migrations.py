"""Migration scripts: one line of history, and no other version."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from gql_server.domain.errors import SetupError
from gql_server.store.database import DatabaseUrls
from gql_server.store.migrations import migrate, require_current, script_directory


@pytest.fixture
def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(script_directory()))
    return ScriptDirectory.from_config(config)


def test_the_scripts_follow_one_another_in_one_line(scripts: ScriptDirectory) -> None:
    revisions = list(scripts.walk_revisions())
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    assert not [each for each in revisions if each.is_branch_point or each.is_merge_point]
    names = [each.path.rpartition("/")[2] for each in reversed(revisions)]
    assert names == sorted(names), "their names tell the order in which they run"


def test_each_script_leads_back(scripts: ScriptDirectory) -> None:
    assert all(callable(each.module.upgrade) and callable(each.module.downgrade) for each in scripts.walk_revisions())


async def test_migrating_again_changes_nothing(database_urls: DatabaseUrls) -> None:
    await migrate(database_urls)
    await require_current(database_urls)


async def test_tables_of_another_version_are_refused(database_urls: DatabaseUrls) -> None:
    engine = create_async_engine(database_urls.owner)
    try:
        async with engine.begin() as connection:
            held = await connection.scalar(text("UPDATE alembic_version SET version_num = 'later' RETURNING 'later'"))
        assert held == "later"
        with pytest.raises(SetupError, match="gql-server migrate"):
            await require_current(database_urls)
    finally:
        async with engine.begin() as connection:
            head = ScriptDirectory(str(script_directory())).get_current_head()
            await connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
        await engine.dispose()
    await require_current(database_urls)
