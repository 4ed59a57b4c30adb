"""What values are allowed to be, by VR and VM (PS3.5 §6.2).

A value stays only if it is what the dictionary says. A corrupted length can make an element swallow what follows it,
and what follows is then no longer protected by its own tag.
"""

import re
from collections.abc import Callable
from typing import Final

from gql_server.engine.dicom.dates import is_moment

_MOMENTS: Final = frozenset({"DA", "TM", "DT"})
_ONE_VALUE: Final = frozenset({"LT", "ST", "UT", "UR"})
"""VRs in which a backslash is a character."""
_BYTES_PER_CHARACTER: Final = 4

_PATTERNS: Final = {
    # Keys of a query may hold wildcards (PS3.4 §C.2.2.2.4).
    "CS": re.compile(rb"[A-Z0-9_ *?]{0,16}"),
    "DS": re.compile(rb" *(?:[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?) *"),
    "IS": re.compile(rb" *[+-]?[0-9]{0,12} *"),
    "AS": re.compile(rb"(?:[0-9]{3}[DWMY])?"),
    "UI": re.compile(rb"[0-9.]{0,64}"),
    "AE": re.compile(rb"[ -~]{0,16}"),
    "UR": re.compile(rb"[!-~]* *"),
}
_LONGEST: Final = {"DS": 16, "SH": 16, "LO": 64, "ST": 1024, "LT": 10240}
"""Characters in a value; bytes for DS."""
_TEXT: Final = re.compile(rb"[^\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]*")
"""Text with its line ends, tabs and escapes."""


def is_allowed(vr: str, value: bytes, most_values: int) -> bool:
    """Tell whether a value is one that its VR and VM (0: any) allow; for VRs of text, UI included."""
    stripped = value.rstrip(b"\0 ")
    if vr in _MOMENTS:
        return is_moment(vr, value) and _fits(stripped, most_values)
    if vr in _ONE_VALUE:
        return _check(vr)(stripped)
    check = _check(vr)
    return _fits(stripped, most_values) and all(check(each) for each in stripped.split(b"\\"))


def _fits(value: bytes, most_values: int) -> bool:
    return most_values == 0 or value.count(b"\\") < most_values


def _check(vr: str) -> Callable[[bytes], bool]:
    pattern = _PATTERNS.get(vr, _TEXT)
    factor = 1 if vr in _PATTERNS else _BYTES_PER_CHARACTER
    longest = _LONGEST.get(vr, 0) * factor

    def check(value: bytes) -> bool:
        return pattern.fullmatch(value) is not None and (not longest or len(value) <= longest)

    return check
