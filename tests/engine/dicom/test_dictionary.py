import numpy as np
import pytest
from pydicom.datadict import (  # type: ignore[attr-defined]
    DicomDictionary,
    RepeatersDictionary,
    dictionary_VR,
    get_private_entry,
    private_dictionaries,
)

from gql_server.engine.compilation import Bytes, State, entry
from gql_server.engine.dicom.dictionary import creator_number, dictionary, private_vr, standard_vr
from gql_server.engine.memory import pointer

CHOICES = {"US or SS": "US", "US or OW": "OW", "US or SS or OW": "OW", "OB or OW": "OW", "OB_OW": "OW", "NONE": ""}


@entry
def vr_of(tables: State, tag: int) -> int:
    """Return the VR of a standard tag."""
    return standard_vr(pointer(tables), tag)


@entry
def private_vr_of(tables: State, creator: Bytes, tag: int) -> int:
    """Return the VR of a private tag in a creator's block."""
    t = pointer(tables)
    return private_vr(t, creator_number(t, pointer(creator), 0, len(creator)), tag)


def letters(vr: int) -> str:
    return vr.to_bytes(2, "big").decode().strip("\0")


def test_each_standard_tag_has_its_vr() -> None:
    tables = dictionary()
    for tag, entry_ in DicomDictionary.items():
        assert letters(vr_of(tables, int(tag))) == CHOICES.get(entry_[0], entry_[0]), f"{tag:08X}"


@pytest.mark.parametrize("pattern", sorted(RepeatersDictionary))
@pytest.mark.parametrize("digit", ["0", "2", "E"])
def test_repeating_groups_have_theirs(pattern: str, digit: str) -> None:
    tag = int(pattern.replace("x", digit), 16)
    try:
        told = dictionary_VR(tag)
    except KeyError:
        told = ""
    if tag & 0xFFFF == 0:
        told = "UL"
    assert letters(vr_of(dictionary(), tag)) == CHOICES.get(told, told)


@pytest.mark.parametrize("tag", [0x00091010, 0x00080007, 0xFFFEE000, 0x60013000, 0x7FE00021])
def test_what_nobody_knows_has_none(tag: int) -> None:
    assert vr_of(dictionary(), tag) == 0


def test_a_group_length_is_a_number_in_any_group() -> None:
    assert letters(vr_of(dictionary(), 0x00320000)) == "UL"


def test_private_tags_have_the_vr_of_their_creator() -> None:
    tables = dictionary()
    asked = 0
    for creator, entries in private_dictionaries.items():
        name = np.frombuffer(creator.encode("latin-1"), np.uint8).copy()
        for pattern in entries:
            tag = int(pattern.lower().replace("xx", "10", 1).replace("x", "0"), 16)
            if (
                len(pattern) == 8
                and pattern.lower().count("x") in {0, 2}
                and pattern.lower()[4:6] in {"xx", pattern.lower()[4:6]}
            ):
                try:
                    told = get_private_entry(tag, creator)[0]
                except KeyError:
                    continue
                assert letters(private_vr_of(tables, name, tag)) == CHOICES.get(told, told), (creator, pattern)
                asked += 1
    assert asked > 10_000


@pytest.mark.parametrize("name", [b"SIEMENS CSA HEADER", b" SIEMENS CSA HEADER ", b"SIEMENS CSA HEADER\0"])
def test_the_padding_of_a_creator_counts_for_nothing(name: bytes) -> None:
    assert letters(private_vr_of(dictionary(), np.frombuffer(name, np.uint8).copy(), 0x00291008)) == "CS"


def test_an_unknown_creator_has_no_tags() -> None:
    assert private_vr_of(dictionary(), np.frombuffer(b"NOBODY", np.uint8).copy(), 0x00291008) == 0
    assert private_vr_of(dictionary(), np.zeros(0, np.uint8), 0x00291008) == 0
