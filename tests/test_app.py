"""The composition root: what it refuses to start."""

from dataclasses import replace
from pathlib import Path

import pytest

from gql_server.app import check_host, create_app, external_urls, open_resources
from gql_server.domain.errors import SetupError, StoreNotShared
from gql_server.settings import Settings
from gql_server.store.database import DatabaseUrls


@pytest.fixture
def settings(database_urls: DatabaseUrls, tmp_path: Path) -> Settings:
    return Settings(
        data_directory=tmp_path / "data",
        database_url=database_urls.app,
        owner_database_url=database_urls.owner,
        system_database_url=database_urls.system,
        warm_children=0,
        reserve_bytes=0,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_needs_no_authentication(host: str) -> None:
    check_host(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_any_other_address_is_refused(host: str) -> None:
    with pytest.raises(SetupError, match="loopback"):
        create_app(Settings(host=host))


def test_half_a_database_is_refused() -> None:
    with pytest.raises(SetupError, match="SYSTEM_DATABASE_URL"):
        external_urls(Settings(database_url="postgresql+asyncpg://app@/x"))


@pytest.mark.parametrize("url", ["nonsense", "mysql://app@x/y", "postgresql://app@x:port/y"])
def test_what_is_no_url_of_a_postgresql_is_refused_by_the_name_of_its_setting(url: str) -> None:
    good = "postgresql://system@x/y"
    with pytest.raises(SetupError, match="GQL_SERVER_DATABASE_URL") as caught:
        external_urls(Settings(database_url=url, system_database_url=good))
    assert url not in str(caught.value)
    assert external_urls(Settings(database_url=good, system_database_url=good)).app == "postgresql+asyncpg://system@x/y"


async def test_a_second_data_directory_for_one_database_is_refused(settings: Settings, tmp_path: Path) -> None:
    # The first to come settles which directory belongs to the database; in this suite that may be an earlier test.
    first, second = settings, replace(settings, data_directory=tmp_path / "other")
    refused = 0
    for each in (first, second):
        try:
            async with open_resources(each):
                pass
        except StoreNotShared:
            refused += 1
    assert refused >= 1


async def test_a_key_file_that_others_can_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "data" / "keys"
    keys.mkdir(parents=True)
    (keys / "kek").write_bytes(bytes(32))
    (keys / "kek").chmod(0o644)
    with pytest.raises((SetupError, StoreNotShared)) as caught:
        async with open_resources(settings):
            pass
    if isinstance(caught.value, SetupError):
        assert "chmod 600" in str(caught.value)
