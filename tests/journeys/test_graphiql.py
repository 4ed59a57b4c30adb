"""GraphiQL in a real browser, on the real server."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from graphql import build_schema, parse, validate

from tests.journeys.demos import REPOSITORY
from tests.journeys.doors import Server
from tests.journeys.material import hospital
from tests.journeys.programs import NodeScript, require, require_node

PAGE = files("gql_server.api") / "graphiql_page"
EXAMPLES = ("query.graphql", "subscription.graphql")
LATEST = "{ events { latestCursor } }"
QUERY = """query Latest {
  traces(first: 1) {
    edges {
      node {
        id
        name
        packets
      }
    }
  }
}"""
SUBSCRIPTION = """subscription JobCompleted {
  jobCompleted(after: "AFTER") {
    jobId
    outputTraceId
    outputTrace {
      name
      packets
    }
  }
}"""


@dataclass(frozen=True)
class Visit:
    """What somebody saw who opened the page, asked, and listened while a job was done."""

    trace: str
    job: str
    opened: dict[str, Any]
    query: str
    event: str
    done: dict[str, Any]


@pytest.fixture(scope="module")
def visit(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    require("chromium")
    script = require_node("browser") / "graphiql.mjs"
    trace = server.ingest(hospital(), "hospital.pcap")
    after = server.ask(LATEST)["events"]["latestCursor"]
    pictures = tmp_path_factory.mktemp("graphiql")
    arguments = (f"{server.url}/", QUERY, SUBSCRIPTION.replace("AFTER", after), "-", str(pictures))
    with NodeScript(script, *arguments) as browser:
        opened = browser.read("opened")
        query = browser.read("query")["result"]
        browser.read("subscribed")
        job = server.start(trace, name="hospital-deidentified.pcap")
        event = browser.read("event")["result"]
        done = browser.read("done")
        browser.await_end()
    return Visit(trace, job, opened, query, event, done)


def test_it_opens_with_an_example_of_each_kind(visit: Visit) -> None:
    assert len(visit.opened["tabs"]) == 2
    for name, shown in zip(EXAMPLES, (visit.opened["query"], visit.opened["subscription"]), strict=True):
        assert shown == (PAGE / name).read_text(encoding="utf-8")


def test_a_typed_query_shows_its_result(visit: Visit) -> None:
    assert f'"id": "{visit.trace}"' in visit.query
    assert '"name": "hospital.pcap"' in visit.query
    assert '"packets": 159' in visit.query


def test_a_typed_subscription_shows_the_event_of_the_job(visit: Visit, server: Server) -> None:
    assert f'"jobId": "{visit.job}"' in visit.event
    assert f'"outputTraceId": "{server.job(visit.job)["outputTraceId"]}"' in visit.event
    assert '"name": "hospital-deidentified.pcap"' in visit.event


def test_it_asks_nobody_but_the_server(visit: Visit, server: Server) -> None:
    assert visit.done["hosts"] == [urlsplit(server.url).netloc]


def test_nothing_goes_wrong_in_the_page(visit: Visit) -> None:
    assert visit.done["problems"] == []


def test_the_pictures_are_taken(visit: Visit) -> None:
    for picture in visit.done["screenshots"]:
        assert Path(picture).stat().st_size > 10_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fits_the_schema(name: str) -> None:
    schema = build_schema((REPOSITORY / "schema.graphql").read_text(encoding="utf-8"))
    assert validate(schema, parse((PAGE / name).read_text(encoding="utf-8"))) == []


def test_the_example_query_runs(server: Server) -> None:
    trace = server.ingest(hospital())
    edges = server.ask((PAGE / "query.graphql").read_text(encoding="utf-8"))["traces"]["edges"]
    assert edges[0]["node"]["id"] == trace


def test_the_example_subscription_goes_on_after_a_cursor(server: Server) -> None:
    after = server.ask(LATEST)["events"]["latestCursor"]
    trace = server.ingest(hospital())
    with server.listen((PAGE / "subscription.graphql").read_text(encoding="utf-8"), after=after) as events:
        assert next(events)["jobCompleted"]["outputTraceId"] == trace
