import numpy as np
import pytest

from gql_server.domain.dicom import DatePolicy
from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import VRS, _listed, dictionary_for, is_descriptor


def rule(tag: int, **fields: object) -> int:
    found = dictionary_for(DicomExpectation(**fields))  # type: ignore[arg-type]  # as a case names them
    row = int(np.searchsorted(found.tags, tag))
    assert found.tags[row] == tag
    return int(found.words[d.TAGS + 2 * len(found.tags) + row])


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0x00100010, d.CHANGE),
        (0x00100020, d.CHANGE),
        (0x00080018, d.UID),
        (0x00080016, d.UID),
        (0x00080020, d.DATE),
        (0x00080030, d.TIME),
        (0x00080060, d.MAY_STAY),
        (0x00080005, d.CHARACTER_SET),
        (0x00280010, d.NUMBER),
        (0x7FE00010, d.PIXELS),
        (0x60003000, d.BULK),
        (0x60104000, d.CHANGE),
        (0x50003000, d.BULK),
        (0x00420011, d.BULK),
        (0x00080104, d.CODED),
        (0x00281201, d.MAY_STAY),
        (0x00181405, d.MAY_STAY),
        (0x00000600, d.CHANGE),
        (0x00001000, d.UID),
    ],
)
def test_each_tag_has_a_rule(tag: int, expected: int) -> None:
    assert rule(tag) == expected


def test_options_retain() -> None:
    assert rule(0x00080018, retain_uids=True) == d.MAY_STAY
    assert rule(0x00080020, dates=DatePolicy.KEEP) == d.MAY_STAY
    assert rule(0x00080020, dates=DatePolicy.SHIFT) == d.DATE
    assert rule(0x00181000) == d.CHANGE
    assert rule(0x00181000, retain_device=True) == d.MAY_STAY
    assert rule(0x00101010, retain_device=True) == d.CHANGE
    assert rule(0x00101010, retain_patient_characteristics=True) == d.MAY_STAY


def test_every_listed_tag_of_the_dictionary_must_change() -> None:
    found = dictionary_for(DicomExpectation())
    tags = set(found.tags.tolist())
    may = {d.MAY_STAY, d.CODED}
    listed = [tag for tag in _listed() if tag in tags]
    assert len(listed) > 600
    rules = dict(zip(found.tags.tolist(), found.words[d.TAGS + 2 * len(found.tags) :].tolist(), strict=True))
    vrs = dict(zip(found.tags.tolist(), found.vrs.tolist(), strict=True))
    # Sequences have no value of their own.
    assert [hex(tag) for tag in listed if rules[tag] in may and VRS[vrs[tag]] != "SQ"] == []


def test_text_that_nobody_lists_must_change() -> None:
    found = dictionary_for(DicomExpectation())
    for vr in ("LO", "SH", "LT", "UT", "PN", "AE"):
        assert found.words[d.VR_RULE + VRS.index(vr)] == d.CHANGE
    for vr in ("OB", "OW", "UN"):
        assert found.words[d.VR_RULE + VRS.index(vr)] == d.BULK


def test_descriptors() -> None:
    assert is_descriptor(0x0008103E)
    assert not is_descriptor(0x00100010)
