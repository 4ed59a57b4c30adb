"""Surroundings: what they add is found by the scan, each in its form."""

import pytest

from tests.dicom.canaries import Scanner
from tests.dicom.planting import Kind
from tests.dicom.reading import records_of
from tests.dicom.scenes import Recording
from tests.dicom.surroundings import SURROUNDINGS, surrounded, two_interfaces, with_frame_checks
from tests.dicom.wire import capture_of

FORMS = {
    "base64_text": "base64",
    "percent": "percent",
    "hexadecimal": "hexadecimal",
    "utf16": "UTF-16",
}
UNPACKED = {"gzipped", "deflated"}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_surrounding_shows_a_planted_value(small_recording: Recording, name: str) -> None:
    capture = capture_of(small_recording.wire)
    added = surrounded(capture, small_recording.oracle, name)
    alone = capture.with_frames(one.data for one in added.packets[len(capture.packets) :])
    hits = Scanner(small_recording.oracle).find(alone.file())
    assert {hit.place for hit in hits} & {"PatientName", "PatientID"}
    assert {hit.form for hit in hits} & {FORMS.get(name, "plain")}
    assert (name in UNPACKED) == any("unpacked" in hit.where for hit in hits)


def test_all_surroundings_stand_in_one_capture(small_recording: Recording) -> None:
    capture = capture_of(small_recording.wire)
    added = surrounded(capture, small_recording.oracle, *SURROUNDINGS)
    assert len(added.packets) == len(capture.packets) + len(SURROUNDINGS)


def test_frame_checks_are_four_bytes_behind_each_frame(small_recording: Recording) -> None:
    capture = capture_of(small_recording.wire)
    lengths = [
        (len(one.data), len(two.data))
        for one, two in zip(capture.packets, with_frame_checks(capture).packets, strict=True)
    ]
    assert all(after == before + 4 for before, after in lengths)


def test_a_file_of_two_interfaces_tells_a_name_in_its_comments(small_recording: Recording) -> None:
    capture = capture_of(small_recording.wire)
    data = two_interfaces(capture, small_recording.oracle)
    assert [one.data for one in records_of(data)] == [one.data for one in capture.packets]
    comments = data[: data.index(capture.packets[0].data)]
    hits = Scanner(small_recording.oracle).find_bytes(comments)
    assert {one.kind for one in small_recording.oracle if one.text in {hit.text for hit in hits}} == {Kind.NAME}
