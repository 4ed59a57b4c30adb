"""The elements of a data set as rows of numbers.

The walk writes one row for each data element (PS3.5 §7.1), in the order of the bytes; a sequence's row comes before
those of its items' elements. Rows are flat int64, shared by the kernels that walk and the policy that decides.
"""

from typing import Final

ELEMENT_COLUMNS: Final = 8
TAG: Final = 0
"""Group times 65536 plus element."""
VR: Final = 1
"""The two letters as a big-endian number; for implicit VR, and for UN with a known tag, that of the dictionary."""
AT: Final = 2
"""Where the value begins in the data set."""
LENGTH: Final = 3
"""Bytes of the value; of a sequence of undefined length, those up to its delimiter."""
DEPTH: Final = 4
"""0 for elements outside sequences."""
PARENT: Final = 5
"""Row of the sequence that an element stands in, or -1."""
CREATOR: Final = 6
"""Row of the private creator whose block a private element is in (PS3.5 §7.8.1), or -1."""
KIND: Final = 7

VALUE: Final = 0
SEQUENCE: Final = 1
"""Its items' elements have rows of their own; the row itself has no value."""
FRAGMENT: Final = 2
"""A fragment of encapsulated pixel data (PS3.5 §A.4): one row each."""
OFFSET_TABLE: Final = 3
"""The first item of encapsulated pixel data."""
OUTSIDE: Final = 4
"""A value too long to be held; its bytes are not in memory."""
UNREADABLE: Final = 5
"""What could not be walked, up to the end of the innermost thing whose length is known: no tag, VR 0."""


def vr_number(letters: str) -> int:
    """Return a VR as it stands in a row."""
    return int.from_bytes(letters.encode(), "big")
