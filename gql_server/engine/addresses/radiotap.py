"""Kernel for the radiotap header (radiotap.org).

Fields of the standard namespace, which tell of the radio, stay; from the first other one on the header is zeroed.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, cut
from gql_server.engine.addresses.layout import OPAQUE
from gql_server.engine.addresses.wireless import wireless
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16_little, load32_little

_FIXED: Final = 8
_PRESENT: Final = 4
_FLAGS: Final = 1
_STANDARD: Final = 1 << 29
_MORE: Final = 1 << 31
_FIELDS: Final = 28
_NAMESPACES: Final = 31
# Of the fields by their number; each begins at a multiple of its alignment from the start of the header.
_SIZES: Final = (8, 1, 1, 4, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 8, 3, 8, 12, 12, 12, 12, 6, 1, 4)
_ALIGNMENTS: Final = (8, 1, 1, 2, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 4, 1, 4, 2, 8, 2, 2, 2, 1, 2)


@kernel
def radiotap(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """A radiotap header and the frame behind it."""
    if end - at < _FIXED:
        cut(b, s, at, end, wet)
        return
    length = load16_little(b, at + 2)
    if load8(b, at) != 0 or length < _FIXED:
        blank(b, s, at, end, OPAQUE, wet)
    elif end - at < length:
        cut(b, s, at + _PRESENT, end, wet)
    else:
        flags = _fields(b, s, at, at + length, wet)
        wireless(b, s, w, at + length, end, flags, wet)


@kernel
def _fields(b: Bytes, s: State, at: int, end: int, wet: bool) -> int:
    """Follow the fields as far as they are known, zero the others; return the flags of the frame."""
    last = at + _PRESENT
    while end - last >= _FIXED and load32_little(b, last) & _MORE:
        last += 4
    place, bitmap, flags = last + 4, at + _PRESENT, 0
    while bitmap <= last:
        present = load32_little(b, bitmap)
        for bit in range(_FIELDS):
            if not (present >> bit) & 1:
                continue
            start = at + ((place - at + _ALIGNMENTS[bit] - 1) & ~(_ALIGNMENTS[bit] - 1))
            if start + _SIZES[bit] > end:
                blank(b, s, place, end, OPAQUE, wet)
                return flags
            blank(b, s, place, start, OPAQUE, wet)
            if bit == _FLAGS and bitmap == at + _PRESENT:
                flags = load8(b, start)
            place = start + _SIZES[bit]
        others = (present >> _FIELDS) & ((1 << (_NAMESPACES - _FIELDS)) - 1)
        if others & ~(_STANDARD >> _FIELDS) or (bitmap < last and not present & _STANDARD):
            blank(b, s, bitmap + 4, last + 4, OPAQUE, wet)  # what these words mean is not known either
            break
        bitmap += 4
    blank(b, s, place, end, OPAQUE, wet)
    return flags
