"""What the second reader expects and says of DICOM.

It holds tags, counts and places, never a value of a data set.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gql_server.domain.dicom import DatePolicy, DicomAction, DicomParameters, ForeignPolicy, PixelPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomExpectation:
    """What should have become of the DICOM of a capture."""

    pixels: PixelPolicy = PixelPolicy.ZERO
    foreign: ForeignPolicy = ForeignPolicy.ZERO
    dates: DatePolicy = DatePolicy.REMOVE
    retain_uids: bool = False
    retain_device: bool = False
    retain_patient_characteristics: bool = False
    clean_descriptors: bool = False
    overridden: tuple[str, ...] = field(default=(), repr=False)
    """Paths of elements that a person decided about: tags as eight hexadecimal digits, joined by dots."""


def expectation_of(parameters: DicomParameters, overridden: tuple[str, ...] = ()) -> DicomExpectation:
    """Return what the output of a de-identification is held to."""
    return DicomExpectation(
        pixels=parameters.pixels,
        foreign=parameters.foreign,
        dates=parameters.dates,
        retain_uids=parameters.retain_uids,
        retain_device=parameters.retain_device,
        retain_patient_characteristics=parameters.retain_patient_characteristics,
        clean_descriptors=parameters.clean_descriptors,
        overridden=overridden,
    )


def dicom_expectation_of(body: dict[str, Any]) -> DicomExpectation:
    """Read an expectation back from its JSON.

    Raises:
        KeyError: a field is missing.
        TypeError: there are other fields.
        ValueError: a word is none of its enum.
    """
    return DicomExpectation(
        **{
            **body,
            "pixels": PixelPolicy(body["pixels"]),
            "foreign": ForeignPolicy(body["foreign"]),
            "dates": DatePolicy(body["dates"]),
            "overridden": tuple(body["overridden"]),
        }
    )


class SecretKind(StrEnum):
    """What an original value is that is searched for."""

    NAME = "NAME"
    IDENTIFIER = "IDENTIFIER"
    TEXT = "TEXT"
    """Listed, private or unlisted text."""
    UID = "UID"
    AE_TITLE = "AE_TITLE"
    CREDENTIAL = "CREDENTIAL"
    """User name or passcode of an association."""
    DATE = "DATE"


class SecretForm(StrEnum):
    """The form in which it was found; letters count alike in either case."""

    BYTES = "BYTES"
    """As in the data set, or in UTF-8, Latin-1 or UTF-16."""
    PERCENT = "PERCENT"
    BASE64 = "BASE64"
    COMPRESSED = "COMPRESSED"
    """In a member of gzip, zlib or ZIP, or in a deflated data set."""


class SecretPlace(StrEnum):
    """Where it was found, which is what explains it."""

    VALUE_KEPT = "VALUE_KEPT"
    """In a value that may stay: a word that the standard or a rule keeps."""
    VALUE_REPLACED = "VALUE_REPLACED"
    """In the pseudonym of another value, or in a masked text's vocabulary: chance, of a short secret."""
    STRUCTURAL = "STRUCTURAL"
    """Across headers and numbers: chance, of a short secret."""
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFinding:
    """Hits of one kind, form and place."""

    kind: SecretKind
    form: SecretForm
    place: SecretPlace
    hits: int
    first_packet: int
    """Number of the packet with the first hit, from 1; 0 outside packets."""
    first_offset: int
    """Where in the output file the first hit begins, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretScan:
    """The search for original values over the raw output and over every stream put together."""

    secrets: int
    """Distinct values that were searched for."""
    bytes_raw: int
    bytes_reassembled: int
    bytes_unpacked: int
    """Bytes that came out of percent, base64, gzip, zlib and ZIP."""
    findings: tuple[SecretFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedElements:
    """Elements of one tag that met the same end."""

    tag: str
    """Eight hexadecimal digits; xxxx0000 stands for all private, 0000xxxx for all unknown ones."""
    vr: str
    action: DicomAction
    elements: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPixels:
    """Pixel data of one modality."""

    modality: str
    """Empty where the data set has none, OTHER for what is no code of PS3.3."""
    data_sets: int
    bytes: int
    bytes_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomVerification:
    """What the second reader found of the DICOM in both files."""

    connections: int
    """TCP connections whose payload is DICOM."""
    streams: int
    messages: int
    data_sets: int
    elements: tuple[VerifiedElements, ...]
    pixels: tuple[VerifiedPixels, ...]
    bytes_dicom: int
    """Payload of these connections, retransmitted copies included."""
    bytes_kept: int
    """Bytes of values that stayed."""
    bytes_pixels_kept: int
    bytes_undecodable: int
    """Bytes that cannot be read in the original and are zero in the output."""
    bytes_left: int
    """Bytes that cannot be read and are not zero: none, or the output has failed."""
    copies: int
    """Pieces of streams that were captured again."""
    uids: int
    """Distinct originals with a pseudonym."""
    names: int
    identifiers: int
    times_shifted: bool
    scan: SecretScan


def dicom_verification_of(body: dict[str, Any]) -> DicomVerification:
    """Read it back from its JSON.

    Raises:
        KeyError: a field is missing.
        TypeError: there are other fields.
        ValueError: a word is none of its enum.
    """
    scan = body["scan"]
    findings = tuple(
        SecretFinding(
            **{
                **one,
                "kind": SecretKind(one["kind"]),
                "form": SecretForm(one["form"]),
                "place": SecretPlace(one["place"]),
            }
        )
        for one in scan["findings"]
    )
    elements = (VerifiedElements(**{**one, "action": DicomAction(one["action"])}) for one in body["elements"])
    known = {
        "elements": tuple(elements),
        "pixels": tuple(VerifiedPixels(**one) for one in body["pixels"]),
        "scan": SecretScan(**{**scan, "findings": findings}),
    }
    return DicomVerification(**{**body, **known})
