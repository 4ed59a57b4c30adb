"""Decisions made so far, and how often each was met.

A book is either for command sets or for data sets. It asks for a decision once for each tag and VR; private elements
of a group share one, and so do unknown tags of a VR, so that no capture can make it grow without bound.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DicomAction, DicomParameters
from gql_server.engine.dicom import sweeping
from gql_server.engine.dicom.actions import PIXEL_TAGS, Decision, decide
from gql_server.engine.dicom.elements import TAG, VR
from gql_server.engine.dicom.tally import UNKNOWN_TAG, Tally, tag_label

Rows = npt.NDArray[np.int64]

_FIRST_KEYS: Final = 1 << 12
_MOST_KEYS: Final = 1 << 18
_FIRST_ROWS: Final = 1 << 10
_FIRST_DECISIONS: Final = 1 << 8
_MOST_DECISIONS: Final = 1 << 14
"""From there on private groups share decisions; each VR still has its own."""
_NOTHING_SKIPPED: Final = np.zeros(0, np.int64)
_ACTIONS: Final = {
    sweeping.EMPTY: DicomAction.EMPTY,
    sweeping.KEPT: DicomAction.KEPT,
    sweeping.BLANKED: DicomAction.BLANKED,
    sweeping.ZEROED: DicomAction.ZEROED,
}
_OUTCOMES: Final = {action: outcome for outcome, action in _ACTIONS.items()}


class DecisionBook:
    """Decisions by tag and VR."""

    def __init__(self, parameters: DicomParameters, *, command: bool) -> None:
        self._parameters, self._command = parameters, command
        self._numbers: dict[tuple[str, str, str], int] = {}
        self.decisions: list[Decision] = []
        self._table = np.zeros(_FIRST_DECISIONS * sweeping.DECISION_COLUMNS, np.int64)
        self._counts = np.zeros(_FIRST_DECISIONS * sweeping.OUTCOMES * 2, np.int64)
        self._keys = np.full(_FIRST_KEYS * sweeping.KEY_COLUMNS, sweeping.NO_KEY, np.int64)
        self._used = 0
        self.facts = np.zeros(sweeping.FACTS, np.int64)
        self._make_room(_FIRST_ROWS)

    def sweep(self, values: npt.NDArray[np.uint8], elements: Rows, skipped: Rows = _NOTHING_SKIPPED) -> Rows:
        """Treat what needs no thought; return what does, in PENDING_COLUMNS.

        `slots` then holds the decision of each row, `facts` what was met.
        """
        count = len(elements)
        if count > len(self.slots):
            self._make_room(2 * count)
        flat = elements.reshape(-1)
        while True:
            sweeping.sweep(
                values,
                flat,
                count,
                self._keys,
                self._table,
                self.slots,
                self.scopes,
                skipped,
                self._counts,
                self._pending.reshape(-1),
                self.facts,
            )
            if not self.facts[sweeping.UNKNOWN]:
                return self._pending[: self.facts[sweeping.PENDING]]
            self._learn(elements, self.slots[:count])

    def _make_room(self, rows: int) -> None:
        self.slots, self.scopes = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self._pending = np.zeros((rows, sweeping.PENDING_COLUMNS), np.int64)

    def _learn(self, elements: Rows, slots: Rows) -> None:
        for tag, vr in _pairs(elements[slots < 0]):
            if 2 * (self._used + 1) > len(self._keys) // sweeping.KEY_COLUMNS:
                self._grow_keys()
            sweeping.learn(self._keys, tag, vr, self._number(tag, vr))
            self._used += 1

    def _number(self, tag: int, vr: int) -> int:
        letters = vr.to_bytes(8, "big").strip(b"\0").decode("latin-1")
        decision = decide(tag, letters, self._parameters, command=self._command)
        label = tag_label(tag, known=bool(decision.keyword) or not tag & 0xFFFF)
        if tag >> 16 & 1:
            shared = UNKNOWN_TAG if len(self.decisions) >= _MOST_DECISIONS else label
            label = f"{shared} {decision.treatment.name}"
        place = (label, letters, decision.table)
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self.decisions)
            self.decisions.append(decision)
            self._write(number, decision)
        return number

    def _write(self, number: int, decision: Decision) -> None:
        width = sweeping.DECISION_COLUMNS
        if (number + 1) * width > len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._table[number * width : (number + 1) * width] = (
            decision.treatment,
            decision.fill,
            _OUTCOMES[decision.filled],
            decision.unit,
            decision.most_values,
            decision.tag in PIXEL_TAGS,
        )

    def _grow_keys(self) -> None:
        """Double the table of keys; past a bound begin anew, as what is forgotten is only asked for again."""
        old = self._keys.reshape(-1, sweeping.KEY_COLUMNS)
        size = min(2 * len(old), _MOST_KEYS)
        self._keys = np.full(size * sweeping.KEY_COLUMNS, sweeping.NO_KEY, np.int64)
        self._used = 0
        if size > len(old):
            for key, number in old[old[:, 0] != sweeping.NO_KEY].tolist():
                sweeping.learn(self._keys, key >> 16, key & 0xFFFF, number)
                self._used += 1

    def count_into(self, tally: Tally) -> None:
        """Add what the sweeps counted to a tally."""
        counts = self._counts.reshape(-1, sweeping.OUTCOMES, 2)
        for number, outcome in np.argwhere(counts[:, :, 0]).tolist():
            elements, size = counts[number, outcome].tolist()
            decision = self.decisions[number]
            tally.add((*place_of(decision), _ACTIONS[outcome]), elements, size)


def place_of(decision: Decision) -> tuple[str, str, str]:
    """Return the tag label, keyword and VR that a decision's elements are counted under."""
    known = bool(decision.keyword) or not decision.tag & 0xFFFF
    return tag_label(decision.tag, known=known), decision.keyword, decision.vr


def _pairs(rows: Rows) -> list[tuple[int, int]]:
    return sorted({(tag, vr) for tag, vr in rows[:, (TAG, VR)].tolist()})
