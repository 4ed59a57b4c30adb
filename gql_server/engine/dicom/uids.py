"""Pseudonyms of UIDs (PS3.5 §9, ISO/IEC 9834-1).

The first two arcs stay, each other component becomes one of the same length without a leading zero: the digits of all
are permuted as one number. UIDs under 1.2.840.10008 belong to the standard and stay; no pseudonym ever lands there.
Components that break the rules by leading zeros keep those. 2.25 stays a UUID where it was one.
"""

import math
from collections.abc import Callable
from typing import Final

from gql_server.domain.dicom_errors import UidCollision
from gql_server.engine.dicom.permuting import Permuting

STANDARD_ROOT: Final = b"1.2.840.10008."
LONGEST: Final = 64
_STANDARD_ARCS: Final = (840, 10008)
"""Below 1.2."""
_KEPT_ARCS: Final = 2
_UUID_DIGITS: Final = 39
_UUIDS: Final = 1 << 128


class Uids:
    """The pseudonyms of UIDs under one key."""

    def __init__(self, key: bytes) -> None:
        self._permuting = Permuting(key, "uids")

    def pseudonym(self, value: bytes) -> bytes | None:
        """Return the pseudonym of a UI value; None for what is no UID.

        Raises:
            UidCollision: a pseudonym leads back to another UID.
        """
        several = value.rstrip(b"\0 ")
        found = [self._one(each) for each in several.split(b"\\")]
        known = [each for each in found if each is not None]
        return b"\\".join(known) + value[len(several) :] if len(known) == len(found) else None

    def _one(self, uid: bytes) -> bytes | None:
        if uid.startswith(STANDARD_ROOT) and _is_uid(uid):
            return uid
        if not uid:
            return uid
        if not _is_uid(uid):
            return None
        arcs = uid.split(b".")
        layout = [_Component(arc) for arc in arcs[_KEPT_ARCS:]]
        if arcs[:_KEPT_ARCS] == [b"2", b"25"] and layout:
            layout[0].narrow_to_uuids()
        head = b".".join(arcs[:_KEPT_ARCS])
        # Two arcs name a register, never an instance.
        return self._permuted(uid, head, layout) if layout else None

    def _permuted(self, uid: bytes, head: bytes, layout: "list[_Component]") -> bytes:
        number, domain = 0, 1
        for each in layout:
            number, domain = number * each.size + each.number, domain * each.size
        # Not the head: tables of small domains would be as many as there are heads.
        name = b"/".join(each.name for each in layout)

        allowed = _outside_the_standard(head, layout)
        image = self._permuting.encrypt(number, domain, name, allowed)
        pseudonym = _spelled(head, layout, image)
        # It cannot happen, and were it to, two instances would become one: each pseudonym is led back.
        if self._permuting.decrypt(image, domain, name, allowed) != number or len(pseudonym) != len(uid):
            raise UidCollision
        return pseudonym


class _Component:
    """A component as a number below the count of those with its layout."""

    def __init__(self, digits: bytes) -> None:
        significant = digits.lstrip(b"0") or b"0"
        self.zeros = digits[: len(digits) - len(significant)]
        self.length = len(significant)
        self.first = 10 ** (self.length - 1) if self.length > 1 else 0
        self.size = 10**self.length - self.first
        self.number = int(significant) - self.first

    def narrow_to_uuids(self) -> None:
        """Let a UUID become a UUID, and what is none because it is too large, something as large."""
        if self.length == _UUID_DIGITS:
            value = self.number + self.first
            end = self.first + self.size
            self.first, end = (self.first, _UUIDS) if value < _UUIDS else (_UUIDS, end)
            self.size, self.number = end - self.first, value - self.first

    @property
    def name(self) -> bytes:
        """Name the layout."""
        return b"%d,%d" % (self.first, self.size)


def _is_uid(uid: bytes) -> bool:
    return len(uid) <= LONGEST and uid.replace(b".", b"").isdigit() and b"" not in uid.split(b".")


def _outside_the_standard(head: bytes, layout: list[_Component]) -> Callable[[int], bool] | None:
    """Return the test whether a number spells no UID of the standard, None where none does."""
    leading = [head, *(each.zeros for each in layout[:2])]
    if len(layout) <= len(_STANDARD_ARCS) or leading != [b"1.2", b"", b""]:
        return None
    if [each.length for each in layout[:2]] != [len(b"%d" % arc) for arc in _STANDARD_ARCS]:
        return None
    one, other = layout[:2]
    standard = (_STANDARD_ARCS[0] - one.first) * other.size + _STANDARD_ARCS[1] - other.first
    rest = math.prod(each.size for each in layout[2:])
    return lambda number: number // rest != standard


def _spelled(head: bytes, layout: list[_Component], number: int) -> bytes:
    arcs = []
    for each in reversed(layout):
        number, digit = divmod(number, each.size)
        arcs.append(each.zeros + b"%d" % (digit + each.first))
    return b".".join([head, *reversed(arcs)])
