"""The work itself: children check, rewrite and hand over.

    IN ─▶ InspectTask ─▶ AnonymizeTask or DeidentifyTask ─▶ VerifyTask ─▶ report ─▶ OUT, by rename

The children are the server's own (`services/children.py`); key and rules reach them by pipe alone.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn
from rich.progress import Progress as Bar

from gql_server import __version__
from gql_server.deidentify.orders import Order
from gql_server.domain.errors import InvalidInput, SetupError, StorageError, VerificationFailed
from gql_server.domain.jobs import Progress
from gql_server.domain.traces import CaptureSummary
from gql_server.domain.verification import Verification, VerificationStatus
from gql_server.engine.dicom.tasks import Deidentified, DeidentifyTask
from gql_server.engine.tasks import Anonymized, AnonymizeTask, Inspected, InspectTask, Result, Task, Verified
from gql_server.services.children import ChildPool
from gql_server.services.verification import require_sound, verify_task
from gql_server.store.durable_files import storing, sync_directory, write_durably

REPORT_VERSION: Final = 1
_COPY_BYTES: Final = 1 << 20
_PRIVATE: Final = 0o600
_TASKS: Final = 3
"""To check, to rewrite, to prove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a run may use."""

    kernel_root: Path
    memory_bytes: int
    unpacked_bytes: int
    unpacked_ratio: int
    time: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was made, not yet published."""

    file: Path
    original: CaptureSummary
    made: Anonymized | Deidentified
    verification: Verification


async def work(order: Order, bounds: Bounds, pool: ChildPool, source: Path, staging: Path) -> Outcome:
    """Make the output in the staging directory.

    Raises:
        GqlServerError: the capture cannot be read or rewritten, or needs more than the bounds allow.
        VerificationFailed: the output did not pass, or bytes stayed that the second reader cannot account for.
        InvalidInput: it changed meanwhile, so what was checked is not what was rewritten.
    """
    before = _state(source)
    original, output = staging / "original", staging / "output"
    for directory in (original, output):
        directory.mkdir(mode=0o700)
    with _bar() as bar:

        async def run(task: Task, told: str) -> Result:
            return await pool.run(task, on_progress=bar(told), time_limit=bounds.time)

        inspected = await run(_inspection(bounds, source, original), "Checking")
        assert isinstance(inspected, Inspected)
        capture = original / inspected.summary.format.file_name
        rewriting = _rewriting(order, bounds, capture, output)
        made = await run(rewriting, "Rewriting")
        assert isinstance(made, Anonymized | Deidentified)
        file = output / made.summary.format.file_name
        overridden = made.overridden if isinstance(made, Deidentified) else ()
        verified = await run(verify_task(rewriting, file, overridden), "Proving")
        assert isinstance(verified, Verified)
    if _state(source) != before:
        raise InvalidInput(field="IN", reason="it changed while it was read")
    verification = require_sound(verified.verification)
    if verification.status is VerificationStatus.UNVERIFIABLE:
        # A server's trace carries its status for all to see; a file carries nothing.
        raise VerificationFailed(reason=verification.reasons[0])
    return Outcome(file=file, original=inspected.summary, made=made, verification=verification)


def _state(path: Path) -> tuple[int, int]:
    known = path.stat()
    return known.st_size, known.st_mtime_ns


def open_pool(bounds: Bounds) -> ChildPool:
    """Return the pool of children, not yet entered.

    Raises:
        SetupError: there is no place for compiled code.
    """
    try:
        return ChildPool(bounds.kernel_root, warm=1, tasks=_TASKS)
    except OSError as error:
        advice = f"Compiled code cannot be kept in {bounds.kernel_root} ({error.strerror}): set XDG_CACHE_HOME"
        raise SetupError(advice=advice) from error


def _inspection(bounds: Bounds, source: Path, directory: Path) -> InspectTask:
    return InspectTask(
        source=source,
        output_directory=directory,
        unpacked_limit_bytes=bounds.unpacked_bytes,
        unpacked_ratio=bounds.unpacked_ratio,
        memory_bytes=bounds.memory_bytes,
    )


def _rewriting(order: Order, bounds: Bounds, capture: Path, directory: Path) -> AnonymizeTask | DeidentifyTask:
    if order.dicom is not None:
        return DeidentifyTask(
            source=capture,
            output_directory=directory,
            dicom=order.dicom,
            overrides=order.overrides,
            addresses=order.addresses,
            rules=order.rules,
            key=order.key,
            memory_bytes=bounds.memory_bytes,
        )
    assert order.addresses is not None
    return AnonymizeTask(
        source=capture,
        output_directory=directory,
        mapping=order.addresses.mapping,
        mac_mapping=order.addresses.mac_mapping,
        payload=order.addresses.payload,
        names=order.addresses.names,
        rules=order.rules,
        key=order.key,
        memory_bytes=bounds.memory_bytes,
    )


@contextmanager
def _bar() -> Iterator[Callable[[str], Callable[[Progress], None]]]:
    """Show how far it is, on a terminal alone."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), DownloadColumn())
    with Bar(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:

        def begin(told: str) -> Callable[[Progress], None]:
            task = bar.add_task(told, total=None)
            return lambda progress: bar.update(task, total=progress.bytes_total, completed=progress.bytes_done)

        yield begin


def report_of(order: Order, outcome: Outcome) -> dict[str, Any]:
    """Return what was done, in counts, digests and choices; it holds no address, no key and no value of a data set."""
    report: dict[str, Any] = {
        "version": REPORT_VERSION,
        "code_version": __version__,
        "key": "GIVEN" if order.key_is_given else "FORGOTTEN",
        "input": asdict(outcome.original),
        "output": asdict(outcome.made.summary),
        "verification": asdict(outcome.verification),
    }
    made = outcome.made
    addresses = made.addresses if isinstance(made, Deidentified) else made.report
    if order.addresses is not None and addresses is not None:
        choices = asdict(order.addresses)
        del choices["version"]
        report |= choices | {"rules": len(order.rules), "counts": asdict(addresses)}
    if order.dicom is not None and isinstance(made, Deidentified):
        choices = asdict(order.dicom)
        del choices["version"]
        report["dicom"] = {"options": choices, "overrides": len(order.overrides), **asdict(made.report)}
    return report


def publish(order: Order, outcome: Outcome) -> None:
    """Hand over the report, then the output: whoever finds the output finds all of it.

    Raises:
        StorageError: the disk refuses.
        InvalidInput: the standard output is closed.
    """
    if order.report is not None:
        body = json.dumps(report_of(order, outcome), indent=2).encode() + b"\n"
        with storing():
            write_durably(order.report, body, mode=_PRIVATE)
    try:
        if order.target is None:
            _copy_out(outcome.file)
        else:
            with storing():
                outcome.file.rename(order.target)
                sync_directory(order.target.parent)
    except BaseException:
        if order.report is not None:
            order.report.unlink(missing_ok=True)
        raise


def _copy_out(path: Path) -> None:
    try:
        with storing(), path.open("rb") as file:
            while rest := memoryview(file.read(_COPY_BYTES)):
                while rest:
                    rest = rest[os.write(1, rest) :]
    except StorageError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise InvalidInput(field="OUT", reason="nobody reads the standard output any more") from error
        raise
