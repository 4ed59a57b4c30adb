"""Previews: what is proposed is what a job then writes."""

from gql_server.domain.dicom import DicomAction
from tests.dicom.datasets import DEFLATED
from tests.dicom.outcomes import Engine
from tests.dicom.planting import Kind
from tests.dicom.rereading import Element, associations_in
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of


def elements(data: bytes) -> list[tuple[int, Element]]:
    """Elements of data sets with the number of their association.

    Without deflated ones: whether pseudonyms fit there only the job knows, which blanks all of it where they do not.
    """
    return [
        (number, element)
        for number, association in enumerate(associations_in(data), start=1)
        for message in association.messages
        if message.syntax != DEFLATED
        for element in message.elements
    ]


def text_of(element: Element) -> str:
    return bytes(element.value).rstrip(b"\0 ").decode()


def path_of(element: Element) -> str:
    return ".".join(f"{tag:08X}" for tag in element.path[::2])


def test_a_job_writes_what_was_proposed(small_recording: Recording, engine: Engine) -> None:
    data = capture_of(small_recording.wire).file()
    preview, after = engine.preview(data), engine.run(data).after
    proposed = {
        (one.association, one.path.upper(), one.original.rstrip()): one.proposed.rstrip() for one in preview.proposals
    }
    compared = 0
    for (number, old), (_, new) in zip(elements(data), elements(after), strict=True):
        if old.vr in ("PN", "LO", "UI", "DA", "SH") and old.value.strip(b"\0 ") and old.value.isascii():
            key = (number, path_of(old), text_of(old))
            if key in proposed:
                assert text_of(new) == proposed[key], key
                compared += 1
    assert compared > 100
    assert preview.total == len(preview.proposals)


def test_every_patient_is_proposed_a_pseudonym(small_recording: Recording, engine: Engine) -> None:
    preview = engine.preview(capture_of(small_recording.wire).file())
    names = [one for one in preview.proposals if one.tag.upper() == "00100010" and one.vr == "PN"]
    assert {one.action for one in names if not one.original.startswith("*")} <= {DicomAction.REPLACED}
    planted = [one.text for one in small_recording.oracle if one.kind is Kind.NAME]
    assert not any(text in one.proposed for one in preview.proposals for text in planted)


def test_as_many_rows_come_as_are_asked_for(small_recording: Recording, engine: Engine) -> None:
    data = capture_of(small_recording.wire).file()
    few, all_of_them = engine.preview(data, first=7), engine.preview(data)
    assert few.proposals == all_of_them.proposals[:7]
    assert few.total == all_of_them.total
    assert len({one.element for one in all_of_them.proposals}) > 100
