"""Checksums, computed in both files.

What matters is the residue: the sum of all bytes under a checksum, with the checksum. It is all ones where the
checksum is right (RFC 1071); a rewriter that keeps right ones right and wrong ones wrong leaves it as it was. Where
bytes are missing the residue of what is there must stay too, or the field be zero.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.memory import load16
from gql_server.engine.verify.arithmetic import fold, sum_beside, sum_of
from gql_server.engine.verify.layout import (
    DESTINATION,
    JUDGED_AT,
    JUDGED_END,
    PARTS,
    PAYLOAD_LENGTH,
    SAME_AT,
    SAME_END,
    SHIFT,
    SOURCE,
    STOP,
    SUMS_ABSENT,
    SUMS_BAD,
    SUMS_CHANGED,
    SUMS_GOOD,
    VERSION,
)

ALL_ONES: Final = 0xFFFF


@kernel
def pseudo_sum(b: Bytes, s: State, protocol: int, shift: int) -> int:
    """Add the pseudo-header but for its length."""
    size = 4 if s[VERSION] == 4 else 16  # noqa: PLR2004  # the version
    source, destination = s[SOURCE] + shift, s[DESTINATION] + shift
    return sum_of(b, source, source + size) + sum_of(b, destination, destination + size) + protocol


@kernel
def are_alike(one: int, other: int) -> bool:
    """Say whether two folded sums are equal: 0 and all ones are the same number."""
    return one == other or (one in (0, ALL_ONES) and other in (0, ALL_ONES))


@kernel
def is_left_to_card(b: Bytes, place: int, pseudo: int, length: int) -> bool:
    """Say whether a field holds the pseudo-header's sum alone, with or without the length."""
    there = load16(b, place)
    return are_alike(there, fold(pseudo + length)) or are_alike(there, fold(pseudo))


@kernel
def compare_sums(
    a: Bytes, o: Bytes, s: State, place: int, at: int, split: int, end: int, whole: bool, was: int, now: int
) -> None:
    """Compare the residues of a checksum over the bytes from `at` to `end`; `was` and `now` are added to them.

    From `split` on, an even number of bytes further, bytes are likely to be alike.
    """
    shift, stop = s[SHIFT], min(end, s[STOP])
    if place + 2 > stop:
        s[SUMS_ABSENT] += 1
        return
    split = min(split, at + ((stop - at) & ~1))
    was += sum_of(a, at, split)
    now += sum_of(o, at + shift, split + shift)
    if stop == end:
        rest, differs = sum_beside(a, o, split, end, shift)
        was += rest
        if differs == 0:
            s[SAME_AT], s[SAME_END] = split, end
            now += rest
        else:
            now += sum_of(o, split + shift, stop + shift)
    else:
        # What was truncated is as if zero.
        was += sum_of(a, split, end)
        now += sum_of(o, split + shift, stop + shift)
    residue = fold(was)
    kept = are_alike(fold(now), residue)
    if not whole:
        s[SUMS_ABSENT] += 1
        # Of a fragment of DICOM, the other fragments' values count too.
        elsewhere = s[PARTS] != 0 and s[JUDGED_END] > s[JUDGED_AT]
        s[SUMS_CHANGED] += not kept and load16(o, place + shift) != 0 and not elsewhere
    else:
        if residue == ALL_ONES:
            s[SUMS_GOOD] += 1
        else:
            s[SUMS_BAD] += 1
        s[SUMS_CHANGED] += not kept


@kernel
def transport_sum(
    a: Bytes, o: Bytes, s: State, protocol: int, place: int, at: int, split: int, end: int, length: int
) -> None:
    """Compare a checksum that covers a pseudo-header."""
    shift = s[SHIFT]
    if place + 2 > min(end, s[STOP]):
        s[SUMS_ABSENT] += 1
        return
    was, now = pseudo_sum(a, s, protocol, 0), pseudo_sum(o, s, protocol, shift)
    if s[JUDGED_END] > s[JUDGED_AT] and load16(a, place) == 0:
        # Empty, it may follow the addresses, not what was replaced: the difference would tell of that.
        there = load16(o, place + shift)
        if there == 0 or are_alike(fold(was), fold(now + there)):
            s[SUMS_ABSENT] += 1
            return
    whole = s[PARTS] == 0 and length >= 0 and end - at == length
    counted = max(length, 0)
    if is_left_to_card(a, place, was, counted):
        right = whole and fold(sum_of(a, at, end) + was + counted) == ALL_ONES
        if not right and is_left_to_card(o, place + shift, now, counted):
            s[SUMS_ABSENT] += 1
            return
    compare_sums(a, o, s, place, at, split, end, whole, was + counted, now + counted)


@kernel
def is_whole(s: State, at: int, end: int) -> bool:
    """Say whether the payload of an IP packet is all there."""
    return bool(s[PARTS] == 0 and end - at == s[PAYLOAD_LENGTH])
