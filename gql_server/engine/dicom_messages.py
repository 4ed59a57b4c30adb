"""DICOM as it crosses between child and parent."""

from typing import Any

from gql_server.domain.anonymization import anonymization_of
from gql_server.domain.dicom import (
    DicomAction,
    DicomOverride,
    DicomProblem,
    DicomProposal,
    DicomReport,
    ElementCount,
    OverrideAction,
    PixelCount,
    UnreadableRange,
    dicom_parameters_of,
)


def decode_words(body: dict[str, Any]) -> dict[str, Any]:
    """Read back what a task says of DICOM: its parameters, overrides, and parameters for addresses if it has any."""
    known: dict[str, Any] = {"dicom": dicom_parameters_of(body["dicom"])}
    if "overrides" in body:
        known["overrides"] = tuple(map(_decode_override, body["overrides"]))
    if body.get("addresses") is not None:
        known["addresses"] = anonymization_of(body["addresses"])
    return known


def decode_proposal(body: dict[str, Any]) -> DicomProposal:
    """Read a row of a preview back from what `dataclasses.asdict` made of it."""
    return DicomProposal(**{**body, "action": DicomAction(body["action"])})


def decode_report(body: dict[str, Any]) -> DicomReport:
    """Read a report back."""
    known = {
        "elements": tuple(ElementCount(**{**one, "action": DicomAction(one["action"])}) for one in body["elements"]),
        "pixels": tuple(PixelCount(**one) for one in body["pixels"]),
        "unreadable": tuple(
            UnreadableRange(**{**one, "problem": DicomProblem(one["problem"])}) for one in body["unreadable"]
        ),
        "does_not_claim": tuple(body["does_not_claim"]),
    }
    return DicomReport(**{**body, **known})


def _decode_override(body: dict[str, Any]) -> DicomOverride:
    return DicomOverride(**{**body, "action": OverrideAction(body["action"])})
