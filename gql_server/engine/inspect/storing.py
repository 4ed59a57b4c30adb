"""A capture stored: summed up and surveyed as it is written."""

from collections.abc import Callable
from pathlib import Path

from gql_server.domain.traces import CaptureSummary
from gql_server.engine.capture.output import CaptureOutput
from gql_server.engine.capture.windows import CaptureWindows, Window
from gql_server.engine.inspect.summary import Summarizer
from gql_server.engine.inspect.survey import Survey


def store_capture(
    windows: CaptureWindows,
    path: Path | None,
    tell: Callable[[], None],
    *,
    change: Callable[[Window], None] | None = None,
) -> tuple[CaptureSummary, Survey]:
    """Write a capture window by window; return its summary, and the survey for the caller to finish.

    Args:
        windows: The capture.
        path: Where it goes; None writes it nowhere.
        tell: Called behind each window.
        change: What is done to a window before it is written; summary and survey are of the result.

    Raises:
        CaptureError: the capture is damaged.
    """
    summarizer, survey = Summarizer(), Survey()
    with CaptureOutput(path) as output:
        for window in windows:
            if change is not None:
                change(window)
            summarizer.add(window.data)
            survey.add(window)
            output.write(window.data)
            tell()
    return summarizer.summary(windows), survey
