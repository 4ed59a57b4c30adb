"""The measurements, all by one command.

    python -m benchmarks                 everything but what takes 3 GB of memory
    python -m benchmarks imix --rounds 9 one capture, more rounds
    python -m benchmarks ct-large        the largest one

Captures are made in memory (tmpfs) and removed afterwards; nothing is fetched, and programs that are not installed are
left out with a word.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import figures
from benchmarks.contenders import Failed
from benchmarks.limits import LIMITS, ON_REQUEST, Limit, Part

_MEMORY_FILES: Final = Path("/dev/shm")  # noqa: S108  # the tmpfs of every Linux; a directory of our own is made in it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; returns 1 under --strict when a figure is out of its bound or missing."""
    options = _parser().parse_args(arguments)
    os.sched_setaffinity(0, {options.core})
    parent = _MEMORY_FILES if _MEMORY_FILES.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="gql-server-benchmarks-", dir=parent) as directory:
        bench = figures.Bench(
            directory=Path(directory),
            kernel_root=Path(tempfile.gettempdir()) / f"gql-server-kernels-{os.geteuid()}",
            core=options.core,
            rounds=options.rounds,
            scale=options.scale,
        )
        _say(f"core {options.core}, {options.rounds} rounds, load {os.getloadavg()[0]:.1f} of {os.cpu_count()}\n")
        parts = options.parts or [part for part in Part if part not in ON_REQUEST]
        try:
            kept = [_show(bench, part) for part in parts]
        except Failed as error:
            _say(f"{error}\n")
            return 1
    return 1 if options.strict and not all(kept) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure the engine beside other programs.")
    parser.add_argument(
        "parts", nargs="*", type=Part, metavar="PART", help=f"of {', '.join(Part)}; all but ct-large when none"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="rounds that count (7)")
    parser.add_argument("--core", type=int, default=0, metavar="N", help="core that everything is pinned to (0)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="size of the captures (1.0)")
    parser.add_argument("--strict", action="store_true", help="fail when a figure is out of its bound or missing")
    return parser


def _show(bench: figures.Bench, part: Part) -> bool:
    """Measure one part, print it, and say whether it keeps all of its bounds."""
    measured = figures.measure(bench, part)
    for line in measured.table:
        _say(f"{line}\n")
    verdicts = [_judge(limit, measured.figures.get(limit.what)) for limit in LIMITS if limit.part is part]
    _say("\n")
    return all(verdicts)


def _judge(limit: Limit, figure: float | None) -> bool:
    verdict = limit.verdict(figure)
    told = "" if figure is None else f"{figure:.2f} {limit.unit}, "
    bound = f"at {'most' if limit.at_most else 'least'} {limit.bound:g} {limit.unit}"
    _say(f"  {limit.what}: {told}{bound}: {verdict}\n")
    return verdict == "ok"


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
