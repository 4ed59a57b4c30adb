"""What is said of DICOM crosses whole."""

import json
from dataclasses import asdict

import pytest

from gql_server.domain.anonymization import AnonymizationParameters, MacMapping
from gql_server.domain.dicom import (
    CONFIDENTIALITY_EDITION,
    DOES_NOT_CLAIM,
    DicomAction,
    DicomOverride,
    DicomParameters,
    DicomProblem,
    DicomProposal,
    DicomReport,
    ElementCount,
    ForeignPolicy,
    OverrideAction,
    PixelCount,
    UnreadableRange,
)
from gql_server.engine.dicom_messages import decode_proposal, decode_report, decode_words

PROPOSAL = DicomProposal(
    element="ab" * 16,
    association=1,
    path="00400275.00400007",
    tag="00400007",
    keyword="ScheduledProcedureStepDescription",
    vr="LO",
    table_action="X",
    action=DicomAction.BLANKED,
    original="THORAX",
    proposed="",
    length=6,
    fits=True,
    count=3,
)
REPORT = DicomReport(
    edition=CONFIDENTIALITY_EDITION,
    associations=2,
    encrypted=1,
    messages={"C-STORE-RQ": 3},
    data_sets=3,
    elements=(
        ElementCount(tag="00100010", keyword="PatientName", vr="PN", action=DicomAction.REPLACED, elements=3, bytes=42),
    ),
    pixels=(PixelCount(modality="CT", burned_in="NO", data_sets=3, bytes=9, kept=False, comments_cleared=0),),
    unreadable=(UnreadableRange(association=2, problem=DicomProblem.STREAM_HOLE, ranges=1, bytes=8),),
    bytes_dicom=100,
    bytes_foreign=50,
    packets_rewritten=7,
    checksums_left=1,
    overrides_used=1,
    overrides_unused=2,
    does_not_claim=DOES_NOT_CLAIM,
)


def _crossed(value: object) -> dict[str, object]:
    read: dict[str, object] = json.loads(json.dumps(asdict(value)))  # type: ignore[call-overload]  # any dataclass
    return read


def test_a_report_and_a_proposal_cross_whole() -> None:
    assert decode_report(_crossed(REPORT)) == REPORT
    assert decode_proposal(_crossed(PROPOSAL)) == PROPOSAL


def test_words_are_members_of_their_enums_again() -> None:
    read = decode_report(_crossed(REPORT))
    assert read.elements[0].action is DicomAction.REPLACED
    assert read.unreadable[0].problem is DicomProblem.STREAM_HOLE


def test_a_task_says_its_choices_again() -> None:
    dicom = DicomParameters(foreign=ForeignPolicy.KEEP, clean_descriptors=True)
    addresses = AnonymizationParameters(mac_mapping=MacMapping.KEEP_OUI)
    overrides = (DicomOverride(element="00100010", action=OverrideAction.REPLACE, value="x"),)
    body = {
        "dicom": _crossed(dicom),
        "overrides": [_crossed(override) for override in overrides],
        "addresses": _crossed(addresses),
    }
    assert decode_words(body) == {"dicom": dicom, "overrides": overrides, "addresses": addresses}
    assert decode_words({"dicom": _crossed(dicom), "addresses": None}) == {"dicom": dicom}


def test_a_word_of_no_enum_is_refused() -> None:
    body = _crossed(REPORT)
    body["unreadable"] = [{"association": 1, "problem": "NONE_OF_OURS", "ranges": 1, "bytes": 1}]
    with pytest.raises(ValueError, match="NONE_OF_OURS"):
        decode_report(body)
