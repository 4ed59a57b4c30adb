"""Laws between outputs: what breaks them is found."""

import random

import pytest

from tests.dicom import laws
from tests.dicom.mutations import DEGRADED, LOSSLESS
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of


@pytest.fixture(scope="module")
def original(recording: Recording) -> bytes:
    return capture_of(recording.wire).file()


def hidden(data: bytes, word: bytes) -> bytes:
    assert word in data
    return data.replace(word, b"x" * len(word))


def test_rearranged_streams_are_equal_and_changed_ones_are_not(original: bytes, recording: Recording) -> None:
    rearranged = LOSSLESS["interleaved"](recording.wire, random.Random(1)).file()
    assert laws.streams(rearranged) == laws.streams(original)
    assert laws.streams(hidden(original, recording.oracle[0].text.encode())) != laws.streams(original)


def test_a_byte_that_only_a_degraded_capture_shows_is_found(original: bytes, recording: Recording) -> None:
    word = next(one.data for one in recording.oracle if one.place == "AE title store")
    output = hidden(original, word)
    degraded = DEGRADED["one way"](recording.wire, random.Random(1)).file()
    assert laws.disclosed((original, output), (degraded, hidden(degraded, word))) == []
    assert laws.disclosed((original, output), (degraded, degraded)) != []


@pytest.mark.parametrize("name", ["SLL2", "without checksums", "partial checksums", "wrong checksums"])
def test_checksums_that_stay_as_they_were_are_good(recording: Recording, name: str) -> None:
    data = LOSSLESS[name](recording.wire, random.Random(1)).file()
    assert laws.checksums(data, data) == []


@pytest.mark.parametrize(("name", "complains"), [("wrong checksums", True), ("partial checksums", False)])
def test_payload_without_its_checksum_is_found(recording: Recording, name: str, *, complains: bool) -> None:
    """One left to the network card holds nothing of the payload."""
    word = next(one.data for one in recording.oracle if one.place == "user name")
    data = LOSSLESS[name](recording.wire, random.Random(1)).file()
    assert (laws.checksums(data, hidden(data, word)) != []) == complains
