"""The inspect task: sum up and survey a capture, store it."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from gql_server.domain.traces import CaptureCompression
from gql_server.engine.capture.source import detect_compression, open_source
from gql_server.engine.capture.unpacking import UnpackingLimit
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.inspect.storing import store_capture
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

        def tell() -> None:
            progress(Progressed(packets=windows.packets, bytes_done=source.position, bytes_total=source.size))

        summary, survey = store_capture(windows, target if packed else None, tell)
    finally:
        source.close()
    if not packed:
        _link(task.source, target)
    return Inspected(summary=summary, inspection=survey.finish(task.output_directory))


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
