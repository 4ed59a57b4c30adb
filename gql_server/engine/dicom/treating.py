"""One data set after the other: the values that need thought.

What a value became is kept, by its decision, its character set and its bytes, so that a value costs its encryption
only when it is first met; what is kept is bounded.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DicomAction, DicomProblem
from gql_server.engine.dicom import sweeping
from gql_server.engine.dicom.actions import BURNED_IN, MODALITY, Decision, Treatment
from gql_server.engine.dicom.coded_entries import NO_ENTRY
from gql_server.engine.dicom.contexts import Contexts, Values
from gql_server.engine.dicom.deciding import DecisionBook, place_of
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OUTSIDE
from gql_server.engine.dicom.pixels import clean_pixels
from gql_server.engine.dicom.replacing import Context, Replacement, Replacing
from gql_server.engine.dicom.tally import Tally

_REMEMBERED: Final = 200_000
"""Replacements kept."""
_LONGEST_REMEMBERED: Final = 256
_WITH_ENTRY: Final = frozenset({Treatment.CODE_VALUE, Treatment.CODE_MEANING})
_WITH_NAMES: Final = frozenset({Treatment.DESCRIPTOR, Treatment.CODE_MEANING})
_SHOWN: Final = frozenset({MODALITY, BURNED_IN})


@dataclass(slots=True)
class Work:
    """One data set while it is treated."""

    data: Values
    association: int
    book: DecisionBook
    contexts: Contexts
    overridden: dict[int, bytes | None] = field(default_factory=dict)
    """Rows that a person decided on; with the replacing bytes, None to keep."""
    pixels: list[int] = field(default_factory=list)
    """Rows of pixel data that is kept."""
    shown: dict[int, bytes] = field(default_factory=dict)
    """Modality and burned-in annotation."""
    actions: dict[int, DicomAction] = field(default_factory=dict)
    """What became of rows that were thought about."""

    def decision(self, row: int) -> Decision:
        """Return the decision on a row; once it was swept."""
        return self.book.decisions[int(self.book.slots[row])]


class Treating:
    """Treats data sets, and counts."""

    def __init__(self, replacing: Replacing) -> None:
        self._replacing = replacing
        self._remembered: dict[tuple[DecisionBook, int, bytes, bytes | Context], Replacement] = {}
        self.tally = Tally()

    def treat(self, work: Work, pending: npt.NDArray[np.int64]) -> None:
        """Treat the rows of a data set that need thought, and those that a person decided on."""
        facts = work.book.facts
        damaged, invalid = facts[sweeping.DAMAGED], facts[sweeping.INVALID]
        pixel_bytes = int(facts[sweeping.PIXEL_BYTES])
        if damaged:
            size = int(facts[sweeping.DAMAGED_BYTES])
            self.tally.add_unreadable(work.association, DicomProblem.DATA_SET_MALFORMED, int(damaged), size)
        if invalid:
            size = int(facts[sweeping.INVALID_BYTES])
            self.tally.add_unreadable(work.association, DicomProblem.VALUE_INVALID, int(invalid), size)
        if len(pending):
            self._think(work, pending)
        for row, value in work.overridden.items():
            self._override(work, row, value)
        if pixel_bytes:
            comments = clean_pixels(work.data, work.pixels)
            modality, burned_in = work.shown.get(MODALITY, b""), work.shown.get(BURNED_IN, b"")
            kept = bool(work.pixels)
            self.tally.add_pixels(modality, burned_in, kept=kept, size=pixel_bytes, comments=comments)

    def _think(self, work: Work, pending: npt.NDArray[np.int64]) -> None:
        rows = np.where(pending < 0, -1 - pending, pending)
        parts = work.data.elements[rows][:, (AT, LENGTH, KIND)].tolist()
        slots = work.book.slots[rows].tolist()
        view = memoryview(work.data.values)  # type: ignore[arg-type]  # arrays are buffers
        for which, row, slot, (at, length, kind) in zip(pending.tolist(), rows.tolist(), slots, parts, strict=True):
            decision = work.book.decisions[slot]
            if decision.treatment is Treatment.PIXELS and which >= 0:
                work.pixels.append(row)
                action = DicomAction.KEPT
            elif kind == OUTSIDE:
                work.data.fill_outside(row, decision.fill)
                action = decision.filled
            else:
                value = view[at : at + length].tobytes()
                found = self._replacement(work, row, slot, value)
                action = found.action
                if found.value != value:
                    view[at : at + length] = found.value
                if not found.is_valid:
                    self.tally.add_unreadable(work.association, DicomProblem.VALUE_INVALID, 1, length)
            work.actions[row] = action
            self.tally.add((*place_of(decision), action), 1, length)

    def _replacement(self, work: Work, row: int, slot: int, value: bytes) -> Replacement:
        decision = work.book.decisions[slot]
        contexts = work.contexts
        declared = contexts.declared_at(row)
        context: bytes | Context = declared
        if decision.tag in _SHOWN:
            work.shown[decision.tag] = value
        if decision.treatment in _WITH_ENTRY or (decision.treatment in _WITH_NAMES and contexts.names):
            entry = contexts.entry_at(row) if decision.treatment in _WITH_ENTRY else NO_ENTRY
            context = Context(declared, entry, contexts.names)
        place = (work.book, slot, value, context)
        found = self._remembered.get(place)
        if found is None:
            full = context if isinstance(context, Context) else Context(context, NO_ENTRY, frozenset())
            found = self._replacing.replacement(decision, value, full)
            if len(value) <= _LONGEST_REMEMBERED:
                if len(self._remembered) >= _REMEMBERED:
                    self._remembered.clear()
                self._remembered[place] = found
        return found

    def _override(self, work: Work, row: int, value: bytes | None) -> None:
        at, length, kind = work.data.elements[row, (AT, LENGTH, KIND)].tolist()
        if value is not None and kind == OUTSIDE:
            work.data.write_outside(row, 0, value)
        elif value is not None:
            work.data.values[at : at + length] = np.frombuffer(value, np.uint8)
        work.actions[row] = DicomAction.OVERRIDDEN
        self.tally.add((*place_of(work.decision(row)), DicomAction.OVERRIDDEN), 1, length)
