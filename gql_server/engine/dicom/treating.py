"""One data set after the other: the values that need thought.

What a value became is kept, by its decision, its character set and its bytes, so that a value costs its encryption
only when it is first met; what is kept is bounded.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DicomAction, DicomProblem
from gql_server.engine.dicom import sweeping
from gql_server.engine.dicom.actions import BURNED_IN, CHARACTER_SET, MODALITY, Decision, Treatment
from gql_server.engine.dicom.coded_entries import NO_ENTRY
from gql_server.engine.dicom.contexts import Contexts, Values
from gql_server.engine.dicom.deciding import DecisionBook, place_of
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OUTSIDE, TAG
from gql_server.engine.dicom.pixels import clean_pixels
from gql_server.engine.dicom.replacing import Context, Replacing
from gql_server.engine.dicom.tally import Tally

_REMEMBERED: Final = 200_000
"""Replacements kept."""
_LONGEST_REMEMBERED: Final = 256
_WITH_ENTRY: Final = frozenset({Treatment.CODE_VALUE, Treatment.CODE_MEANING})
_SHOWN: Final = frozenset({MODALITY, BURNED_IN})


@dataclass(slots=True)
class Work:
    """One data set while it is treated."""

    data: Values
    association: int
    book: DecisionBook
    contexts: Contexts
    lost: DicomProblem
    """Why there are rows that could not be read, if there are any."""
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


class Remembered(NamedTuple):
    """What a value became."""

    value: bytes
    action: DicomAction
    is_valid: bool
    counts: list[int]
    """Elements and bytes that met this end, shared by all values of a decision that did."""


class Treating:
    """Treats data sets, and counts."""

    def __init__(self, replacing: Replacing) -> None:
        self._replacing = replacing
        self._remembered: dict[tuple[DecisionBook, int, bytes, bytes | Context], Remembered] = {}
        self._counts: dict[tuple[DecisionBook, int, DicomAction], list[int]] = {}
        self._tally = Tally()

    @property
    def tally(self) -> Tally:
        """What was done so far, but by sweeps."""
        tally = self._tally.copy()
        for (book, slot, action), (elements, size) in self._counts.items():
            tally.add((*place_of(book.decisions[slot]), action), elements, size)
        return tally

    def note_unreadable(self, association: int, problem: DicomProblem, ranges: int, size: int) -> None:
        """Count ranges of bytes that were blanked for what they are."""
        self._tally.add_unreadable(association, problem, ranges, size)

    def treat(self, work: Work, pending: npt.NDArray[np.int64], *, has_contexts: bool) -> None:
        """Treat the rows of a data set that need thought, and those that a person decided on."""
        facts = work.book.facts.tolist()
        if facts[sweeping.CHARACTER_SETS] and not has_contexts:
            work.contexts = _contexts(work.data, facts)
        if facts[sweeping.DAMAGED]:
            counted = facts[sweeping.DAMAGED], facts[sweeping.DAMAGED_BYTES]
            self.note_unreadable(work.association, work.lost, *counted)
        if facts[sweeping.INVALID]:
            counted = facts[sweeping.INVALID], facts[sweeping.INVALID_BYTES]
            self.note_unreadable(work.association, DicomProblem.VALUE_INVALID, *counted)
        if len(pending):
            self._think(work, pending.tolist())
        for row, value in work.overridden.items():
            self._override(work, row, value)
        if facts[sweeping.PIXEL_BYTES]:
            self._finish_pixels(work, facts[sweeping.PIXEL_BYTES])

    def _finish_pixels(self, work: Work, size: int) -> None:
        comments = clean_pixels(work.data, work.pixels)
        modality, burned_in = work.shown.get(MODALITY, b""), work.shown.get(BURNED_IN, b"")
        self._tally.add_pixels(modality, burned_in, kept=bool(work.pixels), size=size, comments=comments)

    def _think(self, work: Work, pending: list[list[int]]) -> None:
        view = memoryview(work.data.values)  # type: ignore[arg-type]  # arrays are buffers
        for row, slot, at, length, scope in pending:
            treatment = work.book.decisions[slot].treatment
            if treatment is Treatment.PIXELS or scope != sweeping.HELD:
                found = self._unheld(work, row, slot, scope)
            else:
                value = view[at : at + length].tobytes()
                found = self._replacement(work, row, slot, value)
                if found.value != value:
                    view[at : at + length] = found.value
                if not found.is_valid:
                    self.note_unreadable(work.association, DicomProblem.VALUE_INVALID, 1, length)
            found.counts[0] += 1
            found.counts[1] += length
            work.actions[row] = found.action

    def _unheld(self, work: Work, row: int, slot: int, scope: int) -> Remembered:
        """Treat pixel data that is kept, and values that are not held, which are filled."""
        decision = work.book.decisions[slot]
        if decision.treatment is Treatment.PIXELS and scope != sweeping.NOT_HELD_AND_BLANKED:
            work.pixels.append(row)
            action = DicomAction.KEPT
        else:
            work.data.fill_outside(row, decision.fill)
            action = decision.filled
        return Remembered(b"", action, is_valid=True, counts=self._counted(work.book, slot, action))

    def _replacement(self, work: Work, row: int, slot: int, value: bytes) -> Remembered:
        contexts, decision = work.contexts, work.book.decisions[slot]
        declared = contexts.declared_at(row)
        context: bytes | Context = declared
        if decision.tag in _SHOWN:
            work.shown[decision.tag] = value
        if decision.treatment in _WITH_ENTRY or (contexts.names and decision.treatment is Treatment.DESCRIPTOR):
            entry = contexts.entry_at(row) if decision.treatment in _WITH_ENTRY else NO_ENTRY
            context = Context(declared, entry, contexts.names)
        place = (work.book, slot, value, context)
        found = self._remembered.get(place)
        return found if found is not None else self._remember(place, decision)

    def _remember(self, place: tuple[DecisionBook, int, bytes, bytes | Context], decision: Decision) -> Remembered:
        book, slot, value, context = place
        full = context if isinstance(context, Context) else Context(context, NO_ENTRY, frozenset())
        found = self._replacing.replacement(decision, value, full)
        remembered = Remembered(*found, counts=self._counted(book, slot, found.action))
        if len(value) <= _LONGEST_REMEMBERED:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[place] = remembered
        return remembered

    def _counted(self, book: DecisionBook, slot: int, action: DicomAction) -> list[int]:
        return self._counts.setdefault((book, slot, action), [0, 0])

    def _override(self, work: Work, row: int, value: bytes | None) -> None:
        at, length, kind = work.data.elements[row, (AT, LENGTH, KIND)].tolist()
        if value is not None and kind == OUTSIDE:
            work.data.write_outside(row, 0, value)
        elif value is not None:
            work.data.values[at : at + length] = np.frombuffer(value, np.uint8)
        work.actions[row] = DicomAction.OVERRIDDEN
        self._tally.add((*place_of(work.decision(row)), DicomAction.OVERRIDDEN), 1, length)


def _contexts(data: Values, facts: list[int]) -> Contexts:
    """Read the character sets of a data set; mostly there is one."""
    row = facts[sweeping.CHARACTER_SET_ROW]
    if facts[sweeping.CHARACTER_SETS] > 1 or data.elements[row, TAG] != CHARACTER_SET:
        return Contexts.read(data, names=False)
    at, length, kind = data.elements[row, (AT, LENGTH, KIND)].tolist()
    return Contexts(data, data.values[at : at + length].tobytes() if kind != OUTSIDE else b"")
