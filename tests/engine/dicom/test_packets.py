import struct
from pathlib import Path

import pytest

from gql_server.domain.dicom import ForeignPolicy
from tests.captures import ICMP, IP_A, IP_B, UDP, arp, ethernet, icmp, icmpv6, ipv4, ipv6, udp, udp4, udp6, vlan
from tests.engine.dicom.talking import (
    RST,
    fragments,
    hello,
    ip,
    left_to_card,
    only,
    opened,
    packets_of,
    residue,
    segment,
    send,
    settled,
    tcp_residue,
    whole,
    with_wrong_checksum,
)

SECRET = b"DOE^JANE" * 5
PIECES = [SECRET[at : at + 3] for at in range(8)]


def on(link: str, packet: bytes) -> bytes:
    """An IP packet on a link."""
    return {
        "ethernet": ethernet(packet),
        "vlan": ethernet(vlan(packet), kind=0x8100),
        "qinq": ethernet(vlan(vlan(packet), kind=0x8100), kind=0x88A8),
        "sll": struct.pack(">HHH8sH", 0, 1, 6, b"\1\2\3\4\5\6\0\0", 0x0800) + packet,
        "sll2": struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, b"\1\2\3\4\5\6\0\0") + packet,
        "raw": packet,
        "null": b"\2\0\0\0" + packet,
        "loop": b"\0\0\0\2" + packet,
    }[link]


LINKS = {"ethernet": 1, "vlan": 1, "qinq": 1, "sll": 113, "sll2": 276, "raw": 101, "null": 0, "loop": 108}


@pytest.mark.parametrize("link", LINKS)
def test_a_stream_is_found_on_each_link(tmp_path: Path, link: str) -> None:
    frames = [on(link, ip(segment(SECRET[:20]))), on(link, ip(segment(SECRET[20:], at=20)))]
    with opened(tmp_path, frames, link_type=LINKS[link]) as image:
        assert whole(only(image).streams[0]) == SECRET
        only(image).claim()
        image.settle()
    assert packets_of(tmp_path) == frames


def test_reserved_bits_of_the_link_type_change_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, [send(SECRET)], link_type=0x14000001) as image:
        assert whole(only(image).streams[0]) == SECRET


EXTENSIONS = {
    "hop-by-hop": (0, struct.pack(">BB", 6, 0) + b"\5\2\0\0\1\0"),
    "destination": (60, struct.pack(">BB", 6, 0) + b"\1\4\0\0\0\0"),
    "authentication": (51, struct.pack(">BBHII", 6, 2, 0, 1, 1) + bytes(4)),
    "one fragment": (44, struct.pack(">BBHI", 6, 0, 0, 9)),
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_a_stream_is_found_behind_extension_headers(tmp_path: Path, name: str) -> None:
    kind, extension = EXTENSIONS[name]
    packet = ipv6(segment(SECRET, ends=("2001:db8::1", "2001:db8::2")), kind, extensions=extension)
    with opened(tmp_path, [ethernet(packet, kind=0x86DD)]) as image:
        assert whole(only(image).streams[0]) == SECRET


FOREIGN = {
    "udp": ethernet(udp4(SECRET)),
    "udp without checksum": ethernet(ipv4(udp(SECRET)[:6] + bytes(2) + SECRET, UDP)),
    "udp over ipv6": ethernet(udp6(SECRET), kind=0x86DD),
    "behind the udp length": ethernet(ipv4(udp(b"") + SECRET, UDP)),
    "icmp quotes": ethernet(ipv4(icmp(3, ip(segment(SECRET))), ICMP)),
    "icmpv6": ethernet(ipv6(icmpv6(128, SECRET), 58), kind=0x86DD),
    "gre": ethernet(ipv4(b"\0\0\x08\0" + ip(segment(SECRET)), 47)),
    "ip in ip": ethernet(ipv4(ip(segment(SECRET)), 4)),
    "sctp": ethernet(ipv4(SECRET, 132)),
    "trailer": send(b"") + SECRET,
    "arp trailer": ethernet(arp(), kind=0x0806) + SECRET,
    "odd arp": ethernet(arp()[:4] + b"\xff\xff" + arp()[6:8] + SECRET, kind=0x0806),
    "short arp": ethernet(SECRET[:7], kind=0x0806),
    "unknown ethertype": ethernet(SECRET, kind=0x88B5),
    "mpls": ethernet(b"\0\0\x01\x40" + ip(segment(SECRET)), kind=0x8847),
    "length": ethernet(SECRET, kind=len(SECRET)),
    "no frame": SECRET[:13],
    "wrong version": ethernet(SECRET),
    "ipv6 without its header": ethernet(b"\x60" + SECRET[:38], kind=0x86DD),
    "ipv4 without its header": ethernet(b"\x45" + SECRET[:18]),
    "header length of ipv4": ethernet(b"\x44\0\0\x3c" + SECRET),
    "total length of ipv4": ethernet(b"\x46\0\0\x10" + SECRET),
    "ipv4 option": ethernet(ipv4(segment(), 6, options=b"\x9e\x0a" + SECRET[:8])),
    "behind the last ipv4 option": ethernet(ipv4(segment(), 6, options=b"\0" + SECRET[:7])),
    "cut ipv4 option": ethernet(ipv4(segment(), 6, options=b"\x07\x28" + SECRET[:6])),
    "ipv6 option": ethernet(ipv6(segment(), 0, extensions=b"\6\1\x1e\x0c" + SECRET[:12]), kind=0x86DD),
    "cut ipv6 option": ethernet(ipv6(segment(), 0, extensions=b"\6\1\x1e\x4c" + SECRET[:12]), kind=0x86DD),
    "cut ipv6 extension": ethernet(ipv6(SECRET[:6], 60), kind=0x86DD),
    "authentication": ethernet(ipv6(b"", 51, extensions=b"\x3b\4\0\0" + bytes(8) + SECRET[:12]), kind=0x86DD),
    "unknown route": ethernet(ipv6(b"", 43, extensions=b"\x3b\1\x63\0" + SECRET[:12]), kind=0x86DD),
    "unclaimed tcp": send(SECRET),
    "reset": send(SECRET, flags=RST),
    "tcp option": send(options=b"\x13\x12" + SECRET[:16]),
    "tcp option of odd length": send(options=b"\x03\x09" + SECRET[:7]),
    "behind the last tcp option": send(options=b"\0" + SECRET[:11]),
    "cut tcp option": send(options=b"\x08\x28" + SECRET[:10]),
    "short tcp": ethernet(ipv4(SECRET[:19], 6)),
    "tcp without its header": ethernet(ipv4(segment(SECRET)[:12] + b"\x40" + segment(SECRET)[13:], 6)),
    "short udp": ethernet(ipv4(SECRET[:7], UDP)),
    "short icmp": ethernet(ipv4(SECRET[:7], ICMP)),
    "lonely fragment": fragments(segment(SECRET), [3, 3])[1],
    "first fragment": fragments(segment(SECRET), [5])[0],
    "fragment of nothing known": ethernet(ipv4(SECRET, 132, fragment=0x2000)),
    "fragment beyond a datagram": ethernet(ipv4(SECRET, 6, fragment=0x1FFF)),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_no_foreign_byte_survives(tmp_path: Path, name: str) -> None:
    source = [FOREIGN[name], ethernet(arp(), kind=0x0806)]
    assert any(piece in source[0] for piece in PIECES)
    packets = settled(tmp_path, source)
    assert [len(packet) for packet in packets] == [len(packet) for packet in source]
    assert not [piece for piece in PIECES if piece in packets[0]]
    assert packets[1] == source[1]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_kept_by_choice_is_counted_and_not_touched(tmp_path: Path, name: str) -> None:
    with opened(tmp_path, [FOREIGN[name]], foreign=ForeignPolicy.KEEP) as image:
        done = image.settle()
    assert packets_of(tmp_path) == [FOREIGN[name]]
    assert done.packets_rewritten == done.checksums_left == 0
    with opened(tmp_path, [FOREIGN[name]]) as image:
        assert image.settle().bytes_foreign == done.bytes_foreign > 0


@pytest.mark.parametrize("link_type", [105, 127, 147, 195, 65001])
def test_a_link_type_that_is_not_understood_is_zeroed_as_a_whole(tmp_path: Path, link_type: int) -> None:
    assert settled(tmp_path, [send(SECRET)], link_type=link_type) == [bytes(len(send(SECRET)))]


@pytest.mark.parametrize("link", ["sll", "sll2"])
def test_room_for_an_address_that_is_none_is_zeroed(tmp_path: Path, link: str) -> None:
    frame = on(link, ip(segment())).replace(b"\1\2\3\4\5\6\0\0", b"\1\2\3\4\5\6\xee\xee")
    assert settled(tmp_path, [frame], link_type=LINKS[link]) == [frame.replace(b"\xee", b"\0")]


STRUCTURE = {
    "arp": ethernet(arp(), kind=0x0806),
    "known tcp options": send(
        options=b"\2\4\5\xb4\3\3\7\4\2\x08\x0a\1\2\3\4\5\6\7\x08" + b"\x05\x0a" + bytes(range(8))
    ),
    "known ipv4 options": ethernet(ipv4(segment(), 6, options=b"\x94\4\0\0\x07\x07\x04\1\2\3\4")),
    "known ipv6 options": ethernet(ipv6(segment(), 0, extensions=b"\6\0\5\2\0\0\1\0"), kind=0x86DD),
    "udp header": ethernet(udp4(b"")),
    "icmp": ethernet(ipv4(icmp(8, b"", rest=b"\1\2\3\4"), ICMP)),
    "syn": hello()[0],
    "cut tcp header": send(SECRET)[:50],
    "cut udp header": ethernet(udp4(SECRET))[:40],
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_structure_stays(tmp_path: Path, name: str) -> None:
    with opened(tmp_path, [STRUCTURE[name]]) as image:
        assert image.settle().bytes_foreign == 0
    assert packets_of(tmp_path) == [STRUCTURE[name]]


def ip_residue(frame: bytes) -> int:
    return residue(frame[14 : 14 + (frame[14] & 15) * 4], b"")


@pytest.mark.parametrize("name", ["ipv4 option", "behind the last ipv4 option"])
def test_the_header_checksum_takes_what_options_lost(tmp_path: Path, name: str) -> None:
    assert ip_residue(settled(tmp_path, [FOREIGN[name]])[0]) == 0


@pytest.mark.parametrize(
    "name", ["tcp option", "behind the last tcp option", "cut tcp option", "unclaimed tcp", "reset"]
)
@pytest.mark.parametrize("by", [0, 0x1234])
def test_the_tcp_checksum_stays_as_right_as_it_was(tmp_path: Path, name: str, by: int) -> None:
    source = with_wrong_checksum(FOREIGN[name], by)
    packet = settled(tmp_path, [source])[0]
    assert packet != source
    assert tcp_residue(packet) == tcp_residue(source)
    assert (tcp_residue(packet) == 0) == (by == 0)


def udp_residue(frame: bytes) -> int:
    return residue(frame[34:], frame[26:34] + struct.pack(">xBH", UDP, len(frame) - 34))


@pytest.mark.parametrize("by", [0, 1, 0xF00D])
def test_the_udp_checksum_stays_as_right_as_it_was(tmp_path: Path, by: int) -> None:
    source = ethernet(udp4(SECRET + b"odd"))
    source = source[:40] + ((int.from_bytes(source[40:42], "big") + by) % 0x10000).to_bytes(2, "big") + source[42:]
    assert udp_residue(settled(tmp_path, [source])[0]) == udp_residue(source)


def test_an_absent_udp_checksum_stays_absent(tmp_path: Path) -> None:
    assert settled(tmp_path, [FOREIGN["udp without checksum"]])[0][40:42] == b"\0\0"


def test_a_udp_checksum_that_becomes_zero_is_written_as_all_ones(tmp_path: Path) -> None:
    emptied = udp(bytes(2))
    payload = ((0xFFFF - int.from_bytes(emptied[6:8], "big")) ^ 0xFFFF).to_bytes(2, "big")
    source = ethernet(udp4(payload, ports=(1111, 2222)))
    expected = ethernet(udp4(bytes(2)))
    assert settled(tmp_path, [source]) == [expected]
    ports = (0, 0xFFFF - int.from_bytes(residual(), "big"))
    source = ethernet(udp4(b"\x12\x34", ports=ports))
    assert settled(tmp_path, [source])[0][40:42] == b"\xff\xff"


def residual() -> bytes:
    """The sum of a datagram with two zeros, without its ports and its checksum."""
    pseudo = struct.pack(">4s4sxBH", bytes(map(int, IP_A.split("."))), bytes(map(int, IP_B.split("."))), UDP, 10)
    return (residue(struct.pack(">HHHH", 0, 0, 10, 0) + bytes(2), pseudo)).to_bytes(2, "big")


def test_an_icmp_checksum_takes_what_its_body_lost(tmp_path: Path) -> None:
    packet = settled(tmp_path, [FOREIGN["icmp quotes"]])[0]
    assert packet[34:36] == b"\3\0"
    assert packet[42:] == bytes(len(packet) - 42)
    assert residue(packet[34:], b"") == 0


def test_a_checksum_that_was_left_to_the_card_tells_nothing_and_stays(tmp_path: Path) -> None:
    source = left_to_card(send(SECRET))
    with opened(tmp_path, [source]) as image:
        done = image.settle()
    assert packets_of(tmp_path) == [source[:54] + bytes(len(SECRET))]
    assert (done.packets_rewritten, done.checksums_left) == (1, 1)


def test_so_does_that_of_a_datagram(tmp_path: Path) -> None:
    data = udp(SECRET)
    pseudo = struct.pack(">4s4sxBH", bytes(map(int, IP_A.split("."))), bytes(map(int, IP_B.split("."))), UDP, len(data))
    held = residue(pseudo, b"").to_bytes(2, "big")
    with opened(tmp_path, [ethernet(ipv4(data[:6] + held + data[8:], UDP))]) as image:
        assert image.settle().checksums_left == 1
    assert packets_of(tmp_path)[0][40:42] == held


def test_a_finished_checksum_that_looks_left_to_the_card_is_brought_up_to_date(tmp_path: Path) -> None:
    # The two bytes that make the segment's own words add up to nothing.
    blank = send(SECRET + bytes(2))
    held = int.from_bytes(left_to_card(blank)[50:52], "big")
    rest = residue(blank[34:50] + bytes(2) + blank[52:], b"")
    source = send(SECRET + ((-rest - 2 * held) % 0xFFFF).to_bytes(2, "big"))
    assert source[50:52] == left_to_card(source)[50:52]
    with opened(tmp_path, [source]) as image:
        assert image.settle().checksums_left == 0
    assert tcp_residue(packets_of(tmp_path)[0]) == 0
