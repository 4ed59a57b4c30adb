"""Lists in files: whole, and any page of them alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from gql_server.domain.inspection import RowRequest
from gql_server.engine.dicom.listing import (
    ASSOCIATIONS_FILE,
    ASSOCIATIONS_INDEX,
    DEVICES_FILE,
    read_associations,
    read_devices,
    write_lists,
)
from gql_server.engine.dicom.tasks import DicomExtracted
from tests.dicom_rows import EXTRACTED, MANY


def opener(directory: Path) -> Callable[[str], BinaryIO]:
    return lambda name: (directory / name).open("rb")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_lists(EXTRACTED, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "wanted",
    [
        RowRequest(size=100),
        RowRequest(size=100, after=199),
        RowRequest(size=7, after=100),
        RowRequest(size=3, backward=True),
        RowRequest(size=3, before=50, backward=True),
        RowRequest(size=5, after=MANY),
    ],
    ids=["first", "last page", "middle", "end", "before", "beyond"],
)
def test_any_page_has_its_rows(directory: Path, wanted: RowRequest) -> None:
    start, stop = wanted.span(MANY)
    read = read_associations(opener(directory), wanted)
    assert read.items == EXTRACTED.associations[start:stop]
    assert (read.start, read.total, read.is_complete) == (start, MANY, True)


def test_devices_come_as_they_were(directory: Path) -> None:
    assert read_devices(opener(directory), RowRequest(size=10)).items == EXTRACTED.devices


def test_a_list_is_json_to_whoever_takes_it_whole(directory: Path) -> None:
    body = (directory / ASSOCIATIONS_FILE).read_bytes()
    assert [row["number"] for row in json.loads(body)] == list(range(1, MANY + 1))
    assert len(body.splitlines()) == MANY + 2


def test_the_result_names_the_files_and_counts(tmp_path: Path) -> None:
    listed = write_lists(EXTRACTED, tmp_path)
    assert (listed.associations, listed.devices, listed.encrypted) == (MANY, 2, MANY // 2)
    assert {file.name: file.size_bytes for file in listed.files} == {
        path.name: path.stat().st_size for path in tmp_path.iterdir()
    }


def test_an_empty_list_is_one(tmp_path: Path) -> None:
    write_lists(DicomExtracted(associations=(), devices=(), encrypted=0), tmp_path)
    assert json.loads((tmp_path / DEVICES_FILE).read_bytes()) == []
    assert read_associations(opener(tmp_path), RowRequest(size=10)).items == ()


def test_a_page_reads_no_more_of_a_list_than_its_rows(directory: Path) -> None:
    # What lies before the page may be anything.
    place = int.from_bytes((directory / ASSOCIATIONS_INDEX).read_bytes()[8 * 200 : 8 * 201], "little")
    content = (directory / ASSOCIATIONS_FILE).read_bytes()
    (directory / ASSOCIATIONS_FILE).write_bytes(b"?" * place + content[place:])
    assert read_associations(opener(directory), RowRequest(size=1, after=199)).items == EXTRACTED.associations[200:201]


def test_lists_that_are_there_are_not_overwritten(directory: Path) -> None:
    with pytest.raises(FileExistsError):
        write_lists(EXTRACTED, directory)
