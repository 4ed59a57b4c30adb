"""Packet times that moved together.

Where dates are shifted, packet times are too (PS3.15 E.3.6, as the rewriter promises): every packet by the same whole
number of days. The first packet with a time says which; nobody tells the second reader.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.verify.layout import PACKET_COLUMNS, PACKET_FACE, PACKET_HIGH, PACKET_LOW
from gql_server.engine.verify.side_by_side import Reading

_DAY: Final = 86_400
_HALF: Final = 32
_BINARY: Final = 0x80
_RESOLUTION: Final = 9
_MICROSECONDS: Final = 6

Numbers = npt.NDArray[np.int64]


class TimeShift:
    """What the packet times of both files tell."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self.days: int | None = None
        """How many days later the output's packets are; None before a packet with a time was met."""

    def observe(self, reading: Reading, count: int) -> None:
        """Learn the shift from the first packet that has a time."""
        if not self._wanted or self.days is not None:
            return
        was, now, units = _times(reading, count)
        there = np.flatnonzero(was)
        if len(there):
            first = int(there[0])
            days, rest = divmod(int(now[first] - was[first]), int(units[first]) * _DAY)
            self.days = days if rest == 0 else 0

    def settle(self, reading: Reading, count: int) -> None:
        """Give packets that moved by the shift, and no other, the times of the original."""
        if not self._wanted:
            return
        was, now, units = _times(reading, count)
        moved = np.where(was == 0, 0, (self.days or 0) * _DAY * units)
        right = now - was == moved
        # A shift of nothing is none.
        right &= bool(self.days) | (was == 0)
        one, two = _lists(reading, count)
        for column in (PACKET_HIGH, PACKET_LOW):
            two[:, column] = np.where(right, one[:, column], ~one[:, column])


def _lists(reading: Reading, count: int) -> tuple[Numbers, Numbers]:
    one, two = reading.original, reading.output
    was = one.packets.reshape(-1, PACKET_COLUMNS)[one.next : one.next + count]
    return was, two.packets.reshape(-1, PACKET_COLUMNS)[two.next : two.next + count]


def _times(reading: Reading, count: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return the times of both files in units of their interface, and how many units a second has."""
    one, two = _lists(reading, count)
    descriptions = reading.original.descriptions
    if descriptions[0][0] == "pcap":
        # Whole seconds and what is more than that: days change the former alone.
        was, now = (each[:, PACKET_HIGH] * (1 << 30) + each[:, PACKET_LOW] for each in (one, two))
        return was, now, np.full(count, 1 << 30, np.int64)
    units = np.array([_units(description) for description in descriptions if description[0] == "interface"], np.int64)
    was, now = ((each[:, PACKET_HIGH] << _HALF) | each[:, PACKET_LOW] for each in (one, two))
    return was, now, units[one[:, PACKET_FACE]]


def _units(description: tuple[object, ...]) -> int:
    """Return the resolution of an interface (draft-ietf-opsawg-pcapng §4.2)."""
    options = dict(description[4])  # type: ignore[call-overload]  # pairs of code and value
    value = options.get(_RESOLUTION, bytes([_MICROSECONDS]))[0]
    return int(2 ** (value & 0x7F) if value & _BINARY else 10**value)
