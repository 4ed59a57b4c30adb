"""Verification: the proof that lies with an output."""

from typing import Self

import strawberry

from gql_server.api.dicom_verification import DicomVerification
from gql_server.api.enums import LeakForm, LeakPlace, VerificationReason, VerificationStatus
from gql_server.api.scalars import SafeInt
from gql_server.domain import verification


@strawberry.type(description="Every byte of the file, counted in one class; the classes sum to the size.")
class ByteLedger:
    """A ledger."""

    size_bytes: SafeInt = strawberry.field(description="The size of the file.")
    structural: SafeInt = strawberry.field(description="Headers without addresses, the same as in the original.")
    rewritten: SafeInt = strawberry.field(description="Address fields, and the checksums that follow them.")
    zeroed: SafeInt = strawberry.field(description="Bytes that are zero: not understood, cut, or by payload policy.")
    opaque: SafeInt = strawberry.field(description="Payload kept as it was.")
    kept_by_rule: SafeInt = strawberry.field(description="Address fields that a rule or their class keeps.")
    unknown: SafeInt = strawberry.field(description="Kept bytes that cannot be accounted for; 0, or UNVERIFIABLE.")

    @classmethod
    def of(cls, ledger: verification.ByteLedger) -> Self:
        """Show a ledger."""
        return cls(
            size_bytes=SafeInt(ledger.size_bytes),
            structural=SafeInt(ledger.structural),
            rewritten=SafeInt(ledger.rewritten),
            zeroed=SafeInt(ledger.zeroed),
            opaque=SafeInt(ledger.opaque),
            kept_by_rule=SafeInt(ledger.kept_by_rule),
            unknown=SafeInt(ledger.unknown),
        )


@strawberry.type(description="Places where the bytes of an original address stand, of one kind, form and place.")
class LeakFinding:
    """A finding."""

    kind: str = strawberry.field(description="IPV4, IPV6 or MAC.")
    form: LeakForm = strawberry.field(description="The form in which it was found.")
    place: LeakPlace = strawberry.field(description="Where, which explains it.")
    hits: SafeInt = strawberry.field(description="How often.")
    first_packet: SafeInt = strawberry.field(description="The first packet it is in, from 1; 0 outside packets.")
    first_offset: SafeInt = strawberry.field(description="Where in the file the first one begins.")

    @classmethod
    def of(cls, finding: verification.LeakFinding) -> Self:
        """Show a finding."""
        return cls(
            kind=finding.kind,
            form=finding.form,
            place=finding.place,
            hits=SafeInt(finding.hits),
            first_packet=SafeInt(finding.first_packet),
            first_offset=SafeInt(finding.first_offset),
        )


@strawberry.type(description="The search for every original address over the whole file.")
class LeakScan:
    """A scan."""

    addresses_ipv4: SafeInt = strawberry.field(description="Distinct IPv4 originals that were searched for.")
    addresses_ipv6: SafeInt = strawberry.field(description="Distinct IPv6 originals.")
    addresses_mac: SafeInt = strawberry.field(description="Distinct MAC originals.")
    bytes_scanned: SafeInt = strawberry.field(description="The bytes that were searched.")
    findings: list[LeakFinding] = strawberry.field(description="What was found, and why it is none or one that stays.")

    @classmethod
    def of(cls, scan: verification.LeakScan) -> Self:
        """Show a scan."""
        return cls(
            addresses_ipv4=SafeInt(scan.addresses_ipv4),
            addresses_ipv6=SafeInt(scan.addresses_ipv6),
            addresses_mac=SafeInt(scan.addresses_mac),
            bytes_scanned=SafeInt(scan.bytes_scanned),
            findings=[LeakFinding.of(finding) for finding in scan.findings],
        )


@strawberry.type(description="What must not change, packet by packet.")
class NonInterference:
    """The counts."""

    packets: SafeInt = strawberry.field(description="Packets that were compared.")
    bytes_changed: SafeInt = strawberry.field(description="Bytes that changed outside the declared places.")
    lengths_changed: SafeInt = strawberry.field(description="Packets whose lengths changed without a policy's asking.")
    times_changed: SafeInt = strawberry.field(description="Packets whose time changed.")
    checksums_good: SafeInt = strawberry.field(description="Checksums that are right in the original.")
    checksums_bad: SafeInt = strawberry.field(description="Checksums that are wrong there; they must stay wrong.")
    checksums_absent: SafeInt = strawberry.field(description="Not there, cut off, or left to the network card.")
    checksum_states_changed: SafeInt = strawberry.field(description="Checksums that are in another state now.")

    @classmethod
    def of(cls, counts: verification.NonInterference) -> Self:
        """Show the counts."""
        return cls(
            packets=SafeInt(counts.packets),
            bytes_changed=SafeInt(counts.bytes_changed),
            lengths_changed=SafeInt(counts.lengths_changed),
            times_changed=SafeInt(counts.times_changed),
            checksums_good=SafeInt(counts.checksums_good),
            checksums_bad=SafeInt(counts.checksums_bad),
            checksums_absent=SafeInt(counts.checksums_absent),
            checksum_states_changed=SafeInt(counts.checksum_states_changed),
        )


@strawberry.type(description="What a second reader, which shares no code with the rewriter, says of an output.")
class Verification:
    """A verification."""

    status: VerificationStatus = strawberry.field(description="What it concludes.")
    reasons: list[VerificationReason] = strawberry.field(description="Why it is not simply VERIFIED.")
    ledger: ByteLedger = strawberry.field(description="Every byte accounted for.")
    scan: LeakScan = strawberry.field(description="The search for originals.")
    interference: NonInterference = strawberry.field(description="What must not change.")
    dicom: DicomVerification | None = strawberry.field(
        description="What was found of its DICOM; null where addresses alone were transformed."
    )

    @classmethod
    def of(cls, found: verification.Verification) -> Self:
        """Show a verification."""
        return cls(
            status=found.status,
            reasons=list(found.reasons),
            ledger=ByteLedger.of(found.ledger),
            scan=LeakScan.of(found.scan),
            interference=NonInterference.of(found.interference),
            dicom=None if found.dicom is None else DicomVerification.of(found.dicom),
        )
