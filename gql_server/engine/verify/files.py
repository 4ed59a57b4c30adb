"""Capture files as the second reader sees them.

A file is read once from front to end, in windows of whole records. Of a pcapng file every byte is told apart: what
describes packets, and what is more than that.
"""

import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.verify.framing import (
    COUNT,
    DESCRIPTION,
    FACE_COLUMNS,
    FACES,
    FIRST_FACE,
    FRAMING_LENGTH,
    HEADERS,
    LARGEST,
    MALFORMED,
    METADATA,
    MORE,
    NEEDED,
    POSITION,
    SECTION,
    frame_pcap,
    frame_pcapng,
)
from gql_server.engine.verify.layout import PACKET_BEGIN, PACKET_COLUMNS, PACKET_END

WINDOW_BYTES: Final = 1 << 20
PACKETS_AT_ONCE: Final = 1 << 14
_FEW_PACKETS: Final = 64
"""More packets of a window are not read one by one."""
_PCAP_HEADER: Final = 24
_MAGICS: Final = {0xA1B2C3D4: "micro", 0xA1B23C4D: "nano"}
_BYTE_ORDER: Final = 0x1A2B3C4D
_SECTION_BYTES: Final = 28
_INTERFACE_BYTES: Final = 20
_FACE_LIMIT: Final = 1 << 16
_TIME_OPTIONS: Final = {9: 1, 10: 4, 13: 1, 14: 8}
"""Options of an interface that hold no name: if_tsresol, if_tzone, if_fcslen, if_tsoffset, with their lengths."""


class MalformedCapture(Exception):  # what is wrong with it is its name
    """A file that cannot be read to its end."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a file that holds whole records."""

    base: int
    """Where it begins in the file."""
    length: int
    packets: int


class CaptureReader:
    """One file and how far it was read."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._file).st_size
        self.buffer = np.empty(WINDOW_BYTES, np.uint8)
        self.base = 0
        """Where the window begins in the file."""
        self._have = 0
        self.packets = np.zeros(PACKETS_AT_ONCE * PACKET_COLUMNS, np.int64)
        self.next = 0
        """The first packet of the list that was not read yet."""
        self.framing = np.zeros(FRAMING_LENGTH, np.int64)
        self._faces = np.zeros(FACE_COLUMNS, np.int64)
        self.descriptions: list[tuple[object, ...]] = []
        """What the file says of itself, section by section and interface by interface."""
        self.windows: list[Window] = []
        """What was read, window by window."""
        self.is_pcap = False
        self._little = True
        self._link = 0

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    @property
    def count(self) -> int:
        """Packets of the list that were not read yet."""
        return int(self.framing[COUNT]) - self.next

    @property
    def window(self) -> npt.NDArray[np.uint8]:
        """The whole records that were read last."""
        return self.buffer[: int(self.framing[POSITION])]

    def fill(self) -> bool:
        """Read the next window once the list is used up; say whether it holds packets.

        Raises:
            MalformedCapture: the file is no capture, or ends within a record.
        """
        while self.count == 0:
            self._advance()
            if self.base == 0 and not self.descriptions:
                self._begin()
            code = self._frame()
            if code == MALFORMED:
                raise MalformedCapture
            if code == MORE and self.count == 0 and int(self.framing[POSITION]) == 0 and not self._read():
                if self._have:
                    raise MalformedCapture
                return False
            if self.count:
                self.windows.append(Window(self.base, int(self.framing[POSITION]), self.count))
        return True

    def read_again(self, window: Window) -> None:
        """Read a window that was read before, and count its packets, without listing them.

        Raises:
            OSError: it cannot be read.
        """
        self._enter(window)
        self._read_part(0, window.length)

    def list_again(self) -> None:
        """List the packets of a pcap file's window that was read again.

        Raises:
            OSError: they are others than before.
        """
        known, headers = self.framing[COUNT], self.framing[HEADERS]
        self.framing[COUNT], self.framing[POSITION] = 0, 0 if self.base else _PCAP_HEADER
        self._frame()
        self.framing[HEADERS] = headers
        if self.framing[COUNT] != known or self.framing[POSITION] != self._have:
            raise _unreadable()

    def mirror(self, other: "CaptureReader", places: npt.NDArray[np.int64]) -> None:
        """Have the window of another reader, and of its bytes the packets that end first behind each place.

        All records must lie at the same places in both files.

        Raises:
            OSError: it cannot be read.
        """
        self._enter(Window(other.base, len(other.window), other.count))
        self.packets = other.packets
        rows = self.packets.reshape(-1, PACKET_COLUMNS)[: self.count]
        wanted = np.unique(np.searchsorted(rows[:, PACKET_END], places, side="right"))
        if len(wanted) > _FEW_PACKETS:
            self._read_part(0, self._have)
            return
        for begin, end in rows[wanted[wanted < len(rows)]][:, [PACKET_BEGIN, PACKET_END]].tolist():
            self._read_part(begin, end)

    def _enter(self, window: Window) -> None:
        if len(self.buffer) < window.length:
            self.buffer = np.empty(window.length, np.uint8)
        self.base, self._have, self.next = window.base, window.length, 0
        self.framing[COUNT], self.framing[POSITION] = window.packets, window.length

    def _read_part(self, begin: int, end: int) -> None:
        """Read a part of the window, all of it."""
        if os.preadv(self._file, [self.buffer.data[begin:end]], self.base + begin) != end - begin:
            raise _unreadable()

    def _frame(self) -> int:
        code = DESCRIPTION
        while code == DESCRIPTION:
            if self.is_pcap:
                code = frame_pcap(self.buffer, self._have, self.packets, self.framing, self._link, self._little)
            else:
                code = frame_pcapng(self.buffer, self._have, self.packets, self.framing, self._faces, self._little)
            if code == DESCRIPTION and not self._describe():
                return MORE
        return code

    def _advance(self) -> None:
        """Drop what was read and fill the window."""
        position = int(self.framing[POSITION])
        rest = self._have - position
        if position:
            self.buffer[:rest] = self.buffer[position : self._have].copy()
        self._have, self.base = rest, self.base + position
        self.framing[POSITION] = self.framing[COUNT] = self.next = 0
        self._read()

    def _read(self) -> bool:
        """Read more; say whether there was any. The window grows for a record that does not fit."""
        needed = int(self.framing[NEEDED])
        if needed > len(self.buffer):
            grown = np.empty(min(max(needed, 2 * len(self.buffer)), LARGEST + WINDOW_BYTES), np.uint8)
            grown[: self._have] = self.buffer[: self._have]
            self.buffer = grown
        before = self._have
        while self._have < len(self.buffer):
            count = os.readv(self._file, [self.buffer.data[self._have :]])
            if count == 0:
                break
            self._have += count
        return self._have > before

    def _begin(self) -> None:
        start = self.buffer[: min(self._have, _PCAP_HEADER)].tobytes()
        if start[:4] == SECTION.to_bytes(4, "big"):
            return
        if len(start) < _PCAP_HEADER:
            raise MalformedCapture
        little = int.from_bytes(start[:4], "little") in _MAGICS
        if not little and int.from_bytes(start[:4], "big") not in _MAGICS:
            raise MalformedCapture
        self.is_pcap, self._little = True, little
        self._link = int.from_bytes(start[20:24], "little" if little else "big") & 0xFFFF
        self.descriptions.append(("pcap", start))
        self.framing[POSITION] = _PCAP_HEADER
        self.framing[HEADERS] = _PCAP_HEADER

    def _describe(self) -> bool:
        """Read a section header or an interface description; say whether it is all there."""
        at = int(self.framing[POSITION])
        start = self.buffer[at : min(at + 12, self._have)].tobytes()
        section = start[:4] == SECTION.to_bytes(4, "big")
        if section:
            if int.from_bytes(start[8:12], "little") == _BYTE_ORDER:
                self._little = True
            elif int.from_bytes(start[8:12], "big") == _BYTE_ORDER:
                self._little = False
            else:
                raise MalformedCapture
        length = int.from_bytes(start[4:8], "little" if self._little else "big")
        least = _SECTION_BYTES if section else _INTERFACE_BYTES
        if length < least or length % 4 or length > LARGEST:
            raise MalformedCapture
        self.framing[NEEDED] = length
        if self._have - at < length:
            return False
        block = self.buffer[at : at + length].tobytes()
        if block[-4:] != block[4:8]:
            raise MalformedCapture
        known = self._add_section(block) if section else self._add_face(block)
        self.framing[HEADERS] += known
        self.framing[METADATA] += length - known
        self.framing[POSITION] = at + length
        return True

    @property
    def _order(self) -> str:
        return "<" if self._little else ">"

    def _add_section(self, block: bytes) -> int:
        """Take a section in; return how many of its bytes are needed."""
        self.framing[FIRST_FACE] += self.framing[FACES]
        self.framing[FACES] = 0
        version = struct.unpack_from(self._order + "HH", block, 12)
        self.descriptions.append(("section", self._little, version))
        # The length of the section may be left open; any other number is more than is needed.
        return _SECTION_BYTES - (0 if block[16:24] == b"\xff" * 8 else 8)

    def _add_face(self, block: bytes) -> int:
        """Take an interface in; return how many of its bytes are needed."""
        link, snap = struct.unpack_from(self._order + "HxxI", block, 8)
        options, needed = self._time_options(block)
        number = int(self.framing[FIRST_FACE] + self.framing[FACES])
        if number >= _FACE_LIMIT:
            raise MalformedCapture
        if (number + 1) * FACE_COLUMNS > len(self._faces):
            self._faces = np.concatenate([self._faces, np.zeros_like(self._faces)])
        self._faces[number * FACE_COLUMNS : (number + 1) * FACE_COLUMNS] = link, snap
        self.framing[FACES] += 1
        self.descriptions.append(("interface", link, block[10:12], snap, _times_of(options)))
        return needed

    def _time_options(self, block: bytes) -> tuple[tuple[tuple[int, bytes], ...], int]:
        """Return the options that hold no name, and how many bytes of the block are needed."""
        found: list[tuple[int, bytes]] = []
        at, end, needed = 16, len(block) - 4, _INTERFACE_BYTES
        while end - at >= 4:  # noqa: PLR2004  # code and length
            code, length = struct.unpack_from(self._order + "HH", block, at)
            padded = 4 + ((length + 3) & ~3)
            if code == 0:
                return tuple(found), needed + (4 if length == 0 else 0)
            if 4 + length > end - at:
                raise MalformedCapture
            if _TIME_OPTIONS.get(code) == length:
                found.append((code, block[at + 4 : at + 4 + length]))
                needed += padded - sum(byte != 0 for byte in block[at + 4 + length : at + padded])
            at += padded
        return tuple(found), needed


def _unreadable() -> OSError:
    """Return the error of a file that is not what it was."""
    return OSError(errno.EIO, os.strerror(errno.EIO))


def _times_of(options: tuple[tuple[int, bytes], ...]) -> tuple[tuple[int, bytes], ...]:
    """Return the options that say what times mean; the others may be left out."""
    return tuple((code, value) for code, value in options if code in (9, 14))
