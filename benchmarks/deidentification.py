"""What de-identifying DICOM costs: processor seconds, memory."""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import dialogues, repetition
from benchmarks.contenders import Answer, Failed, WarmEngine
from benchmarks.dialogues import Dialogue
from benchmarks.rounds import timed

_MEGA: Final = 1_000_000
_LARGE_BYTES: Final = 1000 * _MEGA
_BYTES: Final = 100 * _MEGA
_PREVIEW_BYTES: Final = 520_000
"""Of the dense capture: a few more than ten thousand elements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a work cost: the least over the rounds, and the median."""

    seconds: float
    """Of a processor, at least."""
    median: float
    peak_bytes: int
    packets: int


def images(directory: Path, scale: float) -> Path:
    """Write 100 MB of CT images into one file."""
    return _written(dialogues.store(), directory / "ct.pcap", int(_BYTES * scale))


def many_images(directory: Path, scale: float) -> Path:
    """Write 1 GB of CT images into one file."""
    return _written(dialogues.store(), directory / "ct-large.pcap", int(_LARGE_BYTES * scale))


def polls(directory: Path, scale: float) -> Path:
    """Write 100 MB of queries and procedure steps, dense with elements."""
    return _written(dialogues.polling(), directory / "elements.pcap", int(_BYTES * scale))


def few_polls(directory: Path, scale: float) -> Path:
    """Write what a person would look through before a job."""
    return _written(dialogues.polling(), directory / "preview.pcap", int(_PREVIEW_BYTES * scale))


def _written(dialogue: Dialogue, path: Path, size: int) -> Path:
    if not path.exists():
        repetition.write(dialogue, path, size=size)
    return path


def cost(engine: WarmEngine, work: str, source: Path, output: Path, *, rounds: int) -> Cost:
    """Have a work done again and again; the first time warms up.

    Raises:
        Failed: It did not do its work.
    """
    answers: list[Answer] = []

    def do() -> None:
        answers.append(engine.do(work, source, output))

    for _ in range(rounds + 1):
        timed(do, output)
    seconds = [one.seconds for one in answers[1:]]
    if not answers[-1].packets:
        raise Failed(f"the engine found nothing in {source.name}")
    return Cost(
        seconds=min(seconds),
        median=statistics.median(seconds),
        peak_bytes=max(one.peak_bytes for one in answers),
        packets=answers[-1].packets,
    )


def row(what: str, found: Cost, size: int) -> str:
    """Return a line of the table."""
    return (
        f"  {what:24}{found.seconds:9.2f} s at least, {found.median:.2f} s in the middle,"
        f" {size / found.seconds / _MEGA:.0f} MB/s, {found.peak_bytes / _MEGA:.0f} MB held"
    )
