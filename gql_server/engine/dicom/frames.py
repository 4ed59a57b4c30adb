"""What a walk over a data set keeps in mind.

A walk holds a stack of frames in one array of numbers: the data set, then a frame for each open sequence and one for
its open item (PS3.5 §7.5). It stops where bytes must be loaded and goes on from where it stopped.

Places are in the bytes that are held. When a long value is left out, all ends behind it move back by its length, so
that the bytes behind it stand where it would have begun; SHIFT counts what was left out so far.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import State, kernel
from gql_server.engine.dicom.elements import (
    AT,
    CREATOR,
    DEPTH,
    ELEMENT_COLUMNS,
    KIND,
    LENGTH,
    OUTSIDE,
    PARENT,
    TAG,
    UNREADABLE,
    VALUE,
    VR,
)
from gql_server.engine.dicom.representations import UN

GO: Final = -1
DONE: Final = 0
MORE: Final = 1
"""NEEDED bytes must be loaded."""
FULL: Final = 2
"""There is no room for rows."""
SKIP: Final = 3
"""SKIP_COUNT bytes of the data set from SKIP_AT on are left out; SKIP_ROW is their row, or -1."""

POSITION: Final = 0
LOADED: Final = 1
TOTAL: Final = 2
SHIFT: Final = 3
ROWS: Final = 4
CAPACITY: Final = 5
FRAME: Final = 6
"""Place of the topmost frame in this array."""
NEEDED: Final = 7
MISSING: Final = 8
"""How many ranges of loaded bytes were not captured."""
SKIP_AT: Final = 9
SKIP_COUNT: Final = 10
SKIP_ROW: Final = 11
VALUE_LIMIT: Final = 12
"""Longer values are left out."""
PIXEL_LIMIT: Final = 13
"""The same for pixel data that is not encapsulated."""
COMMAND: Final = 14
"""1 for a command set: group 0000 and nothing else; 0 for a data set: anything else."""
CUT: Final = 15
"""1 if the message ended before its last fragment."""
ELEMENTS: Final = 16
KNOWN: Final = 17
"""Elements with a tag of the dictionary, or in a private group."""
MALFORMED: Final = 18
TORN: Final = 19
"""Places that make no sense because bytes are missing."""
FRAMES: Final = 24

FRAME_WORDS: Final = 16
FRAME_KIND: Final = 0
FRAME_END: Final = 1
"""-1 for an undefined length."""
FRAME_LIMIT: Final = 2
"""Where the innermost thing ends whose length is known."""
FRAME_ROW: Final = 3
"""Row of the sequence, -1 outside sequences."""
FRAME_BEGIN: Final = 4
FRAME_SHIFT: Final = 5
FRAME_TAG: Final = 6
"""The last tag, which the next one must exceed; that of the element for fragments."""
FRAME_ENCODING: Final = 7
FRAME_GUESS: Final = 8
"""Place of the innermost frame that is a sequence by its look alone, or 0."""
FRAME_DEPTH: Final = 9
FRAME_GROUP: Final = 10
"""The group of the private creators seen last."""
FRAME_CREATORS: Final = 11
FRAME_CREATORS_END: Final = 12
FRAME_CREATOR: Final = 13
"""Row of the private creator used last, -1 for none."""
FRAME_NUMBER: Final = 14
"""Its number in the dictionary. For fragments: how many there were."""

DATA_SET: Final = 0
ITEMS: Final = 1
FRAGMENTS: Final = 2

MAX_DEPTH: Final = 64
FRAMES_END: Final = FRAMES + (2 * MAX_DEPTH + 1) * FRAME_WORDS
STATE_LENGTH: Final = FRAMES_END

IMPLICIT: Final = 1
BIG: Final = 2

MALFORMED_HERE: Final = 0
TOO_SHORT: Final = 1
NOT_CAPTURED: Final = 2


@kernel
def begin(s: State, total: int, loaded: int, capacity: int, encoding: int, command: bool, cut: bool) -> None:
    """Put the frame of a whole data set on an empty stack."""
    for place in range(FRAMES + FRAME_WORDS):
        s[place] = 0
    s[TOTAL], s[LOADED], s[CAPACITY], s[FRAME] = total, loaded, capacity, FRAMES
    s[COMMAND], s[CUT] = command, cut
    s[FRAMES + FRAME_END] = s[FRAMES + FRAME_LIMIT] = total
    s[FRAMES + FRAME_ROW] = s[FRAMES + FRAME_TAG] = s[FRAMES + FRAME_CREATOR] = -1
    s[FRAMES + FRAME_ENCODING] = encoding


@kernel
def is_torn(m: State, s: State, at: int, end: int) -> bool:
    """Say whether one of the bytes was not captured."""
    low, high = 0, s[MISSING]
    while low < high:
        middle = (low + high) >> 1
        if m[2 * middle + 1] <= at:
            low = middle + 1
        else:
            high = middle
    torn: bool = low < s[MISSING] and m[2 * low] < end
    return torn


@kernel
def add_row(r: State, s: State, tag: int, vr: int, at: int, length: int, creator: int, kind: int) -> int:
    """Append a row to those of the topmost frame."""
    f = s[FRAME]
    row: int = s[ROWS]
    i = row * ELEMENT_COLUMNS
    r[i + TAG], r[i + VR], r[i + AT], r[i + LENGTH] = tag, vr, at, length
    r[i + DEPTH], r[i + PARENT], r[i + CREATOR], r[i + KIND] = s[f + FRAME_DEPTH], s[f + FRAME_ROW], creator, kind
    s[ROWS] = row + 1
    return row


@kernel
def enter(s: State, kind: int, at: int, end: int, row: int, encoding: int, depth: int, guessed: bool) -> bool:
    """Put a frame on the stack, if there is room."""
    f = s[FRAME]
    g = f + FRAME_WORDS
    if g + FRAME_WORDS > FRAMES_END:
        return False
    s[FRAME] = g
    s[g + FRAME_KIND], s[g + FRAME_END], s[g + FRAME_ROW] = kind, end, row
    s[g + FRAME_LIMIT] = s[f + FRAME_LIMIT] if end < 0 else end
    s[g + FRAME_BEGIN], s[g + FRAME_SHIFT], s[g + FRAME_TAG] = at, s[SHIFT], -1
    s[g + FRAME_ENCODING], s[g + FRAME_DEPTH] = encoding, depth
    s[g + FRAME_GUESS] = g if guessed else s[f + FRAME_GUESS]
    s[g + FRAME_GROUP] = s[g + FRAME_CREATORS] = s[g + FRAME_CREATORS_END] = s[g + FRAME_NUMBER] = 0
    s[g + FRAME_CREATOR] = -1
    s[POSITION] = at
    return True


@kernel
def leave(r: State, s: State, end: int) -> int:
    """Take the topmost frame from the stack; `end` is where its content ends."""
    f = s[FRAME]
    if f == FRAMES:
        s[NEEDED] = s[TOTAL]
        return DONE if s[LOADED] >= s[TOTAL] else MORE
    if s[f + FRAME_KIND] == ITEMS and s[f + FRAME_END] < 0:
        length = end + s[SHIFT] - s[f + FRAME_BEGIN] - s[f + FRAME_SHIFT]
        r[s[f + FRAME_ROW] * ELEMENT_COLUMNS + LENGTH] = length
    s[FRAME] = f - FRAME_WORDS
    return GO


@kernel
def leave_out(s: State, at: int, count: int, row: int) -> int:
    """Have bytes left out; what follows moves to where they would have begun."""
    s[SKIP_AT], s[SKIP_COUNT], s[SKIP_ROW] = at + s[SHIFT], count, row
    s[SHIFT] += count
    s[TOTAL] -= count
    s[LOADED] = min(s[LOADED], at)
    for f in range(FRAMES, s[FRAME] + FRAME_WORDS, FRAME_WORDS):
        s[f + FRAME_LIMIT] -= count
        if s[f + FRAME_END] >= 0:
            s[f + FRAME_END] -= count
    s[POSITION] = at
    return SKIP


@kernel
def _take_for_value(m: State, r: State, s: State, g: int) -> int:
    """Make a value of what only looked like a sequence."""
    row, end = s[g + FRAME_ROW], s[g + FRAME_END]
    i = row * ELEMENT_COLUMNS
    torn = is_torn(m, s, r[i + AT], end)
    r[i + VR], r[i + KIND] = UN, VALUE
    if torn:
        r[i + TAG] = r[i + VR] = 0
        r[i + KIND] = UNREADABLE
        s[TORN] += 1
    s[ROWS] = row + 1
    s[FRAME], s[POSITION] = g - FRAME_WORDS, end
    return GO


@kernel
def fail(m: State, r: State, s: State, at: int, reason: int) -> int:
    """Give up what begins here, up to the end of the innermost thing whose length is known."""
    g = s[s[FRAME] + FRAME_GUESS]
    if g != 0:
        return _take_for_value(m, r, s, g)
    f = s[FRAME]
    while s[f + FRAME_END] < 0:
        s[FRAME] = f
        leave(r, s, s[f + FRAME_LIMIT])
        f -= FRAME_WORDS
    s[FRAME] = f
    if reason == NOT_CAPTURED or (reason == TOO_SHORT and s[CUT] != 0 and f == FRAMES):
        s[TORN] += 1
    else:
        s[MALFORMED] += 1
    end = s[f + FRAME_END]
    s[POSITION] = end
    if end <= max(s[LOADED], at + s[VALUE_LIMIT]):
        if end > at:
            add_row(r, s, 0, 0, at, end - at, -1, UNREADABLE)
        return GO
    rest = max(at, s[LOADED])
    if rest > at:
        add_row(r, s, 0, 0, at, rest - at, -1, UNREADABLE)
    return leave_out(s, rest, end - rest, -1)


@kernel
def take_value(
    m: State, r: State, s: State, tag: int, vr: int, at: int, length: int, creator: int, kind: int, limit: int
) -> int:
    """Write the row of a value, which has been loaded unless it is longer than the limit, and go on behind it."""
    if length > limit:
        return leave_out(s, at, length, add_row(r, s, tag, vr, at, length, creator, OUTSIDE))
    if s[MISSING] != 0 and is_torn(m, s, at, at + length):
        s[TORN] += 1
        add_row(r, s, 0, 0, at, length, -1, UNREADABLE)
    else:
        add_row(r, s, tag, vr, at, length, creator, kind)
    s[POSITION] = at + length
    return GO
