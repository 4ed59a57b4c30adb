"""IP fragments that carry TCP, put together.

RFC 791 §3.2, RFC 8200 §4.5. A datagram counts once all its fragments were met; of what stays incomplete nothing is
read, so it must be zero in the output.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.verify import dicom_segments as segments
from gql_server.engine.verify.layout import PACKET_COLUMNS, PACKET_END, PACKET_LINK

Rows = npt.NDArray[np.int64]

_MOST_WAITING: Final = 1 << 12
_HEADER_REACH: Final = 60
"""The longest TCP header."""
_RAW: Final = 101


@dataclass(slots=True)
class _Datagram:
    parts: list[tuple[int, Rows, int, int, int]] = field(default_factory=list)
    """Offset, row, packet, and where its payload lies in both files."""
    network: bytes = b""
    head: bytes = b""
    end: int = -1


class Fragments:
    """Collects fragments and gives whole datagrams back as rows of segments."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._waiting: dict[int, _Datagram] = {}

    def take(
        self, row: Rows, packet: int, places: tuple[int, int], header: bytes, payload: bytes
    ) -> list[tuple[Rows, int, int, int]]:
        """Take one fragment in; return the rows of its datagram, with packets and places, once that is whole.

        `header` are the bytes of the packet before the payload.
        """
        key, offset = int(row[segments.CONNECTION]), int(row[segments.SEQUENCE])
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting)))
        datagram = self._waiting.setdefault(key, _Datagram())
        datagram.parts.append((offset, row.copy(), packet, *places))
        if offset == 0:
            datagram.network, datagram.head = header, payload[:_HEADER_REACH]
        if not row[segments.FLAGS]:
            datagram.end = offset + int(row[segments.WIRE])
        if not _is_whole(datagram):
            return []
        del self._waiting[key]
        return self._rows_of(datagram)

    def _rows_of(self, datagram: _Datagram) -> list[tuple[Rows, int, int, int]]:
        head = self._head_of(datagram)
        if head[segments.KIND] != segments.SEGMENT:
            return []
        header, found = datagram.end - int(head[segments.WIRE]), []
        for offset, row, packet, at, other in datagram.parts:
            skipped = max(header - offset, 0)
            one = head.copy()
            one[segments.SEQUENCE] = (int(head[segments.SEQUENCE]) + max(offset - header, 0)) & 0xFFFFFFFF
            one[segments.DATA] = row[segments.DATA] + skipped
            one[segments.LENGTH] = max(int(row[segments.LENGTH]) - skipped, 0)
            one[segments.WIRE] = max(int(row[segments.WIRE]) - skipped, 0)
            for column in (segments.REWRITTEN, segments.LIVE):
                # The first fragment counts the TCP header too, whose checksum changes.
                one[column] = row[column] if skipped == 0 else 0
            if offset > 0:
                one[segments.FLAGS] &= ~(segments.SYN | segments.FIN)
            found.append((one, packet, at + skipped, other + skipped))
        return found

    def _head_of(self, datagram: _Datagram) -> Rows:
        """Read the datagram as if its first bytes had come in a packet of their own."""
        length = datagram.end
        network = _network_of(datagram.network)
        if network[:1] and network[0] >> 4 == 4:  # noqa: PLR2004  # the version
            whole = network[:2] + struct.pack(">H", len(network) + length) + network[4:6] + b"\0\0" + network[8:]
        else:
            whole = network[:4] + struct.pack(">HB", length, 6) + network[7:40]
        data = np.frombuffer(whole + datagram.head, np.uint8).copy()
        packets = np.zeros(PACKET_COLUMNS, np.int64)
        packets[PACKET_END], packets[PACKET_LINK] = len(data), _RAW
        row = np.zeros(segments.SEGMENT_COLUMNS, np.int64)
        segments.find_segments(data, data, packets, packets, row, self._seed, 0, 0, 1)
        return row


def _is_whole(datagram: _Datagram) -> bool:
    reached = 0
    for offset, row, *_ in sorted(datagram.parts, key=lambda part: part[0]):
        if offset != reached:
            return False
        reached += int(row[segments.WIRE])
    return bool(datagram.head) and reached == datagram.end


def _network_of(header: bytes) -> bytes:
    """Return the IP header that ends with these bytes."""
    for size in range(20, 64, 4):
        start = header[-size:]
        if len(start) == size and start[0] == 0x40 | size // 4 and start[9] == 6:  # noqa: PLR2004  # TCP
            return start
    # The fragment header stands last behind an IPv6 header; what stands between them says nothing here.
    for size in range(48, len(header) + 1, 8):
        if header[-size] >> 4 == 6:  # noqa: PLR2004  # the version
            return header[-size:]
    return b""
