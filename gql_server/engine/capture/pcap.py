"""pcap: one header, then records."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gql_server.domain.errors import RecordTooLarge
from gql_server.engine.capture.framing import frame_records
from gql_server.engine.capture.headers import PCAP_HEADER_BYTES, Interface, parse_pcap_header
from gql_server.engine.capture.records import (
    FRAMED,
    INTERFACE_COLUMNS,
    INTERFACE_FIRST,
    INTERFACE_LINK_TYPE,
    LIST_FULL,
    TOO_LARGE,
    TOTAL_DECLARED,
)


@dataclass(slots=True, kw_only=True)
class Section:
    """The interfaces of one section and what was noted of them."""

    interfaces: list[Interface]
    notes: npt.NDArray[np.int64]


class PcapFraming:
    """Frames the windows of a pcap file."""

    def __init__(self, records: npt.NDArray[np.int64], totals: npt.NDArray[np.int64], *, limit: int) -> None:
        self._records = records
        self._totals = totals
        self._limit = limit
        self._fraction = 0
        self.little = True
        self.sections: list[Section] = []

    def frame(
        self, buffer: npt.NDArray[np.uint8], position: int, out: int, have: int, base: int
    ) -> tuple[int, int, int]:
        """Find records from `position` on; return where it stands, where output ends, and why it stopped.

        Raises:
            CaptureError: the bytes are no pcap.
        """
        if not self.sections:
            if have < PCAP_HEADER_BYTES:
                return position, out, FRAMED
            position = self._begin(buffer[:PCAP_HEADER_BYTES].tobytes())
        notes = self.sections[0].notes
        position, code = frame_records(
            buffer,
            self._records,
            notes,
            self._totals,
            position,
            have,
            self._limit,
            self._fraction,
            self.little,
        )
        if code == TOO_LARGE:
            declared = int(self._totals[TOTAL_DECLARED])
            raise RecordTooLarge(offset=base + position, declared_bytes=declared, limit_bytes=self._limit)
        assert code in (FRAMED, LIST_FULL)
        return position, position, code

    def _begin(self, raw: bytes) -> int:
        header = parse_pcap_header(raw)
        self._fraction, self.little = header.fraction, header.little
        notes = np.zeros(INTERFACE_COLUMNS, np.int64)
        notes[INTERFACE_LINK_TYPE], notes[INTERFACE_FIRST] = header.link_type, -1
        interface = Interface(
            link_type=header.link_type,
            snap_length=0,
            ticks_per_second=1_000_000_000,
            offset_seconds=0,
            block=b"",
        )
        self.sections.append(Section(interfaces=[interface], notes=notes))
        return PCAP_HEADER_BYTES
