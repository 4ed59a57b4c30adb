"""What a de-identification did, counted.

Counts by tag and action, never a value: private attributes count together by group, unknown ones all together.
"""

from collections import Counter
from typing import Final

from gql_server.domain.dicom import DicomAction, DicomProblem, ElementCount, PixelCount, UnreadableRange

UNKNOWN_TAG: Final = "xxxxxxxx"
"""Stands for every public tag that the dictionary does not have."""

_MODALITIES: Final = (
    "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT "
    "IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG "
    "RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA "
    "VF XA XAPROTOCOL XC"
)
MODALITIES: Final = frozenset(_MODALITIES.split())
"""Defined terms of Modality (PS3.3 §C.7.3.1.1.1)."""
OTHER_MODALITY: Final = "OTHER"
_YES_OR_NO: Final = frozenset({"YES", "NO"})

Place = tuple[str, str, str, DicomAction]


def tag_label(tag: int, *, known: bool) -> str:
    """Return the tag that elements are counted under."""
    if tag >> 16 & 1:
        return f"{tag >> 16:04x}xxxx"
    return f"{tag:08x}" if known else UNKNOWN_TAG


class Tally:
    """Counts of elements, of pixel data and of what could not be read."""

    def __init__(self) -> None:
        self._elements: Counter[Place] = Counter()
        self._bytes: Counter[Place] = Counter()
        self._pixels: dict[tuple[str, str, bool], list[int]] = {}
        self._unreadable: dict[tuple[int, DicomProblem], list[int]] = {}

    def add(self, place: Place, elements: int, count: int) -> None:
        """Count elements of a tag label, keyword, VR and action, and their bytes."""
        self._elements[place] += elements
        self._bytes[place] += count

    def add_pixels(self, modality: bytes, burned_in: bytes, *, kept: bool, size: int, comments: int) -> None:
        """Count the pixel data of one data set."""
        name, burned = modality.strip(b" \0").decode("latin-1"), burned_in.strip(b" \0").decode("latin-1")
        name = name if name in MODALITIES or not name else OTHER_MODALITY
        counts = self._pixels.setdefault((name, burned if burned in _YES_OR_NO else "", kept), [0, 0, 0])
        for place, number in enumerate((1, size, comments)):
            counts[place] += number

    def add_unreadable(self, association: int, problem: DicomProblem, ranges: int, count: int) -> None:
        """Count ranges of bytes that became zero, or spaces, because of what they are."""
        if ranges:
            counts = self._unreadable.setdefault((association, problem), [0, 0])
            counts[0] += ranges
            counts[1] += count

    def elements(self) -> tuple[ElementCount, ...]:
        """Return the counts of elements, by tag."""
        return tuple(
            ElementCount(tag=tag, keyword=keyword, vr=vr, action=action, elements=count, bytes=self._bytes[place])
            for place, count in sorted(self._elements.items())
            for tag, keyword, vr, action in (place,)
        )

    def pixels(self) -> tuple[PixelCount, ...]:
        """Return the counts of pixel data, by modality."""
        return tuple(
            PixelCount(
                modality=name, burned_in=burned, kept=kept, data_sets=sets, bytes=size, comments_cleared=comments
            )
            for (name, burned, kept), (sets, size, comments) in sorted(self._pixels.items())
        )

    def unreadable(self) -> tuple[UnreadableRange, ...]:
        """Return the counts of what could not be read, by association."""
        return tuple(
            UnreadableRange(association=association, problem=problem, ranges=ranges, bytes=count)
            for (association, problem), (ranges, count) in sorted(self._unreadable.items())
        )

    def copy(self) -> "Tally":
        """Return counts that go on separately."""
        other = Tally()
        other._elements, other._bytes = self._elements.copy(), self._bytes.copy()
        other._pixels = {place: counts.copy() for place, counts in self._pixels.items()}
        other._unreadable = {place: counts.copy() for place, counts in self._unreadable.items()}
        return other
