"""Table E.1-1 of PS3.15: what becomes of which attribute.

The rows are those of dicom-anonymizer's transcription of edition 2026c, read as data: importing the package would
start its own anonymizer's imports, and its default is an older edition.
"""

import runpy
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_PACKAGE: Final = "dicomanonymizer"
_ROWS: Final = Path("dicom_anonymization_databases", "dicomfields_2026c.py")
_REPEATING: Final = 0xFF000000
_ELEMENT_BITS: Final = 16
_PLAIN: Final = 2
"""Numbers in a row that names one attribute; four name a repeating group, with masks."""


class TableAction(StrEnum):
    """A code of the Basic Profile's column, as PS3.15 E.3 spells it."""

    D = "D"
    Z = "Z"
    X = "X"
    U = "U"
    Z_D = "Z/D"
    X_Z = "X/Z"
    X_D = "X/D"
    X_Z_D = "X/Z/D"
    X_Z_U = "X/Z/U*"


_LISTS: Final = {
    "D_TAGS": TableAction.D,
    "Z_TAGS": TableAction.Z,
    "X_TAGS": TableAction.X,
    "U_TAGS": TableAction.U,
    "Z_D_TAGS": TableAction.Z_D,
    "X_Z_TAGS": TableAction.X_Z,
    "X_D_TAGS": TableAction.X_D,
    "X_Z_D_TAGS": TableAction.X_Z_D,
    "X_Z_U_STAR_TAGS": TableAction.X_Z_U,
}


def repeating(tag: int) -> int:
    """Return the tag that stands for a repeating group: curves 50xx and overlays 60xx (PS3.5 §7.6)."""
    group = tag >> (_ELEMENT_BITS + 8)
    return tag & _REPEATING | tag & 0xFFFF if group in {0x50, 0x60} else tag


@cache
def basic_profile() -> dict[int, TableAction]:
    """Return the rows of the table by tag; repeating groups by the tag of the first, whatever its element.

    Raises:
        LookupError: dicom-anonymizer is not the one this was written for.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(_PACKAGE)
    lists = runpy.run_path(str(Path(spec.submodule_search_locations[0]) / _ROWS))
    rows = {}
    for name, action in _LISTS.items():
        for row in lists[name]:
            if len(row) == _PLAIN or row[1]:
                rows[row[0] << _ELEMENT_BITS | row[1]] = action
    if sum(len(lists[name]) for name in _LISTS) != len(lists["ALL_TAGS"]):
        raise LookupError(_PACKAGE)
    return rows


def table_action(tag: int) -> TableAction | None:
    """Return the table's code for a tag; private attributes, curves and overlays included."""
    if tag >> _ELEMENT_BITS & 1 or tag >> (_ELEMENT_BITS + 8) == 0x50:  # noqa: PLR2004  # curves: all of group 50xx
        return TableAction.X
    return basic_profile().get(repeating(tag))
