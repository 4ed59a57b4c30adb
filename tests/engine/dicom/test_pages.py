"""Pages of a preview: the rows asked for, and texts that fit."""

from dataclasses import replace
from pathlib import Path

from gql_server.domain.dicom import DicomParameters
from gql_server.engine.dicom.pages import SHOWN_CHARACTERS, page_of, whole
from gql_server.engine.dicom.tasks import DicomPreviewed, PreviewDicomTask
from gql_server.engine.messages import Finished, encode_message
from gql_server.services.children import _LINE_BYTES
from tests.engine.test_dicom_messages import PROPOSAL

TASK = PreviewDicomTask(source=Path("in"), dicom=DicomParameters(), key=bytes(32), first=3, skip=5, memory_bytes=1)
ROWS = tuple(replace(PROPOSAL, count=number) for number in range(8))


def test_the_rows_before_a_page_are_asked_for_and_dropped() -> None:
    assert (whole(TASK).first, whole(TASK).skip) == (8, 0)
    page = page_of(DicomPreviewed(proposals=ROWS, total=20), TASK)
    assert [row.count for row in page.proposals] == [5, 6, 7]
    assert page.total == 20


def test_a_page_beyond_the_end_is_empty() -> None:
    assert page_of(DicomPreviewed(proposals=ROWS[:2], total=2), TASK) == DicomPreviewed(proposals=(), total=2)


def test_long_texts_are_cut_and_say_so() -> None:
    long = replace(PROPOSAL, original="x" * (SHOWN_CHARACTERS + 1), proposed="y" * SHOWN_CHARACTERS)
    (row,) = page_of(DicomPreviewed(proposals=(long,), total=1), replace(TASK, skip=0)).proposals
    assert row.original == "x" * (SHOWN_CHARACTERS - 1) + "\u2026"
    assert row.proposed == long.proposed


def test_the_largest_page_fits_a_message() -> None:
    # Beyond the basic plane, a character takes twelve in JSON.
    long = replace(PROPOSAL, original="\U0001f600" * 10_000, proposed="\U0001f600" * 10_000, path="0" * 600)
    page = page_of(DicomPreviewed(proposals=(long,) * 100, total=100), replace(TASK, first=100, skip=0))
    assert len(encode_message(Finished(result=page))) < _LINE_BYTES
