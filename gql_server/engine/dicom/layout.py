"""The state that indexing kernels share, by index.

One int64 array of settings, counters and what the packet under way is; and the columns of connections, directions
and pending fragments, each a flat int64 array of its own.
"""

from typing import Final

SHIFT: Final = 0
"""Added to a place in the window, gives its place in the image."""
ZERO: Final = 1
"""1 when foreign bytes become zero."""
PACKET: Final = 2
"""Number of the packet under way, from 1."""
BYTES_FOREIGN: Final = 3

# Tables: rows used, and rows there is room for.
ROWS: Final = 4
ROW_ROOM: Final = 5
CONNECTIONS: Final = 6
CONNECTION_ROOM: Final = 7
PENDING: Final = 8
"""Fragment rows ever used; those that are free again hang in a list."""
PENDING_ROOM: Final = 9
PENDING_FREE: Final = 10
"""First row of the free list plus one."""
FOREIGN: Final = 11
FOREIGN_ROOM: Final = 12

SLOT_MASK: Final = 13
SLOT_SHIFT: Final = 14
SEEDS: Final = 15
"""Five random odd multipliers: nobody can choose addresses that meet in one slot."""
SEED_COUNT: Final = 5

# Of the packet under way: the key of its connection, the lower end first ...
KEY: Final = 20
KEY_WORDS: Final = 5
SIDE: Final = 25
"""0 when the lower end sent it."""
# ... and what its headers say.
SOURCE_HIGH: Final = 26
SOURCE_LOW: Final = 27
DESTINATION_HIGH: Final = 28
DESTINATION_LOW: Final = 29
VERSION: Final = 30
PSEUDO: Final = 31
"""Sum of both addresses."""
LENGTH: Final = 32
"""Bytes the IP header gives its payload."""
FRAGMENT_ID: Final = 33
FRAGMENT_AT: Final = 34
FRAGMENT_MORE: Final = 35
"""-1 for a whole datagram, else whether fragments follow."""
PORTS: Final = 36
"""Source port times 65536 plus destination port."""
SEQUENCE: Final = 37
ACKNOWLEDGED: Final = 38
TCP_FLAGS: Final = 39
PAYLOAD: Final = 40
"""Bytes of TCP payload on the wire."""
BEGIN: Final = 41
"""Where they begin, counted as `tracking` does."""
KEPT_ALIVE: Final = 42
"""1 for a keep-alive that repeats the last byte (RFC 9293 §3.8.4)."""

STATE_LENGTH: Final = 43

# A connection.
CONNECTION_COLUMNS: Final = 18
CONNECTION_FIRST: Final = 5
"""Its first packet; the key is before it."""
CONNECTION_PACKETS: Final = 6
"""Segments with payload."""
CONNECTION_FLAGS: Final = 7
DIRECTIONS: Final = 8
"""Where its two directions begin, that of the lower end first."""
DIRECTION_COLUMNS: Final = 5
ORIGIN: Final = 0
"""The sequence number that is counted as 0."""
TOP: Final = 1
"""End of the furthest segment, counted from there."""
LOW: Final = 2
"""Where payload begins; after a SYN, the byte behind it."""
SEGMENTS: Final = 3
"""Rows of the segment table."""
CUTS: Final = 4
"""Segments that were not captured whole."""

# Flags of a connection; those of direction 1 are one bit further.
STARTED: Final = 1
SYN_SEEN: Final = 4
FIN_SEEN: Final = 16
RESET: Final = 64
CLIENT_KNOWN: Final = 128
CLIENT: Final = 256
"""Set when the client is the higher end."""

NOTHING_YET: Final = 1 << 62

# A pending fragment. The table begins with the heads of the lists that fragments hang in by their hash.
BUCKETS: Final = 1 << 12
FRAGMENT_COLUMNS: Final = 16
FRAGMENT_KEY: Final = 0
FRAGMENT_NAME: Final = 4
"""Identification, protocol and IP version."""
FRAGMENT_OFFSET: Final = 5
FRAGMENT_LENGTH: Final = 6
FRAGMENT_CAPTURED: Final = 7
FRAGMENT_PLACE: Final = 8
"""Place in the image."""
FRAGMENT_PACKET: Final = 9
FRAGMENT_FOLLOWED: Final = 10
FRAGMENT_NEXT: Final = 11
"""Next row of the list plus one."""
FRAGMENT_HEADER: Final = 12
"""Bytes of transport header, which stay; 0 where there is none."""
FRAGMENT_PORTS: Final = 13
FRAGMENT_NUMBERS: Final = 14
"""Sequence number times 2**32 plus acknowledgement number."""
FRAGMENT_FLAGS: Final = 15
"""TCP flags, or -1 where no TCP header could be read."""

DATAGRAM_MOST: Final = 1024
"""Fragments of one datagram; what comes beyond belongs to nothing."""
STALE_PACKETS: Final = 1 << 16
"""A datagram that waited for so many packets is given up: its identification may come again."""
ROOM_AHEAD: Final = 2 * DATAGRAM_MOST + 2
"""Rows that one packet may need at once."""
