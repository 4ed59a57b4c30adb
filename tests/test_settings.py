"""Settings: read once, refused when wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from gql_server.settings import Settings, default_data_directory


def test_nothing_set_is_the_local_mode() -> None:
    settings = Settings.from_environment({})
    assert settings.database_url is None
    assert settings.host == "127.0.0.1"
    assert settings.lease_time == timedelta(seconds=30)


def test_each_kind_of_value_is_read() -> None:
    settings = Settings.from_environment(
        {
            "GQL_SERVER_DATA_DIRECTORY": "/srv/with space",
            "GQL_SERVER_PORT": "9000",
            "GQL_SERVER_GRAPHIQL": "false",
            "GQL_SERVER_ALLOWED_HOSTS": "one.example, two.example",
            "GQL_SERVER_DATABASE_URL": "postgresql+asyncpg://app@/x",
        }
    )
    assert settings.directory == Path("/srv/with space")
    assert settings.port == 9000
    assert settings.graphiql is False
    assert settings.allowed_hosts == ("one.example", "two.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GQL_SERVER_PORT", "http"),
        ("GQL_SERVER_PORT", "-1"),
        ("GQL_SERVER_GRAPHIQL", "perhaps"),
        ("GQL_SERVER_PROT", "1"),
    ],
)
def test_a_wrong_value_or_name_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: value})


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings(database_url="postgresql+asyncpg://app:hunter2@db/x"))
    assert "hunter2" not in shown


def test_an_ordinary_user_gets_a_place_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_data_directory({"XDG_DATA_HOME": "/home/x/data"}) == Path("/home/x/data/gql-server")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_data_directory({}) == Path("/var/lib/gql-server")
