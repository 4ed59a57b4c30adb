"""Pixel data that is kept: no comments, true offsets.

Images of compressed pixel data are one fragment or several (PS3.5 §A.4); an image begins where a fragment begins with
the mark of a code stream.
"""

from typing import Final

import numpy as np

from gql_server.engine.dicom.code_streams import begins_image, clean
from gql_server.engine.dicom.contexts import Values
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OFFSET_TABLE, OUTSIDE, PARENT, TAG

_START: Final = 16
_OFFSET_BYTES: Final = 4
_ITEM_HEADER: Final = 8


class _Image:
    """The fragments of one image, as one stretch of bytes."""

    def __init__(self, data: Values, rows: list[int]) -> None:
        self._data = data
        self._parts = [(row, *data.elements[row, (AT, LENGTH, KIND)].tolist()) for row in rows]
        self.length = sum(length for _, _, length, _ in self._parts)

    def _pieces(self, at: int, count: int) -> list[tuple[int, int, int, bool]]:
        """Return row, place and count of what a range covers in each fragment, and whether it is outside."""
        pieces, begin = [], 0
        for row, place, length, kind in self._parts:
            first, last = max(at, begin), min(at + count, begin + length)
            if first < last:
                outside = kind == OUTSIDE
                pieces.append((row, first - begin + (0 if outside else place), last - first, outside))
            begin += length
        return pieces

    def read(self, at: int, count: int) -> bytes:
        """Return bytes; zeros for what was not captured, and fewer at the end."""
        parts = []
        for row, place, length, outside in self._pieces(at, count):
            if outside:
                parts.append(self._data.read_outside(row, place, length).ljust(length, b"\0"))
            else:
                parts.append(self._data.values[place : place + length].tobytes())
        return b"".join(parts)

    def zero(self, at: int, count: int) -> None:
        """Overwrite bytes with zeros."""
        for row, place, length, outside in self._pieces(at, count):
            if outside:
                self._data.write_outside(row, place, bytes(length))
            else:
                self._data.values[place : place + length] = 0


def clean_pixels(data: Values, rows: list[int]) -> int:
    """Clear the comments in the rows of pixel data that is kept; return how many there were."""
    return sum(_clean_element(data, element) for element in _elements(data, rows))


def _clean_element(data: Values, rows: list[int]) -> int:
    """Clean an offset table and its fragments; native pixels, one row without a table, have no comments."""
    if data.elements[rows[0], KIND] != OFFSET_TABLE:
        return 0
    table, fragments = rows[0], rows[1:]
    _check_offsets(data, table, fragments)
    images: list[list[int]] = []
    for row in fragments:
        if not images or begins_image(_Image(data, [row]).read(0, _START)):
            images.append([])
        images[-1].append(row)
    return sum(clean(_Image(data, image)) for image in images)


def _check_offsets(data: Values, table: int, fragments: list[int]) -> None:
    """Zero an offset table whose numbers are not offsets of fragments."""
    at, length = data.elements[table, (AT, LENGTH)].tolist()
    if data.elements[table, KIND] == OUTSIDE or not length:
        return
    begins = np.cumsum([0] + [data.elements[row, LENGTH] + _ITEM_HEADER for row in fragments])
    raw = data.values[at : at + length]
    orders = ("<u4", ">u4") if length % _OFFSET_BYTES == 0 else ()
    if not any(np.isin(raw.view(order), begins).all() for order in orders):
        raw[:] = 0


def _elements(data: Values, rows: list[int]) -> list[list[int]]:
    """Split rows of pixel data into those of one element each."""
    found: list[list[int]] = []
    for row in rows:
        same = bool(found) and all(
            data.elements[found[-1][-1], column] == data.elements[row, column] for column in (TAG, PARENT)
        )
        if not same or data.elements[row, KIND] == OFFSET_TABLE:
            found.append([])
        found[-1].append(row)
    return found
