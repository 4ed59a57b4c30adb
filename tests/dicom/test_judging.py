"""Judges: content with what is good, and not to be fooled."""

import random
from pathlib import Path

import pytest

from tests.dicom import judging
from tests.dicom.mutations import LOSSLESS, clean
from tests.dicom.planting import Kind, Planted
from tests.dicom.reading import records_of
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of


@pytest.fixture(scope="module")
def original(recording: Recording) -> bytes:
    return capture_of(recording.wire).file()


def swapped(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace every copy of some bytes by as many others."""
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new)


def emptied(data: bytes) -> bytes:
    """Make every payload of a pcap zero."""
    out = data[:24]
    for record in records_of(data):
        out += record.said + record.data[:54] + bytes(max(0, len(record.data) - 54))
    return out[: len(data)]


def test_an_original_has_its_own_structure(original: bytes) -> None:
    assert judging.framing(original, original) == []
    assert judging.structure(original, original) == []
    assert judging.consistency([(original, original)]) == []


def test_an_empty_output_leaks_nothing_and_has_another_structure(original: bytes, recording: Recording) -> None:
    empty = emptied(original)
    assert judging.leaks(empty, recording.oracle) == []
    assert judging.pixels(empty) == []
    assert judging.framing(original, empty) == []
    assert judging.structure(original, empty) != []


def test_an_original_as_output_leaks_everything(original: bytes, recording: Recording) -> None:
    sentences = "\n".join(judging.leaks(original, recording.oracle))
    assert [one.text for one in recording.oracle if one.text not in sentences] == []
    assert len(judging.unchanged(original, original)) > 1000
    assert len(judging.pixels(original)) == 13


def test_one_value_that_stays_is_found(recording: Recording) -> None:
    few = capture_of(recording.wire.with_segments(recording.wire.segments[:3])).file()
    for one in (each for each in recording.oracle if len(each.data) >= 6):
        shown = few[: -len(one.data)] + one.data
        assert any(one.text in sentence for sentence in judging.leaks(shown, (one,)))


def test_dates_are_no_leaks_where_they_stay(original: bytes, recording: Recording) -> None:
    dates = tuple(one for one in recording.oracle if one.kind is Kind.DATE)
    assert judging.leaks(original, dates) != []
    assert judging.leaks(original, dates, dates_stay=True) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"LO\x0a\0", b"SH\x0a\0"),
        (b"\x10\0\x20\0LO", b"\x10\0\x21\0LO"),
        (b"\0\0\0\x09\x02\0\0\0\0\xff", b"\0\0\0\x09\x02\0\0\0\x01\xff"),
        (b"1.2.840.10008.5.1.4.31", b"1.2.840.10008.5.1.4.32"),
    ],
    ids=["VR", "tag", "status", "syntax"],
)
def test_another_structure_is_found(original: bytes, old: bytes, new: bytes) -> None:
    assert judging.structure(original, swapped(original, old, new)) != []


def test_other_lengths_times_and_headers_are_found(original: bytes) -> None:
    later = original[:24] + bytes([original[24] ^ 1]) + original[25:]
    flags = original[:24] + original[24:40] + original[40 : 40 + 47] + b"\x12" + original[40 + 48 :]
    assert judging.framing(original, original[:-1]) != []
    assert judging.framing(original, later) == ["packets differ in time or original length"]
    assert judging.framing(original, later, times=False) == []
    assert judging.framing(original, flags) != []


def test_copies_that_disagree_are_found(recording: Recording) -> None:
    data = LOSSLESS["retransmitted"](recording.wire, random.Random(1)).file()
    assert any("copies disagree" in sentence for sentence in judging.framing(data, data))


def test_a_value_with_two_pseudonyms_and_a_shared_one_are_found(original: bytes, recording: Recording) -> None:
    numbers = [one for one in recording.oracle if one.place == "PatientID" and len(one.data) == 13]
    one, other = numbers[0], Planted(place="", kind=Kind.TEXT, text="MRN-111111111", encoding="ascii")
    first = swapped(original, one.data, other.data)
    shared = swapped(original, numbers[0].data, b"MRN-222222222")
    assert any("pseudonyms for one" in each for each in judging.consistency([(original, first), (original, shared)]))
    ids = [one for one in recording.oracle if one.place == "AccessionNumber"]
    merged = swapped(original, ids[0].data, ids[1].data)
    assert any("share a pseudonym" in each for each in judging.consistency([(original, merged)]))


def test_a_value_that_is_none_of_its_vr_is_found(original: bytes, recording: Recording) -> None:
    date = next(one for one in recording.oracle if one.place == "PatientBirthDate")
    assert judging.validity(original, original) == []
    assert judging.validity(original, swapped(original, date.data, b"19001301")) != []
    assert judging.validity(original, swapped(original, date.data, b"19000101")) == []


def test_a_command_that_names_another_instance_is_found(original: bytes, recording: Recording) -> None:
    uid = next(one for one in recording.oracle if one.place == "SOPInstanceUID" and "." in one.text)
    at = original.index(uid.data)
    changed = original[:at] + uid.data[:-1] + b"0" + original[at + len(uid.data) :]
    assert any("another instance" in each for each in judging.consistency([(original, changed)]))


def test_all_judges_speak_at_once(recording: Recording, tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(clean(recording.wire, random.Random(1)).file())
    assert len(judging.judge(path, path, recording.oracle)) > 1000
