from gql_server.domain.dicom import DicomAction, DicomProblem, PixelCount, UnreadableRange
from gql_server.engine.dicom.tally import UNKNOWN_TAG, Tally, tag_label


def test_private_and_unknown_tags_count_together() -> None:
    assert tag_label(0x00991001, known=False) == "0099xxxx"
    assert tag_label(0x12340001, known=False) == UNKNOWN_TAG
    assert tag_label(0x00100010, known=True) == "00100010"


def test_elements_add_up_by_tag_and_action() -> None:
    tally = Tally()
    for action in (DicomAction.KEPT, DicomAction.KEPT, DicomAction.BLANKED):
        tally.add(("00080060", "Modality", "CS", action), 1, 2)
    counts = [(each.tag, each.action, each.elements, each.bytes) for each in tally.elements()]
    assert counts == [("00080060", "BLANKED", 1, 2), ("00080060", "KEPT", 2, 4)]


def test_a_modality_that_is_no_defined_term_is_not_told() -> None:
    tally = Tally()
    for modality, burned_in in ((b"CT", b"NO"), (b"CT ", b"NO "), (b"HAWTHORNE", b"HAWTHORNE"), (b"", b"")):
        tally.add_pixels(modality, burned_in, kept=True, size=10, comments=1)
    assert [(each.modality, each.burned_in, each.data_sets) for each in tally.pixels()] == [
        ("", "", 1),
        ("CT", "NO", 2),
        ("OTHER", "", 1),
    ]
    assert tally.pixels()[1] == PixelCount(
        modality="CT", burned_in="NO", data_sets=2, bytes=20, kept=True, comments_cleared=2
    )


def test_ranges_add_up_by_association_and_problem() -> None:
    tally = Tally()
    tally.add_unreadable(2, DicomProblem.VALUE_INVALID, 1, 5)
    tally.add_unreadable(2, DicomProblem.VALUE_INVALID, 2, 6)
    tally.add_unreadable(2, DicomProblem.STREAM_HOLE, 0, 0)
    assert tally.unreadable() == (
        UnreadableRange(association=2, problem=DicomProblem.VALUE_INVALID, ranges=3, bytes=11),
    )


def test_a_copy_goes_on_by_itself() -> None:
    tally = Tally()
    tally.add_unreadable(1, DicomProblem.VALUE_INVALID, 1, 5)
    copy = tally.copy()
    copy.add_unreadable(1, DicomProblem.VALUE_INVALID, 1, 5)
    copy.add_pixels(b"CT", b"", kept=False, size=1, comments=0)
    copy.add(("00080060", "Modality", "CS", DicomAction.KEPT), 1, 2)
    assert tally.unreadable()[0].ranges == 1
    assert (tally.pixels(), tally.elements()) == ((), ())
