"""The inspect task: sum up and survey a capture, store it."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from gql_server.domain.traces import CaptureCompression
from gql_server.engine.capture.output import CaptureOutput
from gql_server.engine.capture.source import detect_compression, open_source
from gql_server.engine.capture.unpacking import UnpackingLimit
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.inspect.summary import Summarizer
from gql_server.engine.inspect.survey import Survey
from gql_server.engine.tasks import Inspected, InspectTask, Progressed


def inspect(task: InspectTask, progress: Callable[[Progressed], None]) -> Inspected:
    """Carry out an inspect task.

    Raises:
        CaptureError: the file is no capture, or a damaged one.
    """
    packed = detect_compression(task.source) != CaptureCompression.NONE
    limit = UnpackingLimit(unpacked_bytes=task.unpacked_limit_bytes, ratio=task.unpacked_ratio)
    source = open_source(task.source, limit)
    try:
        windows = CaptureWindows(source, strip=False)
        target = task.output_directory / windows.format.file_name
        summarizer, survey = Summarizer(), Survey()
        with CaptureOutput(target if packed else None) as output:
            for window in windows:
                summarizer.add(window.data)
                survey.add(window)
                output.write(window.data)
                done = Progressed(packets=windows.packets, bytes_done=source.position, bytes_total=source.size)
                progress(done)
    finally:
        source.close()
    if not packed:
        _link(task.source, target)
    return Inspected(summary=summarizer.summary(windows), inspection=survey.finish(task.output_directory))


def _link(source: Path, target: Path) -> None:
    """Give the received file its second name; where that cannot be, copy it."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())
