import pytest

from gql_server.domain.anonymization import AnonymizationReport, NamePolicy, PayloadPolicy
from tests.captures import IP6_A, IP6_B, PAYLOAD, ethernet, ipv6, tcp4, udp, udp4
from tests.engine.doubles import Identity, rewrite_packet
from tests.engine.judging import MAP
from tests.engine.reading import read_packet

QUESTION = bytes.fromhex("000101000001000000000000")


def masked(packet: bytes) -> tuple[bytes, AnonymizationReport]:
    out, report = rewrite_packet(packet, MAP, names=NamePolicy.MASK)
    assert len(out) == len(packet)
    assert read_packet(out).checksums == read_packet(packet).checksums
    return out, report


def asked(name: bytes) -> bytes:
    return ethernet(udp4(QUESTION + name + b"\0\x01\0\x01", ports=(4000, 53)))


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        (b"\x05Ward3\x08hospital\x02de\0", b"\x05xxxxx\x08xxxxxxxx\x02xx\0"),
        (b"\x0cpacs-01_a.b!\0", b"\x0cxxxx-xx_x.x!\0"),
        (b"\x04Am\xc3\xa9\x03\x01\x1f\x7f\0", b"\x04xxxx\x03xxx\0"),
        (b"\0", b"\0"),
        (b"\x02~ \xc0\x0c", b"\x02~ \xc0\x0c"),
        (b"\x01\0\0", b"\x01\0\0"),
    ],
)
def test_letters_and_digits_of_every_alphabet_become_x_and_lengths_stay(name: bytes, mask: bytes) -> None:
    out, report = masked(asked(name))
    assert out[42:] == QUESTION + mask + b"\0\x01\0\x01"
    assert report.packets_opaque == 0


def test_reverse_names_are_masked_like_others() -> None:
    out, _ = masked(asked(b"\x0299\x012\x03192\x07in-addr\x04arpa\0"))
    assert b"\x02xx\x01x\x03xxx\x07xx-xxxx\x04xxxx\0" in out


def test_digits_of_reverse_names_stay_where_ip_addresses_do() -> None:
    name = b"\x0299\x012\x03192\x07in-addr\x04arpa\0"
    out, report = rewrite_packet(asked(name), Identity(), reverse_names=False)
    assert (out, report.bytes_zeroed) == (asked(name), 0)
    out, _ = rewrite_packet(asked(name), Identity())
    assert out != asked(name)


@pytest.mark.parametrize("name", [b"\x05Ward3\x40hospital", b"\x3fWard", b"\x04Ward", b"\x80Ward\0", b"\xc0"])
def test_what_cannot_be_followed_is_zeroed(name: bytes) -> None:
    message = QUESTION + name
    out, report = masked(ethernet(udp4(message, ports=(4000, 53))))
    assert out[42:] == QUESTION + bytes(len(name))
    assert report.packets_opaque == 1


def test_a_message_too_short_for_a_header_is_zeroed() -> None:
    assert masked(ethernet(udp4(b"Ward 3", ports=(4000, 5353))))[0][42:] == bytes(6)


def test_what_follows_the_last_record_is_zeroed() -> None:
    out, _ = masked(ethernet(udp4(QUESTION + b"\x01a\0\0\x01\0\x01Ward 3", ports=(4000, 5355))))
    assert out[42:] == QUESTION + b"\x01x\0\0\x01\0\x01" + bytes(6)


@pytest.mark.parametrize(
    "packet",
    [
        tcp4(PAYLOAD).replace(b"\x9c\x40\x00\x50", b"\x9c\x40\x00\x35"),
        udp4(PAYLOAD, ports=(137, 137)),
        udp4(PAYLOAD, ports=(138, 138)),
    ],
    ids=["dns over tcp", "netbios names", "netbios datagrams"],
)
def test_protocols_of_names_that_are_not_followed_are_zeroed(packet: bytes) -> None:
    out, report = masked(ethernet(packet))
    assert out.endswith(bytes(len(PAYLOAD)))
    assert (report.packets_opaque, report.bytes_kept) == (1, 0)
    kept, report = rewrite_packet(ethernet(packet), MAP)
    assert kept.endswith(PAYLOAD)
    assert report.bytes_kept == len(PAYLOAD)


def test_dhcpv6_is_zeroed() -> None:
    datagram = udp(PAYLOAD, source=IP6_A, destination=IP6_B, source_port=546, destination_port=547)
    out, _ = masked(ethernet(ipv6(datagram, 17), kind=0x86DD))
    assert out.endswith(bytes(len(PAYLOAD)))


def test_other_payload_stays() -> None:
    out, report = masked(ethernet(udp4(PAYLOAD)))
    assert out.endswith(PAYLOAD)
    assert report.packets_opaque == 0


def test_names_go_with_the_payload_where_that_is_zeroed() -> None:
    packet = asked(b"\x05Ward3\0")
    out, report = rewrite_packet(packet, MAP, names=NamePolicy.MASK, payload=PayloadPolicy.ZERO)
    assert out[42:] == bytes(len(packet) - 42)
    assert report.packets_opaque == 0
