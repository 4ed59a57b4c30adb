import string
import struct
from typing import Any

import pytest

from gql_server.domain.anonymization import NamePolicy
from gql_server.domain.verification import Verification
from gql_server.engine.verify import files
from tests.captures import IP6_C, IP_C, dns_answer, ethernet, ip_bytes, udp, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove_packet, reasons_of, replaced


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


@pytest.mark.parametrize(
    "end",
    [
        b"\x07in-bddr\x04arpa\0",
        b"\x07in-adds\x04arpa\0",
        b"\x07on-addr\x04arpa\0",
        b"\x03ip7\x04arpa\0",
        b"\x05ip6ab\x04arpa\0",
        b"\x04host\x07in-addr\x04arpa\0",
        b"\0\x03ip6",  # the name ends before
    ],
)
def test_digits_of_another_name_may_not(end: bytes) -> None:
    other = b"\x0277\x03113\x010\x03203" + end
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


def test_the_longest_label_is_masked_where_it_must_be() -> None:
    for length in (1, 63):
        name = bytes([length]) + b"a" * length + b"\0"
        assert Reason.NAMES_LEFT in proved(message(name), message(name), names=NamePolicy.MASK).reasons


def test_a_reverse_name_may_end_the_message() -> None:
    start = struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0)
    assert_sound(proved(start + b"\x0277\x03ip6", start + b"\x0200\x03ip6"))
    for end in (b"\x03ip6", b"\x07in-addr"):
        cut = dns(start + b"\x0277" + end[:-1])
        output = replaced(dns(start + b"\x0200" + end[:-1]))
        assert Reason.BYTES_CHANGED in prove_packet(cut + end[-1:], output + b"\0").reasons


def test_names_in_records_stay_unless_they_are_masked() -> None:
    whole, zeroed = (message(HOST, record(12, name), 1) for name in (REVERSE, REVERSE_ZERO))
    assert Reason.BYTES_CHANGED in proved(whole, zeroed).reasons


LEFT = {
    "a record of another type": message(MASKED, record(99, b"\x03abc\0"), 1),
    "a label too long": message(b"\x40" + b"a" * 64 + b"\0"),
    "a label that is cut": struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + b"\x05abc",
    "behind a name that its record cuts": message(MASKED, record(2, b"\x03xxx"), 1) + b"\x04abcd\0",
    "a record that is not told": message(MASKED, record(2, HOST)),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_no_name_need_not_be_masked(name: str) -> None:
    assert_sound(proved(LEFT[name], LEFT[name], names=NamePolicy.MASK))


def test_the_second_name_of_an_authority_is_masked() -> None:
    whole, left = (message(MASKED, record(6, name + HOST + bytes(20)), 1) for name in (HOST, MASKED))
    assert Reason.NAMES_LEFT in proved(whole, left, names=NamePolicy.MASK).reasons


@pytest.mark.parametrize(("kind", "size"), [(1, 5), (28, 4), (28, 17), (99, 4), (99, 16)])
def test_other_records_hold_no_address(kind: int, size: int) -> None:
    whole = message(HOST, record(kind, b"\x01" * size), 1)
    assert prove_packet(dns(whole)).ledger.opaque == len(whole)
    behind = message(HOST, record(1, ip_bytes(IP_C)))  # a record that is not told
    assert prove_packet(dns(behind), replaced(dns(behind)[:34]) + dns(behind)[34:]).ledger.opaque == len(behind)


@pytest.mark.parametrize("names", NamePolicy)
def test_a_cut_message_is_read_within_its_bounds(names: NamePolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window ends where the message does: a byte read beyond it is out of bounds."""
    for data in (
        dns_answer(),
        message(REVERSE6, record(15, b"\0\x0a" + HOST), 1),
        message(HOST, record(16, b"\x09ab"), 1),
    ):
        for length in range(len(data)):
            packet = dns(data[:length])
            monkeypatch.setattr(files, "WINDOW_BYTES", 24 + 16 + len(packet))
            prove_packet(packet, packet, names=names)
            behind = b"\x07\x08\x09"
            assert prove_packet(packet + behind, names=names).ledger.unknown >= len(behind)


def options(data: bytes, size: int | None = None) -> bytes:
    """Return a message whose record of options says that it has `size` bytes."""
    root = b"\0" + struct.pack(">HHIH", 41, 4096, 0, len(data) if size is None else size)
    return struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 1) + HOST + b"\0\x01\0\x01" + root + data


def test_other_options_are_payload() -> None:
    cookie, subnet = struct.pack(">HHQ", 10, 8, 0x0102030405060708), struct.pack(">HHHBB", 8, 7, 1, 24, 0)
    whole = options(cookie + subnet + bytes(3))
    assert_sound(proved(whole, whole))
    assert prove_packet(dns(whole)).ledger.opaque == len(whole) - 3
    behind = options(subnet + bytes(3) + b"behind", len(subnet) + 3)
    assert_sound(proved(behind, behind))
    longer = options(struct.pack(">HHHBB", 8, 40, 1, 24, 0) + bytes(3), 11) + b"behind"
    assert_sound(proved(longer, longer))


@pytest.mark.parametrize(("data", "size"), [(b"\0\x08\0\x07", 11), (b"\0\x08\0\x02\0\x01", 6)])
def test_options_end_where_the_message_does(data: bytes, size: int) -> None:
    assert prove_packet(dns(options(data, size)) + b"\x01\x02\x03\x04").ledger.unknown == 4


def test_a_string_ends_where_its_record_does() -> None:
    whole, masked = (message(name, record(16, b"\x09" + text), 1) for name, text in ((HOST, b"ab"), (MASKED, b"xx")))
    tail = b"\x01\x02"
    verification = prove_packet(dns(whole) + tail, replaced(dns(masked)) + tail, names=NamePolicy.MASK)
    assert reasons_of(verification) == {Reason.PAYLOAD_KEPT, Reason.BYTES_UNKNOWN}
    assert verification.ledger.unknown == len(tail)


def test_the_first_name_of_an_authority_may_be_cut() -> None:
    whole, masked = (message(name, record(6, b"\x09ab"), 1) for name in (HOST, MASKED))
    assert_sound(proved(whole, masked, names=NamePolicy.MASK))


def test_punctuation_of_a_name_may_stay() -> None:
    assert_sound(proved(message(b"\x03a-b\0"), message(b"\x03x-x\0"), names=NamePolicy.MASK))


def test_masks_stand_for_what_tells_something() -> None:
    """Neither NUL nor ASCII punctuation is masked."""
    labels = [bytes(range(at, min(at + 63, 256))) for at in range(0, 256, 63)]
    before, after = b"", b""
    for label in labels:
        before += bytes([len(label)]) + label
        after += bytes([len(label)]) + b"x" * len(label)
    verification = proved(message(before + b"\0"), message(after + b"\0"), names=NamePolicy.MASK)
    assert verification.interference.bytes_changed == 1 + len(b" " + string.punctuation.encode())


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
