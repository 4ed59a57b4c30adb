"""Subscriptions: cut and resumed, while workers die, nothing is lost or doubled."""

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import NewInstallation
from tests.journeys.doors import COMPLETED, PATIENCE_SECONDS, Installation, Server
from tests.journeys.material import hospital

LONG = os.environ.get("GQL_SERVER_LONG_TESTS") == "1"
JOBS = 200 if LONG else 24
CUTS = 50 if LONG else 8
KILLS = 20 if LONG else 2
LATEST = "query { events(first: 1) { latestCursor } }"
OUTPUTS = """query ($id: ID!) { lineage(id: $id, direction: DESCENDANTS, depth: 1) {
  edges { kind source { ... on Trace { id } } } } }"""


@pytest.fixture(scope="module")
def place(new_installation: NewInstallation) -> Installation:
    return new_installation(lease_seconds="2")


@pytest.fixture(scope="module")
def door(place: Installation) -> Iterator[Server]:
    with place.server() as running:
        yield running


class _Listener(threading.Thread):
    """Hears completions over one connection after another, each taking up where the last was cut."""

    def __init__(self, door: Server, after: str, jobs: int, dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.heard: list[tuple[str, str | None, str]] = []
        self.cuts = 0
        self.readable = 0
        self.failure: BaseException | None = None
        self._door, self._after, self._jobs, self._dice = door, after, jobs, dice

    def run(self) -> None:
        try:
            while len(self.heard) < self._jobs:
                self._listen_for_a_while()
        except BaseException as error:  # noqa: BLE001  # told by the test's own thread
            self.failure = error

    def _listen_for_a_while(self) -> None:
        wanted = self._jobs - len(self.heard)
        take = min(wanted, self._dice.randint(1, self._jobs // CUTS))
        with self._door.listen(COMPLETED, after=self._after) as events:
            for _ in range(take):
                event = next(events)["jobCompleted"]
                self._after = event["cursor"]
                self.heard.append((event["jobId"], event["outputTraceId"], event["cursor"]))
                self._read(event["outputTraceId"])
        self.cuts += 1

    def _read(self, trace_id: str | None) -> None:
        """When the event arrives, the trace can be read."""
        if trace_id is not None:
            response = self._door.http.get(self._door.trace(trace_id)["downloadUrl"])
            self.readable += response.status_code == 200


def _kill_now_and_then(place: Installation, stop: threading.Event, dice: random.Random) -> int:
    kills = 0
    with place.worker() as steady:
        while not stop.is_set() and kills < KILLS:
            with place.worker() as doomed:
                stop.wait(1 + dice.random() * 2)
                doomed.kill()
                kills += 1
        stop.wait(300)
        assert steady.process.poll() is None
    return kills


@pytest.mark.timeout(10 * PATIENCE_SECONDS if LONG else 3 * PATIENCE_SECONDS)
def test_a_listener_that_is_cut_and_resumes_hears_of_every_job_once(door: Server, place: Installation) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # a failing run is run again with its seed
    dice = random.Random(seed)
    trace = door.ingest(hospital())
    after = door.ask(LATEST)["events"]["latestCursor"]
    listener, stop, kills = _Listener(door, after, JOBS, dice), threading.Event(), []
    killer = threading.Thread(target=lambda: kills.append(_kill_now_and_then(place, stop, dice)), daemon=True)
    killer.start()
    listener.start()
    started = [door.start(trace) for _ in range(JOBS)]
    listener.join(9 * PATIENCE_SECONDS)
    stop.set()
    killer.join(60)
    assert listener.failure is None, listener.failure
    assert kills == [KILLS]
    assert listener.cuts >= CUTS
    heard = Counter(job for job, _, _ in listener.heard)
    assert heard == Counter(dict.fromkeys(started, 1))
    completed = [output for _, output, _ in listener.heard if output is not None]
    assert listener.readable == len(completed)
    edges = door.ask(OUTPUTS, id=trace)["lineage"]["edges"]
    outputs = [edge["source"]["id"] for edge in edges if edge["kind"] == "DERIVED_FROM"]
    assert Counter(outputs) == Counter(dict.fromkeys(completed, 1))
    assert len(completed) == JOBS


def test_two_listeners_hear_the_same_in_the_same_order(door: Server) -> None:
    after = door.ask(LATEST)["events"]["latestCursor"]
    trace = door.ingest(hospital())
    jobs = [door.start(trace) for _ in range(5)]
    told: list[list[str]] = []
    for _ in range(2):
        with door.listen(COMPLETED, after=after) as events:
            told.append([next(events)["jobCompleted"]["cursor"] for _ in range(len(jobs) + 1)])
    assert told[0] == told[1]
    assert len(set(told[0])) == len(told[0])


def test_a_listener_survives_the_servers_death_with_its_cursor(new_installation: NewInstallation) -> None:
    place = new_installation(lease_seconds="2")
    with place.server() as first:
        trace = first.ingest(hospital())
        after = first.ask(LATEST)["events"]["latestCursor"]
        jobs = [first.start(trace) for _ in range(4)]
        first.program.kill()
    with place.server() as second, second.listen(COMPLETED, after=after) as events:
        heard = {next(events)["jobCompleted"]["jobId"] for _ in jobs}
    assert heard == set(jobs)


def test_a_subscription_without_an_answer_format_is_refused(door: Server) -> None:
    response = door.http.post("/graphql", json={"query": "subscription { jobCompleted { cursor } }"})
    assert 400 <= response.status_code < 500
    assert response.json()["errors"][0]["extensions"]["code"]
