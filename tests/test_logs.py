"""Logs: structured, and without the text of any exception."""

import json
import logging
from collections.abc import Iterator

import pytest

from gql_server.logs import configure_logging


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(as_json=True)
    logging.getLogger("gql_server.x").info("job done", extra={"job_id": "7"})
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "job done"
    assert line["job_id"] == "7"
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exceptions_text_stays_out_and_its_place_is_kept(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001
    configure_logging(as_json=as_json)
    try:
        int("EXAMPLE^PATIENT at 10.1.2.3")
    except ValueError:
        logging.getLogger("gql_server.x").exception("it failed")
    text = capsys.readouterr().err
    assert "EXAMPLE" not in text
    assert "ValueError" in text
    assert "test_logs" in text


@pytest.mark.parametrize(
    ("name", "level", "is_told"),
    [
        ("uvicorn.access", logging.ERROR, False),
        ("pgqueuer", logging.ERROR, False),
        ("httpx", logging.ERROR, False),
        ("sqlalchemy", logging.ERROR, False),
        ("strawberry.execution", logging.ERROR, False),
        ("asyncio", logging.ERROR, False),
        ("alembic.runtime.plugins", logging.INFO, False),
        ("alembic.runtime.plugins", logging.WARNING, True),
        ("uvicorn.error", logging.INFO, True),
    ],
)
def test_what_other_libraries_say_is_told_by_its_level(
    name: str, level: int, capsys: pytest.CaptureFixture[str], *, is_told: bool
) -> None:
    logger = logging.getLogger(name)
    before = logger.level
    configure_logging(as_json=True)
    logger.log(level, "it happened")
    logger.setLevel(before)
    assert ("it happened" in capsys.readouterr().err) == is_told
