"""Which VR a tag has, for kernels.

PS3.6 and the private tags that pydicom knows, laid out as one array of numbers: eight that say where the parts begin
and how many rows they have, then

- standard tags: tag and VR, ascending;
- repeating groups: mask, tag under the mask, VR;
- private creators: hash and number, ascending;
- private tags: number of the creator with the tag, and VR, ascending.

Where PS3.6 leaves a choice, the VR is the one that PS3.5 §A.1 prescribes for implicit VR, or the unsigned one.
"""
# kernels take their arguments by position

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
from pydicom.datadict import (  # type: ignore[attr-defined]  # nothing else lists what is known
    DicomDictionary,
    RepeatersDictionary,
    private_dictionaries,
)

from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.dicom.elements import vr_number
from gql_server.engine.dicom.representations import UL
from gql_server.engine.memory import load8

NO_VR: Final = 0
UNKNOWN_CREATOR: Final = -1

_STANDARD: Final = 0
_REPEATING: Final = 2
_CREATORS: Final = 4
_PRIVATE: Final = 6
_HEAD: Final = 8
_CHOICES: Final = {
    "US or SS": "US",
    "US or OW": "OW",
    "US or SS or OW": "OW",
    "OB or OW": "OW",
    "OB_OW": "OW",
}
_NO_ELEMENT: Final = "NONE"
"""What PS3.6 calls items and delimiters."""

_TAG_DIGITS: Final = 8
_ANY_BLOCK: Final = 1 << 32
_ANY_GROUP: Final = 2 << 32
_CREATOR_SHIFT: Final = 40
_EXACT_MASK: Final = 0xFFFFFFFF
_BLOCK_MASK: Final = 0xFFFF00FF
_GROUP_MASK: Final = 0xFF0000FF

_HASH_BEGIN: Final = 0xCBF29CE484222325 - (1 << 64)
_HASH_PRIME: Final = 0x100000001B3
_SPACE: Final = 0x20


@cache
def dictionary() -> State:
    """Return the tables; they are built once, in a twentieth of a second."""
    parts = [_standard_rows(), _repeating_rows(), *_private_rows()]
    table = [0] * _HEAD
    for place, (rows, width) in zip((_STANDARD, _REPEATING, _CREATORS, _PRIVATE), parts, strict=True):
        table[place], table[place + 1] = len(table), len(rows) // width
        table += rows
    return np.array(table, np.int64)


def _vr(text: str) -> int:
    return vr_number(_CHOICES.get(text, text))


def _flat(rows: Iterable[tuple[int, ...]]) -> list[int]:
    return [number for row in sorted(rows) for number in row]


def _standard_rows() -> tuple[list[int], int]:
    known = ((int(tag), entry[0]) for tag, entry in DicomDictionary.items())
    return _flat((tag, _vr(name)) for tag, name in known if name != _NO_ELEMENT), 2


def _repeating_rows() -> tuple[list[int], int]:
    rows = []
    for pattern, entry in RepeatersDictionary.items():
        mask = int("".join("0" if digit == "x" else "F" for digit in pattern), 16)
        rows.append((mask, int(pattern.replace("x", "0"), 16), _vr(entry[0])))
    return _flat(rows), 3


def _private_rows() -> tuple[tuple[list[int], int], tuple[list[int], int]]:
    creators, rows = [], []
    for number, (creator, entries) in enumerate(private_dictionaries.items()):
        creators.append((hash_of(creator.strip().encode("latin-1")), number))
        for pattern, entry in entries.items():
            key = _private_key(pattern.lower())
            if key is not None:
                rows.append((number << _CREATOR_SHIFT | key, _vr(entry[0])))
    return (_flat(creators), 2), (_flat(rows), 2)


def _private_key(pattern: str) -> int | None:
    fixed = pattern.replace("x", "")
    if len(fixed) == _TAG_DIGITS:
        return int(fixed, 16)
    if pattern == f"{fixed[:4]}xx{fixed[4:]}":
        return _ANY_BLOCK | int(f"{fixed[:4]}00{fixed[4:]}", 16)
    if pattern == f"{fixed[:2]}xxxx{fixed[2:]}":
        return _ANY_GROUP | int(f"{fixed[:2]}0000{fixed[2:]}", 16)
    return None


def hash_of(text: bytes) -> int:
    """Return FNV-1a of a creator's name without its padding, as a signed number of 64 bits."""
    value = _HASH_BEGIN & (1 << 64) - 1
    for byte in text:
        value = (value ^ byte) * _HASH_PRIME & (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


@kernel
def _find(t: State, place: int, key: int) -> int:
    """Return what stands beside a key in a table of pairs, or -1."""
    at, low, high = t[place], 0, t[place + 1]
    while low < high:
        middle = (low + high) >> 1
        if t[at + 2 * middle] < key:
            low = middle + 1
        else:
            high = middle
    if low < t[place + 1] and t[at + 2 * low] == key:
        found: int = t[at + 2 * low + 1]
        return found
    return -1


@kernel
def standard_vr(t: State, tag: int) -> int:
    """Return the VR of a tag of PS3.6, or 0."""
    found = _find(t, _STANDARD, tag)
    if found >= 0:
        return found
    if tag & 0xFFFF == 0:
        return UL  # a group length, in whatever group
    group = tag >> 16
    if group not in (0x0020, 0x0028) and group < 0x1000:  # noqa: PLR2004  # the groups that repeat
        return NO_VR
    at = t[_REPEATING]
    for row in range(t[_REPEATING + 1]):
        if tag & t[at + 3 * row] == t[at + 3 * row + 1] and group & 1 == 0:
            vr: int = t[at + 3 * row + 2]
            return vr
    return NO_VR


@kernel
def creator_number(t: State, b: Bytes, at: int, count: int) -> int:
    """Return the number of the private creator whose name stands at a place, or UNKNOWN_CREATOR."""
    end = at + count
    while end > at and (load8(b, end - 1) == _SPACE or load8(b, end - 1) == 0):
        end -= 1
    while at < end and load8(b, at) == _SPACE:
        at += 1
    value = _HASH_BEGIN
    for place in range(at, end):
        value = (value ^ load8(b, place)) * _HASH_PRIME
    return _find(t, _CREATORS, value)


@kernel
def private_vr(t: State, creator: int, tag: int) -> int:
    """Return the VR of a private tag in the block of a known creator, or 0."""
    if creator < 0:
        return NO_VR
    base = creator << _CREATOR_SHIFT
    found = _find(t, _PRIVATE, base | (tag & _EXACT_MASK))
    if found < 0:
        found = _find(t, _PRIVATE, base | _ANY_BLOCK | (tag & _BLOCK_MASK))
    if found < 0:
        found = _find(t, _PRIVATE, base | _ANY_GROUP | (tag & _GROUP_MASK))
    return max(found, NO_VR)
