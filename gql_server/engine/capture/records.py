"""What framing writes down: records, interfaces, totals.

Three flat int64 arrays, shared by the kernels that find records and those that rewrite them.
"""

from typing import Final

RECORD_COLUMNS: Final = 5
"""A record is RECORD_COLUMNS numbers; positions count from the start of the window."""
RECORD_BEGIN: Final = 0
"""Where the packet's bytes begin."""
RECORD_END: Final = 1
RECORD_LINK_TYPE: Final = 2
RECORD_SOURCE: Final = 3
"""Where the record began in the window as it was read."""
RECORD_HEADER: Final = 4
"""Bytes of the record before the packet, which tell its kind."""
PCAP_HEADER: Final = 16
SIMPLE_HEADER: Final = 12
"""Of a simple packet block, which does not say how much was captured."""
PACKET_HEADER: Final = 28
"""Of an enhanced and of an obsolete packet block."""

INTERFACE_COLUMNS: Final = 5
INTERFACE_LINK_TYPE: Final = 0
INTERFACE_SNAP_LENGTH: Final = 1
"""0 means no limit."""
INTERFACE_FIRST: Final = 2
"""Earliest time in the interface's own units, as 64 unsigned bits; all ones before the first."""
INTERFACE_LAST: Final = 3
INTERFACE_TIMED: Final = 4
"""Packets that carry a time."""

TOTAL_COLUMNS: Final = 7
TOTAL_PACKETS: Final = 0
TOTAL_CAPTURED: Final = 1
TOTAL_ORIGINAL: Final = 2
TOTAL_TRUNCATED: Final = 3
TOTAL_DROPPED: Final = 4
"""Blocks left out."""
TOTAL_RECORDS: Final = 5
"""Records in the list now."""
TOTAL_DECLARED: Final = 6
"""The length that a refused or unfinished record declares."""

FRAMED: Final = 0
"""The window holds no further whole record."""
LIST_FULL: Final = 1
TOO_LARGE: Final = 2
HEADER_BLOCK: Final = 3
"""A section header or interface description: not for the kernel."""
BAD_LENGTH: Final = 4
BAD_TRAILER: Final = 5
BAD_INTERFACE: Final = 6
BAD_CAPTURED: Final = 7
"""The captured length does not fit the block."""
