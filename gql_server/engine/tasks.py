"""What parent and child say to each other, as JSON lines.

The parent writes one task; the child answers `Ready` once its kernels are loaded, then `Progressed` now and then,
then exactly one `Finished` or `Refused`. A task may hold a key and rules: a line of it is never logged.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
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
from gql_server.domain.dicom_verification import DicomExpectation, dicom_expectation_of
from gql_server.domain.errors import Fact, GqlServerError, error_of
from gql_server.domain.inspection import FileDigest
from gql_server.domain.packets import ConversationKey, DissectedPacket, PacketComparison
from gql_server.domain.traces import CaptureFormat, CaptureSummary
from gql_server.domain.verification import AddressExpectation, MacExpectation, Verification, verification_of
from gql_server.engine.packet_messages import decode_comparison, decode_packet

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectTask:
    """Summarize a received file and leave it, unpacked, as `output_directory/capture.pcap` or `.pcapng`."""

    source: Path
    output_directory: Path
    unpacked_limit_bytes: int
    unpacked_ratio: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizeTask:
    """Rewrite every address of a capture into `output_directory/capture.pcap` or `.pcapng`."""

    source: Path
    output_directory: Path
    mapping: AddressMapping
    mac_mapping: MacMapping = MacMapping.PERMUTATION
    payload: PayloadPolicy = PayloadPolicy.KEEP
    names: NamePolicy = NamePolicy.KEEP
    rules: tuple[tuple[str, str], ...] = field(repr=False)
    """Address rules as pairs of text (`domain/rules.py`)."""
    key: bytes = field(repr=False)
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformMacsTask:
    """Give devices other vendors, into `output_directory/capture.pcap` or `.pcapng`; IP addresses stay."""

    source: Path
    output_directory: Path
    nic: NicPolicy = NicPolicy.KEEP
    payload: PayloadPolicy = PayloadPolicy.KEEP
    rules: tuple[tuple[str, str], ...] = field(repr=False)
    """MAC rules as pairs of text (`domain/rules.py`)."""
    key: bytes = field(repr=False)
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTask:
    """Show what `AnonymizeTask` would make of the first distinct addresses of a capture."""

    source: Path
    mapping: AddressMapping
    mac_mapping: MacMapping = MacMapping.PERMUTATION
    rules: tuple[tuple[str, str], ...] = field(repr=False)
    key: bytes = field(repr=False)
    first: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTask:
    """Prove what became of `source` in `output`, by a reader that shares nothing with the rewriter."""

    source: Path
    """The original."""
    output: Path
    addresses: AddressExpectation
    macs: MacExpectation
    payload: PayloadPolicy = PayloadPolicy.KEEP
    names: NamePolicy = NamePolicy.KEEP
    rules: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Address rules as pairs of text (`domain/rules.py`)."""
    mac_rules: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """MAC rules as pairs of text."""
    dicom: DicomExpectation | None = None
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DissectTask:
    """Take packets of a stored capture apart: those from `first` to before `last`, from 0."""

    source: Path
    first: int
    last: int
    conversation: ConversationKey | None = None
    """Counts only the packets of this one."""
    data_bytes: int
    """Bytes shown of each packet."""
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareTask:
    """Put a packet of a stored capture beside the one of the same number it came from."""

    source: Path
    origin: Path
    number: int
    """From 1."""
    data_bytes: int
    memory_bytes: int


Task = InspectTask | AnonymizeTask | TransformMacsTask | PreviewTask | VerifyTask | DissectTask | CompareTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """The result of an `InspectTask`."""

    summary: CaptureSummary
    inspection: tuple[FileDigest, ...] = ()
    """The files of the survey, which lie beside the capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymized:
    """The result of an `AnonymizeTask` or a `TransformMacsTask`; the summary is of the output."""

    summary: CaptureSummary
    report: AnonymizationReport
    verification: Verification | None = None
    """What the second reader says of the output, once it has read it."""
    inspection: tuple[FileDigest, ...] = ()
    """The files of the survey of the output, which lie beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """The result of a `PreviewTask`."""

    pairs: tuple[AddressPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The result of a `VerifyTask`."""

    verification: Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissected:
    """The result of a `DissectTask`."""

    packets: tuple[DissectedPacket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The result of a `CompareTask`; None when there is no packet of this number."""

    comparison: PacketComparison | None


Result = Inspected | Anonymized | Previewed | Verified | Dissected | Compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The kernels are loaded; the child waits for its task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """How far the task has come; bytes are those of the source file as it lies on disk."""

    packets: int
    bytes_done: int
    bytes_total: int


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
        for name in _PATHS:
            if name in body:
                body[name] = Path(body[name])
        for name, enum in _ENUMS.items():
            if name in body:
                body[name] = enum(body[name])
        for name in ("rules", "mac_rules"):
            if name in body:
                body[name] = tuple((one, other) for one, other in body[name])
        if body.get("conversation") is not None:
            body["conversation"] = ConversationKey(**body["conversation"])
        if kind == "VerifyTask" and body.get("dicom") is not None:
            body["dicom"] = dicom_expectation_of(body["dicom"])
        if "key" in body:
            body["key"] = _decode_key(body["key"])
        return _TASKS[kind](**body)
    except (KeyError, TypeError) as error:
        raise ValueError("not a task") from error


_PATHS = ("source", "output", "output_directory", "origin")
_TASKS: dict[str, Callable[..., Task]] = {
    kind.__name__: kind
    for kind in (InspectTask, AnonymizeTask, TransformMacsTask, PreviewTask, VerifyTask, DissectTask, CompareTask)
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
            return Inspected(summary=_decode_summary(body["summary"]), inspection=_decode_files(body))
        case "Anonymized":
            report = AnonymizationReport(**body["report"])
            # The child that writes an output is not the one that verifies it.
            summary = _decode_summary(body["summary"])
            return Anonymized(summary=summary, report=report, inspection=_decode_files(body))
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


def _decode_files(body: dict[str, Any]) -> tuple[FileDigest, ...]:
    return tuple(FileDigest(**file) for file in body["inspection"])


def _line(kind: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"kind": kind, "body": body}, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> tuple[str, dict[str, Any]]:
    parsed = json.loads(line)
    match parsed:
        case {"kind": str(kind), "body": dict(body)}:
            return kind, body
        case _:
            raise ValueError("not a message")
