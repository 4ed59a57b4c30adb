"""Verification: what the second reader says of an output.

It holds counts, places and classes, never an address or a byte of the capture.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gql_server.domain.dicom_verification import DicomVerification, dicom_verification_of


class VerificationStatus(StrEnum):
    """What the second reader concludes."""

    VERIFIED = "VERIFIED"
    """Every byte is accounted for, and no original address is left."""
    PARTIAL = "PARTIAL"
    """As VERIFIED, but for bytes that an explicit choice or the KEEP default left as they were."""
    UNVERIFIABLE = "UNVERIFIABLE"
    """Bytes stayed that the second reader cannot account for; nothing wrong was found."""
    FAILED = "FAILED"
    """Something is wrong; such an output is never published."""


class AddressExpectation(StrEnum):
    """What should have become of IP addresses."""

    MAPPED = "MAPPED"
    """Each has a pseudonym, but for those that a rule keeps or zeroes."""
    PREFIX_PRESERVED = "PREFIX_PRESERVED"
    """As MAPPED, and two that share their first bits share as many afterwards."""
    CRYPTO_PAN = "CRYPTO_PAN"
    """As PREFIX_PRESERVED, by a map that leaves one IPv4 address in 15,000 where it is, often with its neighbours."""
    EXPLICIT = "EXPLICIT"
    """Only those that a rule names have one; the others are zero."""
    KEPT = "KEPT"
    """They stay; interface ids made from MAC addresses follow these."""


class MacExpectation(StrEnum):
    """What should have become of MAC addresses."""

    MAPPED = "MAPPED"
    OUI_KEPT = "OUI_KEPT"
    """As MAPPED, but the first three octets stay."""
    NAMED = "NAMED"
    """Only those that a rule names have another, with the rule's first three octets."""


class VerificationReason(StrEnum):
    """Why an output is not simply VERIFIED."""

    PAYLOAD_KEPT = "PAYLOAD_KEPT"
    ADDRESSES_KEPT_BY_RULE = "ADDRESSES_KEPT_BY_RULE"
    FIXED_POINT = "FIXED_POINT"
    """The keyed map left addresses where they were: one in 2**32 of IPv4, one in 15,000 with Crypto-PAn."""
    BYTES_UNKNOWN = "BYTES_UNKNOWN"
    ADDRESS_LEAKED = "ADDRESS_LEAKED"
    BYTES_CHANGED = "BYTES_CHANGED"
    """Bytes outside the declared places changed."""
    PACKETS_DIFFER = "PACKETS_DIFFER"
    """Number, lengths, times or order of packets changed."""
    CHECKSUM_STATE_CHANGED = "CHECKSUM_STATE_CHANGED"
    MAP_INCONSISTENT = "MAP_INCONSISTENT"
    """One original has two pseudonyms."""
    MAP_NOT_INJECTIVE = "MAP_NOT_INJECTIVE"
    """Two originals share a pseudonym."""
    PREFIX_BROKEN = "PREFIX_BROKEN"
    """Two addresses share more or fewer first bits than their originals, under a map that preserves prefixes."""
    CLASS_CHANGED = "CLASS_CHANGED"
    """An address left its special class, or entered one."""
    RULE_BROKEN = "RULE_BROKEN"
    """An address is not what its rule says."""
    PAYLOAD_LEFT = "PAYLOAD_LEFT"
    """Payload stayed that the policy removes."""
    NAMES_LEFT = "NAMES_LEFT"
    """Names stayed that the policy masks."""
    TOO_MANY_ADDRESSES = "TOO_MANY_ADDRESSES"
    """More distinct addresses than the second reader can hold."""
    METADATA_KEPT = "METADATA_KEPT"
    """A block or option stayed that can hold names, secrets or hashes."""
    VALUE_KEPT = "VALUE_KEPT"
    """The value of a DICOM element stayed that may not."""
    VALUE_ALTERED = "VALUE_ALTERED"
    """A DICOM value became another that must stay or be blank."""
    STRUCTURE_CHANGED = "STRUCTURE_CHANGED"
    """PDUs, elements or items are not where they were, or say another length."""
    UNDECODABLE_LEFT = "UNDECODABLE_LEFT"
    """Bytes of DICOM stayed that cannot be read."""
    COPY_DIFFERS = "COPY_DIFFERS"
    """A retransmitted copy is not what its first one became."""
    PIXELS_LEFT = "PIXELS_LEFT"
    """Pixel data stayed that should have become zero."""
    PIXELS_KEPT = "PIXELS_KEPT"
    """Pixel data stayed by choice."""
    DATES_INCONSISTENT = "DATES_INCONSISTENT"
    """Dates became others than the policy says, or moved by different numbers of days."""
    SECRET_LEAKED = "SECRET_LEAKED"  # noqa: S105  # a reason
    """An original value of a data set stands in the output where nothing explains it."""
    TOO_MANY_VALUES = "TOO_MANY_VALUES"
    """More distinct values or hits than the second reader can hold."""
    OUTPUT_MALFORMED = "OUTPUT_MALFORMED"
    ORIGINAL_MALFORMED = "ORIGINAL_MALFORMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteLedger:
    """Every byte of the output file, counted once: the classes sum to the file's size."""

    size_bytes: int
    structural: int
    """File, block and protocol headers without addresses, the same in both files."""
    rewritten: int
    """Address fields, values of DICOM, and checksums that follow them."""
    zeroed: int
    """Bytes made zero: not understood, cut, or by policy."""
    opaque: int
    """Payload and pixel data kept as they were, not examined beyond the leak scan."""
    kept_by_rule: int
    """Address fields that a rule or their special class keeps as they were, and DICOM values that may stay."""
    unknown: int
    """Kept bytes that the second reader cannot account for."""


class LeakForm(StrEnum):
    """The form in which an original address was found."""

    BINARY = "BINARY"
    REVERSED = "REVERSED"
    """The bytes from last to first."""
    TEXT = "TEXT"
    """Dotted decimal, colons or hyphens, as people write it; zero-padded too."""
    HEX = "HEX"
    EUI64 = "EUI64"
    """A MAC address inside an interface id."""


class LeakPlace(StrEnum):
    """Where it was found, which is what explains it."""

    ADDRESS_FIELD = "ADDRESS_FIELD"
    """The pseudonym of another address; four bytes may also meet by chance where fields that changed meet."""
    KEPT_BY_RULE = "KEPT_BY_RULE"
    """In its own field, or in that of an address that a rule keeps."""
    STRUCTURAL = "STRUCTURAL"
    """In or across fields that hold no address and did not change: chance."""
    PAYLOAD = "PAYLOAD"
    """In payload kept by choice: a leak that the choice allows."""
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """Hits of one kind, form and place."""

    kind: str
    """IPV4, IPV6 or MAC."""
    form: LeakForm
    place: LeakPlace
    hits: int
    first_packet: int
    """Number of the packet with the first hit, from 1; 0 outside packets."""
    first_offset: int
    """Where in the output file the first hit begins, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakScan:
    """The search for every original address over the whole output."""

    addresses_ipv4: int
    """Distinct originals that were searched for."""
    addresses_ipv6: int
    addresses_mac: int
    bytes_scanned: int
    findings: tuple[LeakFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInterference:
    """What must not have changed, packet by packet."""

    packets: int
    bytes_changed: int
    """Bytes that changed outside the declared places."""
    lengths_changed: int
    """Packets with another captured or original length, where no policy asked for it."""
    times_changed: int
    checksums_good: int
    """Checksums that can be computed and are right, in the input."""
    checksums_bad: int
    checksums_absent: int
    """Not there, cut off, or left to the network card."""
    checksum_states_changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the second reader found."""

    status: VerificationStatus
    reasons: tuple[VerificationReason, ...]
    ledger: ByteLedger
    scan: LeakScan
    interference: NonInterference
    dicom: DicomVerification | None = None
    """None where addresses alone were transformed."""


def verification_of(body: dict[str, Any]) -> Verification:
    """Read a verification back from its JSON.

    Raises:
        KeyError: a field is missing.
        TypeError: there are other fields.
        ValueError: a word is none of its enum.
    """
    scan = body["scan"]
    findings = tuple(
        LeakFinding(**{**one, "form": LeakForm(one["form"]), "place": LeakPlace(one["place"])})
        for one in scan["findings"]
    )
    return Verification(
        status=VerificationStatus(body["status"]),
        reasons=tuple(VerificationReason(reason) for reason in body["reasons"]),
        ledger=ByteLedger(**body["ledger"]),
        scan=LeakScan(**{**scan, "findings": findings}),
        interference=NonInterference(**body["interference"]),
        # Verifications of older outputs say nothing of DICOM.
        dicom=None if body.get("dicom") is None else dicom_verification_of(body["dicom"]),
    )
