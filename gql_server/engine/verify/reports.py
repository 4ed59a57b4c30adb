"""The second reader's report, from what it counted."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.dicom_verification import DicomVerification
from gql_server.domain.verification import (
    ByteLedger,
    LeakFinding,
    LeakForm,
    LeakPlace,
    LeakScan,
    NonInterference,
    Verification,
    VerificationReason,
    VerificationStatus,
)
from gql_server.engine.verify import classes, layout
from gql_server.engine.verify.conclusions import Conclusions, Expected
from gql_server.engine.verify.files import CaptureReader
from gql_server.engine.verify.framing import HEADERS, METADATA
from gql_server.engine.verify.hits import BINARY, EUI64, FORMS, HEX, REVERSED, TEXT
from gql_server.engine.verify.scanning import (
    ADDRESS_FIELD,
    FINDING_COLUMNS,
    KEPT_BY_RULE,
    PAYLOAD,
    PLACES,
    STRUCTURAL,
    UNEXPLAINED,
)
from gql_server.engine.verify.tables import Tables

if TYPE_CHECKING:
    from gql_server.engine.verify.dicom_proving import DicomEvidence

_KINDS: Final = {classes.IPV4: "IPV4", classes.IPV6: "IPV6", classes.MAC: "MAC"}
_FORMS: Final = {
    BINARY: LeakForm.BINARY,
    REVERSED: LeakForm.REVERSED,
    TEXT: LeakForm.TEXT,
    HEX: LeakForm.HEX,
    EUI64: LeakForm.EUI64,
}
_PLACES: Final = {
    ADDRESS_FIELD: LeakPlace.ADDRESS_FIELD,
    KEPT_BY_RULE: LeakPlace.KEPT_BY_RULE,
    STRUCTURAL: LeakPlace.STRUCTURAL,
    PAYLOAD: LeakPlace.PAYLOAD,
    UNEXPLAINED: LeakPlace.UNEXPLAINED,
}
_SAME_FIELDS: Final = (
    (classes.IPV4, layout.SAME_IPV4),
    (classes.IPV6, layout.SAME_IPV6),
    (classes.MAC, layout.SAME_MAC),
)
_COUNTED: Final = (
    (layout.INCONSISTENT, VerificationReason.MAP_INCONSISTENT),
    (layout.PAYLOAD_LEFT, VerificationReason.PAYLOAD_LEFT),
    (layout.NAMES_LEFT, VerificationReason.NAMES_LEFT),
    (layout.LENGTHS, VerificationReason.PACKETS_DIFFER),
    (layout.TIMES, VerificationReason.PACKETS_DIFFER),
    (layout.INTERFACES, VerificationReason.PACKETS_DIFFER),
    (layout.SUMS_CHANGED, VerificationReason.CHECKSUM_STATE_CHANGED),
    (layout.OVERFLOW, VerificationReason.TOO_MANY_ADDRESSES),
    (layout.OPAQUE, VerificationReason.PAYLOAD_KEPT),
)
_PARTIAL: Final = {
    VerificationReason.PAYLOAD_KEPT,
    VerificationReason.ADDRESSES_KEPT_BY_RULE,
    VerificationReason.PIXELS_KEPT,
}
_UNVERIFIABLE: Final = {
    VerificationReason.BYTES_UNKNOWN,
    VerificationReason.TOO_MANY_ADDRESSES,
    VerificationReason.TOO_MANY_VALUES,
}
_HARMLESS: Final = _PARTIAL | _UNVERIFIABLE | {VerificationReason.FIXED_POINT}


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What both readings found."""

    reasons: set[VerificationReason]
    tables: Tables
    original: CaptureReader
    output: CaptureReader
    packets: int
    counts: npt.NDArray[np.int64]
    """Originals that were searched for, by kind."""
    findings: npt.NDArray[np.int64]
    scanned: int = 0
    is_searched: bool = True
    """False when a window held more hits than can be explained."""


def report(evidence: Evidence, expected: Expected, dicom: "DicomEvidence | None" = None) -> Verification:
    """Conclude."""
    s = evidence.tables.state
    conclusions = Conclusions(expected)
    conclusions.judge(classes.IPV4, partial(evidence.tables.narrow_pairs, layout.KEY_IPV4))
    conclusions.judge(classes.IPV6, evidence.tables.wide_pairs)
    conclusions.judge(classes.MAC, partial(evidence.tables.narrow_pairs, layout.KEY_MAC))
    reasons = evidence.reasons | conclusions.reasons
    reasons |= {reason for counter, reason in _COUNTED if s[counter]}
    changed = int(s[layout.CHANGED]) + _descriptions_changed(evidence)
    ledger = _ledger(evidence, dicom)
    scan = _scan(evidence, reasons)
    if changed:
        reasons.add(VerificationReason.BYTES_CHANGED)
    if evidence.output.framing[METADATA]:
        reasons.add(VerificationReason.METADATA_KEPT)
    if any(finding.place is LeakPlace.UNEXPLAINED for finding in scan.findings):
        reasons.add(VerificationReason.ADDRESS_LEAKED)
    if not evidence.is_searched:
        reasons.add(VerificationReason.TOO_MANY_ADDRESSES)
    if ledger.unknown:
        reasons.add(VerificationReason.BYTES_UNKNOWN)
    return Verification(
        status=_status(reasons),
        # The gravest first: a caller that tells one reason tells why.
        reasons=tuple(sorted(filter(reasons.__contains__, VerificationReason), key=_HARMLESS.__contains__)),
        ledger=ledger,
        scan=scan,
        interference=_interference(evidence, changed),
        dicom=_dicom_part(dicom) if dicom else None,
    )


def _dicom_part(dicom: "DicomEvidence") -> DicomVerification:
    # See `verifying`: what reads DICOM is loaded by those who need it.
    from gql_server.engine.verify.dicom_reports import report_dicom  # noqa: PLC0415  # see above

    return report_dicom(dicom)


def _status(reasons: set[VerificationReason]) -> VerificationStatus:
    if reasons - _HARMLESS:
        return VerificationStatus.FAILED
    if reasons & _UNVERIFIABLE:
        return VerificationStatus.UNVERIFIABLE
    return VerificationStatus.PARTIAL if reasons & _PARTIAL else VerificationStatus.VERIFIED


def _descriptions_changed(evidence: Evidence) -> int:
    """Count sections, interfaces and file headers that are not what they were."""
    before, after = evidence.original.descriptions, evidence.output.descriptions
    changed = sum(one != other for one, other in zip(before, after, strict=False))
    return changed + abs(len(before) - len(after))


def _ledger(evidence: Evidence, dicom: "DicomEvidence | None") -> ByteLedger:
    s, framing, size = evidence.tables.state, evidence.output.framing, evidence.output.size
    structural = int(s[layout.STRUCTURAL] + framing[HEADERS])
    counts = [int(s[counter]) for counter in (layout.REWRITTEN, layout.ZEROED, layout.OPAQUE, layout.KEPT)]
    rewritten, zeroed, opaque, kept = counts
    if dicom:
        from gql_server.engine.verify.dicom_reports import kept_bytes  # noqa: PLC0415  # as above

        # Of what is as it was, values and pixels are told apart; the rest is PDUs, headers of elements and copies.
        values, pixels = kept_bytes(dicom)
        kept, opaque = kept + values, opaque + pixels
        structural += int(s[layout.JUDGED_SAME]) - values - pixels
    return ByteLedger(
        size_bytes=size,
        structural=structural,
        rewritten=rewritten,
        zeroed=zeroed,
        opaque=opaque,
        kept_by_rule=kept,
        # What was counted as unknown, metadata, and all that was not reached.
        unknown=size - structural - rewritten - zeroed - opaque - kept,
    )


def _scan(evidence: Evidence, reasons: set[VerificationReason]) -> LeakScan:
    rows = evidence.findings.reshape(-1, FINDING_COLUMNS)
    findings = list(_kept_fields(evidence, reasons))
    for index in np.flatnonzero(rows[:, 0]).tolist():
        hits, packet, offset = rows[index].tolist()
        findings.append(
            LeakFinding(
                kind=_KINDS[index // (FORMS * PLACES)],
                form=_FORMS[index // PLACES % FORMS],
                place=_PLACES[index % PLACES],
                hits=hits,
                first_packet=packet,
                first_offset=offset,
            )
        )
    return LeakScan(
        addresses_ipv4=int(evidence.counts[classes.IPV4]),
        addresses_ipv6=int(evidence.counts[classes.IPV6]),
        addresses_mac=int(evidence.counts[classes.MAC]),
        bytes_scanned=evidence.scanned,
        findings=tuple(findings),
    )


def _kept_fields(evidence: Evidence, reasons: set[VerificationReason]) -> list[LeakFinding]:
    """Report address fields that hold what they held."""
    s = evidence.tables.state
    leaked = VerificationReason.ADDRESS_LEAKED in reasons
    return [
        LeakFinding(
            kind=_KINDS[kind],
            form=LeakForm.BINARY,
            place=LeakPlace.UNEXPLAINED if leaked else LeakPlace.KEPT_BY_RULE,
            hits=int(s[counter]),
            first_packet=int(s[counter + 1]),
            first_offset=int(s[counter + 2]),
        )
        for kind, counter in _SAME_FIELDS
        if s[counter]
    ]


def _interference(evidence: Evidence, changed: int) -> NonInterference:
    s = evidence.tables.state
    return NonInterference(
        packets=evidence.packets,
        bytes_changed=changed,
        lengths_changed=int(s[layout.LENGTHS]),
        times_changed=int(s[layout.TIMES]),
        checksums_good=int(s[layout.SUMS_GOOD]),
        checksums_bad=int(s[layout.SUMS_BAD]),
        checksums_absent=int(s[layout.SUMS_ABSENT]),
        checksum_states_changed=int(s[layout.SUMS_CHANGED]),
    )
