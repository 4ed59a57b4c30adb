"""The task that de-identifies DICOM, and addresses with it.

A capture is copied, its DICOM rewritten in the copy, and the copy read once more into the output: on that way addresses
are rewritten too, if they are to be.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gql_server.domain.anonymization import AnonymizationParameters, AnonymizationReport
from gql_server.domain.dicom import CONFIDENTIALITY_EDITION, DOES_NOT_CLAIM, DatePolicy, DicomReport
from gql_server.engine.addresses.mapping import AddressMap
from gql_server.engine.addresses.rewriter import Rewriter
from gql_server.engine.capture.records import TOTAL_DROPPED
from gql_server.engine.capture.source import PlainSource
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.dicom.image import CaptureImage, Settled
from gql_server.engine.dicom.policy import Policy
from gql_server.engine.dicom.rewriting import Rewriting
from gql_server.engine.dicom.tasks import Deidentified, DeidentifyTask
from gql_server.engine.dicom.times import shift_times
from gql_server.engine.inspect.storing import store_capture
from gql_server.engine.tasks import Progressed

_WORKING_NAME: Final = "capture.working"

Progress = Callable[[Progressed], None]


def deidentify(task: DeidentifyTask, progress: Progress) -> Deidentified:
    """Carry out a de-identify task.

    Raises:
        CaptureError: the source is no capture.
        RulesError: the address rules contradict themselves.
        DicomError: its DICOM cannot be de-identified as asked.
    """
    working = task.output_directory / _WORKING_NAME
    try:
        return _write_out(task, working, _rewrite_dicom(task, working, progress), progress)
    finally:
        working.unlink(missing_ok=True)


class _Rewritten(NamedTuple):
    """What is known once the DICOM is rewritten."""

    report: DicomReport
    overridden: tuple[str, ...]
    """Paths of the elements that overrides decided about."""
    dropped: int
    """Blocks of the source that the working copy does not have."""


def _rewrite_dicom(task: DeidentifyTask, working: Path, progress: Progress) -> _Rewritten:
    policy = Policy(task.dicom, task.key, task.overrides)
    rewriting = Rewriting(policy, task.dicom.damage)
    size = task.source.stat().st_size

    def copied(done: int, _: int) -> None:
        progress(Progressed(packets=0, bytes_done=done // 4, bytes_total=size))

    with CaptureImage(task.source, working, foreign=task.dicom.foreign, progress=copied) as image:
        done = 0
        for connection in image.connections:
            rewriting.rewrite(connection)
            done = min(size, done + sum(stream.end for stream in connection.streams))
            progress(Progressed(packets=0, bytes_done=size // 4 + done // 2, bytes_total=size))
        settled = image.settle()
        if task.dicom.dates is DatePolicy.SHIFT:
            _shift(image, working, policy.shift_days)
        dropped = int(image.windows.totals[TOTAL_DROPPED])
    return _Rewritten(_report(rewriting, settled), policy.overridden, dropped)


def _shift(image: CaptureImage, working: Path, days: int) -> None:
    source = PlainSource(working)
    try:
        shift_times(image.octets, CaptureWindows(source, strip=True), days)
    finally:
        source.close()


def _report(rewriting: Rewriting, settled: Settled) -> DicomReport:
    tally = rewriting.tally()
    return DicomReport(
        edition=CONFIDENTIALITY_EDITION,
        associations=rewriting.associations,
        encrypted=rewriting.encrypted,
        messages=dict(sorted(rewriting.messages.items())),
        data_sets=rewriting.data_sets,
        elements=tally.elements(),
        pixels=tally.pixels(),
        unreadable=tally.unreadable(),
        bytes_dicom=settled.bytes_dicom,
        bytes_foreign=settled.bytes_foreign,
        packets_rewritten=settled.packets_rewritten,
        checksums_left=settled.checksums_left,
        overrides_used=rewriting.policy.overrides_used,
        overrides_unused=rewriting.policy.overrides_unused,
        does_not_claim=DOES_NOT_CLAIM,
    )


def _write_out(task: DeidentifyTask, working: Path, rewritten: _Rewritten, progress: Progress) -> Deidentified:
    rewriter = None if task.addresses is None else _rewriter(task, task.addresses)
    size = task.source.stat().st_size
    source = PlainSource(working)
    try:
        windows = CaptureWindows(source, strip=True)

        def tell() -> None:
            # The working copy is shorter than what it was stripped of, which is what is counted.
            rest = size // 4 * (source.size - source.position) // source.size
            progress(Progressed(packets=windows.packets, bytes_done=size - rest, bytes_total=size))

        output = task.output_directory / windows.format.file_name
        change = None if rewriter is None else rewriter.rewrite
        summary, survey = store_capture(windows, output, tell, change=change)
    finally:
        source.close()
    addresses: AnonymizationReport | None = None
    if rewriter is not None:
        addresses = rewriter.report(windows.packets, rewritten.dropped)
    # Its tables go before the survey needs room to sort.
    del rewriter, change
    return Deidentified(
        summary=summary,
        report=rewritten.report,
        addresses=addresses,
        inspection=survey.finish(task.output_directory),
        overridden=rewritten.overridden,
    )


def _rewriter(task: DeidentifyTask, asked: AnonymizationParameters) -> Rewriter:
    addresses = AddressMap(task.key, asked.mapping, task.rules, mac_mapping=asked.mac_mapping)
    return Rewriter(addresses, payload=asked.payload, names=asked.names)
