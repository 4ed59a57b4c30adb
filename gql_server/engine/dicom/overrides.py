"""Decisions of a person that go before the table.

An override names one proposal of a preview by its id, or every element at a path. The id is keyed, so that nobody can
test guesses of a value against it, and does not depend on the association: the same value at the same path.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import MAX_OVERRIDES, DicomOverride, OverrideAction
from gql_server.domain.dicom_errors import OverrideMalformed, OverrideTooLong
from gql_server.engine.dicom.actions import SPACED, Decision
from gql_server.engine.dicom.character_sets import encoded
from gql_server.engine.dicom.elements import ELEMENT_COLUMNS, KIND, PARENT, TAG, VALUE
from gql_server.engine.dicom.elements import OUTSIDE as OUTSIDE_KIND
from gql_server.engine.dicom.values import is_allowed
from gql_server.engine.keys import derive

_ID: Final = re.compile(r"[0-9a-f]{32}")
_PATH: Final = re.compile(r"[0-9a-fA-F]{8}(?:\.[0-9a-fA-F]{8})*")
_ID_BYTES: Final = 16

Rows = npt.NDArray[np.int64]
Path = tuple[int, ...]


class Chosen(NamedTuple):
    """An override that an element met."""

    place: int
    """Among the overrides, from 0."""
    override: DicomOverride


def path_of(elements: Rows, row: int) -> Path:
    """Return the tags from the outermost sequence down to a row."""
    path: list[int] = []
    while row >= 0:
        path.append(int(elements[row, TAG]))
        row = int(elements[row, PARENT])
    return tuple(reversed(path))


def path_text(path: Path) -> str:
    """Write a path as proposals and overrides do."""
    return ".".join(f"{tag:08x}" for tag in path)


class ElementIds:
    """Ids of proposals."""

    def __init__(self, key: bytes) -> None:
        self._key = derive(key, "dicom-elements", 32)

    def element_id(self, path: str, vr: str, value: bytes) -> str:
        """Return the id of a value at a path: 32 hexadecimal digits."""
        digest = hashlib.blake2b(key=self._key, digest_size=_ID_BYTES)
        for part in (path.encode(), vr.encode(), value):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


class Overrides:
    """The overrides of a job.

    Raises:
        OverrideMalformed: one names no element, or has a value that its action does not want, or an element has two.
    """

    def __init__(self, overrides: Sequence[DicomOverride], ids: ElementIds) -> None:
        self._ids = ids
        self._by_id: dict[str, Chosen] = {}
        self._by_path: dict[Path, Chosen] = {}
        self.used: set[int] = set()
        self.count = len(overrides)
        if len(overrides) > MAX_OVERRIDES:
            raise OverrideMalformed(index=MAX_OVERRIDES, reason=f"there are more than {MAX_OVERRIDES}")
        for index, override in enumerate(overrides):
            self._take(Chosen(index, override))
        self._leaves = np.array(sorted({path[-1] for path in self._by_path}), np.int64)

    def _take(self, chosen: Chosen) -> None:
        override = chosen.override
        if (override.value is None) != (override.action is OverrideAction.KEEP):
            raise OverrideMalformed(index=chosen.place, reason="REPLACE wants a value, KEEP has none")
        if _ID.fullmatch(override.element):
            duplicate = self._by_id.setdefault(override.element, chosen)
        elif _PATH.fullmatch(override.element):
            path = tuple(int(tag, 16) for tag in override.element.split("."))
            duplicate = self._by_path.setdefault(path, chosen)
        else:
            raise OverrideMalformed(index=chosen.place, reason="it names neither a proposal nor a path")
        if duplicate is not chosen:
            raise OverrideMalformed(index=chosen.place, reason="its element has another override")

    def __bool__(self) -> bool:
        return bool(self._by_id or self._by_path)

    def find(self, elements: Rows, values: npt.NDArray[np.uint8]) -> dict[int, Chosen]:
        """Return the rows of values that an override decides on; a proposal's goes before that of a path."""
        has_value = (elements[:, KIND] == VALUE) | (elements[:, KIND] == OUTSIDE_KIND)
        if not self._by_id:
            has_value &= np.isin(elements[:, TAG], self._leaves)
        found = {}
        for row in np.flatnonzero(has_value).tolist():
            chosen = self._chosen(elements, values, row)
            if chosen is not None:
                found[row] = chosen
        return found

    def _chosen(self, elements: Rows, values: npt.NDArray[np.uint8], row: int) -> Chosen | None:
        path = path_of(elements, row)
        if self._by_id:
            vr, value = value_of(elements, values, row)
            chosen = self._by_id.get(self._ids.element_id(path_text(path), vr, value))
            if chosen is not None:
                return chosen
        return self._by_path.get(path)

    def find_field(self, keyword: str, vr: str, value: bytes) -> Chosen | None:
        """Return the override of a field of an association PDU, which only its id can name."""
        return self._by_id.get(self._ids.element_id(keyword, vr, value)) if self._by_id else None


def value_of(elements: Rows, values: npt.NDArray[np.uint8], row: int) -> tuple[str, bytes]:
    """Return VR and value of a row; a value that is not held counts as empty."""
    tag, vr, at, length, _, _, _, kind = elements[row, :ELEMENT_COLUMNS].tolist()
    del tag
    letters = vr.to_bytes(8, "big").strip(b"\0").decode("latin-1")
    return letters, values[at : at + length].tobytes() if kind != OUTSIDE_KIND else b""


def replacement_of(chosen: Chosen, decision: Decision, length: int, declared: bytes) -> bytes:
    """Return the bytes that an override's value becomes in an element, padded to a length.

    Raises:
        OverrideMalformed: it cannot be written in the element's character set, or its VR does not allow it.
        OverrideTooLong: it has more bytes than it replaces.
    """
    if decision.vr not in SPACED and decision.vr != "UI":
        raise OverrideMalformed(index=chosen.place, reason="only text can be replaced")
    return padded(chosen, length, declared, vr=decision.vr, most_values=decision.most_values, fill=decision.fill)


def padded(chosen: Chosen, length: int, declared: bytes, *, vr: str, most_values: int, fill: int) -> bytes:
    """Return an override's value as bytes of a VR, padded to a length.

    Raises:
        OverrideMalformed: it cannot be written in the character set, or the VR does not allow it.
        OverrideTooLong: it has more bytes than it replaces.
    """
    value = encoded(chosen.override.value or "", declared)
    if value is None:
        raise OverrideMalformed(index=chosen.place, reason="its value is not in the character set of its element")
    if len(value) > length:
        raise OverrideTooLong(index=chosen.place, length=length)
    if not is_allowed(vr, value, most_values):
        raise OverrideMalformed(index=chosen.place, reason="its value is not what the VR of its element allows")
    return value + bytes([fill]) * (length - len(value))
