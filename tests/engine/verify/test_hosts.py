from typing import Any

import pytest

from gql_server.domain.anonymization import NamePolicy
from gql_server.domain.verification import Verification
from gql_server.engine.verify import files
from tests.captures import IP_A, IP_B, MAC_A, dhcp_request, ethernet, ip_bytes, mac_bytes, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove_packet, replaced


def frame(data: bytes) -> bytes:
    whole = ethernet(udp4(data, ports=(68, 67)))
    return whole[:40] + b"\0\0" + whole[42:]


def proved(before: bytes, after: bytes, **fields: Any) -> Verification:
    return prove_packet(frame(before), replaced(frame(after)), **fields)


LISTS = (*range(3, 12), 16, 28, 32, 33, 41, 42, 44, 45, 48, 49, 50, 54, 65, *range(68, 77), 118)
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
    for code in LISTS:
        data = BASE + bytes([0, code, 8]) + ip_bytes(IP_A) + ip_bytes(IP_B) + b"\xff"
        verification = proved(data, data)
        assert_sound(verification)
        assert verification.ledger.rewritten == 12 + 4 + 8 + 16 + 6 + 8
    for code in set(range(1, 255)) - set(LISTS):
        other = BASE + bytes([code, 4]) + ip_bytes(IP_A) + b"\xff"
        kept = replaced(frame(other))[:-5] + ip_bytes(IP_A) + b"\xff"
        assert prove_packet(frame(other), kept).ledger.kept_by_rule == 0


def test_nothing_is_read_behind_the_end_of_the_options() -> None:
    data = BASE + b"\xff\0" + bytes([54, 4]) + ip_bytes(IP_A)
    assert_sound(prove_packet(frame(data), replaced(frame(data))[:-4] + ip_bytes(IP_A)))


def test_other_options_than_those_of_hosts_are_payload() -> None:
    data = BASE[:-4] + b"\x01\x02\x03\x04" + bytes([54, 4]) + ip_bytes(IP_A) + b"\xff"
    assert_sound(prove_packet(frame(data), replaced(frame(data))[:-5] + ip_bytes(IP_A) + b"\xff"))


def test_a_hardware_address_of_another_kind_is_payload() -> None:
    data = dhcp_request()[:1] + b"\x06\x06" + dhcp_request()[3:240] + b"\xff"
    at = 42 + 28
    assert_sound(
        prove_packet(frame(data), replaced(frame(data))[:at] + mac_bytes(MAC_A) + replaced(frame(data))[at + 6 :])
    )


def test_a_client_id_of_another_kind_is_payload() -> None:
    data = BASE + bytes([61, 7, 0]) + mac_bytes(MAC_A) + b"\xff"
    kept = replaced(frame(data))[:-7] + mac_bytes(MAC_A) + b"\xff"
    assert_sound(prove_packet(frame(data), kept))
    other = data.replace(bytes([61, 7, 0]), bytes([43, 7, 1]))
    assert_sound(prove_packet(frame(other), replaced(frame(other))[:-7] + mac_bytes(MAC_A) + b"\xff"))
    longer = BASE + bytes([61, 8, 1]) + mac_bytes(MAC_A) + b"\x01\xff"
    kept = replaced(frame(longer))[:-8] + mac_bytes(MAC_A) + b"\x01\xff"
    assert_sound(prove_packet(frame(longer), kept))


def test_a_cut_message_is_payload_where_it_holds_no_address() -> None:
    for length in (11, 43, 60, 239, 241, len(dhcp_request()) - 3):
        data = dhcp_request()[:length]
        kept = replaced(frame(b""))[:16] + frame(data)[16:24] + replaced(frame(b""))[24:34] + frame(data)[34:]
        output = replaced(frame(data)) if length >= 44 else kept
        verification = prove_packet(frame(data), output)
        assert verification.interference.bytes_changed == 0 or length == len(dhcp_request()) - 3
        assert verification.ledger.opaque == length - (22 if length >= 44 else 0) or length > 241
        behind = prove_packet(frame(data) + b"\x07\x08", output + b"\x07\x08")
        assert behind.ledger.unknown == 2


def test_a_cut_message_is_read_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window ends where the message does: a byte read beyond it is out of bounds."""
    for data in (
        *(dhcp_request()[:length] for length in range(0, len(dhcp_request()), 3)),
        BASE + bytes(2),
        BASE + b"\x36",
    ):
        packet = frame(data)
        monkeypatch.setattr(files, "WINDOW_BYTES", 24 + 16 + len(packet))
        prove_packet(packet)


def test_where_names_are_masked_the_rest_may_be_zero() -> None:
    whole = BASE[:44] + b"server".ljust(64, b"\0") + BASE[108:] + b"\x39\x02\x05\xdc\xff"
    masked = whole.replace(b"server", b"xx\0\0xx").replace(b"\x05\xdc", b"\0\xdc")
    assert_sound(proved(whole, masked, names=NamePolicy.MASK))
    assert Reason.BYTES_CHANGED in proved(whole, masked).reasons


def test_other_options_need_not_be_masked() -> None:
    whole = BASE + bytes([60, 4]) + b"MSFT" + b"\xff"
    assert_sound(proved(whole, whole, names=NamePolicy.MASK))
