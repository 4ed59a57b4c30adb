"""Transfer syntaxes: how a data set is to be read.

PS3.5 §10 and Annex A; every syntax of the standard that is not named here is explicit VR little endian.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gql_server.engine.dicom.frames import BIG, IMPLICIT

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"

_DEFLATED: Final = frozenset({DEFLATED_LITTLE, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
"""The two others are JPIP Referenced Deflate (PS3.5 §A.9, §A.11)."""
_NO_DATA_SETS: Final = frozenset({"1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"})
"""MIME and XML."""
_PAPYRUS: Final = "1.2.840.10008.1.20"
_STANDARD: Final = "1.2.840.10008.1.2."
_GE_PRIVATE: Final = "1.2.840.113619.5.2"


class SyntaxSource(StrEnum):
    """How the transfer syntax of a data set is known."""

    NEGOTIATED = "NEGOTIATED"
    PROPOSED = "PROPOSED"
    """The only one proposed for its context, whose answer was not captured."""
    INFERRED = "INFERRED"
    """The whole data set makes sense in it."""
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How elements are written."""

    implicit: bool
    big: bool
    deflated: bool
    syntax: str
    """The transfer syntax that stands for it where none was negotiated."""
    number: int
    """The encoding as the walk takes it."""


def _encoding(syntax: str, *, implicit: bool = False, big: bool = False, deflated: bool = False) -> Encoding:
    number = IMPLICIT * implicit | BIG * big
    return Encoding(implicit=implicit, big=big, deflated=deflated, syntax=syntax, number=number)


_PLAIN: Final = (
    _encoding(IMPLICIT_LITTLE, implicit=True),
    _encoding(EXPLICIT_LITTLE),
    _encoding(EXPLICIT_BIG, big=True),
)
COMMAND_ENCODING: Final = _PLAIN[0]
"""PS3.7 §6.3.1."""
ANY_ENCODING: Final = (*_PLAIN, _encoding(DEFLATED_LITTLE, deflated=True))
"""What a data set may be in when nothing is known of its syntax."""


def encodings_of(syntax: str) -> tuple[Encoding, ...]:
    """Return the encodings that a transfer syntax may stand for: one if it is of the standard."""
    if syntax in {IMPLICIT_LITTLE, _PAPYRUS}:
        return _PLAIN[:1]
    if syntax == EXPLICIT_BIG:
        return _PLAIN[2:]
    if syntax in _DEFLATED:
        return (_encoding(syntax, deflated=True),)
    if syntax == _GE_PRIVATE:
        # Two readings of it are in use: pixels alone in big endian, or everything.
        return (_encoding(syntax, implicit=True), _encoding(syntax, implicit=True, big=True))
    if syntax.startswith(_STANDARD) and syntax not in _NO_DATA_SETS:
        return (_encoding(syntax),)
    return ANY_ENCODING
