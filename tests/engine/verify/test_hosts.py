from typing import Any

from gql_server.domain.anonymization import NamePolicy
from gql_server.domain.verification import Verification
from tests.captures import IP_A, IP_B, MAC_A, dhcp_request, ethernet, ip_bytes, mac_bytes, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove_packet, replaced


def frame(data: bytes) -> bytes:
    whole = ethernet(udp4(data, ports=(68, 67)))
    return whole[:40] + b"\0\0" + whole[42:]


def proved(before: bytes, after: bytes, **fields: Any) -> Verification:
    return prove_packet(frame(before), replaced(frame(after)), **fields)


BASE = dhcp_request()[:240]
NAMED = BASE + bytes([12, 4]) + b"anna" + bytes([15, 4]) + b"home" + bytes([60, 4]) + b"MSFT" + b"\xff"
MASKED = BASE + bytes([12, 4]) + b"xxxx" + bytes([15, 4]) + b"xxxx" + bytes([60, 4]) + b"xxxx" + b"\xff"


def test_names_are_masked_where_they_must_be() -> None:
    fields = {"names": NamePolicy.MASK}
    assert_sound(proved(NAMED, MASKED, **fields))
    assert_sound(proved(NAMED, NAMED))
    for word in (b"anna", b"home"):
        left = NAMED[: NAMED.index(word)].replace(b"anna", b"xxxx") + word + MASKED[NAMED.index(word) + 4 :]
        verification = proved(NAMED, left, **fields)
        assert verification.status is Status.FAILED
        assert Reason.NAMES_LEFT in verification.reasons
    assert Reason.BYTES_CHANGED in proved(NAMED, MASKED).reasons


def test_fields_for_names_may_be_zero() -> None:
    whole = BASE[:44] + b"server".ljust(64, b"\0") + b"file".ljust(128, b"\0") + BASE[236:] + b"\x34\x01\x03\xff"
    assert_sound(proved(whole, whole))
    assert_sound(proved(whole, whole[:44] + bytes(192) + whole[236:]))
    half = whole[:44] + bytes(3) + whole[47:]
    assert Reason.BYTES_CHANGED in proved(whole, half).reasons


def test_every_list_of_addresses_is_read() -> None:
    for code in (3, 6, 28, 33, 50, 54, 68, 118):
        data = BASE + bytes([0, code, 8]) + ip_bytes(IP_A) + ip_bytes(IP_B) + b"\xff"
        verification = proved(data, data)
        assert_sound(verification)
        assert verification.ledger.rewritten == 12 + 4 + 8 + 16 + 6 + 8
    other = BASE + bytes([43, 4]) + ip_bytes(IP_A) + b"\xff"
    kept = replaced(frame(other))[:-5] + ip_bytes(IP_A) + b"\xff"
    assert prove_packet(frame(other), kept).ledger.rewritten == 12 + 4 + 8 + 16 + 6 + 2 - 2


def test_a_client_id_of_another_kind_is_payload() -> None:
    data = BASE + bytes([61, 7, 0]) + mac_bytes(MAC_A) + b"\xff"
    kept = replaced(frame(data))[:-7] + mac_bytes(MAC_A) + b"\xff"
    assert_sound(prove_packet(frame(data), kept))


def test_a_cut_message_is_payload_where_it_holds_no_address() -> None:
    for length in (11, 43, 60, 239, 241, len(dhcp_request()) - 3):
        data = dhcp_request()[:length]
        kept = replaced(frame(b""))[:16] + frame(data)[16:24] + replaced(frame(b""))[24:34] + frame(data)[34:]
        output = replaced(frame(data)) if length >= 44 else kept
        verification = prove_packet(frame(data), output)
        assert verification.interference.bytes_changed == 0 or length == len(dhcp_request()) - 3
