import struct
from typing import Any

import pytest

from gql_server.domain.anonymization import NamePolicy
from gql_server.domain.verification import Verification
from tests.captures import IP6_C, IP_C, dns_answer, ethernet, ip_bytes, udp, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove_packet, replaced


def dns(data: bytes) -> bytes:
    """Return a frame with a message and, to be its own output, without a checksum."""
    frame = ethernet(udp4(data, ports=(53, 53)))
    return frame[:40] + b"\0\0" + frame[42:]


def proved(before: bytes, after: bytes, **fields: Any) -> Verification:
    output = dns(after)
    return prove_packet(dns(before), replaced(output[:34]) + output[34:], **fields)


def message(name: bytes, records: bytes = b"", count: int = 0) -> bytes:
    return struct.pack(">HHHHHH", 1, 0x8180, 1, count, 0, 0) + name + b"\0\x0c\0\x01" + records


def record(kind: int, data: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


HOST = b"\x03www\x07example\x03org\0"
MASKED = b"\x03xxx\x07xxxxxxx\x03xxx\0"
REVERSE = b"\x0277\x03113\x010\x03203\x07in-addr\x04arpa\0"
REVERSE_ZERO = b"\x0200\x03000\x010\x03000\x07in-addr\x04arpa\0"
REVERSE6 = b"\x01a" * 32 + b"\x03ip6\x04ARPA\0"


@pytest.mark.parametrize(
    ("before", "after"), [(REVERSE, REVERSE_ZERO), (REVERSE6, REVERSE6.replace(b"\x01a", b"\x010"))]
)
def test_digits_of_a_reverse_name_may_become_zero(before: bytes, after: bytes) -> None:
    assert_sound(proved(message(before), message(after)))
    assert_sound(proved(message(before), message(before)))


def test_digits_of_another_name_may_not() -> None:
    other = b"\x0277\x03113\x010\x03203\x07in-bddr\x04arpa\0"
    assert Reason.BYTES_CHANGED in proved(message(other), message(other.replace(b"77", b"00"))).reasons


def test_a_reverse_name_becomes_nothing_else() -> None:
    assert Reason.BYTES_CHANGED in proved(message(REVERSE), message(REVERSE.replace(b"77", b"78"))).reasons


DATA = {
    2: (HOST, MASKED),
    5: (HOST, MASKED),
    12: (HOST, MASKED),
    39: (HOST, MASKED),
    15: (b"\0\x0a" + HOST, b"\0\x0a" + MASKED),
    33: (b"\0\x01\0\x02\x1f\x90" + HOST, b"\0\x01\0\x02\x1f\x90" + MASKED),
    6: (HOST + HOST + bytes(20), MASKED + MASKED + bytes(20)),
    16: (b"\x04name\x02is", b"\x04xxxx\x02xx"),
}


@pytest.mark.parametrize("kind", DATA)
def test_names_are_masked_where_they_must_be(kind: int) -> None:
    before, after = DATA[kind]
    fields = {"names": NamePolicy.MASK}
    whole = message(HOST, record(kind, before), 1)
    masked = message(MASKED, record(kind, after), 1)
    assert_sound(proved(whole, masked, **fields))
    for left in (message(HOST, record(kind, after), 1), message(MASKED, record(kind, before), 1)):
        verification = proved(whole, left, **fields)
        assert verification.status is Status.FAILED
        assert Reason.NAMES_LEFT in verification.reasons
    assert Reason.BYTES_CHANGED in proved(whole, masked).reasons


def test_where_names_are_masked_what_cannot_be_followed_may_be_zero() -> None:
    whole = message(HOST, record(99, b"something"), 1) + b"\x3fgarbage"
    zeroed = message(MASKED, record(99, bytes(9)), 1) + bytes(8)
    assert_sound(proved(whole, zeroed, names=NamePolicy.MASK))
    half = zeroed[:-3] + b"abc"
    assert Reason.BYTES_CHANGED in proved(whole, half, names=NamePolicy.MASK).reasons


def test_the_client_subnet_is_zero_or_unknown() -> None:
    option = struct.pack(">HHHBB", 8, 7, 1, 24, 0) + bytes([203, 0, 113])
    root = b"\0" + struct.pack(">HHIH", 41, 4096, 0, len(option))
    whole = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 1) + HOST + b"\0\x01\0\x01" + root + option
    verification = proved(whole, whole)
    assert verification.ledger.unknown == 2
    assert_sound(proved(whole, whole[:-3] + bytes(3)))


@pytest.mark.parametrize("length", range(12, len(dns_answer())))
def test_a_cut_message_is_payload_and_half_an_address_is_not(length: int) -> None:
    data = dns_answer()[:length]
    verification = proved(data, replaced(data))
    halves = verification.ledger.unknown
    assert (halves > 0) == any(
        data.endswith(one[:n])
        for one in (ip_bytes(IP_C), ip_bytes(IP6_C)[:16])
        for n in range(1, len(one))
        if data[:-n] == dns_answer()[: dns_answer().index(one)]
    )
    assert len(udp(data)) == length + 8


@pytest.mark.parametrize("name", [b"\xc0", b"\x40" + b"a" * 64 + b"\0", b"\x05abc"])
def test_a_name_without_end_ends_the_reading(name: bytes) -> None:
    data = struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + name
    assert_sound(proved(data, data))
