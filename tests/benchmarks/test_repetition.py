"""Repeated dialogues: read by others as DICOM, each time with other values."""

from pathlib import Path

import pytest

from benchmarks import dialogues, repetition
from benchmarks.dialogues import Dialogue
from tests.dicom import laws
from tests.dicom.reading import connections_in, records_of
from tests.dicom.rereading import Association, associations_in

NAME, PIXELS, STUDY = (0x00100010,), (0x7FE00010,), (0x0020000D,)


def written(dialogue: Dialogue, path: Path, size: int, seed: int = 1) -> bytes:
    repetition.write(dialogue, path, size=size, seed=seed)
    return path.read_bytes()


def values(associations: list[Association], path: tuple[int, ...]) -> list[bytes]:
    return [
        element.value
        for association in associations
        for message in association.messages
        for element in message.elements
        if element.path == path
    ]


@pytest.mark.parametrize("dialogue", [dialogues.store(), dialogues.polling()], ids=["store", "polling"])
def test_the_same_seed_writes_the_same_and_another_one_something_else(tmp_path: Path, dialogue: Dialogue) -> None:
    once = written(dialogue, tmp_path / "capture", 1_200_000)
    assert written(dialogue, tmp_path / "capture", 1_200_000) == once
    assert written(dialogue, tmp_path / "capture", 1_200_000, seed=2) != once


@pytest.mark.parametrize("dialogue", [dialogues.store(), dialogues.polling()], ids=["store", "polling"])
def test_what_is_written_is_as_many_packets_as_told_and_whole(tmp_path: Path, dialogue: Dialogue) -> None:
    told = repetition.write(dialogue, tmp_path / "capture", size=1_200_000)
    data = (tmp_path / "capture").read_bytes()
    records = records_of(data)
    assert len(records) == told.packets
    assert {off for record in records for _, off, _ in laws._sums(record)} == {0}
    assert all(all(one.there) and not one.conflicts for pair in connections_in(data) for one in pair)
    assert [record.said[:8] for record in records] == sorted((one.said[:8] for one in records), key=in_time)


def in_time(said: bytes) -> tuple[int, int]:
    return int.from_bytes(said[:4], "little"), int.from_bytes(said[4:], "little")


def test_every_image_has_pixels_and_a_name_of_its_own(tmp_path: Path) -> None:
    associations = associations_in(written(dialogues.store(), tmp_path / "capture", 2_300_000))
    pixels, names = values(associations, PIXELS), values(associations, NAME)
    assert len(associations) == 1
    assert associations[0].rest == 0
    assert {len(one) for one in pixels} == {512 * 512 * 2}
    assert len(set(pixels)) == len(set(names)) == 4
    assert all(one.count(b"\x5a\x05") < 100 for one in pixels)
    assert {kind for _, kind, _ in associations[0].pdus} == {1, 2, 4, 5, 6}


def test_every_poll_has_ports_names_and_studies_of_its_own(tmp_path: Path) -> None:
    data = written(dialogues.polling(), tmp_path / "capture", 140_000)
    associations = associations_in(data)
    assert len(associations) == len(connections_in(data)) == 20
    studies = values(associations, STUDY)
    assert len(set(studies) - {b""}) == 10 * 7
    assert len(set(values(associations, NAME))) == 10 * 2 + 4
    assert sum(len(one.elements) + len(one.command) for each in associations for one in each.messages) > 2500


def test_more_associations_than_ports_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ports"):
        repetition.write(dialogues.polling(), tmp_path / "capture", size=1 << 30)
