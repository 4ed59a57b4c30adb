"""Headers of captures: what is read, what is kept.

pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng.
"""

import struct
from dataclasses import dataclass

from gql_server.domain.errors import BlockMalformed, NotACapture, UnsupportedCapture
from gql_server.engine.capture.framing import BLOCK_OVERHEAD, INTERFACE_BLOCK, SECTION_BLOCK

LINK_TYPE_MASK = 0xFFFF
"""The low 16 bits name the link type; the upper ones tell of frame check sequences and are copied through."""

PCAP_HEADER_BYTES = 24
_MICROSECONDS, _NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
_PCAP_MAJOR, _PCAP_FIRST_MINOR = 2, 4

SECTION_MAGIC = 0x0A0D0D0A.to_bytes(4, "big")
SECTION_FIXED_BYTES = 28
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1
_INTERFACE_FIXED_BYTES = 20

_OPTION_END = 0
_OPTION_TIME_RESOLUTION = 9
_OPTION_TIME_ZONE = 10
_OPTION_CHECK_SEQUENCE = 13
_OPTION_TIME_OFFSET = 14
_PLAIN_OPTIONS = {(_OPTION_TIME_ZONE, 4), (_OPTION_CHECK_SEQUENCE, 1)}
"""Kept, by code and length: the time zone, and how long the check sequence is that packets end with, now zeros."""
_DECIMAL, _BINARY_FLAG, _EXPONENT = 10, 0x80, 0x7F
_MICROSECOND_EXPONENT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PcapHeader:
    """What a pcap file header says."""

    little: bool
    fraction: int
    """Nanoseconds in the sub-second unit of a record."""
    link_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What a pcapng interface description says, as far as it is kept."""

    link_type: int
    snap_length: int
    ticks_per_second: int
    offset_seconds: int
    block: bytes
    """The description with only its times and the length of check sequences left."""

    def nanoseconds(self, ticks: int) -> int:
        """Turn a time in the interface's units into nanoseconds since the epoch."""
        return ticks * 1_000_000_000 // self.ticks_per_second + self.offset_seconds * 1_000_000_000


def parse_pcap_header(header: bytes) -> PcapHeader:
    """Read the 24 bytes a pcap file begins with.

    Raises:
        NotACapture: another magic number.
        UnsupportedCapture: another version than 2.4.
    """
    little = int.from_bytes(header[:4], "little") in (_MICROSECONDS, _NANOSECONDS)
    order = "<" if little else ">"
    magic, major, minor, *_, network = struct.unpack(order + "IHHIIII", header)
    if magic not in (_MICROSECONDS, _NANOSECONDS):
        raise NotACapture(offset=0)
    if major != _PCAP_MAJOR or minor < _PCAP_FIRST_MINOR:
        raise UnsupportedCapture(offset=4, reason=f"pcap version {major}.{minor}")
    fraction = 1000 if magic == _MICROSECONDS else 1
    return PcapHeader(little=little, fraction=fraction, link_type=network & LINK_TYPE_MASK)


def is_pcap(magic: bytes) -> bool:
    """Say whether four bytes begin a pcap file."""
    return any(int.from_bytes(magic, order) in (_MICROSECONDS, _NANOSECONDS) for order in ("little", "big"))


def section_byte_order(block: bytes, offset: int) -> bool:
    """Say whether a section is little-endian, by its first 12 bytes.

    Raises:
        BlockMalformed: no byte-order magic.
    """
    magic = block[8:12]
    if int.from_bytes(magic, "little") == _BYTE_ORDER_MAGIC:
        return True
    if int.from_bytes(magic, "big") == _BYTE_ORDER_MAGIC:
        return False
    raise BlockMalformed(offset=offset, reason="no byte-order magic")


def clean_section(block: bytes, offset: int, *, little: bool) -> bytes:
    """Return a section header without options and with its length left open.

    Raises:
        BlockMalformed: too short.
        UnsupportedCapture: another version than 1.x.
    """
    if len(block) < SECTION_FIXED_BYTES:
        raise BlockMalformed(offset=offset, reason="section header too short")
    order = "<" if little else ">"
    major, minor = struct.unpack_from(order + "HH", block, 12)
    if major != 1 or minor not in (0, 2):
        raise UnsupportedCapture(offset=offset, reason=f"pcapng version {major}.{minor}")
    fixed = SECTION_FIXED_BYTES
    return struct.pack(order + "IIIHHqI", SECTION_BLOCK, fixed, _BYTE_ORDER_MAGIC, major, minor, _UNKNOWN_LENGTH, fixed)


def parse_interface(block: bytes, offset: int, *, little: bool) -> Interface:
    """Read an interface description.

    Raises:
        BlockMalformed: too short, or options that do not fit it.
    """
    if len(block) < _INTERFACE_FIXED_BYTES:
        raise BlockMalformed(offset=offset, reason="interface description too short")
    order = "<" if little else ">"
    link_type, snap_length = struct.unpack_from(order + "HxxI", block, 8)
    ticks, seconds, kept = 10**_MICROSECOND_EXPONENT, 0, b""
    for code, value, raw in _options(block, offset, order):
        if code == _OPTION_TIME_RESOLUTION and len(value) == 1:
            exponent = value[0] & _EXPONENT
            ticks = (2 if value[0] & _BINARY_FLAG else _DECIMAL) ** exponent
            kept += raw
        elif code == _OPTION_TIME_OFFSET and len(value) == struct.calcsize("q"):
            seconds = struct.unpack(order + "q", value)[0]
            kept += raw
        elif (code, len(value)) in _PLAIN_OPTIONS:
            kept += raw
    kept += bytes(4) if kept else b""
    total = _INTERFACE_FIXED_BYTES + len(kept)
    clean = struct.pack(order + "II", INTERFACE_BLOCK, total) + block[8:16] + kept + struct.pack(order + "I", total)
    return Interface(
        link_type=link_type,
        snap_length=snap_length,
        ticks_per_second=ticks,
        offset_seconds=seconds,
        block=clean,
    )


def _options(block: bytes, offset: int, order: str) -> list[tuple[int, bytes, bytes]]:
    found: list[tuple[int, bytes, bytes]] = []
    position, end = BLOCK_OVERHEAD + 4, len(block) - 4
    while end - position >= 4:  # noqa: PLR2004  # code and length
        code, length = struct.unpack_from(order + "HH", block, position)
        if code == _OPTION_END:
            break
        if length > end - position - 4:
            raise BlockMalformed(offset=offset, reason="an option reaches beyond its block")
        padded = 4 + ((length + 3) & ~3)
        raw = block[position : position + 4 + length].ljust(padded, b"\0")
        found.append((code, block[position + 4 : position + 4 + length], raw))
        position += padded
    return found
