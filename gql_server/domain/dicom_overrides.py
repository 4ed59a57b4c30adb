"""Overrides: what a person decides about single elements.

As text an override is a triple: the element, the action, and the value that REPLACE writes, None for KEEP.
"""

import re
import unicodedata
from collections.abc import Sequence

from gql_server.domain.dicom import MAX_OVERRIDES, DicomOverride, OverrideAction
from gql_server.domain.dicom_errors import OverrideMalformed

OverrideText = tuple[str, str, str | None]

MAX_VALUE = 1024
"""Characters of a replacement: a longer one fits no VR that people fill in."""
MAX_DEPTH = 64
"""Tags of a path."""

_PROPOSAL = re.compile(r"[0-9a-f]{32}")
_PATH = re.compile(rf"[0-9a-f]{{8}}(\.[0-9a-f]{{8}}){{0,{MAX_DEPTH - 1}}}")


def as_text(override: DicomOverride) -> OverrideText:
    """Return the override as a triple of text."""
    return override.element, override.action.value, override.value


def parse_overrides(triples: Sequence[OverrideText]) -> tuple[DicomOverride, ...]:
    """Read and check overrides given as text; what comes back is in lower case, in the same order.

    Raises:
        OverrideMalformed: an element is neither an id nor a path, or named twice; an action is unknown; a value is
            missing, too long, holds control characters, or stands where none belongs; or there are too many.
    """
    if len(triples) > MAX_OVERRIDES:
        raise OverrideMalformed(index=MAX_OVERRIDES, reason=f"at most {MAX_OVERRIDES} overrides are allowed")
    overrides: list[DicomOverride] = []
    seen: dict[str, int] = {}
    for index, (element, action, value) in enumerate(triples):
        override = _parse(index, element, action, value)
        if (other := seen.setdefault(override.element, index)) != index:
            raise OverrideMalformed(index=index, reason=f"override {other} names the same element")
        overrides.append(override)
    return tuple(overrides)


def _parse(index: int, element: str, action: str, value: str | None) -> DicomOverride:
    named = _element(index, element)
    try:
        wanted = OverrideAction(action)
    except ValueError as error:
        raise OverrideMalformed(index=index, reason="the action is neither KEEP nor REPLACE") from error
    if (value is None) == (wanted is OverrideAction.REPLACE):
        raise OverrideMalformed(index=index, reason="REPLACE takes a value, and KEEP takes none")
    if value is not None and (len(value) > MAX_VALUE or any(map(_is_control, value))):
        raise OverrideMalformed(index=index, reason=f"a value has at most {MAX_VALUE} characters, and none of control")
    return DicomOverride(element=named, action=wanted, value=value)


def _is_control(character: str) -> bool:
    return unicodedata.category(character).startswith("C")


def _element(index: int, text: str) -> str:
    element = text.strip().lower()
    if _PROPOSAL.fullmatch(element) or _PATH.fullmatch(element):
        return element
    reason = "an element is the id of a proposal (32 hexadecimal digits) or a path of tags (8 each, joined by dots)"
    raise OverrideMalformed(index=index, reason=reason)
