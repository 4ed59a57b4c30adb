"""What is measured, part by part."""

import asyncio
import itertools
import os
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, assert_never

from benchmarks import captures, deidentification
from benchmarks.contenders import (
    COPY,
    DEBIAN,
    DEIDENTIFY,
    NEWER,
    PREVIEW,
    REWRITE,
    REWRITTEN,
    VERIFY,
    Contender,
    Failed,
    WarmEngine,
    contenders,
)
from benchmarks.limits import COLD, DICOM_PEAK, PAIRED, PEAK, PREVIEWED, PROOF, RATE, SECONDS, Part, versus
from benchmarks.rounds import Times, run_rounds, timed
from benchmarks.traffic import Mix, Traffic
from gql_server.domain.anonymization import AddressMapping
from gql_server.domain.jobs import Progress
from gql_server.engine.tasks import AnonymizeTask
from gql_server.services.children import ChildPool

_PACKETS: Final = {Mix.IMIX: 1_000_000, Mix.LARGE: 300_000, Mix.UNIQUE: 1_000_000}
_STREAM_BYTES: Final = 6 << 30
_PCAP_HEADER: Final = 24
_FEW_PACKETS: Final = 10_000
_MEGA: Final = 1_000_000
_AGAINST: Final = (COPY, DEBIAN, NEWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where and how to measure."""

    directory: Path
    kernel_root: Path
    core: int
    rounds: int
    scale: float

    def packets(self, mix: Mix) -> int:
        """Return how many packets a capture gets."""
        return max(1, int(_PACKETS[mix] * self.scale))

    def capture(self, mix: Mix, suffix: str = "pcap") -> Path:
        """Return a capture, made when it is first asked for."""
        path = self.directory / f"{mix}.{suffix}"
        if not path.exists():
            traffic = Traffic(mix, packets=self.packets(mix))
            (captures.pcap if suffix == "pcap" else captures.pcapng)(traffic).tofile(path)
        return path

    def fresh(self, name: str) -> Path:
        """Return an empty directory."""
        path = self.directory / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A table for people, and figures for the limits."""

    table: list[str]
    figures: dict[str, float] = field(default_factory=dict)


def measure(bench: Bench, part: Part) -> Measured:
    """Measure one part."""
    match part:
        case Part.STREAM:
            return _stream(bench)
        case Part.START:
            return _start(bench)
        case Part.PAIR:
            return _pair(bench)
        case Part.CT | Part.CT_LARGE | Part.ELEMENTS | Part.PREVIEW:
            return _dicom(bench, part)
        case Part.IMIX | Part.LARGE | Part.UNIQUE | Part.PCAPNG:
            return _captures(bench, *_CAPTURE_OF[part])
        case _:
            assert_never(part)


_CAPTURE_OF: Final = {
    Part.IMIX: (Mix.IMIX, "pcap"),
    Part.LARGE: (Mix.LARGE, "pcap"),
    Part.UNIQUE: (Mix.UNIQUE, "pcap"),
    Part.PCAPNG: (Mix.IMIX, "pcapng"),
}


def _captures(bench: Bench, mix: Mix, suffix: str) -> Measured:
    source = bench.capture(mix, suffix)
    with WarmEngine(bench.kernel_root, core=bench.core) as engine:
        engine.do("rewrite", source, bench.fresh(REWRITTEN))
        all_of_them = contenders(engine)
        times = run_rounds(all_of_them, source, bench.directory / "output", rounds=bench.rounds)
        found = engine.do("rewrite", source, bench.fresh("checked")).packets
        proven = engine.do("verify", source, bench.directory).packets
    packets, size = bench.packets(mix), source.stat().st_size
    if found != packets:
        raise Failed(f"the engine found {found} packets in {source.name}, not {packets}")
    if proven != packets:
        # Its speed says nothing then.
        times.by_name.pop(VERIFY)
    title = f"{source.name}: {packets} packets, {size / _MEGA:.0f} MB"
    rows = [_row(times, contender, packets, size) for contender in all_of_them]
    figures = {RATE: packets / times.least(REWRITE) / _MEGA}
    for name, against in itertools.permutations(times.by_name, 2):
        if (speed := times.speed(name, against)) is not None:
            figures[versus(name, against)] = speed.least
    return Measured(table=[title, _HEAD, *rows], figures=figures)


_HEAD: Final = f"  {'':24}{'seconds (median)':>18}{'Mpkt/s':>9}{'MB/s':>9}" + "".join(
    f"{'x ' + name:>24}" for name in _AGAINST
)


def _row(times: Times, contender: Contender, packets: int, size: int) -> str:
    if contender.absent or contender.name not in times.by_name:
        return f"  {contender.name:24}  left out: {contender.absent or 'it did not do its work'}"
    least = times.least(contender.name)
    cells = f"{f'{least:.3f} ({times.median(contender.name):.3f})':>18}"
    cells += f"{packets / least / _MEGA:9.2f}{size / least / _MEGA:9.0f}"
    speeds = (times.speed(contender.name, against) for against in _AGAINST)
    return f"  {contender.name:24}{cells}" + "".join(
        f"{'-' if s is None else f'{s.least:.2f} ({s.median:.2f})':>24}" for s in speeds
    )


def _stream(bench: Bench) -> Measured:
    """Send a long capture, mixed and all-unique packets by turns, through a named pipe; nothing of it is stored."""
    bodies = [bench.capture(mix).read_bytes() for mix in (Mix.IMIX, Mix.UNIQUE)]
    pipe = bench.directory / "pipe"
    os.mkfifo(pipe)
    length = int(_STREAM_BYTES * bench.scale)
    feeder = threading.Thread(target=_feed, args=(pipe, bodies, length), daemon=True)
    feeder.start()
    with WarmEngine(bench.kernel_root, core=bench.core) as engine:
        rewriting = engine.do("stream", pipe, bench.fresh("survey"))
    feeder.join()
    unique = bench.capture(Mix.UNIQUE)
    with WarmEngine(bench.kernel_root, core=bench.core) as engine:
        engine.do("rewrite", unique, bench.fresh(REWRITTEN))
    with WarmEngine(bench.kernel_root, core=bench.core) as engine:
        proving = engine.do("verify", unique, bench.directory)
    peak, proof = rewriting.peak_bytes / _MEGA, proving.peak_bytes / _MEGA
    table = [
        f"stream: {rewriting.packets} packets through a pipe: a job holds {peak:.0f} MB at most",
        f"        {unique.name}: its proof holds {proof:.0f} MB at most",
    ]
    return Measured(table=table, figures={PEAK: peak, PROOF: proof})


def _feed(pipe: Path, bodies: list[bytes], length: int) -> None:
    with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as file:
        _write_all(file.fileno(), memoryview(bodies[0])[:_PCAP_HEADER])
        for body in itertools.cycle(bodies):
            _write_all(file.fileno(), memoryview(body)[_PCAP_HEADER:])
            length -= len(body)
            if length <= 0:
                return


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _start(bench: Bench) -> Measured:
    """Time a job without a process in waiting, up to its first window."""
    source = bench.directory / "few.pcap"
    captures.pcap(Traffic(Mix.IMIX, packets=_FEW_PACKETS)).tofile(source)
    seconds = asyncio.run(_starts(bench, source))[1:]
    worst = max(seconds)
    median = statistics.median(seconds)
    told = f"start: {median:.2f} s from asking for a child to its first window, {worst:.2f} s at worst"
    return Measured(table=[told], figures={COLD: median})


async def _starts(bench: Bench, source: Path) -> list[float]:
    seconds = []
    async with ChildPool(bench.kernel_root, warm=0) as pool:
        for _ in range(bench.rounds + 1):
            output = bench.fresh("start")
            told: list[float] = []
            begun = time.perf_counter()

            def note(_: Progress, told: list[float] = told) -> None:
                told.append(time.perf_counter())

            await pool.run(_anonymization(source, output), on_progress=note, time_limit=timedelta(minutes=5))
            seconds.append(told[0] - begun)
    return seconds


def _anonymization(source: Path, output: Path) -> AnonymizeTask:
    return AnonymizeTask(
        source=source,
        output_directory=output,
        mapping=AddressMapping.IPCRYPT_PFX,
        rules=(),
        key=bytes(32),
        memory_bytes=512 << 20,
    )


def _dicom(bench: Bench, part: Part) -> Measured:
    """Measure a de-identification by processor time: what else runs on the core counts for nothing then."""
    write, work, what = _DICOM[part]
    source = write(bench.directory, bench.scale)
    with WarmEngine(bench.kernel_root, core=bench.core) as engine:
        found = deidentification.cost(engine, work, source, bench.directory / "output", rounds=bench.rounds)
    size = source.stat().st_size
    table = [f"{source.name}: {size / _MEGA:.1f} MB", deidentification.row(f"engine: {work}", found, size)]
    source.unlink()
    return Measured(table=table, figures={what: found.seconds, DICOM_PEAK: found.peak_bytes / _MEGA})


_DICOM: Final = {
    Part.CT: (deidentification.images, DEIDENTIFY, SECONDS),
    Part.CT_LARGE: (deidentification.many_images, DEIDENTIFY, SECONDS),
    Part.ELEMENTS: (deidentification.polls, DEIDENTIFY, SECONDS),
    Part.PREVIEW: (deidentification.few_polls, PREVIEW, PREVIEWED),
}


def _pair(bench: Bench) -> Measured:
    """Compare two tasks at once, a core each, with one; any other load on either core shows."""
    cores = sorted({bench.core, *_other_cores(bench.core)})[:2]
    if len(cores) < 2:  # noqa: PLR2004  # a pair
        return Measured(table=["pair: left out: there is only one core"])
    source = bench.capture(Mix.IMIX)
    one, two = (bench.directory / name for name in ("one", "two"))
    with WarmEngine(bench.kernel_root, core=cores[0]) as first, WarmEngine(bench.kernel_root, core=cores[1]) as second:
        workers = ((first, one), (second, two))
        ratios = []
        for _ in range(bench.rounds + 1):
            alone = timed(lambda: first.do("task", source, one), one)
            ratios.append(timed(lambda: _both(workers, source), one, two) / alone)
    ratio = statistics.median(ratios[1:])
    return Measured(table=[f"pair: two traces at once took {ratio:.2f} x one"], figures={PAIRED: ratio})


def _both(workers: tuple[tuple[WarmEngine, Path], ...], source: Path) -> None:
    for engine, directory in workers:
        engine.begin("task", source, directory)
    for engine, _ in workers:
        engine.finish()


def _other_cores(core: int) -> Iterator[int]:
    return (other for other in range(os.cpu_count() or 1) if other != core)
