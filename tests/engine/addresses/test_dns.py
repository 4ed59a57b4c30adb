from ipaddress import IPv6Address

import pytest

from tests.captures import IP6_C, IP_C, dns_answer, ethernet, icmp, ip_bytes, ipv4, udp4, vlan
from tests.engine.doubles import Involution, rewrite_packet
from tests.engine.judging import rewritten, understood
from tests.engine.reading import read_packet


@pytest.mark.parametrize("ports", [(53, 4000), (4000, 53), (5353, 5353), (5355, 1)])
def test_address_records_change_and_the_checksum_stays_right(ports: tuple[int, int]) -> None:
    out = understood(ethernet(udp4(dns_answer(), ports=ports)))
    assert b"\x01h\x07example\0" in out
    assert read_packet(out).wrong() == []


def test_a_record_becomes_what_its_address_becomes_elsewhere() -> None:
    out = understood(ethernet(udp4(dns_answer(ipv4_address=IP_C), source=IP_C, ports=(53, 1))))
    assert out.count(out[26:30]) == 2


def test_an_answer_quoted_in_an_error_changes_too() -> None:
    quote = udp4(dns_answer(), ports=(53, 9))
    understood(ethernet(ipv4(icmp(3, quote, code=3), 1)))


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_cut_answer_loses_the_cut_address(cut: int) -> None:
    packet = ethernet(udp4(dns_answer(), ports=(53, 9)))[:-cut]
    out, report = rewritten(packet)
    assert ip_bytes(IP6_C)[: max(16 - cut, 2)] not in out or cut >= 16
    assert report.packets == 1


def test_the_client_subnet_option_is_zeroed() -> None:
    option = b"\x00\x08\x00\x07\x00\x01\x18\x00" + ip_bytes(IP_C)[:3]
    message = bytes.fromhex("00010100 0000 0000 0000 0001".replace(" ", "")) + b"\x00\x00\x29\x10\x00\x00\x00\x00\x00"
    message += len(option).to_bytes(2, "big") + option
    out, report = rewritten(ethernet(udp4(message, ports=(9, 53))))
    assert ip_bytes(IP_C)[:2] not in out
    assert report.packets_opaque == 1
    assert read_packet(out).wrong() == []


@pytest.mark.parametrize(
    "message",
    [b"", b"short", dns_answer()[:6] + b"\xff\xff" + dns_answer()[8:], b"\xff" * 40, dns_answer()[:12] + b"\x80" * 30],
)
def test_a_message_that_cannot_be_followed_stays_payload(message: bytes) -> None:
    packet = ethernet(udp4(message, ports=(53, 53)))
    again, _ = rewrite_packet(rewrite_packet(packet, Involution())[0], Involution())
    assert again == packet


def question(*labels: bytes) -> bytes:
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return bytes.fromhex("000101000001000000000000") + name + b"\0\x0c\0\x01"


@pytest.mark.parametrize("lead", [b"", b"x"], ids=["even", "odd"])
def test_a_name_that_spells_an_ipv4_address_is_masked(lead: bytes) -> None:
    message = question(b"99", b"2", b"0", b"192", b"IN-addr", b"arpa")
    out, report = rewritten(ethernet(vlan(udp4(message, ports=(9, 53))) + lead, kind=0x8100))
    assert question(b"00", b"0", b"0", b"000", b"IN-addr", b"arpa") in out
    assert report.bytes_zeroed == 6 + len(lead)


def test_a_name_that_spells_an_ipv6_address_is_masked() -> None:
    nibbles = [bytes([nibble]) for nibble in IPv6Address(IP6_C).exploded.replace(":", "").encode()[::-1]]
    out, _ = rewritten(ethernet(udp4(question(*nibbles, b"ip6", b"arpa"), ports=(9, 53))))
    assert question(*[b"0"] * 32, b"ip6", b"arpa") in out


@pytest.mark.parametrize(
    "labels",
    [[b"www", b"example"], [b"1", b"2", b"com"], [b"in-addr", b"arpa"], [b"10", b"in-addrs"], [b"ip6"], [b"a"]],
)
def test_other_names_stay(labels: list[bytes]) -> None:
    assert question(*labels) in understood(ethernet(udp4(question(*labels), ports=(9, 53))))
