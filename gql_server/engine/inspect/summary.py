"""A capture summed up while its windows go by."""

import hashlib

from gql_server.domain.traces import CaptureSummary
from gql_server.engine.capture.records import (
    INTERFACE_COLUMNS,
    INTERFACE_FIRST,
    INTERFACE_LAST,
    INTERFACE_TIMED,
    TOTAL_CAPTURED,
    TOTAL_ORIGINAL,
    TOTAL_PACKETS,
    TOTAL_TRUNCATED,
)
from gql_server.engine.capture.windows import CaptureWindows

_UNSIGNED = (1 << 64) - 1


class Summarizer:
    """Digests the written bytes; counts come from the framing."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def add(self, data: memoryview) -> None:
        """Take the next bytes of the stored capture."""
        self._digest.update(data)
        self._size += len(data)

    def summary(self, windows: CaptureWindows) -> CaptureSummary:
        """Sum up, once the last window has gone by."""
        totals = windows.totals
        sections = windows.framing.sections
        link_types = dict.fromkeys(face.link_type for section in sections for face in section.interfaces)
        first, last = _times(windows)
        return CaptureSummary(
            format=windows.format,
            sha256=self._digest.hexdigest(),
            size_bytes=self._size,
            link_types=tuple(link_types),
            interfaces=sum(len(section.interfaces) for section in sections),
            packets=int(totals[TOTAL_PACKETS]),
            captured_bytes=int(totals[TOTAL_CAPTURED]),
            original_bytes=int(totals[TOTAL_ORIGINAL]),
            truncated_packets=int(totals[TOTAL_TRUNCATED]),
            first_time_ns=first,
            last_time_ns=last,
        )


def _times(windows: CaptureWindows) -> tuple[int | None, int | None]:
    """Return the earliest and latest time, each interface's ticks turned into nanoseconds."""
    first: list[int] = []
    last: list[int] = []
    for section in windows.framing.sections:
        rows = section.notes.reshape(-1, INTERFACE_COLUMNS)
        for interface, row in zip(section.interfaces, rows, strict=True):
            if row[INTERFACE_TIMED]:
                first.append(interface.nanoseconds(int(row[INTERFACE_FIRST]) & _UNSIGNED))
                last.append(interface.nanoseconds(int(row[INTERFACE_LAST]) & _UNSIGNED))
    return (min(first), max(last)) if first else (None, None)
