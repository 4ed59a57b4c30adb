"""The engine in a warm process: a line in, a capture done.

Run as: python -m benchmarks.warm_engine, with the environment of a child (`engine/kernels.py`). Each line names a work
of `WORKS`, a source and a directory for the output; the answer tells packets and the most memory ever held.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.contenders import DEIDENTIFY, PREVIEW, REWRITTEN
from gql_server.domain.anonymization import AddressMapping
from gql_server.domain.dicom import DicomParameters
from gql_server.domain.verification import AddressExpectation, MacExpectation, VerificationStatus
from gql_server.engine.addresses.anonymizing import anonymize
from gql_server.engine.addresses.mapping import AddressMap
from gql_server.engine.addresses.rewriter import Rewriter
from gql_server.engine.capture.output import CaptureOutput
from gql_server.engine.capture.source import PlainSource
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.dicom.tasks import DeidentifyTask, PreviewDicomTask
from gql_server.engine.inspect.inspecting import inspect
from gql_server.engine.inspect.summary import Summarizer
from gql_server.engine.inspect.survey import Survey
from gql_server.engine.tasks import AnonymizeTask, InspectTask, Progressed, VerifyTask
from gql_server.engine.verify.verifying import verify

_OUTPUT: Final = "capture"
_KEY: Final = bytes(range(32))
_MAPPING: Final = AddressMapping.IPCRYPT_PFX
_PREVIEWED: Final = 10_000
_MEMORY_BYTES: Final = 512 << 20
_UNPACKED_BYTES: Final = 1 << 40
_UNPACKED_RATIO: Final = 200


def _rewrite(source: Path, directory: Path) -> int:
    """Rewrite addresses, and nothing else."""
    return _rewrite_to(source, directory / _OUTPUT, None)


def _stream(source: Path, directory: Path) -> int:
    """Do what a job does with what comes through a pipe, and keep no capture."""
    survey = Survey()
    packets = _rewrite_to(source, None, survey)
    survey.finish(directory)
    return packets


def _rewrite_to(source: Path, output_path: Path | None, survey: Survey | None) -> int:
    rewriter, summarizer = Rewriter(AddressMap(_KEY, _MAPPING, ())), Summarizer()
    plain = PlainSource(source)
    try:
        windows = CaptureWindows(plain, strip=True)
        with CaptureOutput(output_path) as output:
            for window in windows:
                rewriter.rewrite(window)
                if survey is not None:
                    summarizer.add(window.data)
                    survey.add(window)
                output.write(window.data)
    finally:
        plain.close()
    return windows.packets


def _task(source: Path, directory: Path) -> int:
    """Do all that a job does: rewrite, digest, sum up, survey."""
    task = AnonymizeTask(
        source=source,
        output_directory=directory,
        mapping=_MAPPING,
        rules=(),
        key=_KEY,
        memory_bytes=_MEMORY_BYTES,
    )
    return anonymize(task, _ignore).summary.packets


def _inspect(source: Path, directory: Path) -> int:
    """Do all that a job does with a received file."""
    task = InspectTask(
        source=source,
        output_directory=directory,
        unpacked_limit_bytes=_UNPACKED_BYTES,
        unpacked_ratio=_UNPACKED_RATIO,
        memory_bytes=_MEMORY_BYTES,
    )
    return inspect(task, _ignore).summary.packets


def _verify(source: Path, _: Path) -> int:
    """Prove what became of the capture, as a job does; `REWRITTEN` was made before."""
    task = VerifyTask(
        source=source,
        output=source.parent / REWRITTEN / _OUTPUT,
        addresses=AddressExpectation.MAPPED,
        macs=MacExpectation.MAPPED,
        memory_bytes=_MEMORY_BYTES,
    )
    verification = verify(task, _ignore).verification
    if verification.status is VerificationStatus.FAILED:
        sys.stderr.write(f"{source.name}: the proof says {', '.join(verification.reasons)}\n")
        return 0
    return verification.interference.packets


def _deidentify(source: Path, directory: Path) -> int:
    """De-identify the DICOM of a capture, pixels zeroed, as a job does before the proof."""
    # As in a child, which loads this when it is needed: the memory of other works is measured without.
    from gql_server.engine.dicom.deidentifying import deidentify  # noqa: PLC0415  # see above

    task = DeidentifyTask(
        source=source,
        output_directory=directory,
        dicom=DicomParameters(),
        key=_KEY,
        memory_bytes=_MEMORY_BYTES,
    )
    return deidentify(task, _ignore).summary.packets


def _preview(source: Path, _: Path) -> int:
    """Show what would become of the elements of a capture."""
    from gql_server.engine.dicom.previewing import preview  # noqa: PLC0415  # as above

    task = PreviewDicomTask(
        source=source, dicom=DicomParameters(), key=_KEY, first=_PREVIEWED, memory_bytes=_MEMORY_BYTES
    )
    return preview(task, _ignore).total


def _ignore(_: Progressed) -> None:
    """Take what a task tells on its way."""


WORKS: dict[str, Callable[[Path, Path], int]] = {
    "rewrite": _rewrite,
    "task": _task,
    "inspect": _inspect,
    "verify": _verify,
    "stream": _stream,
    DEIDENTIFY: _deidentify,
    PREVIEW: _preview,
}
"""One line here and one in `contenders.py` measure another part of the engine."""


def _peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise OSError("no VmHWM")


def main() -> None:
    """Answer lines until the input ends."""
    os.write(1, b"{}\n")
    for line in sys.stdin:
        asked = json.loads(line)
        begun = time.process_time()
        packets = WORKS[asked["work"]](Path(asked["source"]), Path(asked["directory"]))
        answer = {"packets": packets, "peak_bytes": _peak_bytes(), "seconds": time.process_time() - begun}
        os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
