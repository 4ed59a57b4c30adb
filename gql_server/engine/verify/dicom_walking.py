"""Kernels that walk a data set in both files at once.

PS3.5 §7: the original says where elements, items and values are; the output has the same headers there, or zeros over
a header and all that belongs to it. The bytes come piece by piece; what a value of known length lacks does not end
the walk.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load8, load16, load16_little, load32, load32_little
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_judging import count_long, is_alike, is_null, judge, judge_piece, mix

_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_MODALITY: Final = 0x00080060
_PIXEL_DATA: Final = 0x7FE00010
_VR_SQ: Final = 21
_VR_UN: Final = 29
_VR_LO: Final = 10
_VR_OB: Final = 12
_VR_OW: Final = 17


@kernel
def _half(b: Bytes, at: int, syntax: int) -> int:
    return load16(b, at) if syntax == d.BIG_ENDIAN else load16_little(b, at)


@kernel
def _word(b: Bytes, at: int, syntax: int) -> int:
    return load32(b, at) if syntax == d.BIG_ENDIAN else load32_little(b, at)


@kernel
def _tag(b: Bytes, at: int, syntax: int) -> int:
    return (_half(b, at, syntax) << 16) | _half(b, at + 2, syntax)


@kernel
def _top(s: State) -> int:
    return int(d.STACK + (s[d.DEPTH] - 1) * d.STACK_COLUMNS)


@kernel
def _syntax(s: State) -> int:
    return int(s[_top(s) + d.STACK_SYNTAX] if s[d.DEPTH] > 0 else s[d.SYNTAX])


@kernel
def _limit(s: State) -> int:
    """Return the end of the innermost thing whose length is known."""
    for level in range(s[d.DEPTH] - 1, -1, -1):
        end = s[d.STACK + level * d.STACK_COLUMNS + d.STACK_END]
        if end >= 0:
            return int(end)
    return d.ENDLESS


@kernel
def damage(s: State) -> None:
    """Read nothing up to the end of the innermost thing whose length is known."""
    s[d.VALUE_LEFT] = 0
    s[d.UNREAD] = _limit(s)
    while s[d.DEPTH] > 0 and s[_top(s) + d.STACK_END] != s[d.UNREAD]:
        s[d.DEPTH] -= 1


@kernel
def outgrow(s: State) -> None:
    """Leave containers that end in what was not captured: where the next element begins nobody knows."""
    while s[d.DEPTH] > 0 and 0 <= s[_top(s) + d.STACK_END] < s[d.SET_AT]:
        s[d.DEPTH] -= 1
        damage(s)


@kernel
def find_tag(tags: State, tag: int) -> int:
    """Return the place of a tag in the dictionary, or -1."""
    total = tags[d.TAG_COUNT]
    low, high = 0, total
    while low < high:
        middle = (low + high) // 2
        if tags[d.TAGS + middle] < tag:
            low = middle + 1
        else:
            high = middle
    return low if low < total and tags[d.TAGS + low] == tag else -1


@kernel
def vr_of(tags: State, b: Bytes, at: int) -> int:
    """Return the index of a VR by its letters, or -1."""
    one, two = load8(b, at) - 65, load8(b, at + 1) - 65
    if 0 <= one < 26 and 0 <= two < 26:  # noqa: PLR2004  # letters
        return int(tags[d.VR_LETTERS + one * 26 + two])
    return -1


@kernel
def _header(a: Bytes, o: Bytes, s: State, i: int, length: int) -> int:
    """Compare a header: 0 the same, 1 made zero, 2 changed."""
    if is_alike(a, o, i, i + length):
        if s[d.DEPTH] > 0 and s[_top(s) + d.STACK_BLANK] & 1 and not is_null(o, i, i + length):
            s[d.STRUCTURE] += 1
        return 0
    if is_null(o, i, i + length):
        s[d.UNDECODABLE] += length
        return 1
    s[d.STRUCTURE] += 1
    return 2


@kernel
def _push(s: State, kind: int, end: int, syntax: int, path: np.uint64, blank: int) -> None:
    if s[d.DEPTH] >= d.DEPTH_LIMIT:
        damage(s)
        return
    if s[d.DEPTH] > 0:
        blank |= s[_top(s) + d.STACK_BLANK]
    s[d.DEPTH] += 1
    i = _top(s)
    s[i + d.STACK_END], s[i + d.STACK_KIND], s[i + d.STACK_SYNTAX] = end, kind, syntax
    s[i + d.STACK_PATH], s[i + d.STACK_BLANK] = np.int64(path), blank


@kernel
def _begin_value(s: State, row: int, vr: int, rule: int, length: int, free: bool) -> None:
    s[d.VALUE_LEFT], s[d.VALUE_LENGTH], s[d.VALUE_RULE], s[d.VALUE_ROW] = length, length, rule, row
    s[d.VALUE_VR], s[d.VALUE_KEPT], s[d.VALUE_NEW], s[d.FREE] = vr, 0, 0, free


@kernel
def _item(a: Bytes, o: Bytes, s: State, i: int) -> None:
    """Read an item or the end of a sequence (PS3.5 §7.5)."""
    top = _top(s)
    syntax, kind = s[top + d.STACK_SYNTAX], s[top + d.STACK_KIND]
    tag, length = _tag(a, i, syntax), _word(a, i + 4, syntax)
    if tag == _SEQUENCE_END and s[top + d.STACK_END] < 0 and length == 0:
        _header(a, o, s, i, 8)
        s[d.SET_AT] += 8
        s[d.DEPTH] -= 1
        return
    is_endless = length == _UNDEFINED and kind == d.SEQUENCE
    if tag != _ITEM or (not is_endless and s[d.SET_AT] + 8 + length > _limit(s)):
        damage(s)
        return
    blank = _header(a, o, s, i, 8)
    s[d.SET_AT] += 8
    if kind == d.FRAGMENTS:
        rule = d.NOTHING if blank == 1 else d.PIXELS
        _begin_value(s, s[top + d.STACK_PATH], _VR_OB, rule, length, False)  # noqa: FBT003  # kernels take positions
        return
    end = -1 if is_endless else s[d.SET_AT] + length
    _push(s, d.ITEM, end, syntax, U(s[top + d.STACK_PATH]), int(blank == 1))


@kernel
def _path(s: State, tag: int) -> np.uint64:
    return mix(U(s[_top(s) + d.STACK_PATH]) if s[d.DEPTH] > 0 else U(0), U(tag))


@kernel
def _is_free(s: State, overrides: Words, path: np.uint64) -> bool:
    for i in range(s[d.OVERRIDES]):  # noqa: SIM110  # numba knows no any()
        if overrides[i] == path:
            return True
    return False


@kernel
def _rule(tags: State, tag: int, row: int, vr: int) -> int:
    """Say what must become of a value."""
    if (tag >> 16) & 1:
        is_creator = 0x10 <= (tag & 0xFFFF) <= 0xFF  # noqa: PLR2004  # PS3.5 §7.8.1
        return d.CREATOR if is_creator else d.BULK
    if row < 0:
        # Group lengths (PS3.5 §7.2).
        return d.NUMBER if tag & 0xFFFF == 0 and vr != _VR_UN else d.BULK
    rule = tags[d.TAGS + 2 * tags[d.TAG_COUNT] + row]
    return int(rule if rule >= 0 else tags[d.VR_RULE + vr])


@kernel
def _opens_items(a: Bytes, o: Bytes, i: int, have: int, length: int, syntax: int) -> bool:
    """Say whether a value of unknown form is a sequence, which the output shows by having its first item."""
    return length >= 8 and have >= 8 and _tag(a, i, syntax) == _ITEM and is_alike(a, o, i, i + 8)  # noqa: PLR2004  # item


@kernel
def _implicit_vr(tags: State, tag: int, row: int) -> int:
    if row >= 0:
        return int(tags[d.TAGS + tags[d.TAG_COUNT] + row])
    if tag & 0xFFFF == 0:
        return int(tags[d.VR_LETTERS + 20 * 26 + 11])  # UL
    return _VR_LO if (tag >> 16) & 1 and 0x10 <= (tag & 0xFFFF) <= 0xFF else _VR_UN  # noqa: PLR2004  # PS3.5 §7.8.1


@kernel
def _element(  # noqa: C901, PLR0911, PLR0912, PLR0915  # one element, from its tag to its value
    a: Bytes, o: Bytes, m: State, s: State, tags: State, counts: State, seen: Words, rows: State,
    was: Bytes, now: Bytes, targets: State, marks: State, overrides: Words, i: int, have: int, final: bool,
) -> int:  # fmt: skip
    """Read one element; return LACKING when more bytes are needed."""
    syntax = _syntax(s)
    tag, header, length = _tag(a, i, syntax), 8, _word(a, i + 4, syntax)
    if tag == _ITEM_END and s[d.DEPTH] > 0 and s[_top(s) + d.STACK_END] < 0 and length == 0:
        _header(a, o, s, i, 8)
        s[d.SET_AT] += 8
        s[d.DEPTH] -= 1
        return d.MORE
    row = find_tag(tags, tag)
    vr = _implicit_vr(tags, tag, row) if syntax == d.IMPLICIT else vr_of(tags, a, i + 4)
    if vr < 0 or tag >> 16 == 0xFFFE:  # noqa: PLR2004  # the group of items
        damage(s)
        return d.MORE
    if syntax != d.IMPLICIT:
        length = _half(a, i + 6, syntax)
        if tags[d.VR_IS_LONG + vr]:
            if have < 12:  # noqa: PLR2004  # the long form
                return d.LACKING
            header, length = 12, _word(a, i + 8, syntax)
    if length != _UNDEFINED and s[d.SET_AT] + header + length > _limit(s):
        damage(s)
        return d.MORE
    path, rule = _path(s, tag), _rule(tags, tag, row, vr)
    entry = row if row >= 0 else tags[d.TAG_COUNT] + vr + (64 if (tag >> 16) & 1 else 0)
    child = d.IMPLICIT if vr == _VR_UN and syntax == d.EXPLICIT else syntax
    if length == _UNDEFINED:
        return _endless(a, o, s, tag, entry, vr, i, header, child, path, 2 * int(rule == d.BULK))
    is_open = vr == _VR_SQ
    if not is_open and (vr == _VR_UN or rule == d.BULK) and have >= header:
        is_open = _opens_items(a, o, i + header, have - header, length, child)
    whole = length <= d.HELD and rule != d.PIXELS
    if not is_open and whole and have < header + length and not final:
        return d.LACKING
    blank = _header(a, o, s, i, header)
    s[d.SET_AT] += header
    inherited = s[_top(s) + d.STACK_BLANK] if s[d.DEPTH] > 0 else 0
    if is_open:
        if length > 0:
            _push(s, d.SEQUENCE, s[d.SET_AT] + length, child, path, int(blank == 1) | (2 * int(rule == d.BULK)))
        return d.MORE
    if blank == 1 or inherited & 1:
        rule = d.NOTHING
    elif inherited:
        rule = d.BULK
    free = s[d.OVERRIDES] > 0 and _is_free(s, overrides, path)
    if tag == _MODALITY and length <= 16 and have >= header + length:  # noqa: PLR2004  # a code string
        s[d.MODALITY] = 0
        for k in range(min(length, 7)):
            s[d.MODALITY] = s[d.MODALITY] * 256 + load8(a, i + header + k)
    if not whole or have < header + length:
        _begin_value(s, entry, vr, rule, length, free)
        return d.MORE
    judge(a, o, m, s, counts, seen, rows, was, now, targets, marks, tag, entry, vr, rule, i + header, length, free)
    s[d.SET_AT] += length
    return d.MORE


@kernel
def _endless(
    a: Bytes,
    o: Bytes,
    s: State,
    tag: int,
    row: int,
    vr: int,
    i: int,
    header: int,
    syntax: int,
    path: np.uint64,
    fill: int,
) -> int:
    """Begin a value of undefined length."""
    if vr in (_VR_SQ, _VR_UN) or syntax == d.IMPLICIT:
        blank = _header(a, o, s, i, header)
        s[d.SET_AT] += header
        _push(s, d.SEQUENCE, -1, syntax, path, int(blank == 1) | fill)
    elif tag == _PIXEL_DATA and vr in (_VR_OB, _VR_OW):
        blank = _header(a, o, s, i, header)
        s[d.SET_AT] += header
        _push(s, d.FRAGMENTS, -1, syntax, U(row), int(blank == 1))
    else:
        damage(s)
    return d.MORE


@kernel
def _unread(o: Bytes, s: State, i: int, length: int) -> None:
    """Hold what nobody can read to zero."""
    for k in range(i, i + length):
        s[d.LEFT] += load8(o, k) != 0
    s[d.UNDECODABLE] += length


@kernel
def _goes_on(
    a: Bytes,
    o: Bytes,
    m: State,
    s: State,
    counts: State,
    pixels: State,
    targets: State,
    marks: State,
    i: int,
    have: int,
) -> bool:
    """Go on with what needs no header; say whether there was any."""
    if s[d.VALUE_LEFT] > 0:
        length = min(have, s[d.VALUE_LEFT])
        judge_piece(a, o, m, s, targets, marks, i, length)
        s[d.SET_AT] += length
        s[d.VALUE_LEFT] -= length
        if s[d.VALUE_LEFT] == 0:
            count_long(s, counts, pixels)
        return bool(length > 0)
    if s[d.UNREAD] > s[d.SET_AT]:
        length = min(have, s[d.UNREAD] - s[d.SET_AT])
        _unread(o, s, i, length)
        s[d.SET_AT] += length
        return bool(length > 0)
    if s[d.DEPTH] > 0 and 0 <= s[_top(s) + d.STACK_END] <= s[d.SET_AT]:
        s[d.DEPTH] -= 1
        return True
    return False


@kernel
def walk(
    a: Bytes, o: Bytes, m: State, s: State, tags: State, counts: State, pixels: State, seen: Words, rows: State,
    was: Bytes, now: Bytes, targets: State, marks: State, overrides: Words, final: bool,
) -> int:  # fmt: skip
    """Walk as far as the buffer goes; return FLUSH when rows must be taken first, MORE otherwise.

    With `final` nothing will follow: what is cut off is judged as far as it is there.
    """
    while True:
        i = s[d.SET_AT] - s[d.SET_BASE]
        have = s[d.SET_HAVE] - i
        if _goes_on(a, o, m, s, counts, pixels, targets, marks, i, have):
            continue
        if s[d.VALUE_LEFT] > 0 or s[d.UNREAD] > s[d.SET_AT] or have <= 0:
            return d.MORE
        if s[d.ROWS] >= d.MOST_ROWS - 1 or s[d.ARENA] > d.ARENA_BYTES - d.SHOWN or s[d.SEEN] > d.SEEN_WORDS // 2:
            return d.FLUSH
        is_lacking = have < 8  # noqa: PLR2004  # a header
        if not is_lacking and s[d.DEPTH] > 0 and s[_top(s) + d.STACK_KIND] != d.ITEM:
            _item(a, o, s, i)
        elif not is_lacking:
            answer = _element(a, o, m, s, tags, counts, seen, rows, was, now, targets, marks, overrides, i, have, final)
            is_lacking = answer == d.LACKING
        if is_lacking and final:
            s[d.UNREAD] = s[d.SET_AT] + have
        elif is_lacking:
            return d.MORE
