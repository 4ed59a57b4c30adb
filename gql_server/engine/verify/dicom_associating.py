"""Association PDUs in both files.

PS3.8 §9.3.2 to §9.3.8, PS3.7 annex D. Everything is as it was but for the fields that say who and with what: AE titles,
user identity, UIDs. Reserved bytes, which nobody reads, may have become zero.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_values import ValueJudge

_REQUEST: Final = 1
_ACCEPT: Final = 2
_HEADER: Final = 6
_FIXED: Final = 74
_APPLICATION: Final = 0x10
_PROPOSED: Final = 0x20
_ANSWERED: Final = 0x21
_ABSTRACT: Final = 0x30
_TRANSFER: Final = 0x40
_USER: Final = 0x50
_SYNTAXES: Final = {
    b"1.2.840.10008.1.2": d.IMPLICIT,
    b"1.2.840.10008.1.2.2": d.BIG_ENDIAN,
    b"1.2.840.10008.1.2.1.99": d.DEFLATED,
    b"1.2.840.10008.1.2.4.95": d.DEFLATED,
}
"""All others are explicit VR little endian (PS3.5 annex A)."""


class FieldKind(Enum):
    """What a field of an association PDU is."""

    AE_TITLE = auto()
    UID = auto()
    IMPLEMENTATION = auto()
    """It may stay: it names a product."""
    CREDENTIAL = auto()
    FREE = auto()
    """It stays, becomes another or zero."""
    UNKNOWN = auto()
    """It becomes zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field, by its place in the PDU."""

    kind: FieldKind
    at: int
    length: int


@dataclass(slots=True, kw_only=True)
class Found:
    """What became of an association PDU."""

    structure: int = 0
    """Bytes outside fields that changed."""
    left: int = 0
    """Bytes of unknown fields that are not zero."""
    undecodable: int = 0


def syntaxes_of(pdu: bytes) -> dict[int, int]:
    """Return the transfer syntax of each context that an A-ASSOCIATE-AC accepts."""
    if pdu[0] != _ACCEPT:
        return {}
    found = {}
    for kind, at, end in _items(pdu, _FIXED, len(pdu)):
        if kind == _ANSWERED and end - at >= 4 and pdu[at + 2] == 0:  # noqa: PLR2004  # accepted
            for inner, place, stop in _items(pdu, at + 4, end):
                if inner == _TRANSFER:
                    found[pdu[at]] = _SYNTAXES.get(pdu[place:stop].strip(b" \0"), d.EXPLICIT)
    return found


def judge_control(pdu: bytes, output: bytes, judge: ValueJudge, *, missing: int = 0) -> Found:
    """Judge one PDU that is no P-DATA-TF, or the begin of one of which so many bytes are missing."""
    if missing:
        return _judge_cut(pdu, output, judge, missing)
    found = Found()
    if not any(output):
        found.undecodable = len(pdu)
        fields = list(_fields(pdu)) if pdu[0] in (_REQUEST, _ACCEPT) else []
        for field in fields:
            _judge(field, pdu[field.at : field.at + field.length], b"", judge, found)
        return found
    place = 0
    reserved = _reserved(pdu)
    for field in _fields(pdu) if pdu[0] in (_REQUEST, _ACCEPT) else ():
        found.structure += _differs(pdu, output, range(place, field.at), reserved)
        place = field.at + field.length
        _judge(field, pdu[field.at : place], output[field.at : place], judge, found)
    found.structure += _differs(pdu, output, range(place, len(pdu)), reserved)
    return found


def _judge_cut(pdu: bytes, output: bytes, judge: ValueJudge, missing: int) -> Found:
    """Judge what is there of a PDU: fields that are whole, and of the rest that it stays or becomes zero."""
    found, place = Found(), 0
    whole = pdu + bytes(missing)
    for field in _fields(whole) if pdu[0] in (_REQUEST, _ACCEPT) else ():
        found.structure += _is_changed(pdu, output, place, field.at)
        place = min(field.at + field.length, len(pdu))
        was, now = pdu[field.at : place], output[field.at : place]
        if len(was) < field.length:
            # Not a value: what was cut is neither compared nor searched for.
            found.left += sum(byte != 0 for byte in now)
        else:
            _judge(field, was, now if any(now) else b"", judge, found)
    found.structure += _is_changed(pdu, output, place, len(pdu))
    blanked = sum(new == 0 != old for old, new in zip(pdu, output, strict=True))
    found.undecodable = blanked if any(output) else len(pdu)
    return found


def _is_changed(pdu: bytes, output: bytes, at: int, end: int) -> bool:
    """Say whether bytes became others than zeros."""
    return any(new not in (0, old) for old, new in zip(pdu[at:end], output[at:end], strict=True))


def _differs(pdu: bytes, output: bytes, places: range, reserved: set[int]) -> bool:
    """Say whether bytes changed that are not reserved ones which became zero."""
    return any(pdu[at] != output[at] and (output[at] != 0 or at not in reserved) for at in places)


def _reserved(pdu: bytes) -> set[int]:
    """Return where bytes stand that are sent as zero and not tested."""
    if pdu[0] not in (_REQUEST, _ACCEPT):
        # Reasons that the standard does not have are none, and nothing else stands there.
        return {1, *range(_HEADER, len(pdu))}
    found = {1, 8, 9}
    for kind, at, end in _items(pdu, _FIXED, len(pdu)):
        found.add(at - 3)
        if kind == _USER:
            found |= {place - 3 for _, place, _ in _items(pdu, at, end)}
        elif kind in (_PROPOSED, _ANSWERED):
            # The byte between them holds the result of an answer.
            found |= {at + 1, at + 3} | ({at + 2} if kind == _PROPOSED else set())
            found |= {place - 3 for _, place, _ in _items(pdu, at + 4, end)}
    return found


def _judge(field: Field, was: bytes, now: bytes, judge: ValueJudge, found: Found) -> None:
    if field.kind is FieldKind.AE_TITLE:
        judge.ae_title(was, now)
    elif field.kind is FieldKind.CREDENTIAL:
        judge.credential(was, now)
    elif field.kind in (FieldKind.UID, FieldKind.IMPLEMENTATION):
        judge.uid(was, now, may_stay=field.kind is FieldKind.IMPLEMENTATION)
    elif field.kind is FieldKind.UNKNOWN:
        found.left += sum(byte != 0 for byte in now)


def _items(pdu: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    while end - at >= 4:  # noqa: PLR2004  # type, a reserved byte, length
        length = int.from_bytes(pdu[at + 2 : at + 4], "big")
        if at + 4 + length > end:
            return
        yield pdu[at], at + 4, at + 4 + length
        at += 4 + length


def _fields(pdu: bytes) -> Iterator[Field]:
    """Yield the fields in their order."""
    yield Field(kind=FieldKind.AE_TITLE, at=10, length=16)
    yield Field(kind=FieldKind.AE_TITLE, at=26, length=16)
    yield Field(kind=FieldKind.UNKNOWN, at=42, length=32)
    end = _FIXED
    for kind, at, stop in _items(pdu, _FIXED, len(pdu)):
        if kind == _APPLICATION:
            yield Field(kind=FieldKind.UID, at=at, length=stop - at)
        elif kind in (_PROPOSED, _ANSWERED):
            yield from _context(pdu, at + 4, stop)
        elif kind == _USER:
            yield from _user(pdu, at, stop)
        else:
            yield Field(kind=FieldKind.UNKNOWN, at=at, length=stop - at)
        end = stop
    if end < len(pdu):
        yield Field(kind=FieldKind.UNKNOWN, at=end, length=len(pdu) - end)


def _context(pdu: bytes, at: int, stop: int) -> Iterator[Field]:
    for kind, place, end in _items(pdu, at, stop):
        known = kind in (_ABSTRACT, _TRANSFER)
        yield Field(kind=FieldKind.UID if known else FieldKind.UNKNOWN, at=place, length=end - place)


def _user(pdu: bytes, at: int, stop: int) -> Iterator[Field]:
    """Yield the fields of user information (PS3.7 annex D.3.3)."""
    for kind, place, end in _items(pdu, at, stop):
        size = end - place
        if kind == 0x52:  # noqa: PLR2004  # implementation class UID
            yield Field(kind=FieldKind.IMPLEMENTATION, at=place, length=size)
        elif kind in (0x51, 0x53, 0x55):  # maximum length, operations window, implementation version name
            yield Field(kind=FieldKind.FREE, at=place, length=size)
        elif kind in (0x54, 0x56, 0x57) and size >= 2:  # noqa: PLR2004  # roles and extended negotiation: a UID first
            length = min(int.from_bytes(pdu[place : place + 2], "big"), size - 2)
            yield Field(kind=FieldKind.UID, at=place + 2, length=length)
            yield Field(kind=FieldKind.FREE, at=place + 2 + length, length=size - 2 - length)
        elif kind == 0x58 and size >= 6:  # noqa: PLR2004  # user identity
            yield from _identity(pdu, place, end)
        elif kind == 0x59 and size >= 2:  # noqa: PLR2004  # the server's answer to it
            yield Field(kind=FieldKind.CREDENTIAL, at=place + 2, length=size - 2)
        else:
            yield Field(kind=FieldKind.UNKNOWN, at=place, length=size)


def _identity(pdu: bytes, at: int, end: int) -> Iterator[Field]:
    (primary,) = struct.unpack_from(">H", pdu, at + 2)
    primary = min(primary, end - at - 4)
    yield Field(kind=FieldKind.CREDENTIAL, at=at + 4, length=primary)
    at += 4 + primary
    if end - at >= 2:  # noqa: PLR2004  # a length
        yield Field(kind=FieldKind.CREDENTIAL, at=at + 2, length=end - at - 2)
