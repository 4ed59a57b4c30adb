"""The state that kernels share, by index.

One int64 array: where the tables lie, counters, what the walk is at, the stack of open checksums, and at its end the
list of new addresses.
"""

from typing import Final

NOTHING: Final = 0

# The narrow table: IPv4 and MAC addresses, two words a slot.
NARROW_AT: Final = 0
NARROW_MASK: Final = 1
NARROW_SHIFT: Final = 2
NARROW_USED: Final = 3
NARROW_LIMIT: Final = 4
# The wide table: IPv6 addresses, eight words a slot.
WIDE_AT: Final = 5
WIDE_MASK: Final = 6
WIDE_SHIFT: Final = 7
WIDE_USED: Final = 8
WIDE_LIMIT: Final = 9
# Random odd multipliers: nobody can choose addresses that meet in one slot.
SEED_NARROW: Final = 10
SEED_LOW: Final = 11
SEED_WIDE: Final = 12
# New addresses of this window, in the order they were met.
NEW_COUNT: Final = 13
NEW_LIMIT: Final = 14
FULL: Final = 15
"""Set when an address found no room."""

SEEN_IPV4: Final = 16
SEEN_IPV6: Final = 17
SEEN_MAC: Final = 18

PACKETS_OPAQUE: Final = 19
PACKETS_CUT: Final = 20
BYTES_ZEROED: Final = 21
BYTES_KEPT: Final = 22

FIRST_COUNTER: Final = PACKETS_OPAQUE
COUNTERS: Final = 4

# Of the packet under way.
OPAQUE: Final = 23
"""Bytes were not understood."""
CUT: Final = 24
"""The snap length cut a header."""
DELTA: Final = 25
"""Sum of the changes at this level of nesting, as 16-bit words at even places of the window."""
PSEUDO: Final = 26
"""Change of the pseudo-header that the next transport checksum covers."""
NEXT: Final = 27
"""What the walk enters next: an ethertype, or a number below."""
NEXT_AT: Final = 28
NEXT_END: Final = 29
DEPTH: Final = 30
FRAGMENT: Final = 31
"""Where in its datagram the payload begins, in bytes; 0 for a whole datagram or its first part."""
VERSION: Final = 32
"""IP version of the header that was read last."""
PSEUDO_SUM: Final = 33
"""Sum of the pseudo-header as it was captured."""
PAYLOAD_LENGTH: Final = 34
"""Length the IP header gives its payload, 0 when it does not say."""

# What the policies ask for.
PAYLOAD: Final = 35
"""What becomes of bytes above the transport layer: KEEP_PAYLOAD, ZERO_PAYLOAD or CUT_PAYLOAD."""
MASK_NAMES: Final = 36
"""1 when letters and digits of names are masked."""
MASK_REVERSE_NAMES: Final = 37
"""1 when the digits of names that spell addresses are masked, whatever MASK_NAMES says."""

# Of the packet under way, too.
PACKET_PAYLOAD: Final = 38
"""The payload policy; a block that cannot say its captured length has no CUT_PAYLOAD."""
PACKET_STOP: Final = 39
"""Where the packet ends from now on."""
BY_POLICY: Final = 40
"""Bytes were understood and overwritten, since a policy asked for it."""

# Between packets.
WAITING: Final = 41
"""Set when an address of the packet is not mapped yet."""
DEFERRED: Final = 42
"""Packets that wait for the addresses of this window to be mapped."""

TAKE_PLAIN: Final = 43
"""1 when plain packets are rewritten in one go; 0 has every packet walked, with the same result."""
PACKETS_PLAIN: Final = 44
"""Packets that were rewritten in one go."""

SAVED: Final = 45
"""Four counters as they were before the packet under way."""

STACK: Final = 50
STACK_ROOM: Final = 32
"""Levels of nesting; what lies deeper is zeroed."""
LEVEL_COLUMNS: Final = 4
LEVEL_CHECKSUM: Final = 0
"""Where the checksum lies that covers the level, 0 for none."""
LEVEL_KIND: Final = 1
LEVEL_PSEUDO: Final = 2
LEVEL_OUTER: Final = 3
"""The delta of the enclosing level so far."""

UDP_PORTS: Final = STACK + STACK_ROOM * LEVEL_COLUMNS
"""A bit for each port whose payload is not simply payload, 64 a word."""
PORT_WORDS: Final = 1 << 10
TCP_PORTS: Final = UDP_PORTS + PORT_WORDS

NEW_AT: Final = TCP_PORTS + PORT_WORDS
"""Where the list of new addresses begins; entries are slot positions, WIDE_ENTRY added for the wide table."""
NEW_ROOM: Final = 1 << 18
STATE_LENGTH: Final = NEW_AT + NEW_ROOM
WIDE_ENTRY: Final = 1 << 62

# Table slots. A narrow key carries its kind, so that 0 stays free for an empty slot.
KEY_IPV4: Final = 1 << 62
KEY_MAC: Final = 1 << 61
READY: Final = 1 << 63
"""The slot holds the new address."""
NARROW_WORDS: Final = 2
WIDE_WORDS: Final = 8
WIDE_LOW: Final = 1
WIDE_NEW_HIGH: Final = 2
WIDE_NEW_LOW: Final = 3
WIDE_META: Final = 4
"""0 for an empty slot, 1 for an address that waits, READY with the delta for one that is mapped."""

# What becomes of payload.
KEEP_PAYLOAD: Final = 0
ZERO_PAYLOAD: Final = 1
CUT_PAYLOAD: Final = 2

# How a checksum is written back.
PLAIN_CHECKSUM: Final = 0
UDP_CHECKSUM: Final = 1
"""0 means none, and a computed 0 is written as all ones (RFC 768)."""
PARTIAL_CHECKSUM: Final = 2
"""Left to the network card: the field holds the uncomplemented pseudo-header sum."""

# What the walk can enter beside ethertypes, which are below 0x10000.
ENTER_ETHERNET: Final = 0x10001
ENTER_LLC: Final = 0x10002
ENTER_UNKNOWN: Final = 0x10003
ENTER_PROTOCOL: Final = 0x20000
"""An IP protocol number is added."""
