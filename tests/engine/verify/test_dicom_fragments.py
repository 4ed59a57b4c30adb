import pytest

from gql_server.domain.verification import VerificationReason
from tests.captures import IP_A, IP_B, ethernet, ipv4, packets, pcap, with_checksum
from tests.engine.verify.dicom_traffic import NOW, WAS, Segment, conversation, prove_dicom, segments
from tests.engine.verify.test_dicom_proving import reasons_of


def fragments(one: Segment, size: int, number: int) -> list[bytes]:
    """Send a segment in fragments of an IPv4 datagram."""
    whole = one.frame[34:]
    source, destination = (IP_A, IP_B) if one.side == 0 else (IP_B, IP_A)
    found = []
    for first in range(0, len(whole), size):
        part = whole[first : first + size]
        more = 0x2000 if first + size < len(whole) else 0
        packet = ipv4(part, 6, source=source, destination=destination, fragment=more | first // 8)
        found.append(ethernet(_numbered(packet, number)))
    return found


def _numbered(packet: bytes, number: int) -> bytes:
    head = packet[:4] + number.to_bytes(2, "big") + packet[6:20]
    return with_checksum(head, 10) + packet[20:]


def frames(values: dict[str, object], size: int, *, turned: bool = False, lost: bool = False) -> bytes:
    found: list[bytes] = []
    for number, one in enumerate(segments(conversation(values))):
        parts = fragments(one, size, number) if len(one.data) > size else [one.frame]
        if lost and len(parts) > 1:
            parts = parts[:-1]
        found += reversed(parts) if turned else parts
    return pcap(packets(*found))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("size", [24, 64, 200])
def test_fragments_are_put_together(size: int, turned: bool) -> None:  # noqa: FBT001  # a case
    verification = prove_dicom(frames(WAS, size, turned=turned), frames(NOW, size, turned=turned))
    assert reasons_of(verification) == set()
    assert verification.dicom is not None
    assert verification.dicom.data_sets == 1


def test_a_name_in_fragments_is_seen() -> None:
    kept = frames(NOW | {"name": WAS["name"]}, 64)
    assert VerificationReason.VALUE_KEPT in reasons_of(prove_dicom(frames(WAS, 64), kept))


def test_an_incomplete_datagram_must_be_zero() -> None:
    verification = prove_dicom(frames(WAS, 200, lost=True), frames(NOW, 200, lost=True))
    assert reasons_of(verification) & {VerificationReason.PAYLOAD_LEFT, VerificationReason.BYTES_UNKNOWN}
