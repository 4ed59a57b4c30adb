"""Kernels that account for bytes.

Original and output lie side by side. A reader claims bytes from left to right: this is structure, this an address,
this payload. What it skips is claimed by nobody and must be zero in the output. Each claim is settled at once, so
every byte of the output is counted once.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, U, kernel
from gql_server.engine.memory import load8, load32, load64
from gql_server.engine.verify.layout import (
    CHANGED,
    CLASS_ADDRESS,
    CLASS_JUDGED,
    CLASS_PAYLOAD,
    CLASS_STRUCTURAL,
    CLASS_UNKNOWN,
    CLASS_ZEROED,
    CURSOR,
    FOREIGN_KEPT,
    FOREIGN_ZERO,
    JUDGED_AT,
    JUDGED_END,
    JUDGED_SAME,
    NAMES_LEFT,
    NEXT,
    NEXT_AT,
    NEXT_END,
    OPAQUE,
    PAYLOAD,
    PAYLOAD_KEEP,
    PAYLOAD_LEFT,
    REWRITTEN,
    SAME_AT,
    SAME_END,
    SHIFT,
    STOP,
    STRUCTURAL,
    TARGET_BEGIN,
    TARGET_CLASSES,
    TARGET_END,
    UNKNOWN,
    ZEROED,
)

IPV4_BYTES: Final = 4
MAC_BYTES: Final = 6
IPV6_BYTES: Final = 16
_STRIDE = 32


@kernel
def enter(s: State, kind: int, at: int, end: int) -> None:
    """Say what is read next."""
    s[NEXT] = kind
    s[NEXT_AT] = at
    s[NEXT_END] = end


@kernel
def mark(s: State, at: int, end: int, kind: int) -> None:
    """Tell what the bytes of a hit belong to."""
    if at < s[TARGET_END] and end > s[TARGET_BEGIN] and at < end:
        s[TARGET_CLASSES] |= kind


@kernel
def is_same(a: Bytes, o: Bytes, at: int, end: int, shift: int) -> bool:
    """Say whether bytes are alike in both files."""
    while end - at >= _STRIDE:
        one = (load64(a, at) ^ load64(o, at + shift)) | (load64(a, at + 8) ^ load64(o, at + 8 + shift))
        two = (load64(a, at + 16) ^ load64(o, at + 16 + shift)) | (load64(a, at + 24) ^ load64(o, at + 24 + shift))
        if (one | two) != U(0):
            return False
        at += _STRIDE
    while end - at >= IPV4_BYTES:
        if load32(a, at) != load32(o, at + shift):
            return False
        at += IPV4_BYTES
    while at < end:
        if load8(a, at) != load8(o, at + shift):
            return False
        at += 1
    return True


@kernel
def is_zero(o: Bytes, at: int, end: int) -> bool:
    """Say whether bytes are zero."""
    while end - at >= 8:  # noqa: PLR2004  # a word
        if load64(o, at) != U(0):
            return False
        at += 8
    while at < end:
        if load8(o, at) != 0:
            return False
        at += 1
    return True


@kernel
def _judged(a: Bytes, o: Bytes, s: State, end: int) -> None:
    """Pass what the reader of DICOM judges, from the cursor on: here its bytes are only counted."""
    at, end, shift = s[CURSOR], min(end, s[JUDGED_END], s[STOP]), s[SHIFT]
    if at >= end:
        return
    s[CURSOR] = end
    mark(s, at, end, CLASS_JUDGED)
    if is_same(a, o, at, end, shift):
        s[JUDGED_SAME] += end - at
        return
    for i in range(at, end):
        now = load8(o, i + shift)
        if now == load8(a, i):
            s[JUDGED_SAME] += 1
        elif now == 0:
            s[ZEROED] += 1
        else:
            s[REWRITTEN] += 1


@kernel
def unclaimed(a: Bytes, o: Bytes, s: State, end: int) -> None:
    """Account for bytes that nobody claims, up to `end`: judged as DICOM, zero, or unknown."""
    if s[CURSOR] < s[JUDGED_END] and s[JUDGED_AT] < end:
        _unclaimed(a, o, s, s[JUDGED_AT])
        _judged(a, o, s, end)
    _unclaimed(a, o, s, end)


@kernel
def _unclaimed(a: Bytes, o: Bytes, s: State, end: int) -> None:
    at, end, shift = s[CURSOR], min(end, s[STOP]), s[SHIFT]
    if at >= end:
        return
    s[CURSOR] = end
    if is_zero(o, at + shift, end + shift):
        s[ZEROED] += end - at
        mark(s, at, end, CLASS_ZEROED)
        return
    if s[FOREIGN_KEPT] and is_same(a, o, at, end, shift):
        s[OPAQUE] += end - at
        mark(s, at, end, CLASS_PAYLOAD)
        return
    mark(s, at, end, CLASS_UNKNOWN)
    for i in range(at, end):
        now = load8(o, i + shift)
        if now == 0:
            s[ZEROED] += 1
        else:
            s[UNKNOWN] += 1
            if now != load8(a, i):
                s[CHANGED] += 1


@kernel
def begin_claim(a: Bytes, o: Bytes, s: State, at: int, end: int) -> bool:
    """Move the cursor over a claim; say whether there is anything of it in the output, not claimed before."""
    if at > s[CURSOR]:
        unclaimed(a, o, s, at)
    if at < s[CURSOR] or at >= min(end, s[STOP]):
        return False
    s[CURSOR] = min(end, s[STOP])
    return True


@kernel
def differing(a: Bytes, o: Bytes, s: State, at: int, end: int, kind: int, counter: int) -> None:
    """Account byte by byte for a claim whose bytes changed."""
    shift = s[SHIFT]
    mark(s, at, end, kind | CLASS_UNKNOWN)
    for i in range(at, end):
        if load8(a, i) == load8(o, i + shift):
            s[counter] += 1
        else:
            s[UNKNOWN] += 1
            s[CHANGED] += 1


@kernel
def same(a: Bytes, o: Bytes, s: State, at: int, length: int) -> None:
    """Claim header bytes that stay as they are."""
    if begin_claim(a, o, s, at, at + length):
        end = s[CURSOR]
        if is_same(a, o, at, end, s[SHIFT]):
            s[STRUCTURAL] += end - at
            mark(s, at, end, CLASS_STRUCTURAL)
        elif s[FOREIGN_ZERO]:
            _stays_or_zero(a, o, s, at, end)
        else:
            differing(a, o, s, at, end, CLASS_STRUCTURAL, STRUCTURAL)


@kernel
def _stays_or_zero(a: Bytes, o: Bytes, s: State, at: int, stop: int) -> None:
    s[CURSOR] = at
    while s[CURSOR] < stop:
        i = s[CURSOR]
        if load8(a, i) == load8(o, i + s[SHIFT]):
            s[STRUCTURAL] += 1
            mark(s, i, i + 1, CLASS_STRUCTURAL)
            s[CURSOR] = i + 1
        else:
            unclaimed(a, o, s, i + 1)


@kernel
def remnant(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Claim what the snap length left of a header: bytes that stay or become zero."""
    if begin_claim(a, o, s, at, end):
        stop = s[CURSOR]
        if is_same(a, o, at, stop, s[SHIFT]):
            s[STRUCTURAL] += stop - at
            mark(s, at, stop, CLASS_STRUCTURAL)
        else:
            _stays_or_zero(a, o, s, at, stop)


@kernel
def checksum(a: Bytes, o: Bytes, s: State, at: int) -> None:
    """Claim a checksum; whether it is right is another matter."""
    if begin_claim(a, o, s, at, at + 2):
        s[REWRITTEN] += s[CURSOR] - at
        mark(s, at, s[CURSOR], CLASS_ADDRESS)


@kernel
def skip_to(a: Bytes, o: Bytes, s: State, at: int) -> None:
    """Leave what is before `at` to nobody."""
    begin_claim(a, o, s, at, at)


@kernel
def payload(a: Bytes, o: Bytes, s: State, end: int) -> None:
    """Claim payload from the cursor to `end`: judged as DICOM, kept or zero, or only zero, as the policy says."""
    if s[CURSOR] < s[JUDGED_END] and s[JUDGED_AT] < end:
        _payload(a, o, s, s[JUDGED_AT])
        _judged(a, o, s, end)
    _payload(a, o, s, end)


@kernel
def _payload(a: Bytes, o: Bytes, s: State, end: int) -> None:
    at = s[CURSOR]
    if not begin_claim(a, o, s, at, end):
        return
    end, shift = s[CURSOR], s[SHIFT]
    if s[PAYLOAD] == PAYLOAD_KEEP:
        known = s[SAME_AT] <= at and end <= s[SAME_END]
        if known or is_same(a, o, at, end, shift):
            s[OPAQUE] += end - at
            mark(s, at, end, CLASS_PAYLOAD)
        elif is_zero(o, at + shift, end + shift):
            s[ZEROED] += end - at
            mark(s, at, end, CLASS_ZEROED)
        else:
            differing(a, o, s, at, end, CLASS_PAYLOAD, OPAQUE)
        return
    s[CURSOR] = at
    if not is_zero(o, at + shift, end + shift):
        for i in range(at, end):
            s[PAYLOAD_LEFT] += load8(o, i + shift) != 0
    unclaimed(a, o, s, end)


@kernel
def is_masked(x: int) -> bool:
    """Say whether a byte is what masks put in the place of others: x, or the digit 0."""
    return x in (0x78, 0x30)


@kernel
def tells(x: int) -> bool:
    """Say whether a byte of a name tells something: it is neither NUL nor ASCII punctuation."""
    lower = x | 0x20
    letter = 0x30 <= x <= 0x39 or 0x61 <= lower <= 0x7A  # noqa: PLR2004  # 0 to 9, a to z
    return letter or 0 < x < 0x20 or x >= 0x7F  # noqa: PLR2004  # what ASCII does not print


@kernel
def name(a: Bytes, o: Bytes, s: State, at: int, end: int, must: bool) -> None:  # noqa: FBT001  # kernels take positions
    """Claim text that may have been masked or zeroed byte by byte, and must have been where `must` says so."""
    payload(a, o, s, at)
    if s[PAYLOAD] != PAYLOAD_KEEP:
        payload(a, o, s, end)
        return
    if not begin_claim(a, o, s, at, end):
        return
    end = s[CURSOR]
    mark(s, at, end, CLASS_PAYLOAD)
    for i in range(at, end):
        was, now = load8(a, i), load8(o, i + s[SHIFT])
        if was == now:
            s[OPAQUE] += 1
            s[NAMES_LEFT] += must and tells(was) and not is_masked(was)
        elif now == 0 or (is_masked(now) and tells(was)):
            s[ZEROED] += 1
        else:
            s[UNKNOWN] += 1
            s[CHANGED] += 1
