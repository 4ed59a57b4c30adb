"""TCP connections with payload, by their first packets.

What was found is held in tables; a connection and its streams are made when somebody asks for them.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import overload

import numpy as np
import numpy.typing as npt

from gql_server.engine.dicom.arranging import (
    STREAM_BASE,
    STREAM_COLUMNS,
    STREAM_COUNT,
    STREAM_CUTS,
    STREAM_FIRST,
    STREAM_SYN,
)
from gql_server.engine.dicom.layout import (
    CLIENT,
    CONNECTION_COLUMNS,
    CONNECTION_FIRST,
    CONNECTION_FLAGS,
    CONNECTION_PACKETS,
    CUTS,
    DIRECTION_COLUMNS,
    DIRECTIONS,
    KEY_WORDS,
    LOW,
    NOTHING_YET,
    SEGMENTS,
    SYN_SEEN,
)
from gql_server.engine.dicom.streams import Stream, Tables

_IPV4 = 4
_WORD = (1 << 64) - 1


class Connection:
    """One TCP connection; a port that is used again is another one."""

    __slots__ = (
        "_claims",
        "_place",
        "_tables",
        "client",
        "client_port",
        "first_packet",
        "number",
        "packets",
        "server",
        "server_port",
        "streams",
    )

    number: int
    """From 1."""
    client: str
    """Address of the side that sent the SYN or, where that was not captured, that sent first."""
    first_packet: int
    """From 1."""
    packets: int
    """Segments with payload."""
    streams: tuple[Stream, Stream]
    """What the client sent, what the server sent."""

    def __init__(self, connections: "Connections", place: int) -> None:
        row = connections.rows[place].tolist()
        ends = [(_address(row, 0), row[4] >> 16 & 0xFFFF), (_address(row, 2), row[4] & 0xFFFF)]
        side = 1 if row[CONNECTION_FLAGS] & CLIENT else 0
        self._claims, self._place, self._tables = connections.claims, place, connections.tables
        self.number = place + 1
        self.client, self.client_port = ends[side]
        self.server, self.server_port = ends[1 - side]
        self.first_packet, self.packets = row[CONNECTION_FIRST], row[CONNECTION_PACKETS]
        self.streams = (Stream(self._tables, 2 * place + side), Stream(self._tables, 2 * place + 1 - side))

    def claim(self) -> None:
        """Say that the payload is DICOM: unclaimed payload is foreign."""
        self._claims[self._place] = 1


class Connections(Sequence[Connection]):
    """The connections of a capture; each access makes the object anew, a claim is remembered."""

    def __init__(self, rows: npt.NDArray[np.int64], tables: Tables) -> None:
        self.rows = rows
        self.tables = tables
        self.claims = np.zeros(len(rows), np.uint8)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> list[Connection]: ...
    def __getitem__(self, index: int | slice) -> Connection | list[Connection]:
        if isinstance(index, slice):
            return [Connection(self, place) for place in range(len(self))[index]]
        return Connection(self, range(len(self))[index])

    def __iter__(self) -> Iterator[Connection]:
        return (Connection(self, place) for place in range(len(self)))


def _address(row: list[int], at: int) -> str:
    if row[KEY_WORDS - 1] >> 32 == _IPV4:
        return str(IPv4Address(row[at + 1]))
    return str(IPv6Address(((row[at] & _WORD) << 64) | (row[at + 1] & _WORD)))


def listed(table: npt.NDArray[np.int64], count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of connections with payload, and of each stream of the capture where its rows begin.

    The latter is by the numbers that streams have in the table of segments: two for each connection ever seen.
    """
    rows = table[: count * CONNECTION_COLUMNS].reshape(-1, CONNECTION_COLUMNS)
    lengths = _directions(rows)[:, :, SEGMENTS].reshape(-1)
    places = np.cumsum(lengths) - lengths
    return rows, places


def streams_of(rows: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the table of the streams of connections; `places` says where the rows of each stream begin."""
    directions = _directions(rows)
    streams = np.zeros((len(rows), 2, STREAM_COLUMNS), np.int64)
    low = directions[:, :, LOW]
    streams[:, :, STREAM_FIRST] = places.reshape(-1, 2)
    streams[:, :, STREAM_COUNT] = directions[:, :, SEGMENTS]
    streams[:, :, STREAM_BASE] = np.where(low == NOTHING_YET, 0, low)
    streams[:, :, STREAM_SYN] = (rows[:, CONNECTION_FLAGS, None] & [SYN_SEEN, SYN_SEEN << 1]) != 0
    streams[:, :, STREAM_CUTS] = directions[:, :, CUTS]
    return streams.reshape(-1)


def _directions(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return rows[:, DIRECTIONS:].reshape(-1, 2, DIRECTION_COLUMNS)
