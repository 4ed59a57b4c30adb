"""The API's event loop: never stalled, whatever the workers do."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys.conftest import NewInstallation
from tests.journeys.doors import COMPLETED, Program, Server, await_true, free_port
from tests.journeys.material import repeated

TRACES = 8
STALL_SECONDS = 0.1
RUNS = 3
SLOWER = 3
"""Where the machine stalls a server that does nothing, ours may take so many times as long."""
FROZEN = 50_000
"""So many objects at least are built at start."""
PROBE = json.dumps({"query": "{ __typename }"})


class _Probe(threading.Thread):
    """Asks the smallest query over one connection, again and again, and keeps the times."""

    def __init__(self, whose: str, url: str) -> None:
        super().__init__(name=whose, daemon=True)
        self.times: list[float] = []
        self.stop = threading.Event()
        self._address = urlsplit(url).netloc

    def run(self) -> None:
        with closing(http.client.HTTPConnection(self._address, timeout=30)) as connection:
            while not self.stop.is_set():
                begun = time.perf_counter()
                connection.request("POST", "/graphql", PROBE, {"Content-Type": "application/json"})
                connection.getresponse().read()
                self.times.append(time.perf_counter() - begun)
                time.sleep(0.005)

    def end(self) -> float:
        """Stop, print the figures and return the longest time in seconds."""
        self.stop.set()
        self.join()
        median, worst = sorted(self.times)[len(self.times) // 2], max(self.times)
        print(f"{self.name}: {len(self.times)} probes, median {median * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms")  # noqa: T201  # the figure
        return worst


@contextmanager
def _idle_server(log: Path) -> Iterator[str]:
    """Run a server that does nothing and return its URL."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.limits.idle:app", "--port", str(port), "--log-level", "warning"]
    with log.open("ab") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            await_true(lambda: _answers(port), what="an idle server")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        try:
            connection.request("POST", "/", PROBE)
        except ConnectionRefusedError:
            return False
        return connection.getresponse().status == http.HTTPStatus.OK


def _work(server: Server, traces: list[str], after: str) -> None:
    jobs = {server.start(trace) for trace in traces}
    ended: set[str] = set()
    with server.listen(COMPLETED, after=after) as events:
        while not jobs <= ended:
            event = next(events)["jobCompleted"]
            assert event["error"] is None
            ended.add(event["jobId"])


def _measure(server: Server, idle: str, traces: list[str], after: str) -> tuple[float, float]:
    """Return the longest answers of ours and of the server that does nothing while jobs run, in seconds."""
    probes = [_Probe("ours", server.url), _Probe("idle", idle)]
    for probe in probes:
        probe.start()
    _work(server, traces, after)
    ours, machines = (probe.end() for probe in probes)
    return ours, machines


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory where each process that is told to writes how many objects its collector leaves alone."""
    directory = tmp_path / "settled"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(f"""
import gc, os, pathlib, signal
directory = pathlib.Path({str(directory)!r})
def tell(*_):
    new = directory / f"{{os.getpid()}}.new"
    new.write_text(str(gc.get_freeze_count()))
    new.rename(new.with_suffix(".count"))
signal.signal(signal.SIGUSR1, tell)
""")
    monkeypatch.setenv("PYTHONPATH", str(directory))
    return directory


def _settled_count(directory: Path, program: Program) -> int:
    told = directory / f"{program.process.pid}.count"
    program.process.send_signal(signal.SIGUSR1)
    await_true(told.exists, what="a count")
    return int(told.read_text())


def _is_stalled(ours: float, machines: float) -> bool:
    return ours >= max(STALL_SECONDS, SLOWER * machines)


def test_eight_traces_on_two_workers_do_not_stall_the_api(new_installation: NewInstallation, settled: Path) -> None:
    """The API is a process of its own here, as are both workers; all share the machine's processors.

    A stall of ours comes every time; one of the machine's may come once, so up to three runs are made, and a server
    that does nothing is asked beside ours. A full collection of what is built at start would be one that comes rarely,
    so that is looked at by itself.
    """
    place = new_installation(lease_seconds="5", worker_slots="1")
    programs = place.server("--no-worker"), place.worker(), place.worker()
    with programs[0] as server, programs[1] as one, programs[2] as other, _idle_server(place.log) as idle:
        body = repeated(300)
        after = server.ask("{ events(first: 1) { latestCursor } }")["events"]["latestCursor"]
        traces = [server.ingest(body) for _ in range(TRACES)]
        for _ in range(RUNS):
            ours, machines = _measure(server, idle, traces, after)
            if not _is_stalled(ours, machines):
                break
        else:
            raise AssertionError(f"the worst probe took {ours:.3f} s, of a server that does nothing {machines:.3f} s")
        assert min(_settled_count(settled, program) for program in (server.program, one, other)) > FROZEN


@pytest.mark.parametrize(
    ("ours", "machines", "stalled"),
    [(0.09, 0.001, False), (0.11, 0.02, True), (0.26, 0.1, False), (0.31, 0.1, True), (0.1, 0.0, True)],
)
def test_a_stall_of_the_machine_is_none_of_ours(ours: float, machines: float, *, stalled: bool) -> None:
    assert _is_stalled(ours, machines) == stalled
