"""pcapng: sections, interfaces and blocks.

Each section has its own byte order and its own interfaces. Packet blocks are framed by a kernel; section headers and
interface descriptions come here.
"""

from typing import NoReturn

import numpy as np
import numpy.typing as npt

from gql_server.domain.errors import BlockMalformed, RecordTooLarge, UnsupportedCapture
from gql_server.engine.capture.framing import BLOCK_OVERHEAD, frame_blocks
from gql_server.engine.capture.headers import SECTION_MAGIC, clean_section, parse_interface, section_byte_order
from gql_server.engine.capture.pcap import Section
from gql_server.engine.capture.records import (
    BAD_CAPTURED,
    BAD_INTERFACE,
    BAD_LENGTH,
    BAD_TRAILER,
    FRAMED,
    HEADER_BLOCK,
    INTERFACE_COLUMNS,
    INTERFACE_FIRST,
    INTERFACE_LINK_TYPE,
    INTERFACE_SNAP_LENGTH,
    TOO_LARGE,
    TOTAL_DECLARED,
    TOTAL_RECORDS,
)

INTERFACE_LIMIT = 1 << 16
_REASONS = {
    BAD_LENGTH: "its length is below 12 or no multiple of 4",
    BAD_TRAILER: "its two lengths differ",
    BAD_INTERFACE: "it names an interface that was not described",
    BAD_CAPTURED: "its captured length does not fit it",
}


class PcapngFraming:
    """Frames the windows of a pcapng file."""

    def __init__(
        self, records: npt.NDArray[np.int64], totals: npt.NDArray[np.int64], *, limit: int, strip: bool
    ) -> None:
        self._records = records
        self._totals = totals
        self._limit = limit
        self._strip = strip
        self.little = True
        self.sections: list[Section] = []

    def frame(
        self, buffer: npt.NDArray[np.uint8], position: int, out: int, have: int, base: int
    ) -> tuple[int, int, int]:
        """Find packets from `position` on; return where it stands, where output ends, and why it stopped.

        Raises:
            CaptureError: the bytes are no pcapng.
        """
        notes = self.sections[-1].notes if self.sections else np.zeros(0, np.int64)
        position, out, code = frame_blocks(
            buffer,
            self._records,
            notes,
            self._totals,
            position,
            out,
            have,
            self._limit,
            self.little,
            self._strip,
        )
        if code == TOO_LARGE:
            self._refuse_size(base + position, int(self._totals[TOTAL_DECLARED]))
        if code in _REASONS:
            raise BlockMalformed(offset=base + position, reason=_REASONS[code])
        if code == HEADER_BLOCK and self._totals[TOTAL_RECORDS] == 0:
            return self._header_block(buffer, position, out, have, base)
        # Packets before a header block go first: a new section may turn the byte order around.
        return position, out, code

    def _header_block(
        self, buffer: npt.NDArray[np.uint8], position: int, out: int, have: int, base: int
    ) -> tuple[int, int, int]:
        start = buffer[position : position + BLOCK_OVERHEAD].tobytes()
        section = start[:4] == SECTION_MAGIC
        little = section_byte_order(start, base + position) if section else self.little
        length = int.from_bytes(start[4:8], "little" if little else "big")
        if length < BLOCK_OVERHEAD or length % 4:
            raise BlockMalformed(offset=base + position, reason=_REASONS[BAD_LENGTH])
        if length > self._limit:
            self._refuse_size(base + position, length)
        if have - position < length:
            return position, out, FRAMED
        block = buffer[position : position + length].tobytes()
        if block[-4:] != start[4:8]:
            raise BlockMalformed(offset=base + position, reason=_REASONS[BAD_TRAILER])
        clean = self._begin_section(block, base + position, little=little) if section else None
        clean = clean if clean is not None else self._add_interface(block, base + position)
        kept = clean if self._strip else block
        buffer[out : out + len(kept)] = np.frombuffer(kept, np.uint8)
        return position + length, out + len(kept), HEADER_BLOCK

    def _begin_section(self, block: bytes, offset: int, *, little: bool) -> bytes:
        clean = clean_section(block, offset, little=little)
        self.little = little
        self.sections.append(Section(interfaces=[], notes=np.zeros(0, np.int64)))
        return clean

    def _add_interface(self, block: bytes, offset: int) -> bytes:
        if not self.sections:
            raise BlockMalformed(offset=offset, reason="it stands before the first section")
        section = self.sections[-1]
        if len(section.interfaces) >= INTERFACE_LIMIT:
            raise UnsupportedCapture(offset=offset, reason=f"more than {INTERFACE_LIMIT} interfaces")
        interface = parse_interface(block, offset, little=self.little)
        section.interfaces.append(interface)
        note = np.zeros(INTERFACE_COLUMNS, np.int64)
        note[INTERFACE_LINK_TYPE], note[INTERFACE_SNAP_LENGTH] = interface.link_type, interface.snap_length
        note[INTERFACE_FIRST] = -1
        section.notes = np.concatenate([section.notes, note])
        return interface.block

    def _refuse_size(self, offset: int, declared: int) -> NoReturn:
        raise RecordTooLarge(offset=offset, declared_bytes=declared, limit_bytes=self._limit)
