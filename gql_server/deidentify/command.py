"""The command deidentify: options in, an exit status out."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from gql_server.deidentify.choices import addresses_of, dicom_of
from gql_server.deidentify.lines import read_overrides, read_rules
from gql_server.deidentify.orders import Order, check_distinct, read_key, read_source, read_target
from gql_server.deidentify.staging import private_directory, spool
from gql_server.deidentify.working import Bounds, Outcome, open_pool, publish, work
from gql_server.domain.errors import InvalidInput, SetupError
from gql_server.settings import Settings

_ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP)


def run_deidentify(settings: Settings, options: argparse.Namespace) -> int:
    """Carry out the command; returns the exit status.

    Raises:
        GqlServerError: it could not be done; no output is left.
        KeyboardInterrupt: a signal ended it; no output is left.
    """
    # One line on standard error says what went wrong; it is the caller's.
    logging.getLogger().setLevel(logging.CRITICAL)
    with _ended_by_signals():
        order = _order(options)
        bounds = _bounds(settings)
        with private_directory(order.target) as staging:
            source = order.source
            if source is None or order.comes_once:
                spool(source, staging / "received")
                source = staging / "received"
            outcome = asyncio.run(_work(order, bounds, source, staging))
            publish(order, outcome)
    _tell(outcome)
    return 0


async def _work(order: Order, bounds: Bounds, source: Path, staging: Path) -> Outcome:
    async with open_pool(bounds) as pool:
        return await work(order, bounds, pool, source, staging)


def _order(options: argparse.Namespace) -> Order:
    source, target = read_source(options.source), read_target("OUT", options.target)
    report = read_target("--report", options.report) if options.report is not None else None
    if options.report is not None and report is None:
        raise InvalidInput(field="--report", reason="the standard output is for the capture")
    check_distinct(source, target, report)
    if source is None and os.isatty(0):
        raise InvalidInput(field="IN", reason="the standard input is a terminal")
    if target is None and os.isatty(1):
        raise InvalidInput(field="OUT", reason="the standard output is a terminal")
    return Order(
        source=source,
        target=target,
        report=report,
        addresses=addresses_of(options),
        dicom=dicom_of(options),
        rules=read_rules(options.rules),
        overrides=read_overrides(options.overrides),
        key=read_key(options.key_file),
        key_is_given=options.key_file is not None,
    )


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        kernel_root=kernel_root(settings.directory / "kernels", os.environ),
        memory_bytes=settings.job_memory_mebibytes << 20,
        unpacked_bytes=settings.unpacked_bytes,
        unpacked_ratio=settings.unpacked_ratio,
        time=settings.job_time,
    )


def kernel_root(of_server: Path, environment: Mapping[str, str]) -> Path:
    """Return where compiled code is kept: the server's place where this user has a server, else the user's cache.

    Raises:
        SetupError: this user has neither.
    """
    # Code from a directory that another user may write is never run.
    if of_server.is_dir() and of_server.stat().st_uid == os.geteuid() and os.access(of_server, os.W_OK):
        return of_server
    if cache := environment.get("XDG_CACHE_HOME"):
        return Path(cache) / "gql-server" / "kernels"
    try:
        return Path.home() / ".cache" / "gql-server" / "kernels"
    except RuntimeError as error:
        raise SetupError(advice="There is no home directory to keep compiled code in: set XDG_CACHE_HOME") from error


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have the signals that end a program end it as Ctrl-C does, with everything cleaned up."""
    known = {number: signal.getsignal(number) for number in _ENDINGS}
    for number, handler in known.items():
        # Who starts us under nohup means it.
        if handler is not signal.SIG_IGN:
            signal.signal(number, _end_as_by_ctrl_c)
    try:
        yield
    finally:
        for number, handler in known.items():
            signal.signal(number, handler)


def _end_as_by_ctrl_c(_: int, frame: FrameType | None) -> None:
    # The event loop has its own way to end by Ctrl-C: it cancels the work and lets it clean up.
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


def _tell(outcome: Outcome) -> None:
    if sys.stderr.isatty():
        summary = outcome.made.summary
        proof = outcome.verification
        told = ", ".join((proof.status, *proof.reasons))
        sys.stderr.write(f"{summary.packets} packets, {summary.size_bytes} bytes, SHA-256 {summary.sha256}\n{told}\n")
