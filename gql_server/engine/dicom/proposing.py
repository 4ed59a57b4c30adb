"""Proposals: what a preview shows of each element.

Numbers and bulk data are shown as hexadecimal digits, the first of them only.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom import DicomAction, DicomProposal
from gql_server.engine.dicom.actions import PIXEL_TAGS, SPACED, Decision, Treatment
from gql_server.engine.dicom.character_sets import characters
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OUTSIDE, VALUE
from gql_server.engine.dicom.overrides import Chosen, ElementIds, path_of, path_text
from gql_server.engine.dicom.treating import Work

Sink = Callable[[DicomProposal], None]
Bytes = npt.NDArray[np.uint8]
_SHOWN_BYTES: Final = 32
_SHOWN_CHARACTERS: Final = 1024


class Proposing:
    """Tells a sink of each element."""

    def __init__(self, ids: ElementIds, sink: Sink) -> None:
        self._ids, self._sink = ids, sink

    def tell_all(self, work: Work, before: Bytes, misfits: dict[int, Chosen]) -> None:
        """Tell of every element of a data set that has a value, but pixel data; the data set was treated.

        Args:
            work: What was done.
            before: The values as they were.
            misfits: Rows whose override does not fit.
        """
        for row, (at, length, kind) in enumerate(work.data.elements[:, (AT, LENGTH, KIND)].tolist()):
            decision = work.decision(row)
            if kind not in {VALUE, OUTSIDE} or not length or decision.tag in PIXEL_TAGS:
                continue
            held = slice(at, at + length) if kind == VALUE else slice(0, 0)
            original, proposed = before[held].tobytes(), work.data.values[held].tobytes()
            declared = work.contexts.declared_at(row)
            misfit = misfits.get(row)
            wanted = misfit.override.value if misfit is not None else None
            path = path_text(path_of(work.data.elements, row))
            self._sink(
                DicomProposal(
                    element=self._ids.element_id(path, decision.vr, original),
                    association=work.association,
                    path=path,
                    tag=path[-8:],
                    keyword=decision.keyword,
                    vr=decision.vr,
                    table_action=decision.table,
                    action=work.actions.get(row) or _settled(decision, original, proposed),
                    original=text_of(original, decision.vr, declared),
                    proposed=wanted if wanted is not None else text_of(proposed, decision.vr, declared),
                    length=length,
                    fits=misfit is None,
                    count=1,
                )
            )

    def tell_field(
        self,
        keyword: str,
        vr: str,
        original: bytes,
        proposed: bytes,
        action: DicomAction,
        *,
        association: int,
        misfit: Chosen | None,
    ) -> None:
        """Tell of a field of an association PDU, and of its override if that does not fit."""
        wanted = misfit.override.value if misfit is not None else None
        self._sink(
            DicomProposal(
                element=self._ids.element_id(keyword, vr, original),
                association=association,
                path="",
                tag="",
                keyword=keyword,
                vr=vr,
                table_action="",
                action=action,
                original=text_of(original, vr, b"ISO_IR 192"),
                proposed=wanted if wanted is not None else text_of(proposed, vr, b"ISO_IR 192"),
                length=len(original),
                fits=misfit is None,
                count=1,
            )
        )


def _settled(decision: Decision, original: bytes, proposed: bytes) -> DicomAction:
    """Return what became of a value that needed no thought."""
    kept = decision.treatment is Treatment.NUMBERS and original == proposed
    return DicomAction.KEPT if kept else decision.filled


def text_of(value: bytes, vr: str, declared: bytes) -> str:
    """Show a value: text without its padding, anything else as hexadecimal digits."""
    if vr not in SPACED and vr != "UI":
        return value[:_SHOWN_BYTES].hex()
    text = characters(value.rstrip(b" \0"), declared)
    if text is None:
        return value[:_SHOWN_BYTES].hex()
    return "".join(each.text for each in text[:_SHOWN_CHARACTERS])
