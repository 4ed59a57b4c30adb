"""What each tag must become, as tables for kernels.

VRs and tags are pydicom's dictionary (PS3.6), actions are Table E.1-1 of PS3.15, edition 2026c, from dicom-anonymizer's
data. What the table does not list may stay when it is a number or a code; text of any kind may not.
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

from gql_server.domain.dicom import DatePolicy
from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_options import DESCRIPTORS, DEVICE, PATIENT

VRS: Final = [
    "AE",
    "AS",
    "AT",
    "CS",
    "DA",
    "DS",
    "DT",
    "FD",
    "FL",
    "IS",
    "LO",
    "LT",
    "OB",
    "OD",
    "OF",
    "OL",
    "OV",
    "OW",
    "PN",
    "SH",
    "SL",
    "SQ",
    "SS",
    "ST",
    "SV",
    "TM",
    "UC",
    "UI",
    "UL",
    "UN",
    "UR",
    "US",
    "UT",
    "UV",
]
_LONG: Final = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
TEXTS: Final = frozenset(["AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"])
_NUMBERS: Final = frozenset(["AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"])
_BULKS: Final = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "UN"])
_TIMES: Final = {"DA": d.DATE, "DT": d.DATE, "TM": d.TIME}
_PIXEL_DATA: Final = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_CODED: Final = frozenset((0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120, 0x00080122))
"""Code Value, Coding Scheme Designator and Version, Code Meaning, Long and URN Code Value, Mapping Resource UID."""
_LOOKUPS: Final = frozenset((0x00283006, *range(0x00281101, 0x00281224)))
"""Lookup tables, whose numbers say how pixels look."""
_PRODUCT: Final = frozenset(
    (
        0x00020013,
        0x00080070,
        0x00081090,
        0x00181016,
        0x00181018,
        0x00181019,
        0x00181020,
        0x00185010,
        0x00186031,
        0x00189809,
    )
)
"""Maker, model, software and transducer: the table does not list them, and they say nothing of a patient."""
_TIME_ZONE: Final = 0x00080201
IDENTIFIERS: Final = frozenset(
    (
        *(0x00080050, 0x00100020, 0x00120020, 0x00120030, 0x00120040, 0x00120042, 0x00120050, 0x00181000, 0x0018700A),
        *(0x00189367, 0x00189371, 0x00200010, 0x00400512, 0x00400551, 0x00402016, 0x00402017, 0x30080105, 0x30100043),
        0x3010001B,
    )
)
"""Numbers and codes that identify and that the table replaces: each original has a pseudonym of its own."""
_CHARACTER_SET: Final = 0x00080005
_MOST_EXPANDED: Final = 256
EXTRA_ROWS: Final = 128
"""Rows behind those of tags: unknown public tags by VR, then private ones from 64 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """Tables for the kernels, and what their rows mean."""

    words: npt.NDArray[np.int64]
    tags: npt.NDArray[np.int64]
    vrs: npt.NDArray[np.int64]


def dictionary_for(expected: DicomExpectation) -> Dictionary:
    """Lay the dictionary out for what is expected."""
    known = dict(_known())
    listed = _listed()
    tags = np.array(sorted(known), np.int64)
    vrs = np.array([VRS.index(known[tag]) for tag in tags.tolist()], np.int64)
    rules = np.array([_rule(tag, known[tag], listed.get(tag), expected) for tag in tags.tolist()], np.int64)
    head = np.full(d.TAGS, -1, np.int64)
    for index, vr in enumerate(VRS):
        head[d.VR_LETTERS + (ord(vr[0]) - 65) * 26 + ord(vr[1]) - 65] = index
        head[d.VR_IS_LONG + index] = vr in _LONG
        head[d.VR_RULE + index] = _rule_of_vr(vr, expected)
    head[d.TAG_COUNT] = len(tags)
    words = np.ascontiguousarray(np.concatenate([head, tags, vrs, rules]))
    return Dictionary(words=words, tags=tags, vrs=vrs)


def _known() -> Iterator[tuple[int, str]]:
    for tag, (vr, *_) in DicomDictionary.items():
        if _first(vr) in VRS:
            yield tag, _first(vr)
    for mask, (vr, *_) in RepeatersDictionary.items():
        for tag in _expanded(mask):
            yield tag, _first(vr)


def _first(vr: str) -> str:
    """Return the VR of a tag; of several, the one that says least (US or OW, OB or OW)."""
    return vr.rsplit(" or ", maxsplit=1)[-1]


def _expanded(mask: str) -> Iterator[int]:
    places = [i for i, letter in enumerate(mask) if letter == "x"]
    if 16 ** len(places) > _MOST_EXPANDED:
        return
    for digits in product("0123456789abcdef", repeat=len(places)):
        text = list(mask)
        for place, digit in zip(places, digits, strict=True):
            text[place] = digit
        tag = int("".join(text), 16)
        # Repeating groups are even (PS3.5 §7.6).
        if not (tag >> 16) & 1:
            yield tag


def _listed() -> dict[int, str]:
    """Return the action of each tag that the table lists."""
    table, found = _table(), {}
    for name in dir(table):
        if not name.endswith("_TAGS") or name == "ALL_TAGS":
            continue
        for entry in getattr(table, name):
            for tag in _tags_of(entry):
                found[tag] = name.removesuffix("_TAGS")
    return found


def _tags_of(entry: tuple[int, ...]) -> Iterator[int]:
    if len(entry) == 2:  # noqa: PLR2004  # group and element
        yield entry[0] << 16 | entry[1]
        return
    group, element, group_mask, element_mask = entry
    for tag in DICTIONARY_REPEATERS:
        if (tag >> 16) & group_mask == group and tag & 0xFFFF & element_mask == element:
            yield tag


DICTIONARY_REPEATERS: Final = tuple(tag for mask in RepeatersDictionary for tag in _expanded(mask))


def _table() -> ModuleType:
    """Load the table alone: its package would bring an anonymizer along."""
    package = importlib.util.find_spec("dicomanonymizer")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("dicomanonymizer")
    path = Path(package.origin).parent / "dicom_anonymization_databases" / "dicomfields_2026c.py"
    spec = importlib.util.spec_from_file_location("dicomfields_2026c", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("dicomfields_2026c")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rule(tag: int, vr: str, action: str | None, expected: DicomExpectation) -> int:
    """Return what must become of the values of a tag, by its action in the table."""
    if tag == _CHARACTER_SET or tag in _PIXEL_DATA:
        return d.CHARACTER_SET if tag == _CHARACTER_SET else d.PIXELS
    if tag in _CODED and action is None and vr in TEXTS:
        return d.CODED
    if vr == "SQ":
        # Nothing stays in a sequence that is removed.
        return d.BULK if action == "X" and not _is_retained(tag, expected) else d.MAY_STAY
    if (tag in _LOOKUPS and vr in _BULKS) or (vr not in _TIMES and _is_retained(tag, expected)):
        return d.MAY_STAY
    if vr == "UI" or vr in _TIMES or action is None:
        return _rule_of_vr(vr, expected)
    return d.BULK if vr in _BULKS else d.CHANGE


def _is_retained(tag: int, expected: DicomExpectation) -> bool:
    """Say whether an option lets the values of a tag stay."""
    return (
        (expected.retain_device and tag in DEVICE | _PRODUCT)
        or (expected.retain_patient_characteristics and tag in PATIENT)
        or (expected.dates is not DatePolicy.REMOVE and tag == _TIME_ZONE)
        or (expected.clean_descriptors and tag in DESCRIPTORS and tag in _CLEANED_SEQUENCES)
    )


def _rule_of_vr(vr: str, expected: DicomExpectation) -> int:
    if vr == "UI":
        return d.MAY_STAY if expected.retain_uids else d.UID
    if vr in _TIMES:
        return d.MAY_STAY if expected.dates is DatePolicy.KEEP else _TIMES[vr]
    if vr in TEXTS:
        return d.CHANGE
    return d.BULK if vr in _BULKS else d.NUMBER if vr in _NUMBERS else d.MAY_STAY


_CLEANED_SEQUENCES: Final = frozenset(tag for tag in DESCRIPTORS if DicomDictionary.get(tag, ("",))[0] == "SQ")


def is_descriptor(tag: int) -> bool:
    """Say whether the clean descriptors option speaks of a tag."""
    return tag in DESCRIPTORS
