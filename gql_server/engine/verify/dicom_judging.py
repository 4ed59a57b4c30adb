"""Kernels that judge one value of a data set in both files."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load8, load64, store8
from gql_server.engine.verify import dicom_layout as d

_BLANK: Final = 0x20
_WORD: Final = 8
_LONGEST_TARGET: Final = 512
_SHOWN_BULK: Final = 256
_FEWEST_PRINTED: Final = 4


@kernel
def mix(x: np.uint64, y: np.uint64) -> np.uint64:
    """Mix two words (the finalizer of SplitMix64)."""
    z = (x ^ (y * U(0x9E3779B97F4A7C15))) + U(0x9E3779B97F4A7C15)
    z = (z ^ (z >> U(30))) * U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> U(27))) * U(0x94D049BB133111EB)
    return z ^ (z >> U(31))


@kernel
def is_blank(b: Bytes, at: int, end: int) -> bool:
    """Say whether bytes are spaces and NULs alone."""
    while end - at >= _WORD:
        if load64(b, at) & U(0xDFDFDFDFDFDFDFDF) != U(0):
            return False
        at += _WORD
    while at < end:
        if load8(b, at) & ~_BLANK:
            return False
        at += 1
    return True


@kernel
def is_null(b: Bytes, at: int, end: int) -> bool:
    """Say whether bytes are zero."""
    while end - at >= _WORD:
        if load64(b, at) != U(0):
            return False
        at += _WORD
    while at < end:
        if load8(b, at) != 0:
            return False
        at += 1
    return True


@kernel
def is_alike(a: Bytes, o: Bytes, at: int, end: int) -> bool:
    """Say whether bytes are the same in both files."""
    while end - at >= _WORD:
        if load64(a, at) != load64(o, at):
            return False
        at += _WORD
    while at < end:
        if load8(a, at) != load8(o, at):
            return False
        at += 1
    return True


@kernel
def mark_places(m: State, s: State, targets: State, marks: State, at: int, end: int, kind: int) -> None:
    """Tell targets in these bytes of the buffer what they stand in; `m` says where in the stream each byte is."""
    total = s[d.TARGETS]
    while at < end and total > 0:
        begin = m[at]
        stop = at + 1
        while stop < end and m[stop] == m[stop - 1] + 1:
            stop += 1
        last = m[stop - 1] + 1
        low, high = 0, total
        while low < high:
            middle = (low + high) // 2
            if targets[2 * middle] < begin - _LONGEST_TARGET:
                low = middle + 1
            else:
                high = middle
        while low < total and targets[2 * low] < last:
            if targets[2 * low + 1] > begin:
                marks[low] |= kind
            low += 1
        at = stop


@kernel
def count_element(s: State, counts: State, row: int, outcome: int, length: int) -> None:
    """Count an element by its row in the dictionary."""
    i = (row * d.OUTCOMES + outcome) * 2
    counts[i] += 1
    counts[i + 1] += length
    s[d.ELEMENTS] += 1


@kernel
def _outcome(a: Bytes, o: Bytes, at: int, end: int) -> int:
    if is_blank(a, at, end):
        return d.EMPTY if is_blank(o, at, end) else d.REPLACED
    if is_alike(a, o, at, end):
        return d.KEPT
    if is_blank(o, at, end):
        return d.ZEROED if is_null(o, at, end) else d.BLANKED
    return d.REPLACED


@kernel
def _is_printed(a: Bytes, at: int, end: int) -> bool:
    """Say whether a value of no known form is text."""
    letters = 0
    for i in range(at, end):
        x = load8(a, i)
        if x < _BLANK and x not in (0, 9, 10, 12, 13, 27):
            return False
        letters += x > _BLANK
    return letters >= _FEWEST_PRINTED


@kernel
def _show(
    a: Bytes, o: Bytes, s: State, seen: Words, rows: State, was: Bytes, now: Bytes,
    tag: int, row: int, vr: int, rule: int, outcome: int, at: int, length: int,
) -> None:  # fmt: skip
    """Write a row of a value that was not met before."""
    shown = min(length, d.SHOWN)
    digest = mix(mix(U(tag), U(rule * 64 + vr)), U(s[d.CHARSET] * 8 + outcome))
    for i in range(shown):
        digest = mix(digest, U(load8(a, at + i) * 256 + load8(o, at + i)))
    digest |= U(1)
    place = digest >> U(47)
    while seen[place] != U(0):
        if seen[place] == digest:
            return
        place = (place + U(1)) & U(d.SEEN_WORDS - 1)
    seen[place] = digest
    s[d.SEEN] += 1
    i, arena = s[d.ROWS] * d.ROW_COLUMNS, s[d.ARENA]
    rows[i + d.ROW_TAG], rows[i + d.ROW_ENTRY], rows[i + d.ROW_VR] = tag, row, vr
    rows[i + d.ROW_RULE], rows[i + d.ROW_OUTCOME] = rule, outcome
    rows[i + d.ROW_AT], rows[i + d.ROW_LENGTH], rows[i + d.ROW_CHARSET] = arena, shown, s[d.CHARSET]
    for k in range(shown):
        store8(was, arena + k, load8(a, at + k))
        store8(now, arena + k, load8(o, at + k))
    s[d.ROWS] += 1
    s[d.ARENA] = arena + shown


@kernel
def judge(
    a: Bytes, o: Bytes, m: State, s: State, counts: State, seen: Words, rows: State, was: Bytes, now: Bytes,
    targets: State, marks: State, tag: int, row: int, vr: int, rule: int, at: int, length: int, free: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    """Judge a value that is all there."""
    end = at + length
    outcome = _outcome(a, o, at, end)
    count_element(s, counts, row, outcome, length)
    if s[d.TARGETS] > 0:
        kind = d.PLACE_KEPT if outcome == d.KEPT else d.PLACE_REWRITTEN if outcome == d.REPLACED else d.PLACE_BLANK
        mark_places(m, s, targets, marks, at, end, kind)
    if outcome == d.KEPT:
        s[d.KEPT_BYTES] += length
    if rule == d.CHARACTER_SET:
        digest = U(0)
        for i in range(at, min(end, at + _SHOWN_BULK)):
            digest = mix(digest, U(load8(a, i)))
        s[d.CHARSET] = np.int64(digest >> U(8))
    if free or outcome == d.EMPTY:
        return
    if rule == d.NUMBER:
        s[d.ALTERED] += outcome == d.REPLACED
    elif rule in (d.BULK, d.NOTHING):
        s[d.BULK_LEFT] += length if outcome in (d.KEPT, d.REPLACED) else 0
        if length <= _SHOWN_BULK and _is_printed(a, at, end):
            _show(a, o, s, seen, rows, was, now, tag, row, vr, rule, outcome, at, length)
    elif rule not in (d.MAY_STAY, d.PIXELS):
        _show(a, o, s, seen, rows, was, now, tag, row, vr, rule, outcome, at, length)


@kernel
def _stayed(a: Bytes, o: Bytes, at: int, end: int) -> tuple[int, int]:
    """Count bytes of the output that are not blank: those that stayed, and those that are new."""
    stayed, new = 0, 0
    for i in range(at, end):
        x = load8(o, i)
        if x & ~_BLANK:
            same = x == load8(a, i)
            stayed += same
            new += not same
    return stayed, new


@kernel
def judge_piece(a: Bytes, o: Bytes, m: State, s: State, targets: State, marks: State, at: int, length: int) -> None:
    """Judge a piece of a long value."""
    stayed, new = 0, 0
    if not is_null(o, at, at + length):
        stayed, new = (length, 0) if is_alike(a, o, at, at + length) else _stayed(a, o, at, at + length)
    if s[d.TARGETS] > 0:
        kind = d.PLACE_REWRITTEN if new > 0 else d.PLACE_KEPT if stayed > 0 else d.PLACE_BLANK
        mark_places(m, s, targets, marks, at, at + length, kind)
    s[d.VALUE_KEPT] += stayed
    s[d.VALUE_NEW] += new
    rule = s[d.VALUE_RULE]
    if rule == d.PIXELS and s[d.KEEP_PIXELS]:
        s[d.PIXELS_KEPT] += stayed
        s[d.ALTERED] += new > 0
    elif rule == d.PIXELS:
        s[d.PIXELS_LEFT] += stayed + new
    elif rule in (d.MAY_STAY, d.NUMBER, d.CHARACTER_SET, d.CODED):
        s[d.KEPT_BYTES] += stayed
        s[d.ALTERED] += new > 0
    elif not s[d.FREE]:
        s[d.BULK_LEFT] += stayed + new


@kernel
def count_long(s: State, counts: State, pixels: State) -> None:
    """Count a long value once all of it was judged."""
    kept, new, length = s[d.VALUE_KEPT], s[d.VALUE_NEW], s[d.VALUE_LENGTH]
    outcome = d.REPLACED if new > 0 else d.KEPT if kept > 0 else d.ZEROED
    count_element(s, counts, s[d.VALUE_ROW], outcome, length)
    if s[d.VALUE_RULE] != d.PIXELS:
        return
    for i in range(0, d.PIXEL_ROWS * d.PIXEL_COLUMNS, d.PIXEL_COLUMNS):
        if pixels[i + d.PIXEL_SETS] == 0:
            pixels[i + d.PIXEL_MODALITY] = s[d.MODALITY]
        last = i + d.PIXEL_COLUMNS == d.PIXEL_ROWS * d.PIXEL_COLUMNS
        if pixels[i + d.PIXEL_MODALITY] == s[d.MODALITY] or last:
            pixels[i + d.PIXEL_SETS] += s[d.HAS_PIXELS] == 0
            pixels[i + d.PIXEL_BYTES] += length
            pixels[i + d.PIXEL_STAYED] += kept
            break
    s[d.HAS_PIXELS] = 1
