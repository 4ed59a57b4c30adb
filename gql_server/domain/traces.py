"""Traces: what is known of one immutable capture."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gql_server.domain.ids import ClientId, ExecutionId, FlowId, JobId, TraceId
from gql_server.domain.rules import AddressRule, MacRule
from gql_server.domain.verification import Verification


class CaptureFormat(StrEnum):
    """The file format of a stored capture."""

    PCAP = "PCAP"
    PCAPNG = "PCAPNG"

    @property
    def file_name(self) -> str:
        """The name of the file inside the trace's directory."""
        return f"capture.{self.value.lower()}"


class CaptureCompression(StrEnum):
    """How the uploaded bytes were wrapped; traces are stored unwrapped."""

    NONE = "NONE"
    GZIP = "GZIP"
    ZSTD = "ZSTD"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSummary:
    """What one pass over a capture found."""

    format: CaptureFormat
    sha256: str
    """Digest of the stored, decompressed capture, 64 hex digits."""
    size_bytes: int
    link_types: tuple[int, ...]
    """LINKTYPE_ values (low 16 bits), in order of first interface."""
    interfaces: int
    packets: int
    captured_bytes: int
    """Sum of captured lengths."""
    original_bytes: int
    """Sum of the lengths on the wire."""
    truncated_packets: int
    """Packets whose captured length is below their original length."""
    first_time_ns: int | None
    """Earliest packet time, nanoseconds since the epoch, None without packets."""
    last_time_ns: int | None
    """Latest packet time."""


class TraceOrigin(StrEnum):
    """How a trace came to be."""

    UPLOADED = "UPLOADED"
    ADDRESS_ANONYMIZED = "ADDRESS_ANONYMIZED"
    MAC_TRANSFORMED = "MAC_TRANSFORMED"
    DICOM_DEIDENTIFIED = "DICOM_DEIDENTIFIED"
    DEIDENTIFIED = "DEIDENTIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One trace, as remembered; with `deleted_at` it is a tombstone without a file."""

    id: TraceId
    client_id: ClientId
    flow_id: FlowId
    job_id: JobId
    """The job that made it."""
    name: str
    origin: TraceOrigin
    summary: CaptureSummary
    address_rules: tuple[AddressRule, ...]
    """What the next address anonymization of this trace will use."""
    mac_rules: tuple[MacRule, ...]
    """What the next MAC transformation of this trace will use."""
    verification: Verification | None
    """What the second reader said of it; None for an upload, which nothing was promised of."""
    dicom_execution_id: ExecutionId | None = None
    """The latest execution that listed its DICOM associations and devices."""
    created_at: datetime
    deleted_at: datetime | None
