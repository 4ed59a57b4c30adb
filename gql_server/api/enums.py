"""Enums: the closed sets of the domain, described.

The rest of the api takes them from here: strawberry must know them before the first type that uses them.
"""

import re
from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from gql_server.domain.access import Role
from gql_server.domain.anonymization import AddressMapping, MacMapping, NamePolicy, NicPolicy, PayloadPolicy
from gql_server.domain.dicom import (
    AssociationOutcome,
    DamagePolicy,
    DatePolicy,
    DicomAction,
    DicomProblem,
    ForeignPolicy,
    OverrideAction,
    PixelPolicy,
)
from gql_server.domain.dicom_verification import SecretForm, SecretKind, SecretPlace
from gql_server.domain.error_codes import ErrorCode
from gql_server.domain.error_tree import error_classes
from gql_server.domain.events import EventKind
from gql_server.domain.flows import FlowState, FlowType
from gql_server.domain.inspection import InspectionOrder, ProtocolBasis
from gql_server.domain.jobs import ExecutionState, JobKind, JobState
from gql_server.domain.lineage import Direction, EdgeKind
from gql_server.domain.rules import RuleAction
from gql_server.domain.traces import CaptureFormat, TraceOrigin
from gql_server.domain.uploads import UploadState
from gql_server.domain.verification import LeakForm, LeakPlace, VerificationReason, VerificationStatus


def _sentences() -> dict[str, str]:
    # A message's facts, such as {noun}, stand there by their names.
    sentences = {
        code.name: re.sub(r"\{(\w+)\}", r"<\1>", error.__doc__ or "") for code, error in error_classes().items()
    }
    return sentences | {
        "SETUP": "The server is not set up; never seen by a client.",
        "INTERNAL": "The server could not do it; the log knows more under the id that came with the error.",
    }


DESCRIPTIONS: dict[type[Enum], dict[str, str]] = {
    ErrorCode: _sentences(),
    Role: {
        "ADMIN": "May do everything inside the client.",
        "ANALYST": "May upload, transform, preview and delete.",
        "VIEWER": "May look and download, and is shown no preview.",
    },
    AddressMapping: {
        "IPCRYPT_PFX": "ipcrypt-pfx: keyed and prefix-preserving, so subnets stay visible.",
        "CRYPTO_PAN": "Crypto-PAn: prefix-preserving, to compare with older tools; leaves one IPv4 address in 15,000.",
        "PERMUTATION": "Keyed, and no prefix survives: FF1 for IPv4, ipcrypt-deterministic for IPv6.",
        "EXPLICIT": "Only what a rule names is mapped; every other ordinary address becomes zero.",
    },
    MacMapping: {
        "PERMUTATION": "A keyed permutation of all bits but the group and the local bit.",
        "KEEP_OUI": "The first three octets stay, so vendors stay visible; the others are permuted.",
    },
    PayloadPolicy: {
        "KEEP": "It stays, but for addresses in DNS and DHCP; the new trace is then PARTIAL.",
        "ZERO": "It becomes zero; lengths stay.",
        "TRUNCATE": "Packets end behind the transport header; the lengths on the wire stay.",
    },
    NamePolicy: {
        "KEEP": "They stay.",
        "MASK": "Letters and digits become x; lengths stay.",
    },
    NicPolicy: {
        "KEEP": "They stay.",
        "MAP": "They become a keyed permutation of themselves.",
    },
    PixelPolicy: {
        "ZERO": "They become zero.",
        "KEEP": "They stay, but for comments inside code streams: faces and burned-in text stay too.",
    },
    ForeignPolicy: {
        "ZERO": "They become zero; lengths stay.",
        "KEEP": "They stay as they are, with whatever stands in them.",
    },
    DatePolicy: {
        "REMOVE": "They are blanked, or become a date that says nothing where one is required.",
        "SHIFT": "They move by one keyed number of days, the same in the whole engagement, and packet times with them.",
        "KEEP": "They stay.",
    },
    DamagePolicy: {
        "FAIL": "The job fails with DICOM_UNDECODABLE.",
        "ZERO": "It becomes zero and is counted, as what a capture did not catch always is.",
    },
    OverrideAction: {
        "KEEP": "The value stays as it is.",
        "REPLACE": "The value becomes that of the override, padded to its length.",
    },
    DicomAction: {
        "KEPT": "It stays.",
        "REPLACED": "It becomes a keyed pseudonym.",
        "DUMMY": "It becomes a value that says nothing, the same for everybody.",
        "SHIFTED": "It moves by the keyed number of days.",
        "MASKED": "Words that the standard does not use become x.",
        "BLANKED": "It becomes spaces or zeros over its whole length, which stands in for removal.",
        "ZEROED": "Bulk data becomes zero.",
        "OVERRIDDEN": "An override decides.",
        "EMPTY": "It has no value.",
        "UNREADABLE": "Part of it was not captured or makes no sense; what is there becomes zero.",
    },
    AssociationOutcome: {
        "ACCEPTED": "The server accepted it.",
        "REJECTED": "The server rejected it.",
        "ABORTED": "A side gave it up before it was answered.",
        "UNANSWERED": "The capture holds no answer.",
        "NOT_CAPTURED": "The capture begins after its negotiation.",
        "ENCRYPTED": "TLS that probably carries DICOM; it cannot be read.",
    },
    DicomProblem: {
        "STREAM_HOLE": "Segments were not captured.",
        "SEGMENT_CUT": "Segments were cut by the snap length.",
        "CONFLICTING_OVERLAP": "Two copies of the same bytes differ; one of them counts for both.",
        "NO_ASSOCIATION": "The negotiation was not captured.",
        "NO_BOUNDARY": "No PDU could be found from which to read on.",
        "PDU_MALFORMED": "A PDU makes no sense.",
        "COMMAND_MALFORMED": "A command set makes no sense.",
        "DATA_SET_MALFORMED": "A data set makes no sense.",
        "MESSAGE_INCOMPLETE": "The association or the capture ended before it, or what came before it is missing.",
        "SYNTAX_INFERRED": "The transfer syntax was told by the data set itself.",
        "SYNTAX_UNKNOWN": "The transfer syntax is not known.",
        "DEFLATE_UNREADABLE": "A deflated data set cannot be unpacked.",
        "DEFLATE_BLANKED": "Every value of a deflated data set was blanked so that it fits.",
        "VALUE_INVALID": "A value that would have stayed is not what its VR and VM allow.",
        "ENCRYPTED": "TLS: not readable.",
    },
    RuleAction: {
        "TRANSLATE": "Send each address to the one at the same offset in the target.",
        "KEEP": "Leave them as they are; the new trace is then PARTIAL.",
        "MAP": "Map them as if no rule were there: an exception inside another rule's source.",
        "ZERO": "Replace them by the address 0.",
    },
    EventKind: {
        "JOB_SUBMITTED": "A job was accepted.",
        "JOB_STARTED": "An attempt began.",
        "JOB_PROGRESSED": "An attempt has come further.",
        "JOB_RETRIED": "An attempt died; the job waits for the next one.",
        "JOB_CANCEL_REQUESTED": "Someone asked for the job to stop.",
        "JOB_COMPLETED": "The job is done and its output, or what it listed, can be read.",
        "JOB_FAILED": "The job failed for good.",
        "JOB_CANCELLED": "The job was cancelled; it has no output.",
    },
    FlowType: {
        "DISCOVERY": "Finding out what is there.",
        "ASSESSMENT": "Judging what was found.",
        "PLANNING": "Planning a change.",
        "EXECUTION": "Carrying a change out.",
        "MODERNIZE": "Renewing what is old.",
        "FINOPS": "Looking at costs.",
        "OBSERVABILITY": "Watching what runs.",
        "DECOMMISSION": "Taking something out of service.",
    },
    FlowState: {
        "PENDING": "Not begun.",
        "ACTIVE": "Open for work.",
        "IN_PROGRESS": "Being worked on.",
        "COMPLETED": "Done.",
        "PAUSED": "Set aside.",
        "FAILED": "Given up after a failure; may be made active again.",
        "CANCELLED": "Called off.",
    },
    JobKind: {
        "INGEST": "Looks at an upload and makes a trace of it.",
        "ADDRESS_ANONYMIZATION": "Makes a trace in which every address is replaced.",
        "MAC_TRANSFORMATION": "Makes a trace in which some devices have other vendors.",
        "DICOM_EXTRACTION": "Lists the DICOM associations and devices of a trace; it makes no other trace.",
        "DICOM_DEIDENTIFICATION": "Makes a trace in which DICOM is de-identified.",
        "DEIDENTIFICATION": "Makes a trace in which addresses are replaced and DICOM is de-identified.",
    },
    JobState: {
        "PENDING": "Waiting for a worker.",
        "RUNNING": "A worker is at it.",
        "CANCELLING": "Asked to stop; the worker is stopping.",
        "COMPLETED": "Done; the output trace, or what was listed, can be read.",
        "FAILED": "Failed for good; `error` says why.",
        "CANCELLED": "Stopped on request; there is no output.",
    },
    ExecutionState: {
        "RUNNING": "Under way.",
        "COMPLETED": "Done.",
        "FAILED": "Failed; `error` says why.",
        "CANCELLED": "Stopped on request.",
        "ABANDONED": "Its worker died or lost the job; another execution took over.",
    },
    Direction: {
        "ANCESTORS": "Towards what it was made from.",
        "DESCENDANTS": "Towards what was made from it.",
        "BOTH": "Both ways.",
    },
    EdgeKind: {
        "USED": "The source, an execution, used the target.",
        "GENERATED": "The source, an execution, generated the target, a trace.",
        "DERIVED_FROM": "The source, a trace, was derived from the target, a trace.",
    },
    InspectionOrder: {"BYTES": "The most bytes on the wire.", "PACKETS": "The most packets."},
    ProtocolBasis: {
        "HEADER": "A field of the header around it.",
        "PORT": "Its port alone, which proves nothing about what is spoken there.",
    },
    CaptureFormat: {"PCAP": "libpcap's file format.", "PCAPNG": "The format that followed it."},
    TraceOrigin: {
        "UPLOADED": "Someone uploaded it.",
        "ADDRESS_ANONYMIZED": "It is another trace with its addresses replaced.",
        "MAC_TRANSFORMED": "It is another trace in which some devices have other vendors.",
        "DICOM_DEIDENTIFIED": "It is another trace with its DICOM de-identified.",
        "DEIDENTIFIED": "It is another trace with its addresses replaced and its DICOM de-identified.",
    },
    VerificationStatus: {
        "VERIFIED": "Every byte is accounted for, and no original address is left.",
        "PARTIAL": "As VERIFIED, but for what a choice or the KEEP default left as it was.",
        "UNVERIFIABLE": "Bytes stayed that cannot be accounted for; nothing wrong was found.",
        "FAILED": "Something is wrong; such an output is never published.",
    },
    VerificationReason: {
        "PAYLOAD_KEPT": "Payload was kept; original addresses found in it are counted in the findings.",
        "ADDRESSES_KEPT_BY_RULE": "A rule keeps addresses as they were.",
        "FIXED_POINT": "The keyed map left addresses as they were: one in 2**32 of IPv4, in 15,000 with CRYPTO_PAN.",
        "BYTES_UNKNOWN": "Kept bytes cannot be accounted for.",
        "ADDRESS_LEAKED": "An original address is left.",
        "BYTES_CHANGED": "Bytes changed that hold no address.",
        "PACKETS_DIFFER": "Number, lengths, times or order of packets changed.",
        "CHECKSUM_STATE_CHANGED": "A right checksum became wrong, or a wrong one right.",
        "MAP_INCONSISTENT": "One original has two pseudonyms.",
        "MAP_NOT_INJECTIVE": "Two originals share a pseudonym.",
        "PREFIX_BROKEN": "Two addresses share more or fewer first bits than their originals.",
        "CLASS_CHANGED": "An address left its special class, or entered one.",
        "RULE_BROKEN": "An address is not what its rule says.",
        "PAYLOAD_LEFT": "Payload stayed that the policy removes.",
        "NAMES_LEFT": "Names stayed that the policy masks.",
        "TOO_MANY_ADDRESSES": "More distinct addresses than the second reader can hold.",
        "METADATA_KEPT": "A block or option stayed that can hold names, secrets or hashes.",
        "VALUE_KEPT": "The value of a DICOM element stayed that may not.",
        "VALUE_ALTERED": "A DICOM value became another that must stay or be blank.",
        "STRUCTURE_CHANGED": "PDUs, elements or items are not where they were, or say another length.",
        "UNDECODABLE_LEFT": "Bytes of DICOM stayed that cannot be read.",
        "COPY_DIFFERS": "A retransmitted copy is not what its first one became.",
        "PIXELS_LEFT": "Pixel data stayed that should have become zero.",
        "PIXELS_KEPT": "Pixel data stayed by choice.",
        "DATES_INCONSISTENT": "Dates are not what the policy says, or moved by different numbers of days.",
        "SECRET_LEAKED": "An original value of a data set stands where nothing explains it.",
        "TOO_MANY_VALUES": "More distinct values or hits than the second reader can hold.",
        "OUTPUT_MALFORMED": "The output is no sound capture.",
        "ORIGINAL_MALFORMED": "The original is no sound capture.",
    },
    LeakForm: {
        "BINARY": "As in a header.",
        "REVERSED": "From the last byte to the first.",
        "TEXT": "As people write it, zero-padded too.",
        "HEX": "In hexadecimal digits.",
        "EUI64": "A MAC address inside an interface id.",
    },
    LeakPlace: {
        "ADDRESS_FIELD": "It is the pseudonym of another address.",
        "KEPT_BY_RULE": "A rule or its class keeps it.",
        "STRUCTURAL": "Fields that hold no address and did not change: chance.",
        "PAYLOAD": "Payload kept by choice.",
        "UNEXPLAINED": "Nothing explains it: the output is refused.",
    },
    SecretKind: {
        "NAME": "A name.",
        "IDENTIFIER": "An identifier.",
        "TEXT": "Text: listed, private or unlisted.",
        "UID": "A UID.",
        "AE_TITLE": "An AE title.",
        "CREDENTIAL": "The user name or passcode of an association.",
        "DATE": "A date.",
    },
    SecretForm: {
        "BYTES": "As in the data set, or in UTF-8, Latin-1 or UTF-16.",
        "PERCENT": "Percent-encoded.",
        "BASE64": "In base64.",
        "COMPRESSED": "In a member of gzip, zlib or ZIP, or in a deflated data set.",
    },
    SecretPlace: {
        "VALUE_KEPT": "A value that may stay.",
        "VALUE_REPLACED": "The pseudonym of another value, or the vocabulary of a masked text: chance.",
        "STRUCTURAL": "Across headers and numbers: chance.",
        "UNEXPLAINED": "Nothing explains it: the output is refused.",
    },
    UploadState: {
        "RECEIVING": "Bytes may be sent.",
        "FINISHING": "All bytes are here; a job is looking at them.",
        "FINISHED": "It became a trace.",
        "REFUSED": "It is no capture that can be taken; `error` says why.",
        "ABORTED": "Given up on request.",
        "EXPIRED": "Given up because it was left alone for too long.",
    },
}
"""A sentence for each value."""


def describe_enums() -> None:
    """Give the domain's enums to the schema.

    Raises:
        ValueError: a value has no sentence, or a sentence has no value.
    """
    for enum, sentences in DESCRIPTIONS.items():
        if set(sentences) != set(enum.__members__):
            raise ValueError(enum.__name__)
        strawberry.enum(enum, description=enum.__doc__)
        definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # just set
        for value in definition.values:
            value.description = sentences[value.name]


describe_enums()

__all__ = [
    "AddressMapping",
    "AssociationOutcome",
    "CaptureFormat",
    "DamagePolicy",
    "DatePolicy",
    "DicomAction",
    "DicomProblem",
    "Direction",
    "EdgeKind",
    "ErrorCode",
    "EventKind",
    "ExecutionState",
    "FlowState",
    "FlowType",
    "ForeignPolicy",
    "InspectionOrder",
    "JobKind",
    "JobState",
    "LeakForm",
    "LeakPlace",
    "MacMapping",
    "NamePolicy",
    "NicPolicy",
    "OverrideAction",
    "PayloadPolicy",
    "PixelPolicy",
    "ProtocolBasis",
    "Role",
    "RuleAction",
    "SecretForm",
    "SecretKind",
    "SecretPlace",
    "TraceOrigin",
    "UploadState",
    "VerificationReason",
    "VerificationStatus",
]
