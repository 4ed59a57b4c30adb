import pytest

from gql_server.domain.anonymization import PayloadPolicy
from gql_server.engine.verify import files
from tests.captures import (
    IP6_A,
    IP6_B,
    IP_C,
    Packet,
    SectionOf,
    dhcp_request,
    dns_answer,
    ethernet,
    icmp,
    ip_bytes,
    ipv4,
    ipv6,
    packets,
    pcap,
    pcapng,
    tcp,
    tcp4,
    udp,
    udp4,
    udp6,
    with_checksum,
)
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, prove_packet, reasons_of, replaced

OPTIONS = {
    "plain": (b"\x02\x04\x05\xb4\x01\x03\x03\x07\x04\x02\x05\x0a" + bytes(range(1, 9)) + b"\x08\x0a" + bytes(8), 0),
    "timeout": (b"\x1c\x04\x80\x05", 0),
    "fast open": (b"\x22\x06\x01\x02\x03\x04", 0),
    "multipath": (b"\x1e\x04\x81\x05", 0),
    "added address": (b"\x1e\x08\x30\x01" + ip_bytes(IP_C), 5),
    "signature": (b"\x13\x06\x01\x02\x03\x04", 4),
    "malformed": (b"\x02\x40\x05\xb4", 4),
    "behind the end": (b"\0\x02\x03\x04", 3),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_tcp_options_are_known_or_unknown(name: str) -> None:
    options, unknown = OPTIONS[name]
    packet = ethernet(ipv4(tcp(b"data", options=options), 6))
    verification = prove_packet(packet, replaced(packet).replace(replaced(ip_bytes(IP_C)), ip_bytes(IP_C)))
    assert verification.ledger.unknown == unknown
    assert verification.ledger.opaque == 4


def test_a_header_that_says_too_little_or_too_much_is_no_header() -> None:
    segment = tcp(b"data")
    for words, unknown in ((4, 4), (15, 4)):
        odd = segment[:12] + bytes([words << 4]) + segment[13:]
        assert prove_packet(ethernet(ipv4(odd, 6))).ledger.unknown == unknown
    longer = tcp(b"")[:12] + b"\xf0" + tcp(b"")[13:]
    assert prove_packet(ethernet(ipv4(longer, 6)) + b"\x01" * 40).ledger.unknown == 40


@pytest.mark.parametrize("port", [1701, 3544, 4341, 4754, 4790, 6080, 6635])
def test_a_tunnel_that_nobody_reads_is_zero_or_unknown(port: int) -> None:
    for ports in ((port, 9), (9, port)):
        assert prove_packet(ethernet(udp4(b"\x01\x02", ports=ports))).ledger.unknown == 2


@pytest.mark.parametrize("port", [53, 5353, 5355])
def test_names_are_read_at_each_of_their_ports(port: int) -> None:
    for ports in ((port, 9), (9, port)):
        assert_sound(prove_packet(ethernet(udp4(dns_answer(), ports=ports))))


@pytest.mark.parametrize("ports", [(67, 68), (68, 67), (67, 67), (68, 68)])
def test_hosts_are_read_at_each_of_their_ports(ports: tuple[int, int]) -> None:
    assert_sound(prove_packet(ethernet(udp4(dhcp_request(), ports=ports))))


@pytest.mark.parametrize("port", [4789, 8472])
def test_a_tunnel_is_read_at_each_of_its_ports(port: int) -> None:
    assert_sound(prove_packet(ethernet(udp4(b"\x08" + bytes(7) + ethernet(udp4()), ports=(9, port)))))


def test_an_option_at_the_end_of_memory_is_read_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window ends where the packet does: a byte read beyond it is out of bounds."""
    packet = ethernet(ipv4(tcp(b"", options=b"\x01\x01\x1e\x02"), 6))
    monkeypatch.setattr(files, "WINDOW_BYTES", len(pcap([Packet(data=packet)])))
    assert_sound(prove_packet(packet))


NO_TUNNELS = {
    "vxlan without its flag": (4789, bytes(8) + ethernet(udp4())),
    "vxlan too short": (4789, b"\x08" + bytes(6)),
    "geneve of another version": (6081, b"\xc0\0\x08\0\0\0\0\0" + udp4()),
    "geneve too short": (6081, b"\x3f\0\x08\0\0\0\0"),
    "gtp of another version": (2152, b"\x48\xff\0\0\0\0\0\0" + udp4()),
}


@pytest.mark.parametrize("name", NO_TUNNELS)
def test_a_port_alone_makes_no_tunnel(name: str) -> None:
    port, data = NO_TUNNELS[name]
    packet = ethernet(udp4(data, ports=(9, port)))
    verification = prove_packet(packet, replaced(packet[:42]) + data)
    assert verification.ledger.opaque == len(data)


@pytest.mark.parametrize("length", [1, 6, 13])
def test_a_frame_that_is_cut_in_a_tunnel_is_unknown(length: int) -> None:
    packet = ethernet(udp4(b"\x08" + bytes(7) + ethernet(udp4())[:length], ports=(9, 4789)))
    packet = packet[:40] + bytes(2) + packet[42:]  # without a checksum
    assert prove_packet(packet, replaced(packet)[:50] + packet[50:]).ledger.unknown == sum(map(bool, packet[50:]))
    assert_sound(prove_packet(packet, replaced(packet[:42]) + packet[42:50] + bytes(length)))


def test_options_of_geneve_that_are_cut_are_unknown() -> None:
    packet = ethernet(udp4(b"\x02\0\x08\0\0\0\0\0" + b"option.", ports=(9, 6081)))
    assert prove_packet(packet).ledger.unknown == 7


def test_options_of_geneve_and_extensions_of_gtp_are_unknown() -> None:
    geneve = ethernet(udp4(b"\x01\0\x08\0\0\0\0\0\x01\x02\x03\x04" + udp4(), ports=(9, 6081)))
    assert prove_packet(geneve).ledger.unknown == 4
    gtp = ethernet(udp4(b"\x34\xff\0\x04\0\0\0\x01\0\0\0\x85\x01\x02\x03\0", ports=(9, 2152)))
    assert prove_packet(gtp).ledger.unknown == 4
    numbered = ethernet(udp4(b"\x32\xff\0\x04\0\0\0\x01\0\x05\0\0" + udp4(), ports=(9, 2152)))
    assert_sound(prove_packet(numbered))
    cut = ethernet(udp4(b"\x32\xff\0\x04\0\0\0\x01\x07\x05", ports=(9, 2152))) + b"\x01\x02"
    assert prove_packet(cut).ledger.unknown == 4


@pytest.mark.parametrize("start", [b"\x40\0", b"\0\x01"])
def test_gre_with_routing_or_of_another_version_is_unknown(start: bytes) -> None:
    assert prove_packet(ethernet(ipv4(start + b"\x08\0\x01\x02\x03\x04", 47))).ledger.unknown >= 5


@pytest.mark.parametrize(("protocol", "most", "kept"), [(6, 18, 16), (17, 8, 6)])
def test_a_header_ends_where_its_packet_does(protocol: int, most: int, kept: int) -> None:
    segment = (tcp() if protocol == 6 else udp())[:20]
    for length in range(21):
        packet = ethernet(ipv4(segment[:length], protocol)) + b"\x07" * 24
        left = segment[kept:length] if length < most else b""
        assert prove_packet(packet).ledger.unknown == 24 + len(left) - left.count(0)


def test_a_datagram_without_length_is_all_there_is() -> None:
    datagram = udp(b"data")
    packet = ethernet(ipv4(datagram[:4] + bytes(4) + datagram[8:], 17))
    assert_sound(prove_packet(packet))
    assert prove_packet(packet).ledger.opaque == 4


@pytest.mark.parametrize("ports", [(67, 9), (9, 67), (68, 9), (9, 68)])
def test_one_port_makes_no_host(ports: tuple[int, int]) -> None:
    packet = ethernet(udp4(dhcp_request(), ports=ports))
    assert prove_packet(packet, replaced(packet[:42]) + packet[42:]).ledger.opaque == len(dhcp_request())


def test_hosts_of_ipv6_are_others() -> None:
    datagram = udp(dhcp_request(), source=IP6_A, destination=IP6_B, source_port=68, destination_port=67)
    packet = ethernet(ipv6(datagram, 17), kind=0x86DD)
    assert prove_packet(packet, replaced(packet[:62]) + packet[62:]).ledger.opaque == len(dhcp_request())


def test_a_key_behind_a_checksum_is_read() -> None:
    header = b"\xa0\0\x08\0\0\0\0\0\x01\x02\x03\x04"
    assert_sound(prove_packet(ethernet(ipv4(with_checksum(header + udp4(), 4), 47))))


def test_other_messages_of_gtp_hold_no_packet() -> None:
    packet = ethernet(udp4(b"\x30\x01\0\0\0\0\0\x01" + udp4(), ports=(9, 2152)))
    assert prove_packet(packet).ledger.unknown == len(udp4()) - udp4().count(0)


@pytest.mark.parametrize("packet", [udp4(b"", ports=(9, 6081)), udp4(b"", ports=(9, 2152)), ipv4(b"\0\0", 47)])
def test_a_tunnel_at_the_end_of_memory_is_read_within_its_bounds(
    packet: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WINDOW_BYTES", len(pcap([Packet(data=packet)])))
    assert_sound(prove_packet(packet, link_type=101))


def test_a_cut_gre_header_is_unknown_behind_its_flags() -> None:
    assert prove_packet(ethernet(ipv4(b"\xb0\0\x08\0\x01\x02", 47))).ledger.unknown == 2
    assert prove_packet(ethernet(ipv4(b"\0\0\x08", 47)) + b"\x07" * 4).ledger.unknown == 5


@pytest.mark.parametrize("payload", [PayloadPolicy.ZERO, PayloadPolicy.TRUNCATE])
def test_payload_that_should_be_gone_is_caught(payload: PayloadPolicy) -> None:
    for packet, size in (
        (ethernet(tcp4(b"data")), 4),
        (ethernet(udp4(b"datum")), 5),
        (ethernet(ipv4(icmp(8, b"ping"), 1)), 4),
    ):
        verification = prove_packet(packet, payload=payload)
        assert verification.status is Status.FAILED
        assert Reason.PAYLOAD_LEFT in verification.reasons
        assert verification.ledger.opaque == 0
        assert verification.ledger.unknown == size


def zeroed(port: int = 1111) -> bytes:
    return replaced(ethernet(udp4(bytes(20), ports=(port, 2222))))


@pytest.mark.parametrize("port", [53, 67, 1111])
def test_payload_made_zero_leaves_nothing_open(port: int) -> None:
    packet = ethernet(udp4(b"d" * 20, ports=(port, 2222)))
    verification = prove_packet(packet, zeroed(port), payload=PayloadPolicy.ZERO)
    assert (verification.status, verification.reasons) == (Status.VERIFIED, ())
    assert verification.interference.checksums_good == 2


def test_payload_cut_off_leaves_nothing_open() -> None:
    packet = ethernet(udp4(b"d" * 20))
    fields = {"payload": PayloadPolicy.TRUNCATE}
    before = [Packet(data=packet)]
    after = [Packet(data=zeroed()[:42], original_length=len(packet))]
    assert prove(pcap(before), pcap(after), **fields).reasons == ()
    ng = prove(pcapng(SectionOf(contents=before)), pcapng(SectionOf(contents=after)), **fields)
    assert ng.reasons == ()
    assert reasons_of(prove(pcap(before), pcap(after))) == {Reason.PACKETS_DIFFER}
    shorter = [Packet(data=zeroed()[:30], original_length=len(packet))]
    assert prove(pcap(before), pcap(shorter), **fields).status is Status.FAILED
    wrong = [Packet(data=replaced(packet)[:42], original_length=len(packet))]
    assert Reason.CHECKSUM_STATE_CHANGED in prove(pcap(before), pcap(wrong), **fields).reasons


def test_what_lies_behind_a_datagram_is_unknown() -> None:
    datagram = udp(b"data") + b"\x01\x02"
    assert prove_packet(ethernet(ipv4(datagram, 17))).ledger.unknown == 2
    assert_sound(prove_packet(ethernet(udp6(), kind=0x86DD)))
    assert with_checksum(b"\0\0", 0) == b"\xff\xff"
    assert len(packets(datagram)) == 1
