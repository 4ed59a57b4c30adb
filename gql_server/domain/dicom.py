"""DICOM on the wire: what is asked, proposed and reported.

Names are those of PS3.7 (DIMSE), PS3.8 (upper layer) and PS3.15 Annex E (de-identification). Nothing here but proposals
and replacements chosen by a person holds a value of a data set.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PARAMETERS_VERSION = 1
"""Version of the stored parameters; a reader upgrades older ones step by step."""

CONFIDENTIALITY_EDITION = "PS3.15 2026c"
"""The edition whose Table E.1-1 is applied."""

MAX_OVERRIDES = 10_000


class PixelPolicy(StrEnum):
    """What becomes of pixel data."""

    ZERO = "ZERO"
    KEEP = "KEEP"
    """They stay, but for the comments inside code streams: faces and burned-in text stay too."""


class ForeignPolicy(StrEnum):
    """What becomes of bytes that no transformation claims: payload that is not DICOM, trailers, unknown protocols."""

    ZERO = "ZERO"
    KEEP = "KEEP"


class DatePolicy(StrEnum):
    """What becomes of dates and times (PS3.15 E.3.6)."""

    REMOVE = "REMOVE"
    SHIFT = "SHIFT"
    """Dates move by one keyed number of days, the same in every trace of the engagement, and packet times with them."""
    KEEP = "KEEP"


class DamagePolicy(StrEnum):
    """What becomes of DICOM that cannot be read although every byte of it was captured."""

    FAIL = "FAIL"
    ZERO = "ZERO"
    """It becomes zero and is counted, as what a capture did not catch always is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomParameters:
    """What a DICOM de-identification was asked to do; the key is named, never held."""

    pixels: PixelPolicy = PixelPolicy.ZERO
    foreign: ForeignPolicy = ForeignPolicy.ZERO
    dates: DatePolicy = DatePolicy.REMOVE
    damage: DamagePolicy = DamagePolicy.FAIL
    retain_uids: bool = False
    retain_device: bool = False
    retain_patient_characteristics: bool = False
    clean_descriptors: bool = False
    """Keep descriptions, but only words of the standard's own vocabulary in them."""
    version: int = PARAMETERS_VERSION


def dicom_parameters_of(stored: dict[str, Any]) -> DicomParameters:
    """Read stored parameters."""
    return DicomParameters(
        pixels=PixelPolicy(stored["pixels"]),
        foreign=ForeignPolicy(stored["foreign"]),
        dates=DatePolicy(stored["dates"]),
        damage=DamagePolicy(stored["damage"]),
        retain_uids=stored["retain_uids"],
        retain_device=stored["retain_device"],
        retain_patient_characteristics=stored["retain_patient_characteristics"],
        clean_descriptors=stored["clean_descriptors"],
    )


class OverrideAction(StrEnum):
    """What a person decided about an element."""

    KEEP = "KEEP"
    REPLACE = "REPLACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomOverride:
    """A decision that goes before the table.

    `element` names either one proposal of a preview by its id (32 hexadecimal digits), or every element at a path:
    tags as eight hexadecimal digits, joined by dots from the outermost sequence on, such as 00400275.00400007.
    """

    element: str
    action: OverrideAction
    value: str | None = None
    """For REPLACE: at most as long as what it replaces, which it is padded to."""


class DicomAction(StrEnum):
    """What was done with the value of an element."""

    KEPT = "KEPT"
    REPLACED = "REPLACED"
    """By a keyed pseudonym."""
    DUMMY = "DUMMY"
    """By a value that says nothing, the same for everybody."""
    SHIFTED = "SHIFTED"
    MASKED = "MASKED"
    """Words that the standard does not use became x."""
    BLANKED = "BLANKED"
    """By spaces or zeros over its whole length: what stands in for removal."""
    ZEROED = "ZEROED"
    """Bulk data that became zero."""
    OVERRIDDEN = "OVERRIDDEN"
    EMPTY = "EMPTY"
    UNREADABLE = "UNREADABLE"
    """Part of it was not captured or made no sense; what is there became zero."""


class AssociationOutcome(StrEnum):
    """How the negotiation of an association ended."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    ABORTED = "ABORTED"
    UNANSWERED = "UNANSWERED"
    NOT_CAPTURED = "NOT_CAPTURED"
    """The capture begins after it."""
    ENCRYPTED = "ENCRYPTED"
    """TLS: not readable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationContext:
    """One presentation context, as proposed and as answered (PS3.8 §9.3.2.2, §9.3.3.2)."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    """As proposed."""
    accepted_syntax: str | None
    result: int | None
    """0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes; None: no answer seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomAssociation:
    """One association: a TCP connection that carries DICOM, or TLS that probably does."""

    number: int
    """From 1, in the order of their first packets."""
    client: str
    """Address of the side that asked for it; of the side that sent first where that was not captured."""
    client_port: int
    server: str
    server_port: int
    first_packet: int
    """From 1."""
    packets: int
    """TCP segments with payload, both ways."""
    outcome: AssociationOutcome
    calling_ae: str
    called_ae: str
    client_implementation_uid: str
    client_implementation_version: str
    server_implementation_uid: str
    server_implementation_version: str
    contexts: tuple[PresentationContext, ...]
    messages: dict[str, int]
    """DIMSE messages by kind, such as C-STORE-RQ."""
    data_sets: int
    bytes: int
    """Payload of both streams."""
    bytes_unreadable: int
    problems: tuple[str, ...]
    """Words of `DicomProblem`, each once."""


class DicomProblem(StrEnum):
    """What is unusual about an association."""

    STREAM_HOLE = "STREAM_HOLE"
    """Segments were not captured."""
    SEGMENT_CUT = "SEGMENT_CUT"
    """By the snap length."""
    CONFLICTING_OVERLAP = "CONFLICTING_OVERLAP"
    """Two copies of the same bytes differ; one of them counts for both."""
    NO_ASSOCIATION = "NO_ASSOCIATION"
    NO_BOUNDARY = "NO_BOUNDARY"
    """No PDU could be found from which to read on."""
    PDU_MALFORMED = "PDU_MALFORMED"
    MESSAGE_INCOMPLETE = "MESSAGE_INCOMPLETE"
    """The association or the capture ended before it, or what came before it is missing."""
    COMMAND_MALFORMED = "COMMAND_MALFORMED"
    DATA_SET_MALFORMED = "DATA_SET_MALFORMED"
    SYNTAX_INFERRED = "SYNTAX_INFERRED"
    SYNTAX_UNKNOWN = "SYNTAX_UNKNOWN"
    DEFLATE_UNREADABLE = "DEFLATE_UNREADABLE"
    DEFLATE_BLANKED = "DEFLATE_BLANKED"
    """Pseudonyms compress worse than what they replace: every value was blanked to fit."""
    VALUE_INVALID = "VALUE_INVALID"
    """A value that would have stayed is not what its VR and VM allow."""
    ENCRYPTED = "ENCRYPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomDevice:
    """What data sets say of the device at an address; of each field the first value first, the others behind it."""

    address: str
    ae_titles: tuple[str, ...]
    manufacturer: tuple[str, ...]
    model_name: tuple[str, ...]
    serial_number: tuple[str, ...]
    software_versions: tuple[str, ...]
    station_name: tuple[str, ...]
    transducer_data: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomProposal:
    """One row of a preview: the same value at the same place of an association, told once."""

    element: str
    """Names it in an override: 32 hexadecimal digits, keyed, the same in every preview of the engagement."""
    association: int
    """Number of the association."""
    path: str
    """Tags joined by dots, from the outermost sequence on."""
    tag: str
    """Eight hexadecimal digits; that of a field of an association PDU is empty."""
    keyword: str
    """As in PS3.6; CallingAETitle, CalledAETitle, UserIdentity for fields of association PDUs."""
    vr: str
    table_action: str
    """The code of Table E.1-1, such as X/Z/D; empty where the table has no row."""
    action: DicomAction
    original: str
    proposed: str
    length: int
    """Bytes, padding included."""
    fits: bool
    """Whether an override's value is short enough; True without one."""
    count: int
    """Elements that this row stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementCount:
    """Elements of one tag that met the same end."""

    tag: str
    """Eight hexadecimal digits; private tags count together as gggg xxxx: 0099xxxx."""
    keyword: str
    vr: str
    action: DicomAction
    elements: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelCount:
    """Pixel data of one modality."""

    modality: str
    """A CS value such as CT; empty where the data set has none, OTHER for what is no defined term."""
    burned_in: str
    """YES, NO, or empty where the data set does not say."""
    data_sets: int
    bytes: int
    kept: bool
    comments_cleared: int
    """APPn and COM segments of code streams that were cleared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRange:
    """Bytes of DICOM that became zero because they could not be read."""

    association: int
    problem: DicomProblem
    ranges: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomReport:
    """What a de-identification did, in counts; it holds no value of any data set."""

    edition: str
    associations: int
    encrypted: int
    """TLS connections that probably carry DICOM; their payload is zeroed or kept as foreign bytes."""
    messages: dict[str, int]
    data_sets: int
    elements: tuple[ElementCount, ...]
    pixels: tuple[PixelCount, ...]
    unreadable: tuple[UnreadableRange, ...]
    bytes_dicom: int
    """Payload of DICOM streams, retransmitted copies included."""
    bytes_foreign: int
    """Bytes that no transformation claims: zeroed, or kept by choice."""
    packets_rewritten: int
    checksums_left: int
    """Checksums left to a network card, which hold no digest of the payload and were left alone."""
    overrides_used: int
    overrides_unused: int
    does_not_claim: tuple[str, ...]
    """What nobody should read into this report."""


DOES_NOT_CLAIM = (
    "No conformance to PS3.15: attributes are blanked, not removed, since lengths stay.",
    "No readable TLS: encrypted associations are reported, not read.",
    "No clean pixels where they are kept: faces and burned-in text stay.",
    "No hidden lengths: names, identifiers and texts keep theirs.",
)
