"""Pairs of captures for the second reader, made without the rewriter.

A pseudonym here is the original with its 16-bit words in another order: every checksum stays what it was, wherever
the address stands, so an output is made by replacing bytes.
"""

import tempfile
from pathlib import Path
from typing import Any

from gql_server.domain.verification import (
    AddressExpectation,
    MacExpectation,
    Verification,
    VerificationReason,
    VerificationStatus,
)
from gql_server.engine.tasks import Progressed, VerifyTask
from gql_server.engine.verify.verifying import verify
from tests.captures import (
    IP6_A,
    IP6_B,
    IP6_C,
    IP_A,
    IP_B,
    IP_C,
    IP_D,
    MAC_A,
    MAC_B,
    Packet,
    arp,
    ethernet,
    ip_bytes,
    ipv4,
    ipv6,
    mac_bytes,
    packets,
    pcap,
)

Reason = VerificationReason
Status = VerificationStatus

ORIGINALS = [ip_bytes(text) for text in (IP_A, IP_B, IP_C, IP_D, IP6_A, IP6_B, IP6_C)]
ORIGINALS += [mac_bytes(MAC_A), mac_bytes(MAC_B)]


def turned(address: bytes) -> bytes:
    """Return a pseudonym with the same sum; the first word stays, for class and flags stand there."""
    if len(address) == 4:
        return address[2:] + address[:2]
    words = [address[at : at + 2] for at in range(2, len(address), 2)]
    return address[:2] + b"".join(reversed(words))


PSEUDONYMS = {address: turned(address) for address in ORIGINALS}


def replaced(data: bytes, pseudonyms: dict[bytes, bytes] | None = None) -> bytes:
    """Replace every original in data."""
    known = PSEUDONYMS if pseudonyms is None else pseudonyms
    out, at = b"", 0
    while at < len(data):
        for length in (16, 6, 4):
            if data[at : at + length] in known:
                out += known[data[at : at + length]]
                at += length
                break
        else:
            out += data[at : at + 1]
            at += 1
    return out


WITNESSES = [
    ethernet(arp(source=IP_A, target=IP_B), kind=0x0806),
    ethernet(arp(source=IP_C, target=IP_D), kind=0x0806),
    ethernet(ipv6(b"", 59, source=IP6_A, destination=IP6_B), kind=0x86DD),
    ethernet(ipv6(b"", 59, source=IP6_C, destination=IP6_B), kind=0x86DD),
    ethernet(ipv4(b"", 59)),
]
"""Packets in which every original stands where any reader finds it."""


def prove(original: bytes, output: bytes, **fields: Any) -> Verification:
    """Verify two files."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name, "in"), Path(name, "out")
        source.write_bytes(original)
        target.write_bytes(output)
        expected = {"addresses": AddressExpectation.MAPPED, "macs": MacExpectation.MAPPED} | fields
        task = VerifyTask(source=source, output=target, memory_bytes=1 << 28, **expected)
        verification = verify(task, _check_progress).verification
    assert sum_of(verification) == len(output)
    return verification


def _check_progress(progressed: Progressed) -> None:
    assert 0 <= progressed.bytes_done <= progressed.bytes_total


def sum_of(verification: Verification) -> int:
    """Add the classes of a ledger up; none is negative."""
    ledger = verification.ledger
    parts = [ledger.structural, ledger.rewritten, ledger.zeroed, ledger.opaque, ledger.kept_by_rule, ledger.unknown]
    assert min(parts) >= 0
    return sum(parts)


def prove_packet(original: bytes, output: bytes | None = None, *, link_type: int = 1, **fields: Any) -> Verification:
    """Verify one packet; without an output, the one with every original replaced."""
    after = replaced(original) if output is None else output
    return prove(
        pcap([Packet(data=original)], link_type=link_type), pcap([Packet(data=after)], link_type=link_type), **fields
    )


def prove_among_witnesses(original: bytes, output: bytes, **fields: Any) -> Verification:
    """Verify one Ethernet frame in a capture that shows every pseudonym."""
    others = [replaced(packet) for packet in WITNESSES]
    return prove(pcap(packets(*WITNESSES, original)), pcap(packets(*others, output)), **fields)


def reasons_of(verification: Verification) -> set[VerificationReason]:
    return set(verification.reasons)


def assert_sound(verification: Verification) -> None:
    """Hold a verification to: nothing wrong, nothing unknown."""
    assert reasons_of(verification) <= {Reason.PAYLOAD_KEPT}
    assert verification.ledger.unknown == 0
    kept = Reason.PAYLOAD_KEPT in verification.reasons
    assert verification.status == (Status.PARTIAL if kept else Status.VERIFIED)
    assert kept == (verification.ledger.opaque > 0)
