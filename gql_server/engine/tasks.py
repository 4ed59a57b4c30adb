"""What a child is asked to do, and what it answers.

What is asked of the DICOM of a capture stands in `dicom/tasks.py`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from gql_server.domain.anonymization import (
    AddressMapping,
    AddressPair,
    AnonymizationReport,
    MacMapping,
    NamePolicy,
    NicPolicy,
    PayloadPolicy,
)
from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.domain.inspection import FileDigest
from gql_server.domain.packets import ConversationKey, DissectedPacket, PacketComparison
from gql_server.domain.traces import CaptureSummary
from gql_server.domain.verification import AddressExpectation, MacExpectation, Verification
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomListed,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)

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


DicomTask = DeidentifyTask | PreviewDicomTask | ExtractDicomTask
Task = (
    InspectTask | AnonymizeTask | TransformMacsTask | PreviewTask | VerifyTask | DissectTask | CompareTask | DicomTask
)


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


Result = (
    Inspected | Anonymized | Previewed | Verified | Dissected | Compared | Deidentified | DicomPreviewed | DicomListed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """How far the task has come; bytes are those of the source file as it lies on disk."""

    packets: int
    bytes_done: int
    bytes_total: int
