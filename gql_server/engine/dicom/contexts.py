"""What a value is read with.

Its character set, the coded entry it is part of, the names beside it. A data set's SpecificCharacterSet holds for its
items too, unless an item has its own (PS3.3 §C.12.1.1.2). Rows do not say where items begin; a tag that is not larger
than the one before it in the same sequence does.
"""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gql_server.engine.dicom.actions import CHARACTER_SET
from gql_server.engine.dicom.coded_entries import NO_ENTRY, CodedEntry
from gql_server.engine.dicom.descriptors import words_of
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, PARENT, TAG, VALUE, VR, vr_number

_CODES: Final = frozenset({0x00080100, 0x00080119, 0x00080120})
_SCHEME: Final = 0x00080102
_MACRO: Final = range(0x00080100, 0x00080121)
_PERSON: Final = vr_number("PN")

Rows = npt.NDArray[np.int64]


class Values(Protocol):
    """A command set or data set as the policy sees it."""

    values: npt.NDArray[np.uint8]
    elements: Rows
    """int64[n, ELEMENT_COLUMNS], see `elements`."""

    def fill_outside(self, row: int, byte: int) -> int:
        """Set the bytes of a value that is not held; return how many there are."""

    def read_outside(self, row: int, at: int, count: int) -> bytes:
        """Return part of a value that is not held, fewer bytes where it ends or was not captured."""

    def write_outside(self, row: int, at: int, data: bytes) -> None:
        """Replace part of a value that is not held."""


class Contexts:
    """The contexts of one data set's rows; values are read when it is made."""

    def __init__(self, data: Values, declared: bytes = b"") -> None:
        self._elements, self._values = data.elements, data.values
        self._inner: dict[int, bytes] = {}
        self.declared = declared
        """The character set of the data set itself."""
        self.names: frozenset[str] = frozenset()
        """Words of its person names, in lower case."""

    @classmethod
    def read(cls, data: Values, *, names: bool) -> "Contexts":
        """Read the character sets of a data set and of its items, and its names if wanted."""
        contexts = cls(data)
        contexts._read_character_sets()
        if names:
            contexts.names = contexts._read_names()
        return contexts

    def _value(self, row: int) -> bytes:
        at, length = self._elements[row, (AT, LENGTH)].tolist()
        return self._values[at : at + length].tobytes() if self._elements[row, KIND] == VALUE else b""

    def _read_character_sets(self) -> None:
        for row in np.flatnonzero(self._elements[:, TAG] == CHARACTER_SET).tolist():
            if self._elements[row, PARENT] < 0:
                self.declared = self._value(row)
            else:
                self._inner[row] = self._value(row)

    def _read_names(self) -> frozenset[str]:
        rows = np.flatnonzero(self._elements[:, VR] == _PERSON).tolist()
        return frozenset().union(*(words_of(self._value(row), self.declared_at(row)) for row in rows))

    def declared_at(self, row: int) -> bytes:
        """Return the character set in force at a row."""
        if not self._inner:
            return self.declared
        while row >= 0:
            for each in self._item(row):
                if each in self._inner:
                    return self._inner[each]
            row = int(self._elements[row, PARENT])
        return self.declared

    def _item(self, row: int) -> list[int]:
        """Return the rows of the same item before a row, and the row itself, last first."""
        parents, tags = self._elements[:, PARENT], self._elements[:, TAG]
        found, last = [row], int(tags[row])
        for each in range(row - 1, int(parents[row]), -1):
            if parents[each] == parents[row]:
                if tags[each] >= last:
                    break
                last = int(tags[each])
                found.append(each)
        return found

    def entry_at(self, row: int) -> CodedEntry:
        """Return the code and scheme that a row of a coded entry stands with."""
        elements, parent = self._elements, self._elements[row, PARENT]
        begin = end = row
        while begin > 0 and elements[begin - 1, PARENT] == parent and self._follows(begin - 1):
            begin -= 1
        while end + 1 < len(elements) and elements[end + 1, PARENT] == parent and self._follows(end):
            end += 1
        scheme = code = b""
        for each in range(begin, end + 1):
            if elements[each, TAG] == _SCHEME:
                scheme = self._value(each).strip(b" \0")
            elif int(elements[each, TAG]) in _CODES:
                code = self._value(each).strip(b" \0")
        return CodedEntry(scheme, code) if scheme else NO_ENTRY

    def _follows(self, row: int) -> bool:
        """Tell whether the row behind a row goes on with the same coded entry."""
        first, second = self._elements[row : row + 2, TAG].tolist()
        return first < second and first in _MACRO and second in _MACRO
