"""Dates and times: dummies, or one keyed shift of whole weeks.

DA, TM and DT of PS3.5 §6.2, the older spellings with dots and colons, and the ranges of PS3.4 §C.2.2.2.5. What a
shift would move before 1900 becomes a dummy, as what is no date in the calendar does.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from gql_server.engine.keys import derive

_FIRST_YEAR: Final = 1900
_FEWEST_WEEKS: Final = 53
_WEEKS: Final = 520
_DAY: Final = rb"[0-9]{8}|[0-9]{4}\.[0-9]{2}\.[0-9]{2}"
_TIME: Final = rb"[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?|[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_OFFSET_OF_A_PLACE: Final = rb"[+-](?:0[0-9]|1[0-4])[0-5][0-9]"
_MOMENT: Final = rb"[0-9]{4}(?:[0-9]{2}){0,5}(?:(?<=[0-9]{14})\.[0-9]{1,6})?(?:" + _OFFSET_OF_A_PLACE + rb")?"
_DUMMY_DIGITS: Final = b"19000101000000"
_DAY_DIGITS: Final = 8

_SPELLINGS: Final = {
    vr: re.compile(rb"( *-? *)(%b)(?:( *- *)(%b)?)?( *)" % (one, one))
    for vr, one in (("DA", _DAY), ("TM", _TIME), ("DT", _MOMENT))
}
_OFFSET: Final = re.compile(_OFFSET_OF_A_PLACE + rb" *")


def is_moment(vr: str, value: bytes) -> bool:
    """Tell whether each of the values of a DA, TM or DT is one, or a range of two."""
    return _replaced(vr, value, lambda one: one) is not None


def is_offset(value: bytes) -> bool:
    """Tell whether a value is an offset from UTC, such as +0100."""
    return _OFFSET.fullmatch(value.rstrip(b"\0")) is not None


def dummy(vr: str, value: bytes) -> bytes | None:
    """Return the moment that stands in for every other; None for what is none."""
    return _replaced(vr, value, _midnight if vr == "TM" else _dummy_of_one)


def _replaced(vr: str, value: bytes, replace: Callable[[bytes], bytes | None]) -> bytes | None:
    """Replace each moment of a value; None if one is none, or has no replacement."""
    several = value.rstrip(b"\0")
    out = []
    for each in several.split(b"\\"):
        match = _SPELLINGS[vr].fullmatch(each)
        if match is not None:
            parts = [part if place % 2 == 0 or not part else replace(part) for place, part in enumerate(match.groups())]
            if any(part is None and match[place] for place, part in enumerate(parts, 1)):
                return None
            out.append(b"".join(part or b"" for part in parts))
        elif each.strip():
            return None
        else:
            out.append(each)
    return b"\\".join(out) + value[len(several) :]


def _midnight(time: bytes) -> bytes:
    return re.sub(rb"[0-9]", b"0", time)


def _dummy_of_one(moment: bytes) -> bytes:
    digits = iter(_DUMMY_DIGITS)
    out = bytearray()
    for byte in moment:
        is_digit = byte in b"0123456789"
        out.append(next(digits, ord("0")) if is_digit else (ord("+") if byte in b"+-" else byte))
    return bytes(out)


class DateShift:
    """One shift for a key: one to eleven years back, in whole weeks, so that weekdays stay."""

    def __init__(self, key: bytes) -> None:
        number = int.from_bytes(derive(key, "dicom-dates", 16), "big")
        self.days: int = -7 * (_FEWEST_WEEKS + number % _WEEKS)

    def shifted(self, vr: str, value: bytes) -> bytes | None:
        """Return the moment or moments shifted; None for what is none or cannot be shifted."""
        return _replaced(vr, value, self._shifted_one if vr != "TM" else bytes)

    def _shifted_one(self, moment: bytes) -> bytes | None:
        dots = b"." in moment[:5]
        day, rest = (moment.replace(b".", b""), b"") if dots else (moment[:_DAY_DIGITS], moment[_DAY_DIGITS:])
        if len(day) < _DAY_DIGITS or not day.isdigit():
            return None
        try:
            moved = date(int(day[:4]), int(day[4:6]), int(day[6:])) + timedelta(days=self.days)
        except (ValueError, OverflowError):
            return None
        if moved.year < _FIRST_YEAR:
            return None
        return moved.strftime("%Y.%m.%d" if dots else "%Y%m%d").encode() + rest
