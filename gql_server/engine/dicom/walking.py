"""The walk over the elements of a command set or a data set.

Strict: ascending tags, known VRs, reserved bytes zero, lengths inside what they stand in (PS3.5 §7.1, §7.5, §A.4).
What breaks a rule becomes UNREADABLE up to the end of the innermost thing whose length is known; the walk goes on
behind it. UN of undefined length holds implicit VR little endian (PS3.5 §6.2.2). A value of VR UN that looks like items
is walked as a sequence; if that fails it is a value.
"""
# ruff: noqa: FBT001, FBT003, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.dictionary import NO_VR, UNKNOWN_CREATOR, creator_number, private_vr, standard_vr
from gql_server.engine.dicom.elements import (
    AT,
    ELEMENT_COLUMNS,
    FRAGMENT,
    KIND,
    LENGTH,
    OFFSET_TABLE,
    SEQUENCE,
    TAG,
    VALUE,
)
from gql_server.engine.dicom.frames import (
    BIG,
    CAPACITY,
    COMMAND,
    DATA_SET,
    ELEMENTS,
    FRAGMENTS,
    FRAME,
    FRAME_CREATOR,
    FRAME_CREATORS,
    FRAME_CREATORS_END,
    FRAME_DEPTH,
    FRAME_ENCODING,
    FRAME_END,
    FRAME_GROUP,
    FRAME_GUESS,
    FRAME_KIND,
    FRAME_LIMIT,
    FRAME_NUMBER,
    FRAME_ROW,
    FRAME_TAG,
    FULL,
    GO,
    IMPLICIT,
    ITEMS,
    KNOWN,
    LOADED,
    MALFORMED_HERE,
    MISSING,
    MORE,
    NEEDED,
    NOT_CAPTURED,
    PIXEL_LIMIT,
    POSITION,
    ROWS,
    TOO_SHORT,
    VALUE_LIMIT,
    add_row,
    begin,
    enter,
    fail,
    is_torn,
    leave,
    take_value,
)
from gql_server.engine.dicom.representations import LO, OB, OW, SQ, UL, UN, is_long, is_short
from gql_server.engine.memory import load16, load32, load32_little, pointer

_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_DELIMITERS: Final = 0xFFFE
_FLOAT_PIXELS: Final = 0x7FE00008
_PIXELS: Final = 0x7FE00010
_HEADER: Final = 8
_LONG_HEADER: Final = 12
_FIRST_CREATOR: Final = 0x10
_LAST_CREATOR: Final = 0xFF
_CREATOR_LENGTH: Final = 64
_FORBIDDEN_BELOW: Final = 8
_FORBIDDEN: Final = 0xFFFF


@kernel
def _word(b: Bytes, at: int, big: int) -> int:
    word = load16(b, at)
    return word if big != 0 else ((word & 0xFF) << 8) | (word >> 8)


@kernel
def _long(b: Bytes, at: int, big: int) -> int:
    return load32(b, at) if big != 0 else load32_little(b, at)


@kernel
def _creator_of(b: Bytes, r: State, s: State, t: State, f: int, tag: int) -> int:
    """Return the row of the private creator in whose block a tag is, or -1; its number is then FRAME_NUMBER."""
    if s[f + FRAME_GROUP] != tag >> 16:
        return -1
    block = (tag >> 8) & 0xFF
    for row in range(s[f + FRAME_CREATORS], s[f + FRAME_CREATORS_END]):
        i = row * ELEMENT_COLUMNS
        if r[i + TAG] & 0xFFFF == block and r[i + TAG] >> 16 == tag >> 16:
            if s[f + FRAME_CREATOR] != row:
                known = r[i + KIND] == VALUE and r[i + LENGTH] <= _CREATOR_LENGTH
                s[f + FRAME_NUMBER] = creator_number(t, b, r[i + AT], r[i + LENGTH]) if known else UNKNOWN_CREATOR
                s[f + FRAME_CREATOR] = row
            return row
    return -1


@kernel
def _dictionary_vr(s: State, t: State, f: int, tag: int, creator: int) -> int:
    if (tag >> 16) & 1 == 0:
        return standard_vr(t, tag)
    element = tag & 0xFFFF
    if element == 0:
        return UL
    if _FIRST_CREATOR <= element <= _LAST_CREATOR:
        return LO
    return private_vr(t, s[f + FRAME_NUMBER], tag) if creator >= 0 else NO_VR


@kernel
def _looks_like_items(b: Bytes, m: State, s: State, at: int, length: int, encoding: int, limit: int) -> bool:
    if length < _HEADER or length > limit:
        return False
    tag = (_word(b, at, encoding & BIG) << 16) | _word(b, at + 2, encoding & BIG)
    return tag == _ITEM and not (s[MISSING] != 0 and is_torn(m, s, at, at + _HEADER))


@kernel
def _note_creator(s: State, f: int, tag: int, row: int) -> None:
    """Remember a private creator element; those of a group stand beside each other."""
    if s[f + FRAME_GROUP] != tag >> 16:
        s[f + FRAME_GROUP], s[f + FRAME_CREATORS], s[f + FRAME_CREATOR] = tag >> 16, row, -1
    s[f + FRAME_CREATORS_END] = row + 1


@kernel
def _accept(s: State, f: int, tag: int, known: bool) -> None:
    s[f + FRAME_TAG] = tag
    s[ELEMENTS] += 1
    s[KNOWN] += known


@kernel
def _sequence(
    m: State,
    r: State,
    s: State,
    tag: int,
    vr: int,
    head: int,
    at: int,
    end: int,
    creator: int,
    encoding: int,
    guessed: bool,
) -> int:
    """Write the row of a sequence and enter it."""
    depth = s[s[FRAME] + FRAME_DEPTH] + 1
    row = add_row(r, s, tag, vr, at, max(end - at, 0), creator, SEQUENCE)
    if end == at:
        s[POSITION] = end
        return GO
    if not enter(s, ITEMS, at, end, row, encoding, depth, guessed):
        s[ROWS] = row
        return fail(m, r, s, head, MALFORMED_HERE)
    return GO


@kernel
def _undefined(m: State, r: State, s: State, tag: int, vr: int, head: int, at: int, creator: int, encoding: int) -> int:
    """Enter something of undefined length: a sequence, or pixel data in fragments."""
    f = s[FRAME]
    if tag == _PIXELS and vr in (OB, OW, UN):
        if not enter(s, FRAGMENTS, at, -1, s[f + FRAME_ROW], encoding, s[f + FRAME_DEPTH], False):
            return fail(m, r, s, head, MALFORMED_HERE)
        s[s[FRAME] + FRAME_TAG] = (tag << 16) | vr
        return GO
    if vr == UN and encoding & IMPLICIT == 0:
        return _sequence(m, r, s, tag, SQ, head, at, -1, creator, IMPLICIT, False)
    if vr in (SQ, UN):
        return _sequence(m, r, s, tag, SQ, head, at, -1, creator, encoding, False)
    return fail(m, r, s, head, MALFORMED_HERE)


@kernel
def _defined(
    b: Bytes,
    m: State,
    r: State,
    s: State,
    tag: int,
    vr: int,
    head: int,
    at: int,
    length: int,
    creator: int,
    declared: bool,
    known: bool,
) -> int:
    """Take an element whose length is known."""
    f = s[FRAME]
    end, encoding, limit = at + length, s[f + FRAME_ENCODING], s[VALUE_LIMIT]
    if end > s[f + FRAME_LIMIT]:
        return fail(m, r, s, head, TOO_SHORT)
    if declared or (vr == SQ and length == 0):
        _accept(s, f, tag, known)
        return _sequence(m, r, s, tag, SQ, head, at, end, creator, encoding, False)
    if _FLOAT_PIXELS <= tag <= _PIXELS and s[f + FRAME_GUESS] == 0:
        limit = s[PIXEL_LIMIT]
    if length <= limit and end > s[LOADED]:
        s[NEEDED] = end
        return MORE
    inner = encoding if encoding & IMPLICIT != 0 else IMPLICIT
    if vr in (SQ, UN) and _looks_like_items(b, m, s, at, length, inner, limit):
        _accept(s, f, tag, known)
        return _sequence(m, r, s, tag, vr, head, at, end, creator, inner, True)
    _accept(s, f, tag, known)
    if (tag >> 16) & 1 == 1 and _FIRST_CREATOR <= tag & 0xFFFF <= _LAST_CREATOR:
        _note_creator(s, f, tag, s[ROWS])
    return take_value(m, r, s, tag, UN if vr == SQ else vr, at, length, creator, VALUE, limit)


@kernel
def _is_forbidden(s: State, f: int, tag: int) -> bool:
    """Say whether a tag may not stand here (PS3.5 §7.1, §7.8; PS3.7 §6.3)."""
    group = tag >> 16
    if tag <= s[f + FRAME_TAG] or (group == 0) != (s[COMMAND] != 0):
        return True
    return group in (_DELIMITERS, _FORBIDDEN) or (group < _FORBIDDEN_BELOW and group & 1 == 1)


@kernel
def _element(  # noqa: PLR0911  # one way out for each rule that is broken
    b: Bytes, m: State, r: State, s: State, t: State, f: int, at: int
) -> int:
    """Take one element."""
    encoding = s[f + FRAME_ENCODING]
    big = encoding & BIG
    tag = (_word(b, at, big) << 16) | _word(b, at + 2, big)
    if tag == _ITEM_END and s[f + FRAME_END] < 0 and load32(b, at + 4) == 0:
        s[POSITION] = at + _HEADER
        return leave(r, s, at)
    if _is_forbidden(s, f, tag):
        return fail(m, r, s, at, MALFORMED_HERE)
    vr, length, value = NO_VR, 0, at + _HEADER
    if encoding & IMPLICIT != 0:
        length = _long(b, at + 4, big)
    else:
        vr = load16(b, at + 4)
        if is_short(vr):
            length = _word(b, at + 6, big)
        elif not is_long(vr) or load16(b, at + 6) != 0:
            return fail(m, r, s, at, MALFORMED_HERE)
        else:
            value = at + _LONG_HEADER
            if value > s[f + FRAME_LIMIT]:
                return fail(m, r, s, at, TOO_SHORT)
            if value > s[LOADED]:
                s[NEEDED] = value
                return MORE
            if s[MISSING] != 0 and is_torn(m, s, at, value):
                return fail(m, r, s, at, NOT_CAPTURED)
            length = _long(b, at + 8, big)
    return _resolved(b, m, r, s, t, tag, vr, at, value, length)


@kernel
def _resolved(
    b: Bytes, m: State, r: State, s: State, t: State, tag: int, vr: int, head: int, at: int, length: int
) -> int:
    """Ask the dictionary for a VR that the element does not tell, and take the element."""
    f = s[FRAME]
    encoding = s[f + FRAME_ENCODING]
    private = (tag >> 16) & 1 == 1
    creator = -1
    if private and tag & 0xFFFF > _LAST_CREATOR:
        creator = _creator_of(b, r, s, t, f, tag)
    told = vr
    found = _dictionary_vr(s, t, f, tag, creator)
    if vr in (NO_VR, UN):
        vr = found if found != NO_VR else UN
    known = private or found != NO_VR
    if length == _UNDEFINED:
        if s[f + FRAME_LIMIT] < at + _HEADER:
            return fail(m, r, s, head, TOO_SHORT)
        told_or_found = told if told == UN else vr
        _accept(s, f, tag, known)
        return _undefined(m, r, s, tag, told_or_found, head, at, creator, encoding)
    declared = told == SQ or (told == NO_VR and vr == SQ and not private)
    return _defined(b, m, r, s, tag, vr, head, at, length, creator, declared, known)


@kernel
def _fragment(m: State, r: State, s: State, f: int, at: int, length: int) -> int:
    """Take a fragment of pixel data (PS3.5 §A.4)."""
    if length == _UNDEFINED:
        return fail(m, r, s, at, MALFORMED_HERE)
    value = at + _HEADER
    if value + length > s[f + FRAME_LIMIT]:
        return fail(m, r, s, at, TOO_SHORT)
    if length <= s[VALUE_LIMIT] and value + length > s[LOADED]:
        s[NEEDED] = value + length
        return MORE
    kind = OFFSET_TABLE if s[f + FRAME_NUMBER] == 0 else FRAGMENT
    s[f + FRAME_NUMBER] += 1
    element = s[f + FRAME_TAG]
    return take_value(m, r, s, element >> 16, element & 0xFFFF, value, length, -1, kind, s[VALUE_LIMIT])


@kernel
def _item(m: State, b: Bytes, r: State, s: State, f: int, at: int) -> int:
    """Take an item, or the end of a sequence."""
    big = s[f + FRAME_ENCODING] & BIG
    tag = (_word(b, at, big) << 16) | _word(b, at + 2, big)
    length = _long(b, at + 4, big)
    if tag == _SEQUENCE_END and s[f + FRAME_END] < 0 and length == 0:
        s[POSITION] = at + _HEADER
        return leave(r, s, at)
    if tag != _ITEM:
        return fail(m, r, s, at, MALFORMED_HERE)
    if s[f + FRAME_KIND] == FRAGMENTS:
        return _fragment(m, r, s, f, at, length)
    content = at + _HEADER
    end = -1 if length == _UNDEFINED else content + length
    if end > s[f + FRAME_LIMIT]:
        return fail(m, r, s, at, TOO_SHORT)
    if not enter(s, DATA_SET, content, end, s[f + FRAME_ROW], s[f + FRAME_ENCODING], s[f + FRAME_DEPTH], False):
        return fail(m, r, s, at, MALFORMED_HERE)
    return GO


@kernel
def _step(b: Bytes, m: State, r: State, s: State, t: State) -> int:
    f, at = s[FRAME], s[POSITION]
    if at == s[f + FRAME_END]:
        return leave(r, s, at)
    if at + _HEADER > s[f + FRAME_LIMIT]:
        return fail(m, r, s, at, TOO_SHORT)
    if at + _HEADER > s[LOADED]:
        s[NEEDED] = at + _HEADER
        return MORE
    if s[MISSING] != 0 and is_torn(m, s, at, at + _HEADER):
        return fail(m, r, s, at, NOT_CAPTURED)
    if s[f + FRAME_KIND] == DATA_SET:
        return _element(b, m, r, s, t, f, at)
    return _item(m, b, r, s, f, at)


@kernel
def _walk(b: Bytes, m: State, r: State, s: State, t: State) -> int:
    while True:
        if s[ROWS] + 2 > s[CAPACITY]:
            return FULL
        status = _step(b, m, r, s, t)
        if status != GO:
            return status


@entry
def begin_walk(state: State, total: int, rows: int, encoding: int, command: bool, cut: bool) -> None:
    """Prepare a walk of which nothing is loaded; there is room for `rows` rows."""
    begin(pointer(state), total, 0, rows, encoding, command, cut)


@entry
def walk(values: Bytes, missing: State, rows: State, state: State, tables: State) -> int:
    """Walk on from where the state stands; return DONE, MORE, FULL or SKIP.

    `missing` holds begins and ends of bytes that were not captured, ascending; `rows` has room for CAPACITY rows.
    """
    return _walk(pointer(values), pointer(missing), pointer(rows), pointer(state), pointer(tables))


@entry
def walk_whole(
    values: Bytes, missing: State, rows: State, state: State, tables: State, encoding: int, command: bool, cut: bool
) -> int:
    """Walk what is held whole, whatever the length of its values; return DONE, or FULL."""
    s = pointer(state)
    begin(s, len(values), len(values), len(rows) // ELEMENT_COLUMNS, encoding, command, cut)
    s[VALUE_LIMIT] = s[PIXEL_LIMIT] = len(values)
    return _walk(pointer(values), pointer(missing), pointer(rows), s, pointer(tables))
