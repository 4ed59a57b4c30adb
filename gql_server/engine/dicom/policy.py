"""The policy: replaces values, same length always.

One policy serves one job. Everything follows from its parameters, its key and its overrides: the same value becomes
the same in every data set, association and trace.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DicomAction, DicomOverride, DicomParameters, DicomProblem, OverrideAction
from gql_server.domain.dicom_errors import OverrideTooLong
from gql_server.engine.dicom.association_fields import KEYWORDS, VRS, AssociationFields, override_field
from gql_server.engine.dicom.contexts import Contexts, Values
from gql_server.engine.dicom.deciding import DecisionBook
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OUTSIDE, SEQUENCE, UNREADABLE
from gql_server.engine.dicom.overrides import Chosen, ElementIds, Overrides, path_of, path_text, replacement_of
from gql_server.engine.dicom.proposing import Proposing, Sink
from gql_server.engine.dicom.replacing import Replacing
from gql_server.engine.dicom.tally import Tally
from gql_server.engine.dicom.treating import Treating, Work

_NO_ROWS: Final = np.zeros(0, np.int64)


class Policy:
    """What becomes of every value of a job.

    Raises:
        OverrideMalformed: an override names no element, or an element has two.
    """

    def __init__(self, parameters: DicomParameters, key: bytes, overrides: Sequence[DicomOverride] = ()) -> None:
        self._replacing = Replacing(parameters, key)
        self._treating = Treating(self._replacing)
        self._fields = AssociationFields(parameters, self._replacing)
        self._ids = ElementIds(key)
        self._overrides = Overrides(overrides, self._ids)
        self._books = {command: DecisionBook(parameters, command=command) for command in (False, True)}
        self._proposing: Proposing | None = None
        self._paths: set[str] = set()
        self._masks = parameters.clean_descriptors or parameters.retain_patient_characteristics

    @property
    def shift_days(self) -> int:
        """Days by which `DatePolicy.SHIFT` moves dates, and packet times with them; negative, whole weeks."""
        return self._replacing.dates.days

    @property
    def overrides_used(self) -> int:
        """Overrides that met an element."""
        return len(self._overrides.used)

    @property
    def overridden(self) -> tuple[str, ...]:
        """Paths of the elements that overrides decided about."""
        return tuple(sorted(self._paths))

    @property
    def overrides_unused(self) -> int:
        """Overrides that met none."""
        return self._overrides.count - len(self._overrides.used)

    @property
    def tally(self) -> Tally:
        """What was done so far."""
        tally = self._treating.tally
        for book in self._books.values():
            book.count_into(tally)
        return tally

    def observe(self, sink: Sink) -> None:
        """Tell a sink of every element from now on; overrides that do not fit are told instead of raised."""
        self._proposing = Proposing(self._ids, sink)

    def apply(
        self,
        data: Values,
        *,
        association: int,
        command: bool,
        lost: DicomProblem = DicomProblem.DATA_SET_MALFORMED,
    ) -> None:
        """Replace the values of a command set or data set in place.

        What could not be read of it is counted as `lost`.

        Raises:
            UidCollision: two UIDs would share a pseudonym.
            OverrideTooLong: an override has more bytes than it replaces.
            OverrideMalformed: an override cannot be written into its element.
        """
        if not len(data.elements):
            return
        book = self._books[command]
        # Only overrides and descriptors have to know more of a data set before it changes.
        early = bool(self._overrides) or self._masks
        contexts = Contexts.read(data, names=self._masks) if early else Contexts(data)
        work = Work(data, association, book, contexts, lost)
        before = data.values.copy() if self._proposing is not None else None
        misfits = self._decide_overrides(work) if self._overrides else {}
        pending = book.sweep(data.values, data.elements, _marks(work))
        self._treating.treat(work, pending, has_contexts=early)
        if self._proposing is not None and before is not None:
            self._proposing.tell_all(work, before, misfits)

    def _decide_overrides(self, work: Work) -> dict[int, Chosen]:
        """Note the rows that a person decided on; return those whose value does not fit, in a preview."""
        data, misfits = work.data, {}
        work.book.sweep(data.values, data.elements, np.ones(len(data.elements), np.int64))
        for row, chosen in self._overrides.find(data.elements, data.values).items():
            self._overrides.used.add(chosen.place)
            self._paths.add(path_text(path_of(data.elements, row)))
            if chosen.override.action is OverrideAction.KEEP:
                work.overridden[row] = None
                continue
            length, declared = int(data.elements[row, LENGTH]), work.contexts.declared_at(row)
            try:
                work.overridden[row] = replacement_of(chosen, work.decision(row), length, declared)
            except OverrideTooLong:
                if self._proposing is None:
                    raise
                misfits[row] = chosen
        return misfits

    def blank(self, data: Values, *, association: int, command: bool) -> None:
        """Blank every value, whatever it is: for a data set whose pseudonyms do not fit."""
        book = self._books[command]
        book.sweep(data.values, data.elements, np.ones(len(data.elements), np.int64))
        for row, (at, length, kind) in enumerate(data.elements[:, (AT, LENGTH, KIND)].tolist()):
            decision = book.decisions[book.slots[row]]
            if kind == OUTSIDE:
                data.fill_outside(row, decision.fill)
            elif kind != SEQUENCE:
                data.values[at : at + length] = 0 if kind == UNREADABLE else decision.fill
        size = int(data.elements[data.elements[:, KIND] != SEQUENCE, LENGTH].sum())
        self._treating.note_unreadable(association, DicomProblem.DEFLATE_BLANKED, 1, size)

    def field(self, kind: str, value: bytes, *, association: int) -> bytes:
        """Return what a field of an association PDU becomes, by the name of its `AssociationFieldKind`.

        Raises:
            UidCollision: two UIDs would share a pseudonym.
            OverrideTooLong: an override has more bytes than it replaces.
            OverrideMalformed: an override cannot be written into the field.
        """
        replaced, action = self._fields.replaced(kind, value)
        keyword = KEYWORDS.get(kind)
        if keyword is None:
            return replaced
        vr, misfit = VRS[kind], None
        chosen = self._overrides.find_field(keyword, vr, value)
        if chosen is not None:
            self._overrides.used.add(chosen.place)
            self._paths.add(keyword)
            try:
                replaced, action = override_field(chosen, kind, value), DicomAction.OVERRIDDEN
            except OverrideTooLong:
                if self._proposing is None:
                    raise
                misfit = chosen
        if self._proposing is not None:
            self._proposing.tell_field(keyword, vr, value, replaced, action, association=association, misfit=misfit)
        return replaced


def _marks(work: Work) -> npt.NDArray[np.int64]:
    """Mark the rows that the sweep leaves alone."""
    if not work.overridden:
        return _NO_ROWS
    marks = np.zeros(len(work.data.elements), np.int64)
    marks[list(work.overridden)] = 1
    return marks
