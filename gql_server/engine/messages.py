"""What parent and child say to each other, as JSON lines.

The parent writes one task; the child answers `Ready` once its kernels are loaded, then `Progressed` now and then,
then exactly one `Finished` or `Refused`. A task may hold a key and rules: a line of it is never logged.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

from gql_server.domain.anonymization import (
    AddressMapping,
    AddressPair,
    AnonymizationReport,
    MacMapping,
    NamePolicy,
    NicPolicy,
    PayloadPolicy,
)
from gql_server.domain.dicom_verification import dicom_expectation_of
from gql_server.domain.error_tree import error_of
from gql_server.domain.errors import Fact, GqlServerError
from gql_server.domain.inspection import FileDigest
from gql_server.domain.packets import ConversationKey
from gql_server.domain.traces import CaptureFormat, CaptureSummary
from gql_server.domain.verification import AddressExpectation, MacExpectation, verification_of
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomListed,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)
from gql_server.engine.dicom_messages import decode_proposal, decode_report, decode_words
from gql_server.engine.packet_messages import decode_comparison, decode_packet
from gql_server.engine.tasks import (
    KEY_BYTES,
    Anonymized,
    AnonymizeTask,
    Compared,
    CompareTask,
    Dissected,
    DissectTask,
    Inspected,
    InspectTask,
    Previewed,
    PreviewTask,
    Progressed,
    Result,
    Task,
    TransformMacsTask,
    Verified,
    VerifyTask,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The kernels are loaded; the child waits for its task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The task is done."""

    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The task cannot be done; the facts are those of the error."""

    code: str
    facts: dict[str, Fact]

    @classmethod
    def of(cls, error: GqlServerError) -> "Refused":
        """Say an error in a message."""
        return cls(code=error.code.value, facts=error.facts())

    @property
    def error(self) -> GqlServerError:
        """The error again."""
        return error_of(self.code, self.facts)


Message = Ready | Progressed | Finished | Refused


def encode_task(task: Task) -> bytes:
    """Return the task as one JSON line."""
    body = asdict(task)
    for name in _PATHS:
        if name in body:
            body[name] = str(body[name])
    if "key" in body:
        body["key"] = base64.b64encode(body["key"]).decode()
    return _line(type(task).__name__, body)


def decode_task(line: bytes) -> Task:
    """Read a task back.

    Raises:
        ValueError: the line is no task.
    """
    kind, body = _parse(line)
    try:
        return _TASKS[kind](**_decode_fields(kind, body))
    except (KeyError, TypeError) as error:
        raise ValueError("not a task") from error


def _decode_fields(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {name: Path(body[name]) for name in _PATHS if name in body}
    words = {name: body[name] for name in _ENUMS if name in body and not _is_parameters(body[name])}
    known |= {name: _ENUMS[name](word) for name, word in words.items()}
    known |= {name: tuple((one, other) for one, other in body[name]) for name in _RULES if name in body}
    if body.get("dicom") is not None:
        known |= {"dicom": dicom_expectation_of(body["dicom"])} if kind == "VerifyTask" else decode_words(body)
    if body.get("conversation") is not None:
        known["conversation"] = ConversationKey(**body["conversation"])
    if "key" in body:
        known["key"] = _decode_key(body["key"])
    return body | known


def _is_parameters(value: object) -> bool:
    """Say whether this is what `DeidentifyTask` says of addresses, where others have a word."""
    return value is None or isinstance(value, dict)


_PATHS = ("source", "output", "output_directory", "origin")
_RULES = ("rules", "mac_rules")
_TASKS: dict[str, Callable[..., Task]] = {
    kind.__name__: kind
    for kind in (
        InspectTask,
        AnonymizeTask,
        TransformMacsTask,
        PreviewTask,
        VerifyTask,
        DissectTask,
        CompareTask,
        DeidentifyTask,
        PreviewDicomTask,
        ExtractDicomTask,
    )
}
_ENUMS: dict[str, type[StrEnum]] = {
    "mapping": AddressMapping,
    "mac_mapping": MacMapping,
    "payload": PayloadPolicy,
    "names": NamePolicy,
    "nic": NicPolicy,
    "addresses": AddressExpectation,
    "macs": MacExpectation,
}


def _decode_key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("not a key")
    return key


def encode_message(message: Message) -> bytes:
    """Return the message as one JSON line."""
    match message:
        case Finished(result=result):
            return _line("Finished", {"kind": type(result).__name__, "result": asdict(result)})
        case Ready() | Progressed() | Refused():
            return _line(type(message).__name__, asdict(message))
        case _:
            assert_never(message)


def decode_message(line: bytes) -> Message:
    """Read a message back.

    Raises:
        ValueError: the line is no message.
    """
    kind, body = _parse(line)
    try:
        match kind:
            case "Ready":
                return Ready(**body)
            case "Progressed":
                return Progressed(**body)
            case "Refused":
                return Refused(**body)
            case "Finished":
                return Finished(result=_decode_result(body["kind"], body["result"]))
            case _:
                raise ValueError("not a message")
    except (KeyError, TypeError) as error:
        raise ValueError("not a message") from error


def _decode_result(kind: str, body: dict[str, Any]) -> Result:
    match kind:
        case "Inspected":
            return Inspected(summary=_decode_summary(body["summary"]), inspection=_decode_files(body["inspection"]))
        case "Anonymized":
            report = AnonymizationReport(**body["report"])
            # The child that writes an output is not the one that verifies it.
            summary = _decode_summary(body["summary"])
            return Anonymized(summary=summary, report=report, inspection=_decode_files(body["inspection"]))
        case "Deidentified":
            return _decode_deidentified(body)
        case "DicomPreviewed":
            return DicomPreviewed(proposals=tuple(map(decode_proposal, body["proposals"])), total=body["total"])
        case "DicomListed":
            return DicomListed(**{**body, "files": _decode_files(body["files"])})
        case _:
            return _decode_look(kind, body)


def _decode_look(kind: str, body: dict[str, Any]) -> Result:
    match kind:
        case "Previewed":
            return Previewed(pairs=tuple(AddressPair(**pair) for pair in body["pairs"]))
        case "Verified":
            return Verified(verification=verification_of(body["verification"]))
        case "Dissected":
            return Dissected(packets=tuple(map(decode_packet, body["packets"])))
        case "Compared":
            found = body["comparison"]
            return Compared(comparison=None if found is None else decode_comparison(found))
        case _:
            raise ValueError("not a result")


def _decode_summary(body: dict[str, Any]) -> CaptureSummary:
    known = {"format": CaptureFormat(body["format"]), "link_types": tuple(body["link_types"])}
    return CaptureSummary(**{**body, **known})


def _decode_deidentified(body: dict[str, Any]) -> Deidentified:
    addresses = body["addresses"]
    return Deidentified(
        summary=_decode_summary(body["summary"]),
        report=decode_report(body["report"]),
        addresses=None if addresses is None else AnonymizationReport(**addresses),
        inspection=_decode_files(body["inspection"]),
        overridden=tuple(body["overridden"]),
    )


def _decode_files(bodies: list[dict[str, Any]]) -> tuple[FileDigest, ...]:
    return tuple(FileDigest(**file) for file in bodies)


def _line(kind: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"kind": kind, "body": body}, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> tuple[str, dict[str, Any]]:
    parsed = json.loads(line)
    match parsed:
        case {"kind": str(kind), "body": dict(body)}:
            return kind, body
        case _:
            raise ValueError("not a message")
