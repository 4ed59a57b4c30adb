"""Dates of data sets, held to what the policy makes of them."""

import re
from datetime import date, timedelta
from typing import Final

_DATE: Final = re.compile(rb"\d{8}")
_DIGITS: Final = re.compile(rb"\d+")
_DUMMY: Final = b"19000101"
_ZERO: Final = 0x30


def is_dummy(value: bytes) -> bool:
    """Say whether every number of a date or time is the dummy's: 19000101, part of it, or zeros."""
    return all(_is_dummy_number(number) for number in _DIGITS.findall(value))


def _is_dummy_number(number: bytes) -> bool:
    rest = number.removeprefix(_DUMMY) if number.startswith(_DUMMY) else number
    return set(rest) <= {_ZERO} or _DUMMY.startswith(rest) or rest == b"01"


def days_between(was: bytes, now: bytes) -> set[int] | None:
    """Return by how many days the dates of a value moved, dummies left out; None where one is no date any more."""
    olds, news = _DATE.findall(was), _DATE.findall(now)
    if len(olds) != len(news):
        return None
    moved = set()
    for old, new in zip(olds, news, strict=True):
        one, other = _date_of(old), _date_of(new)
        if new == _DUMMY:
            continue
        if one is None or other is None:
            return None
        moved.add((other - one) // timedelta(days=1))
    return moved


def has_date(value: bytes) -> bool:
    """Say whether a value holds a whole date."""
    return _DATE.search(value) is not None


def _date_of(text: bytes) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
