"""What becomes of an attribute, decided by its tag and VR.

Table E.1-1 comes first, with the rows that options change; removal (X) stands for spaces or zeros over the whole
length, and what the table would make empty (Z) becomes a pseudonym or a dummy where one helps to read the capture.
Attributes that the table does not name stay only where their VR leaves no room for prose: numbers, codes, defined
terms, UIDs of the standard. Text that nobody listed, unknown attributes and private ones are blanked.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pydicom.datadict import get_entry

from gql_server.domain.dicom import DatePolicy, DicomAction, DicomParameters, PixelPolicy
from gql_server.engine.dicom.confidentiality import TableAction, table_action
from gql_server.engine.dicom.profile_options import (
    CLEAN_DESCRIPTORS,
    CLEAN_DEVICE,
    CLEAN_PATIENT,
    LONGITUDINAL,
    RETAIN_DEVICE,
    RETAIN_PATIENT,
    RETAIN_UIDS,
)


class Treatment(IntEnum):
    """How a value is treated; the first three are settled by a kernel."""

    FILL = 0
    NUMBERS = 1
    """Kept if its length is that of so many numbers, filled otherwise."""
    SEQUENCE = 2
    """Its items' elements are treated each by its own tag; those of any other sequence are filled."""
    UID = 3
    NAME = 4
    IDENTIFIER = 5
    DEVICE = 6
    DUMMY = 7
    DUMMY_MOMENT = 8
    SHIFT = 9
    KEEP = 10
    """Kept if it is what its VR and VM allow."""
    KEEP_OFFSET = 11
    DESCRIPTOR = 12
    CODE_VALUE = 13
    CODE_SCHEME = 14
    CODE_MEANING = 15
    CHARACTER_SET = 16
    CREATOR = 17
    PIXELS = 18


SPACED: Final = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
)
"""VRs padded with spaces (PS3.5 table 6.2-1)."""
BULK: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
NUMBER_BYTES: Final = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8, "AT": 4}
_MOMENTS: Final = frozenset({"DA", "TM", "DT"})
_PROSE: Final = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_TERMS: Final = frozenset({"CS", "DS", "IS"})
_UNITS: Final = {"OW": 2, "OB": 1}

PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_OFFSETS: Final = frozenset({0x7FE00001, 0x7FE00002})
MODALITY: Final = 0x00080060
BURNED_IN: Final = 0x00280301
CHARACTER_SET: Final = 0x00080005
_TIMEZONE: Final = 0x00080201
_GROUP_LENGTH: Final = 0
_CREATORS: Final = range(0x10, 0x100)
_CODES: Final = {
    0x00080100: Treatment.CODE_VALUE,
    0x00080119: Treatment.CODE_VALUE,
    0x00080120: Treatment.CODE_VALUE,
    0x00080102: Treatment.CODE_SCHEME,
    0x00080103: Treatment.CODE_VALUE,
    0x00080104: Treatment.CODE_MEANING,
    CHARACTER_SET: Treatment.CHARACTER_SET,
}
_IDENTIFIERS: Final = frozenset(
    {
        *(0x00080050, 0x00100020, 0x00120020, 0x00120030, 0x00120040, 0x00120042, 0x00120050, 0x00181000, 0x0018700A),
        *(0x00189367, 0x00189371, 0x00200010, 0x00400512, 0x00400551, 0x00402016, 0x00402017, 0x30080105, 0x30100043),
        0x3010001B,
    }
)
"""Attributes that the table lets be emptied or replaced and that identify by a number or code."""
_DEVICES: Final = frozenset({0x00081010, 0x300A00B2})
"""Names of devices: StationName and TreatmentMachineName."""
_DEVICE_PROSE: Final = frozenset(
    {
        *(0x00020013, 0x00080070, 0x00081090, 0x00181016, 0x00181018, 0x00181019, 0x00181020, 0x00185010),
        *(0x00186031, 0x00189809),
    }
)
"""What the table does not list and Retain Device Identity keeps: maker, model, software, transducer."""
_LOOK_UP_TABLES: Final = frozenset({0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00283006})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """What the dictionary says of a tag (PS3.6)."""

    vrs: frozenset[str]
    most_values: int
    """The largest VM; 0 for any."""
    keyword: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of the elements of one tag and VR."""

    treatment: Treatment
    fill: int
    """The byte that blanks it."""
    filled: DicomAction
    """What it then is: BLANKED, or ZEROED for bulk data."""
    vr: str
    tag: int
    unit: int
    """Bytes of a number."""
    most_values: int
    table: str
    keyword: str


def attribute(tag: int) -> Attribute | None:
    """Look a public tag up; repeating groups by any of their tags."""
    try:
        vr, vm, _, _, keyword = get_entry(tag)
    except KeyError:
        return None
    last = vm.rpartition("-")[2]
    most = int(last) if last.isdigit() else 0
    return Attribute(vrs=frozenset(vr.split(" or ")), most_values=most, keyword=keyword)


def decide(tag: int, vr: str, parameters: DicomParameters, *, command: bool = False) -> Decision:
    """Decide on the elements of a tag and VR, in a command set or in a data set."""
    known = attribute(tag) if not tag >> 16 & 1 else None
    treatment = _treatment(tag, vr, parameters, known, command=command)
    code = table_action(tag)
    return Decision(
        treatment=treatment,
        fill=0x20 if vr in SPACED else 0,
        filled=DicomAction.ZEROED if vr in BULK else DicomAction.BLANKED,
        vr=vr,
        tag=tag,
        unit=NUMBER_BYTES.get(vr, _UNITS.get(vr, 1)),
        most_values=known.most_values if known is not None else 1,
        table=code.value if code is not None else "",
        keyword=known.keyword if known is not None else "",
    )


def _treatment(tag: int, vr: str, asked: DicomParameters, known: Attribute | None, *, command: bool) -> Treatment:
    group, element = divmod(tag, 1 << 16)
    if command != (group == 0):
        return Treatment.FILL
    if element == _GROUP_LENGTH:
        return Treatment.NUMBERS if vr == "UL" else Treatment.FILL
    if group & 1:
        # Creators tell which vendor's devices a hospital has.
        names_vendor = asked.retain_device and element in _CREATORS and vr == "LO"
        return Treatment.CREATOR if names_vendor else Treatment.FILL
    if known is None or (vr not in known.vrs and tag not in PIXEL_TAGS):
        return Treatment.FILL
    return _command_treatment(vr) if command else _public_treatment(tag, vr, asked)


def _command_treatment(vr: str) -> Treatment:
    """Decide on an element of a command set (PS3.7 annex E); its only prose is ErrorComment."""
    by_vr = {"US": Treatment.NUMBERS, "UL": Treatment.NUMBERS, "AT": Treatment.NUMBERS}
    return {**by_vr, "UI": Treatment.UID, "AE": Treatment.DEVICE}.get(vr, Treatment.FILL)


def _public_treatment(tag: int, vr: str, asked: DicomParameters) -> Treatment:
    if tag in PIXEL_TAGS:
        return Treatment.PIXELS if asked.pixels is PixelPolicy.KEEP else Treatment.FILL
    code = table_action(tag)
    chosen = _optional(tag, vr, asked)
    if chosen is not None:
        return chosen
    if code is TableAction.X:
        return Treatment.FILL
    if vr == "UI" and asked.retain_uids:
        return Treatment.KEEP
    by_vr = {"SQ": Treatment.SEQUENCE, "UI": Treatment.UID, "PN": Treatment.NAME, "AE": Treatment.DEVICE}
    if vr in by_vr:
        return by_vr[vr]
    return _unlisted(tag, vr, asked) if code is None else _listed(tag, vr, code)


def _listed(tag: int, vr: str, code: TableAction) -> Treatment:
    """Decide on a row that asks for a dummy, for nothing, or for either."""
    if vr in _MOMENTS:
        return Treatment.DUMMY_MOMENT
    if tag in _IDENTIFIERS:
        return Treatment.IDENTIFIER
    if tag in _DEVICES:
        return Treatment.DEVICE
    return Treatment.DUMMY if "D" in code.value and vr in SPACED else Treatment.FILL


def _unlisted(tag: int, vr: str, asked: DicomParameters) -> Treatment:
    """Decide on an attribute without a row in the table."""
    if vr in _MOMENTS:
        return {
            DatePolicy.REMOVE: Treatment.FILL,
            DatePolicy.SHIFT: Treatment.SHIFT,
            DatePolicy.KEEP: Treatment.KEEP,
        }[asked.dates]
    if tag in _CODES:
        return _CODES[tag]
    if vr in _TERMS or (tag in _DEVICE_PROSE and asked.retain_device):
        return Treatment.KEEP
    if tag in _LOOK_UP_TABLES | _OFFSETS and asked.pixels is PixelPolicy.KEEP:
        return Treatment.NUMBERS
    return Treatment.NUMBERS if vr in NUMBER_BYTES else Treatment.FILL


def _optional(tag: int, vr: str, asked: DicomParameters) -> Treatment | None:
    """Apply the options that were asked for; None where none of them has this row."""
    kept = (
        (asked.retain_uids and tag in RETAIN_UIDS)
        or (asked.retain_device and tag in RETAIN_DEVICE)
        or (asked.retain_patient_characteristics and tag in RETAIN_PATIENT)
    )
    if kept:
        return _kept(vr)
    if asked.retain_device and tag in CLEAN_DEVICE:
        return Treatment.DEVICE
    if asked.dates is not DatePolicy.REMOVE and tag in LONGITUDINAL:
        return _longitudinal(tag, vr, asked.dates)
    cleaned = (asked.retain_patient_characteristics and tag in CLEAN_PATIENT) or (
        asked.clean_descriptors and tag in CLEAN_DESCRIPTORS
    )
    if cleaned and vr == "SQ":
        return Treatment.SEQUENCE
    return Treatment.DESCRIPTOR if cleaned and vr in _PROSE else None


def _kept(vr: str) -> Treatment | None:
    if vr == "SQ":
        return Treatment.SEQUENCE
    if vr in NUMBER_BYTES:
        return Treatment.NUMBERS
    return Treatment.KEEP if vr in SPACED or vr == "UI" else None


def _longitudinal(tag: int, vr: str, dates: DatePolicy) -> Treatment | None:
    if tag == _TIMEZONE:
        return Treatment.KEEP_OFFSET
    if vr not in _MOMENTS:
        return None
    return Treatment.SHIFT if dates is DatePolicy.SHIFT else Treatment.KEEP
