"""Vendors of MAC addresses.

The registry is Wireshark's manuf file as scapy ships it: the IEEE's blocks of 24, 28 and 36 bits. It is read when it is
first asked for, which takes a fifth of a second; nothing of numba is loaded.
"""

import re
from bisect import bisect_left
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

from gql_server.domain.errors import RuleMalformed
from gql_server.domain.vendors import OuiVendor

_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{2,12}")
_SEPARATORS: Final = re.compile(r"[:.-]")
_OUI_DIGITS: Final = 6
_BLOCK_DIGITS: Final = (9, 7, 6)
_FLAGS: Final = 3
"""The group and the local bit: such prefixes begin no device's universal address."""


class _Registry(NamedTuple):
    """All blocks, by digits."""

    digits: list[str]
    names: list[str]
    folded: list[str]


@cache
def _registry() -> _Registry:
    # Decoding takes a while, and most processes never ask.
    from scapy.libs.manuf import DATA  # noqa: PLC0415  # see above

    rows: list[tuple[str, str]] = []
    once: dict[str, str] = {}
    for line in DATA.splitlines():
        prefix, _, name = line.split("\t")
        octets, _, bits = prefix.strip().partition("/")
        digits = octets.replace(":", "").lower()
        rows.append((digits[: int(bits or 24) // 4], once.setdefault(name, name)))
    rows.sort()
    names = [name for _, name in rows]
    folded = {name: name.casefold() for name in once}
    return _Registry(digits=[digits for digits, _ in rows], names=names, folded=[folded[name] for name in names])


def _vendor(place: int) -> OuiVendor:
    registry = _registry()
    digits = registry.digits[place]
    return OuiVendor(oui=":".join(re.findall("..?", digits)), name=registry.names[place])


def search_vendors(text: str, first: int) -> tuple[OuiVendor, ...]:
    """Return the first blocks whose digits begin as the text does, or whose owner's name has it.

    Digits are taken in any notation, and of a whole address too; upper and lower case are the same.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return ()
    registry = _registry()
    places = _places_of_digits(wanted)
    named = (place for place, name in enumerate(registry.folded) if wanted in name)
    places += [place for place in islice(named, first + len(places)) if place not in places]
    return tuple(_vendor(place) for place in places[:first])


def _places_of_digits(text: str) -> list[int]:
    digits = _SEPARATORS.sub("", text)
    if not _HEXADECIMAL.fullmatch(digits) or (digits == text and len(digits) < _OUI_DIGITS):
        return []
    known = _registry().digits
    begin = bisect_left(known, digits)
    within = list(range(begin, bisect_left(known, digits + "g")))
    around = [place for size in _BLOCK_DIGITS if size < len(digits) and (place := _place(digits[:size])) is not None]
    return around + within


def _place(digits: str) -> int | None:
    known = _registry().digits
    place = bisect_left(known, digits)
    return place if place < len(known) and known[place] == digits else None


def vendor_of(mac: str) -> str | None:
    """Return the owner of the smallest block that a MAC address lies in; it comes lower case with colons."""
    digits = mac.replace(":", "")
    for size in _BLOCK_DIGITS:
        if (place := _place(digits[:size])) is not None:
            return _registry().names[place]
    return None


def oui_of_vendor(name: str, *, index: int) -> str:
    """Return the first three octets that a rule gives to a device of a vendor.

    The vendor is the one of that name, or the only one whose name has it; of several blocks the lowest is taken.

    Raises:
        RuleMalformed: no vendor, or none with three octets of its own, or several.
    """
    wanted = name.strip().casefold()
    registry = _registry()
    matching = [place for place, folded in enumerate(registry.folded) if wanted and wanted in folded]
    exact = [place for place in matching if registry.folded[place] == wanted]
    if not matching:
        raise RuleMalformed(index=index, reason="no vendor has this name")
    whole = [place for place in exact or matching if _is_device_oui(registry.digits[place])]
    if not whole:
        raise RuleMalformed(index=index, reason="the vendor has no block of three octets")
    if len({registry.folded[place] for place in whole}) > 1:
        raise RuleMalformed(index=index, reason="several vendors have such a name; say the whole name or an OUI")
    return _vendor(whole[0]).oui


def _is_device_oui(digits: str) -> bool:
    return len(digits) == _OUI_DIGITS and not int(digits[:2], 16) & _FLAGS
