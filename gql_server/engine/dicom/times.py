"""Packet times moved by whole days, in place.

A shifted date says nothing as long as the clock of the capture beside it stays: both move by the same days.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom_errors import DatesOutOfRange
from gql_server.domain.traces import CaptureFormat
from gql_server.engine.capture.headers import Interface
from gql_server.engine.capture.pcapng import PcapngFraming
from gql_server.engine.capture.records import PACKET_HEADER, RECORD_BEGIN, RECORD_COLUMNS, RECORD_HEADER
from gql_server.engine.capture.windows import CaptureWindows, Window

_DAY_SECONDS: Final = 86_400
_LARGEST_TIME: Final = (1 << 62) - 1
"""Ticks beyond it, some centuries even of nanoseconds, are no times."""
_ENHANCED: Final = 6
_FACE_AT: Final = 8
_TIME_AT: Final = 12

Image = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


def shift_times(image: Image, windows: CaptureWindows, days: int) -> None:
    """Move the time of every packet of a stripped capture; `windows` reads the same bytes as `image` holds.

    Raises:
        DatesOutOfRange: a time would leave its field.
    """
    for window in windows:
        if window.count:
            match windows.format:
                case CaptureFormat.PCAP:
                    _shift_pcap(image, window, days)
                case CaptureFormat.PCAPNG:
                    assert isinstance(windows.framing, PcapngFraming)
                    # A window's packets are all of the section that was begun last.
                    _shift_blocks(image, window, windows.framing.sections[-1].interfaces, days)


def _shift_pcap(image: Image, window: Window, days: int) -> None:
    """draft-ietf-opsawg-pcap §5: seconds come first, 32 bits without sign."""
    starts, _ = _records_of(window)
    seconds = _load(image, starts, 4, little=window.little) + days * _DAY_SECONDS
    _check(seconds, (1 << 32) - 1, window, np.arange(window.count))
    _store(image, starts, seconds, 4, little=window.little)


def _shift_blocks(image: Image, window: Window, interfaces: list[Interface], days: int) -> None:
    """draft-ietf-opsawg-pcapng §4.3: the upper 32 bits of the ticks, then the lower ones."""
    starts, headers = _records_of(window)
    timed = np.flatnonzero(headers == PACKET_HEADER)
    starts = starts[timed]
    enhanced = _load(image, starts, 4, little=window.little) == _ENHANCED
    # An obsolete packet block has 16 bits for its interface, then a count of drops.
    faces = np.where(
        enhanced,
        _load(image, starts + _FACE_AT, 4, little=window.little),
        _load(image, starts + _FACE_AT, 2, little=window.little),
    )
    moves = np.array([_ticks(face, days) for face in interfaces], np.int64)[faces]
    high = _load(image, starts + _TIME_AT, 4, little=window.little)
    low = _load(image, starts + _TIME_AT + 4, 4, little=window.little)
    # An upper word this large is no time that days could be added to.
    _check(high, _LARGEST_TIME >> 32, window, timed)
    ticks = (high << 32 | low) + moves
    _check(ticks, _LARGEST_TIME, window, timed)
    _store(image, starts + _TIME_AT, ticks >> 32, 4, little=window.little)
    _store(image, starts + _TIME_AT + 4, ticks & 0xFFFFFFFF, 4, little=window.little)


def _ticks(interface: Interface, days: int) -> int:
    ticks = days * _DAY_SECONDS * interface.ticks_per_second
    # So large a move leads out of the range in any case.
    return max(-_LARGEST_TIME - 1, min(_LARGEST_TIME, ticks))


def _records_of(window: Window) -> tuple[Numbers, Numbers]:
    rows = window.records[: window.count * RECORD_COLUMNS].reshape(-1, RECORD_COLUMNS)
    return rows[:, RECORD_BEGIN] - rows[:, RECORD_HEADER] + window.base, rows[:, RECORD_HEADER]


def _load(image: Image, at: Numbers, count: int, *, little: bool) -> Numbers:
    value = np.zeros(len(at), np.int64)
    for index in range(count):
        place = index if little else count - 1 - index
        value |= image[at + index].astype(np.int64) << (8 * place)
    return value


def _store(image: Image, at: Numbers, value: Numbers, count: int, *, little: bool) -> None:
    for index in range(count):
        place = index if little else count - 1 - index
        image[at + index] = (value >> (8 * place) & 0xFF).astype(np.uint8)


def _check(value: Numbers, most: int, window: Window, which: Numbers) -> None:
    wrong = np.flatnonzero((value < 0) | (value > most))
    if len(wrong):
        raise DatesOutOfRange(packet=window.first_packet + int(which[wrong[0]]) + 1)
