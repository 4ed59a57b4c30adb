"""The second reader's state, by index.

One int64 array: the packet under way, what the policies allow, counters, and where the tables of pairs lie.
"""

from typing import Final

# The packet under way. Places count in the original's window; the output lies SHIFT further on.
SHIFT: Final = 0
CURSOR: Final = 1
"""Every byte before it is accounted for."""
STOP: Final = 2
"""Where the packet ends in the output: later bytes were truncated."""
NUMBER: Final = 3
"""Number of the packet, from 1."""
NEXT: Final = 4
"""What is read next: an ethertype, or a number below."""
NEXT_AT: Final = 5
NEXT_END: Final = 6
RESUME_AT: Final = 7
"""Where neighbor discovery options go on behind a redirected packet; 0 for nowhere."""
RESUME_END: Final = 8
VERSION: Final = 9
"""IP version of the header that was read last."""
FRAGMENT: Final = 10
"""Where in its datagram the payload begins, in bytes."""
PARTS: Final = 11
"""1 when the datagram is a fragment, so that no checksum can be computed."""
SOURCE: Final = 12
"""Place of the source address in the pseudo-header."""
DESTINATION: Final = 13
"""Place of the destination address in the pseudo-header."""
PAYLOAD_LENGTH: Final = 14
"""Length that IP gives its payload; -1 when it does not say."""

SAME_AT: Final = 15
"""The bytes from here to SAME_END are known to be alike in both files."""

# What is expected.
PAYLOAD: Final = 16
MASKED: Final = 17
"""1 when names must be masked."""
SAME_END: Final = 18

PAYLOAD_KEEP: Final = 0
PAYLOAD_ZERO: Final = 1
PAYLOAD_TRUNCATE: Final = 2

# The ledger, in bytes.
STRUCTURAL: Final = 20
REWRITTEN: Final = 21
ZEROED: Final = 22
OPAQUE: Final = 23
KEPT: Final = 24
UNKNOWN: Final = 25

# What must not be.
CHANGED: Final = 26
"""Bytes that changed outside the declared places."""
PAYLOAD_LEFT: Final = 27
"""Bytes of payload that should have become zero."""
NAMES_LEFT: Final = 28
"""Bytes of names that should have been masked."""
LENGTHS: Final = 29
TIMES: Final = 30
INTERFACES: Final = 31
"""Packets that moved to another interface."""
INCONSISTENT: Final = 32
OVERFLOW: Final = 33
"""Addresses for which the tables had no room."""

# Checksums.
SUMS_GOOD: Final = 34
SUMS_BAD: Final = 35
SUMS_ABSENT: Final = 36
SUMS_CHANGED: Final = 37

# Address fields that hold what they held, of addresses that are not fixed: fields, first packet, first place.
SAME_IPV4: Final = 40
SAME_IPV6: Final = 43
SAME_MAC: Final = 46
OUTPUT_BASE: Final = 49
"""Where the output's window begins in its file."""

# What is looked up: the classes of the bytes of a hit.
TARGET_BEGIN: Final = 50
TARGET_END: Final = 51
TARGET_CLASSES: Final = 52

CLASS_STRUCTURAL: Final = 1
CLASS_ADDRESS: Final = 2
"""Address and checksum fields."""
CLASS_ZEROED: Final = 4
CLASS_PAYLOAD: Final = 8
CLASS_UNKNOWN: Final = 16
CLASS_KEPT: Final = 32
"""Address fields that hold what they held."""
CLASS_EXACT: Final = 64
"""The hit is one whole address field."""
CLASS_JUDGED: Final = 128
"""The reader of DICOM says what it is."""

# The narrow table: IPv4 and MAC addresses, two words a slot; the wide one: IPv6, five words a slot.
NARROW_MASK: Final = 60
NARROW_SHIFT: Final = 61
NARROW_USED: Final = 62
NARROW_LIMIT: Final = 63
WIDE_AT: Final = 64
WIDE_MASK: Final = 65
WIDE_SHIFT: Final = 66
WIDE_USED: Final = 67
WIDE_LIMIT: Final = 68
SEED_NARROW: Final = 69
SEED_LOW: Final = 70
SEED_WIDE: Final = 71
GROWS: Final = 72
"""1 while the tables may grow."""

# What the reader of DICOM judges of the packet under way: from here to JUDGED_END.
JUDGED_AT: Final = 77
JUDGED_END: Final = 78
JUDGED_SAME: Final = 79
"""Bytes of it that are as they were."""
FOREIGN_KEPT: Final = 80
"""1 when bytes that nobody claims may stay."""
FOREIGN_ZERO: Final = 81
"""1 when whatever is no DICOM may have become zero, the headers of control messages and tunnels among it."""

TAKE_PLAIN: Final = 82
"""1 when plain packets may be read in one go: their payload is kept."""

STATE_LENGTH: Final = 88

NARROW_WORDS: Final = 2
WIDE_WORDS: Final = 5
WIDE_LOW: Final = 1
WIDE_NEW_HIGH: Final = 2
WIDE_NEW_LOW: Final = 3
WIDE_META: Final = 4
"""IN_USE, flags, and the length of a prefix plus one; 0 for an address."""

KEY_IPV4: Final = 1 << 62
KEY_MAC: Final = 1 << 61
# Flags of a slot; in the narrow table they stand above the 48 bits of the pseudonym.
IN_USE: Final = 1 << 56
MAPPED: Final = 1 << 57
"""It has a pseudonym; otherwise it was only met where the output holds zeros."""
SEARCHED: Final = 1 << 58
"""The leak scan looks for it."""

# Packet lists, written by framing.
PACKET_COLUMNS: Final = 10
PACKET_BEGIN: Final = 0
PACKET_END: Final = 1
PACKET_ORIGINAL: Final = 2
"""Length on the wire."""
PACKET_HIGH: Final = 3
"""Time: seconds, or the upper word."""
PACKET_LOW: Final = 4
PACKET_FACE: Final = 5
"""Number of its interface in the file, from 0."""
PACKET_KIND: Final = 6
"""Type of its block and, of obsolete ones, the drops count; 0 in pcap."""
PACKET_LINK: Final = 7
PACKET_JUDGED_AT: Final = 8
"""Payload that the reader of DICOM judges begins here; both are 0 without."""
PACKET_JUDGED_END: Final = 9

# What can be read beside ethertypes, which are below 0x10000.
NOTHING: Final = 0
READ_ETHERNET: Final = 0x10001
READ_LLC: Final = 0x10002
READ_PROTOCOL: Final = 0x20000
"""An IP protocol number is added."""
