import pytest

from gql_server.domain.dicom import DicomAction, DicomProblem, PixelPolicy
from gql_server.engine.dicom import treating
from tests.engine.dicom.data_sets import data_set, policy, read, written
from tests.engine.dicom.test_code_streams import CANARY, JPEG
from tests.engine.dicom.test_pixels import encapsulated


def test_long_values_that_are_not_held_are_filled() -> None:
    held = read(written(data_set(PatientComments="Hawthorne " * 10, Rows=5)))
    held.put_outside(0)
    policy().apply(held, association=1, command=False)
    assert held.outside[0] == b" " * 100


def test_pixels_that_are_not_held_are_zeroed_or_cleaned() -> None:
    for pixels, expected in ((PixelPolicy.ZERO, bytes(len(JPEG))), (PixelPolicy.KEEP, JPEG.replace(CANARY, bytes(18)))):
        held = encapsulated(JPEG)
        held.put_outside(1)
        by = policy(pixels=pixels)
        by.apply(held, association=1, command=False)
        assert held.outside[1] == expected
        (count,) = by.tally.pixels()
        kept = pixels is PixelPolicy.KEEP
        assert (count.kept, count.comments_cleared, count.bytes) == (kept, int(kept), len(JPEG))


def test_pixels_inside_a_sequence_that_goes_do_not_stay() -> None:
    icon = data_set(Rows=1)
    icon.add_new(0x7FE00010, "OW", b"PIXELS")
    held = read(written(data_set(RequestAttributesSequence=[icon])))
    row = len(held.elements) - 1
    held.put_outside(row)
    policy(pixels=PixelPolicy.KEEP).apply(held, association=1, command=False)
    assert held.outside[row] == bytes(6)


def test_more_values_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treating, "_REMEMBERED", 2)
    by, first = policy(), policy()
    for number in range(6):
        held, again = (read(written(data_set(PatientID=f"MRN{number}", PatientName="Doe^John"))) for _ in range(2))
        by.apply(held, association=1, command=False)
        first.apply(again, association=1, command=False)
        assert held.values.tobytes() == again.values.tobytes()
    assert len(by._treating._remembered) <= 2


def test_what_is_not_allowed_is_counted_with_its_association() -> None:
    by = policy()
    for association in (3, 3, 4):
        by.apply(read(b"\x08\0\x60\0CS\x04\0Doe!"), association=association, command=False)
    counts = [(each.association, each.problem, each.ranges, each.bytes) for each in by.tally.unreadable()]
    assert counts == [(3, DicomProblem.VALUE_INVALID, 2, 8), (4, DicomProblem.VALUE_INVALID, 1, 4)]
    assert [(each.action, each.elements) for each in by.tally.elements()] == [(DicomAction.BLANKED, 3)]
