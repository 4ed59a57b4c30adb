from gql_server.domain.dicom import DicomAction, DicomOverride, DicomParameters, DicomProposal, OverrideAction
from gql_server.engine.dicom.policy import Policy
from gql_server.engine.dicom.proposing import text_of
from tests.engine.dicom.data_sets import KEY, data_set, policy, read, written


def proposals(by: Policy, **attributes: object) -> dict[str, DicomProposal]:
    found: list[DicomProposal] = []
    by.observe(found.append)
    by.apply(read(written(data_set(**attributes))), association=7, command=False)
    return {each.keyword: each for each in found}


def test_every_value_is_told_with_what_becomes_of_it() -> None:
    told = proposals(
        policy(), PatientName="Doe^John", PatientComments="Hawthorne", Rows=5, Modality="CT", StudyDate="20240611"
    )
    assert {keyword: each.action for keyword, each in told.items()} == {
        "PatientName": DicomAction.REPLACED,
        "PatientComments": DicomAction.BLANKED,
        "Rows": DicomAction.KEPT,
        "Modality": DicomAction.KEPT,
        "StudyDate": DicomAction.DUMMY,
    }
    name = told["PatientName"]
    assert (name.association, name.path, name.tag, name.vr, name.table_action) == (7, "00100010", "00100010", "PN", "Z")
    assert (name.original, name.length, name.fits, name.count) == ("Doe^John", 8, True, 1)
    assert len(name.proposed) == 8
    assert (told["PatientComments"].proposed, told["StudyDate"].proposed) == ("", "19000101")
    assert told["Rows"].original == "0500"


def test_a_preview_tells_the_ids_that_overrides_want() -> None:
    told = proposals(policy(), PatientName="Doe^John")
    keep = DicomOverride(element=told["PatientName"].element, action=OverrideAction.KEEP)
    again = proposals(Policy(DicomParameters(), KEY, [keep]), PatientName="Doe^John")
    assert again["PatientName"].action is DicomAction.OVERRIDDEN
    assert again["PatientName"].proposed == "Doe^John"


def test_an_override_that_does_not_fit_is_told_and_not_raised() -> None:
    long = DicomOverride(element="00100010", action=OverrideAction.REPLACE, value="Somebody^Else")
    told = proposals(Policy(DicomParameters(), KEY, [long]), PatientName="Doe^John", PatientID="4711")
    assert (told["PatientName"].fits, told["PatientName"].proposed) == (False, "Somebody^Else")
    assert told["PatientID"].fits


def test_paths_lead_through_sequences() -> None:
    told = proposals(policy(), ReferencedStudySequence=[data_set(ReferencedSOPInstanceUID="1.2.3.4")])
    assert told["ReferencedSOPInstanceUID"].path == "00081110.00081155"


def test_text_is_shown_in_its_character_set_and_numbers_as_digits() -> None:
    assert text_of("Jörg ".encode(), "PN", b"ISO_IR 192") == "Jörg"
    assert text_of(b"\xff\xff", "LO", b"GB18030") == "ffff"
    assert text_of(bytes(range(40)), "OB", b"") == bytes(range(32)).hex()


def test_fields_of_associations_are_told_too() -> None:
    found: list[DicomProposal] = []
    by = policy()
    by.observe(found.append)
    by.field("CALLING_AE", b"CT1             ", association=2)
    by.field("PASSCODE", b"hunter2", association=2)
    assert [(each.keyword, each.original, each.tag) for each in found] == [("CallingAETitle", "CT1", "")]
