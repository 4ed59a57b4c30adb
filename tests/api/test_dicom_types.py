"""Types of DICOM: every value of a row, and nothing more."""

from dataclasses import asdict

from gql_server.api.dicom_types import DicomAssociation, DicomDevice, DicomOverride, DicomProposal
from gql_server.domain import dicom
from gql_server.domain.dicom import OverrideAction
from tests.dicom_rows import association, device
from tests.engine.test_dicom_messages import PROPOSAL


def flat(value: object) -> list[object]:
    if isinstance(value, dict):
        return [each for one in value.values() for each in flat(one)]
    return [each for one in value for each in flat(one)] if isinstance(value, list | tuple) else [value]


def test_an_association_is_shown_whole() -> None:
    row = association(4)
    shown = asdict(DicomAssociation.of(row))
    messages = {each["name"]: each["messages"] for each in shown.pop("messages")}
    stored = asdict(row)
    assert messages == stored.pop("messages")
    assert sorted(map(str, flat(shown))) == sorted(map(str, flat(stored)))


def test_a_device_and_a_proposal_are_shown_whole() -> None:
    assert flat(asdict(DicomDevice.of(device(7)))) == flat(asdict(device(7)))
    assert asdict(DicomProposal.of(PROPOSAL)) == asdict(PROPOSAL)


def test_an_override_is_shown_as_it_was_given() -> None:
    row = dicom.DicomOverride(element="00100010", action=OverrideAction.REPLACE, value="x")
    assert asdict(DicomOverride.of(row)) == asdict(row)
