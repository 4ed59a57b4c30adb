"""Logs: one JSON object a line, or plain text on a terminal."""

import logging
import sys

import structlog
from structlog.typing import Processor

_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

_QUIET = ("uvicorn.access", "pgqueuer", "httpx", "sqlalchemy", "strawberry.execution", "asyncio")
"""Loggers that write request lines, bound values or exception texts below this level."""
_TALKATIVE = ("alembic.runtime.plugins",)
"""Loggers that tell of each start what is the same at each."""


def configure_logging(*, as_json: bool, level: str = "INFO") -> None:
    """Send every log line to standard error, structured, without exception texts.

    A traceback's text may hold what a request held; only its place is kept.
    """
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _place_of_exception, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _place_of_exception(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    info = event.pop("exc_info", None)
    if isinstance(info, tuple) and info[1] is not None:
        error, trace = info[1], info[2]
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        event["error_type"] = type(error).__name__
        if trace is not None:
            event["error_at"] = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
    event.pop("stack_info", None)
    # The web server writes what kept the application from starting into the line itself.
    event["event"] = str(event.get("event", "")).partition("Traceback (most recent call last)")[0] or "failed"
    return event
