"""What a child is asked to do with the DICOM of a capture."""

from dataclasses import dataclass, field
from pathlib import Path

from gql_server.domain.anonymization import AnonymizationParameters, AnonymizationReport
from gql_server.domain.dicom import (
    DicomAssociation,
    DicomDevice,
    DicomOverride,
    DicomParameters,
    DicomProposal,
    DicomReport,
)
from gql_server.domain.inspection import FileDigest
from gql_server.domain.traces import CaptureSummary
from gql_server.domain.verification import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentifyTask:
    """De-identify the DICOM of a capture, and its addresses too if asked, into `output_directory/capture.pcap(ng)`."""

    source: Path
    output_directory: Path
    dicom: DicomParameters
    overrides: tuple[DicomOverride, ...] = field(default=(), repr=False)
    addresses: AnonymizationParameters | None = None
    """None leaves addresses as they are."""
    rules: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Address rules as pairs of text (`domain/rules.py`)."""
    key: bytes = field(repr=False)
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewDicomTask:
    """Show what `DeidentifyTask` would make of the elements of a capture; nothing is written."""

    source: Path
    dicom: DicomParameters
    overrides: tuple[DicomOverride, ...] = field(default=(), repr=False)
    key: bytes = field(repr=False)
    first: int
    """Rows wanted."""
    skip: int = 0
    """Rows before them that nobody wants; the child asks for those too and drops them."""
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractDicomTask:
    """List the associations and devices of a capture, in files of `output_directory` (`listing.py`)."""

    source: Path
    output_directory: Path
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deidentified:
    """The result of a `DeidentifyTask`; the summary is of the output."""

    summary: CaptureSummary
    report: DicomReport
    addresses: AnonymizationReport | None = None
    verification: Verification | None = None
    """What the second reader says of the output, once it has read it."""
    inspection: tuple[FileDigest, ...] = ()
    overridden: tuple[str, ...] = ()
    """Paths of the elements that overrides decided about, tags alone: an id means nothing to the second reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomPreviewed:
    """The result of a `PreviewDicomTask`."""

    proposals: tuple[DicomProposal, ...]
    total: int
    """Rows there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomExtracted:
    """What an `ExtractDicomTask` finds, inside the child."""

    associations: tuple[DicomAssociation, ...]
    devices: tuple[DicomDevice, ...]
    encrypted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomListed:
    """The result of an `ExtractDicomTask`: the files hold what would make a message too long."""

    files: tuple[FileDigest, ...]
    associations: int
    devices: int
    encrypted: int
    """Of the associations, those that TLS makes unreadable."""
