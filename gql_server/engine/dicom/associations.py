"""What the PDUs say that open an association.

PS3.8 §9.3.2 to §9.3.4 and Annex D, PS3.7 Annex D.3.3. Each byte of such a PDU belongs to a header whose lengths were
followed, to a number that was checked, or to a field. What is missing or makes no sense is a field of its own.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from gql_server.domain.dicom import DicomProblem

_FIXED: Final = 74
_TITLE: Final = 16
_CALLED_AT: Final = 10
_CALLING_AT: Final = 26
_RESERVED_AT: Final = 42
_RESERVED_BYTES: Final = 32
_VERSION_AT: Final = 6
_VERSION: Final = b"\0\1"

_APPLICATION_CONTEXT: Final = 0x10
_CONTEXT_RQ: Final = 0x20
_CONTEXT_AC: Final = 0x21
_ABSTRACT: Final = 0x30
_TRANSFER: Final = 0x40
_USER_INFORMATION: Final = 0x50
_MAXIMUM_LENGTH: Final = 0x51
_IMPLEMENTATION: Final = 0x52
_ASYNCHRONOUS: Final = 0x53
_ROLES: Final = 0x54
_VERSION_NAME: Final = 0x55
_EXTENDED: Final = 0x56
_COMMON_EXTENDED: Final = 0x57
_IDENTITY: Final = 0x58
_IDENTITY_RESPONSE: Final = 0x59

_UID: Final = re.compile(rb"[0-9.]{1,64}[\0 ]?")
_FOUR: Final = 4
_MOST_VERSION_NAME: Final = 16
_MOST_INFORMATION: Final = 64
_SMALL_NUMBER: Final = 0x10
_MOST_RESULT: Final = 4
_MOST_IDENTITY: Final = 5
_NAMES: Final = (1, 2)
"""Types of user identity whose first field is a name (PS3.7 §D.3.3.7.1)."""


class AssociationFieldKind(StrEnum):
    """What stands in a field of an association PDU."""

    CALLING_AE = "CALLING_AE"
    CALLED_AE = "CALLED_AE"
    RESERVED = "RESERVED"
    """Reserved bytes that are not zero."""
    UID = "UID"
    IMPLEMENTATION_UID = "IMPLEMENTATION_UID"
    VERSION_NAME = "VERSION_NAME"
    USER_NAME = "USER_NAME"
    PASSCODE = "PASSCODE"
    """Also a ticket or token that stands for a user."""
    USER_RESPONSE = "USER_RESPONSE"
    EXTENDED = "EXTENDED"
    """Service class application information that is nothing but small numbers."""
    UNKNOWN = "UNKNOWN"
    """An item or a value that the standard does not have here."""
    UNREADABLE = "UNREADABLE"
    """Bytes that are no items, or were not all captured."""


@dataclass(frozen=True, slots=True)
class AssociationField:
    """One field: where it is in which stream."""

    side: int
    at: int
    count: int
    kind: AssociationFieldKind


class ProposedContext(NamedTuple):
    """A presentation context of a request."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


class AnsweredContext(NamedTuple):
    """A presentation context of an answer."""

    result: int
    transfer_syntax: str | None


@dataclass(slots=True, eq=False, kw_only=True)
class AssociationPdu:
    """An A-ASSOCIATE-RQ or -AC; several readers may share one."""

    calling_ae: str = ""
    called_ae: str = ""
    implementation_uid: str = ""
    implementation_version: str = ""
    proposed: dict[int, ProposedContext] = field(default_factory=dict)
    answered: dict[int, AnsweredContext] = field(default_factory=dict)
    problems: set[DicomProblem] = field(default_factory=set)


@lru_cache(maxsize=64)
def read_association(
    data: bytes, length: int, side: int, at: int
) -> tuple[AssociationPdu, tuple[AssociationField, ...]]:
    """Return what an association PDU says, and its fields in order.

    Devices open one association after the other in the same words, so the last answers are kept.

    Args:
        data: The PDU with its header, up to the first byte that was not captured.
        length: How long it is.
        side: Of which stream; for the fields.
        at: Where it begins there; the same.
    """
    reader = _Reader(data, length, side, at)
    reader.read()
    return reader.pdu, tuple(reader.fields)


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


class _Reader:
    """One pass over one PDU."""

    def __init__(self, data: bytes, length: int, side: int, at: int) -> None:
        self._data, self._length, self._side, self._at = data, length, side, at
        self.fields: list[AssociationField] = []
        self.pdu = AssociationPdu()

    def read(self) -> None:
        data, pdu = self._data, self.pdu
        if len(data) < _FIXED:
            self._unreadable(_VERSION_AT, self._length)
            return
        if data[_VERSION_AT : _VERSION_AT + 2] != _VERSION:
            self._note(_VERSION_AT, 2, AssociationFieldKind.UNKNOWN)
        self._reserved(_VERSION_AT + 2, 2)
        self._note(_CALLED_AT, _TITLE, AssociationFieldKind.CALLED_AE)
        self._note(_CALLING_AT, _TITLE, AssociationFieldKind.CALLING_AE)
        self._reserved(_RESERVED_AT, _RESERVED_BYTES)
        pdu.called_ae = _text(data[_CALLED_AT : _CALLED_AT + _TITLE])
        pdu.calling_ae = _text(data[_CALLING_AT : _CALLING_AT + _TITLE])
        self._items(_FIXED, self._length, top=True)

    def _note(self, at: int, count: int, kind: AssociationFieldKind) -> None:
        if count:
            self.fields.append(AssociationField(self._side, self._at + at, count, kind))

    def _reserved(self, at: int, count: int) -> None:
        if any(self._data[at : at + count]):
            self._note(at, count, AssociationFieldKind.RESERVED)

    def _unreadable(self, at: int, end: int) -> None:
        """Give up the bytes of a range; the first ones may still be there."""
        torn = end > len(self._data)
        self.pdu.problems.add(DicomProblem.STREAM_HOLE if torn else DicomProblem.PDU_MALFORMED)
        self._note(at, end - at, AssociationFieldKind.UNREADABLE)

    def _items(self, at: int, end: int, *, top: bool) -> None:
        """Read items one behind the other: those of the PDU, or of the user information."""
        data = self._data
        while at < end:
            stop = at + _FOUR + int.from_bytes(data[at + 2 : at + _FOUR], "big")
            if at + _FOUR > min(end, len(data)) or stop > end:
                self._unreadable(at, end)
                return
            self._reserved(at + 1, 1)
            if stop > len(data) and not (top and data[at] == _USER_INFORMATION):
                self._unreadable(at + _FOUR, stop)
            elif top:
                self._item(data[at], at + _FOUR, stop)
            else:
                self._user_item(data[at], at + _FOUR, stop)
            at = stop

    def _item(self, kind: int, at: int, end: int) -> None:
        if kind == _APPLICATION_CONTEXT:
            self._uid(at, end)
        elif kind in (_CONTEXT_RQ, _CONTEXT_AC):
            self._context(kind, at, end)
        elif kind == _USER_INFORMATION:
            self._items(at, end, top=False)
        else:
            self._note(at, end - at, AssociationFieldKind.UNKNOWN)

    def _uid(self, at: int, end: int, kind: AssociationFieldKind = AssociationFieldKind.UID) -> str:
        value = self._data[at:end]
        if at == end:
            return ""
        if not _UID.fullmatch(value):
            self._note(at, end - at, AssociationFieldKind.UNKNOWN)
            return ""
        self._note(at, end - at, kind)
        return value.decode("ascii").rstrip(" \0")

    def _context(self, kind: int, at: int, end: int) -> None:
        """Read a presentation context (PS3.8 §9.3.2.2, §9.3.3.2)."""
        data = self._data
        if end - at < _FOUR:
            self._unreadable(at, end)
            return
        answered = kind == _CONTEXT_AC and data[at + 2] <= _MOST_RESULT
        self._reserved(at + 1, 1)
        self._reserved(at + 3, 1)
        if not answered:
            self._reserved(at + 2, 1)
        abstract, transfer = "", []
        place = at + _FOUR
        while place < end:
            stop = place + _FOUR + int.from_bytes(data[place + 2 : place + _FOUR], "big")
            if place + _FOUR > end or stop > end:
                self._unreadable(place, end)
                break
            self._reserved(place + 1, 1)
            if data[place] == _ABSTRACT:
                abstract = self._uid(place + _FOUR, stop)
            elif data[place] == _TRANSFER:
                transfer.append(self._uid(place + _FOUR, stop))
            else:
                self._note(place + _FOUR, stop - place - _FOUR, AssociationFieldKind.UNKNOWN)
            place = stop
        if kind == _CONTEXT_RQ:
            self.pdu.proposed[data[at]] = ProposedContext(abstract, tuple(filter(None, transfer)))
        elif answered:
            self.pdu.answered[data[at]] = AnsweredContext(data[at + 2], transfer[0] or None if transfer else None)

    def _user_item(self, kind: int, at: int, end: int) -> None:
        data = self._data
        if kind in (_MAXIMUM_LENGTH, _ASYNCHRONOUS) and end - at == _FOUR:
            return
        if kind == _IMPLEMENTATION:
            self.pdu.implementation_uid = self._uid(at, end, AssociationFieldKind.IMPLEMENTATION_UID)
        elif kind == _VERSION_NAME and end - at <= _MOST_VERSION_NAME:
            self.pdu.implementation_version = _text(data[at:end])
            self._note(at, end - at, AssociationFieldKind.VERSION_NAME)
        elif kind in (_ROLES, _EXTENDED):
            self._about_class(kind, at, end)
        elif kind == _COMMON_EXTENDED:
            self._common_extended(at, end)
        elif kind == _IDENTITY:
            self._identity(at, end)
        elif kind == _IDENTITY_RESPONSE:
            self._lengths(at, end, (AssociationFieldKind.USER_RESPONSE,))
        else:
            self._note(at, end - at, AssociationFieldKind.UNKNOWN)

    def _about_class(self, kind: int, at: int, end: int) -> None:
        """Read roles or extended negotiation: a UID with its length, then numbers (PS3.7 §D.3.3.4, §D.3.3.5)."""
        begin = at + 2 + int.from_bytes(self._data[at : at + 2], "big")
        if end - at < 2 or begin > end:  # noqa: PLR2004  # bytes of a length
            self._unreadable(at, end)
            return
        self._uid(at + 2, begin)
        numbers = self._data[begin:end]
        if kind == _ROLES:
            valid = len(numbers) == 2 and max(numbers) <= 1  # noqa: PLR2004  # SCU and SCP
            if not valid:
                self._note(begin, end - begin, AssociationFieldKind.UNKNOWN)
            return
        small = len(numbers) <= _MOST_INFORMATION and all(number < _SMALL_NUMBER for number in numbers)
        self._note(begin, end - begin, AssociationFieldKind.EXTENDED if small else AssociationFieldKind.UNKNOWN)

    def _common_extended(self, at: int, end: int) -> None:
        """Read a class, its service class and related classes, each with its length (PS3.7 §D.3.3.6)."""
        place = self._lengths(at, end, (AssociationFieldKind.UID,) * 2, rest=True)
        if place is None or place == end:
            return
        stop = place + 2 + int.from_bytes(self._data[place : place + 2], "big")
        if place + 2 > end or stop > end:
            self._unreadable(place, end)
            return
        related: int | None = place + 2
        while related is not None and related < stop:
            related = self._lengths(related, stop, (AssociationFieldKind.UID,), rest=True)
        self._note(stop, end - stop, AssociationFieldKind.UNKNOWN)

    def _identity(self, at: int, end: int) -> None:
        """Read a user identity: type, whether an answer is wanted, then two fields (PS3.7 §D.3.3.7.1)."""
        data = self._data
        if end - at < 2 or not 1 <= data[at] <= _MOST_IDENTITY or data[at + 1] > 1:  # noqa: PLR2004  # two bytes
            self._unreadable(at, end)
            return
        named = data[at] in _NAMES
        first = AssociationFieldKind.USER_NAME if named else AssociationFieldKind.PASSCODE
        self._lengths(at + 2, end, (first, AssociationFieldKind.PASSCODE))

    def _lengths(self, at: int, end: int, kinds: tuple[AssociationFieldKind, ...], *, rest: bool = False) -> int | None:
        """Read fields behind their lengths, to the very end unless there may be a rest; None if they do not fit."""
        for kind in kinds:
            stop = at + 2 + int.from_bytes(self._data[at : at + 2], "big")
            if at + 2 > end or stop > end:
                self._unreadable(at, end)
                return None
            if kind == AssociationFieldKind.UID:
                self._uid(at + 2, stop)
            else:
                self._note(at + 2, stop - at - 2, kind)
            at = stop
        if at != end and not rest:
            self._unreadable(at, end)
            return None
        return at
