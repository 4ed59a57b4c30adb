"""The state of the reader of DICOM, by index.

One int64 array: the stream under way, the data set under way, and what was counted.
"""

from typing import Final

# The stream. Places count in the bytes at hand.
HAVE: Final = 0
AT: Final = 1
"""Every byte before it is judged."""
MODE: Final = 2
PDU_LEFT: Final = 3
"""Bytes of the PDU that are still to come."""
PDV_LEFT: Final = 4
FLAGS: Final = 5
"""Message control header of the PDV (PS3.8 annex E.2)."""
CONTEXT: Final = 6
BASE: Final = 7
"""Position in the stream of the first byte at hand."""
MISSING: Final = 8
"""Bytes that were not captured behind those at hand."""

AT_PDU: Final = 0
IN_DATA: Final = 1
LOST: Final = 2
"""No PDU boundary is known."""
IN_PDV: Final = 3

# The data set. Positions count from its first byte.
ACTIVE: Final = 10
COMMAND: Final = 11
SYNTAX: Final = 12
SET_BASE: Final = 13
"""Position of the first byte in the buffer."""
SET_HAVE: Final = 14
"""Bytes in the buffer."""
SET_AT: Final = 15
VALUE_LEFT: Final = 16
"""Bytes of a long value that are still to come."""
VALUE_RULE: Final = 17
VALUE_ROW: Final = 18
VALUE_VR: Final = 19
VALUE_LENGTH: Final = 20
VALUE_KEPT: Final = 21
"""Bytes of it that stayed and are not blank."""
VALUE_NEW: Final = 22
"""Bytes of it that became something else."""
UNREAD: Final = 23
"""Up to here nothing can be read."""
DEPTH: Final = 24
MODALITY: Final = 25
CHARSET: Final = 26
HAS_PIXELS: Final = 27
FREE: Final = 28
"""1 while a value that an override names is under way."""
BROKEN: Final = 29
"""1 once part of the data set is missing."""

IMPLICIT: Final = 1
EXPLICIT: Final = 2
BIG_ENDIAN: Final = 3
DEFLATED: Final = 4
ENDLESS: Final = 1 << 62

# What is expected.
KEEP_PIXELS: Final = 32
ROWS: Final = 33
"""Rows of values written."""
ARENA: Final = 34
"""Bytes of values written."""
TARGETS: Final = 35
"""Places whose class is asked for."""
OVERRIDES: Final = 36
SEEN: Final = 37
"""Marks in the table of values met."""

# What was counted.
STRUCTURE: Final = 40
"""Places where the structure changed."""
LEFT: Final = 41
"""Bytes that cannot be read and are not zero in the output."""
BULK_LEFT: Final = 42
"""Bytes of private, unknown and other bulk values that are not blank."""
PIXELS_LEFT: Final = 43
ALTERED: Final = 44
"""Numbers, and pixels to be kept, that became others."""
UNDECODABLE: Final = 45
"""Bytes that cannot be read and are zero in the output."""
KEPT_BYTES: Final = 46
PIXELS_KEPT: Final = 47
MESSAGES: Final = 48
DATA_SETS: Final = 49
PDUS: Final = 50
ELEMENTS: Final = 51

CONTEXTS: Final = 64
"""The transfer syntax of each presentation context; 0 where none is known."""
STACK: Final = 320
DEPTH_LIMIT: Final = 160
"""Sequences and their items, both."""
STACK_COLUMNS: Final = 5
STACK_END: Final = 0
"""Where it ends; -1 when a delimiter says so."""
STACK_KIND: Final = 1
STACK_SYNTAX: Final = 2
STACK_PATH: Final = 3
STACK_BLANK: Final = 4
"""1 where the output is zero from its header on, 2 where every value must be blank; 3 for both."""
SEQUENCE: Final = 0
ITEM: Final = 1
FRAGMENTS: Final = 2
STATE_LENGTH: Final = STACK + DEPTH_LIMIT * STACK_COLUMNS

# What kernels answer.
MORE: Final = 0
CONTROL: Final = 1
"""An association PDU begins at AT and is all there."""
FLUSH: Final = 2
"""The rows are to be taken."""
WHOLE: Final = 3
"""A deflated data set is all there, or grows beyond the buffer."""
LACKING: Final = 4
"""Fewer bytes than a header or a value needs."""

HELD: Final = 1 << 16
"""Longer values are judged piece by piece."""
BUFFER: Final = 1 << 18
SHOWN: Final = 1 << 12
"""Bytes of a value that a row shows."""

ROW_COLUMNS: Final = 8
ROW_TAG: Final = 0
ROW_ENTRY: Final = 1
"""Its row in the dictionary."""
ROW_VR: Final = 2
ROW_RULE: Final = 3
ROW_OUTCOME: Final = 4
ROW_AT: Final = 5
ROW_LENGTH: Final = 6
ROW_CHARSET: Final = 7
MOST_ROWS: Final = 1 << 12
ARENA_BYTES: Final = 1 << 20
SEEN_WORDS: Final = 1 << 17

# What became of a value.
EMPTY: Final = 0
KEPT: Final = 1
ZEROED: Final = 2
BLANKED: Final = 3
REPLACED: Final = 4
OUTCOMES: Final = 5

# What must become of it.
MAY_STAY: Final = 0
NUMBER: Final = 1
"""It may stay or be blank, and must not become another."""
CHANGE: Final = 2
UID: Final = 3
BULK: Final = 4
PIXELS: Final = 5
DATE: Final = 6
TIME: Final = 7
CREATOR: Final = 8
CHARACTER_SET: Final = 9
CODED: Final = 10
"""Text of a coded entry: it may stay where the coding scheme is a standard's."""
NOTHING: Final = 11
"""Only zeros."""

# The dictionary: letters of VRs, what each VR says, then tags with theirs.
VR_LETTERS: Final = 0
VR_IS_LONG: Final = 676
VR_RULE: Final = 740
TAG_COUNT: Final = 804
TAGS: Final = 805

PIXEL_COLUMNS: Final = 4
PIXEL_MODALITY: Final = 0
PIXEL_SETS: Final = 1
PIXEL_BYTES: Final = 2
PIXEL_STAYED: Final = 3
PIXEL_ROWS: Final = 64

# Classes of a place.
PLACE_KEPT: Final = 1
PLACE_REWRITTEN: Final = 2
PLACE_BLANK: Final = 4
