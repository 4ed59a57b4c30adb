import pytest

from gql_server.domain.verification import LeakForm, LeakPlace, Verification
from tests.captures import ethernet, ip_bytes, ipv4, ipv6, mac_bytes, packets, pcap, udp4
from tests.engine.verify.proving import WITNESSES, prove, prove_among_witnesses, replaced

BYTES = {
    "IPV4": ip_bytes("203.0.113.77"),
    "IPV6": ip_bytes("2001:db8:cccc:dddd::99"),
    "MAC": mac_bytes("00:11:22:33:44:66"),
}


def with_payload(payload: bytes) -> Verification:
    packet = ethernet(udp4(payload))
    return prove_among_witnesses(packet, replaced(packet[:42]) + payload)


def findings(verification: Verification) -> set[tuple[str, LeakForm, int]]:
    return {(one.kind, one.form, one.hits) for one in verification.scan.findings if one.place is LeakPlace.PAYLOAD}


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("before", range(17))
@pytest.mark.parametrize("behind", [0, 1, 7])
def test_an_original_is_found_at_any_place_in_either_direction(kind: str, before: int, behind: int) -> None:
    address = BYTES[kind]
    payload = b"\xa5" * before + address + b"\xa5" * behind
    assert (kind, LeakForm.BINARY, 1) in findings(with_payload(payload))
    payload = b"\xa5" * before + address[::-1] + b"\xa5" * behind
    assert (kind, LeakForm.REVERSED, 1) in findings(with_payload(payload))


@pytest.mark.parametrize("before", range(9))
def test_a_mac_address_is_found_in_an_interface_id(before: int) -> None:
    payload = b"\xa5" * before + bytes.fromhex("021122fffe334466")
    assert findings(with_payload(payload)) == {("MAC", LeakForm.EUI64, 1)}


def test_hits_are_counted_and_located() -> None:
    payload = b"\xa5\xa5" + BYTES["IPV4"] * 3
    verification = with_payload(payload)
    (finding,) = (one for one in verification.scan.findings if one.place is LeakPlace.PAYLOAD)
    assert (finding.hits, finding.first_packet) == (3, len(WITNESSES) + 1)
    assert finding.first_offset == verification.ledger.size_bytes - 12


def test_more_hits_than_a_list_holds_are_all_counted() -> None:
    packet = ethernet(udp4(BYTES["IPV4"] * 300))
    output = replaced(packet[:42]) + packet[42:]
    verification = prove(pcap(packets(*[packet] * 40)), pcap(packets(*[output] * 40)))
    assert findings(verification) == {("IPV4", LeakForm.BINARY, 12_000)}


@pytest.mark.parametrize("address", ["10.0.0.0", "224.1.2.3", "255.255.255.255", "127.0.0.1"])
def test_what_names_no_host_is_not_searched_for(address: str) -> None:
    packet = ethernet(ipv4(b"", 59, source=address))
    verification = prove(pcap(packets(packet)), pcap(packets(replaced(packet))))
    assert verification.scan.addresses_ipv4 == 1
    assert verification.scan.addresses_mac == 2
    assert verification.scan.bytes_scanned == verification.ledger.size_bytes


@pytest.mark.parametrize(("address", "searched"), [("2001:db8::", 1), ("2001:d00::", 0), ("2001:d00::1", 1)])
def test_an_address_with_hardly_a_byte_is_not_searched_for(address: str, searched: int) -> None:
    packet = ethernet(ipv6(b"", 59, source=address, destination="ff02::1"), kind=0x86DD)
    output = packet[:22] + ip_bytes("2001:db9::7:7") + packet[38:]
    assert prove(pcap(packets(packet)), pcap(packets(output))).scan.addresses_ipv6 == searched


def test_an_address_that_is_not_searched_for_is_not_found() -> None:
    packet = ethernet(udp4(b" 127.0.0.1 ", source="127.0.0.1"))
    assert prove_among_witnesses(packet, replaced(packet)).scan.findings == ()


SEARCHED = [
    ("10.0.0.1", "10.9.8.7", 1),
    ("10.0.0.0", "10.9.8.7", 0),
    ("169.254.1.2", "169.254.3.4", 1),
    ("240.1.2.3", "240.3.4.5", 1),
    ("239.1.2.3", "239.1.3.4", 0),
    ("127.0.0.1", "127.0.0.2", 0),
    ("10.1.2.3", "10.1.2.3", 0),
    ("fe80::1:2", "fe80::3:4", 1),
    ("ff02::1:ff00:1", "ff02::1:ff00:2", 0),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", 0),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:3:3:4:5:6", 1),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:7", 1),
]


@pytest.mark.parametrize(("was", "now", "searched"), SEARCHED)
def test_what_names_a_host_and_changed_is_searched_for(was: str, now: str, searched: int) -> None:
    fixed, kind = ("ff02::1", 0x86DD) if ":" in was else ("224.0.0.1", 0x0800)
    build = ipv6 if ":" in was else ipv4
    before, after = (ethernet(build(b"", 59, source=one, destination=fixed), kind=kind) for one in (was, now))
    scan = prove(pcap(packets(before)), pcap(packets(after))).scan
    assert scan.addresses_ipv4 + scan.addresses_ipv6 == searched


@pytest.mark.parametrize(
    ("was", "now", "searched"),
    [
        ("00:11:22:33:44:55", "00:11:22:33:44:56", 1),
        ("00:11:22:33:44:55", "00:11:22:33:44:55", 0),
        ("02:00:00:00:00:01", "02:00:00:00:00:02", 0),
        ("02:00:00:00:01:01", "02:00:00:00:01:02", 1),
        ("01:00:5e:01:02:03", "01:00:5e:01:02:04", 0),
    ],
)
def test_a_mac_address_that_names_a_host_and_changed_is_searched_for(was: str, now: str, searched: int) -> None:
    loopback = ipv4(b"", 59, source="127.0.0.1", destination="224.0.0.1")
    before, after = (ethernet(loopback, source=one, destination="ff:ff:ff:ff:ff:ff") for one in (was, now))
    assert prove(pcap(packets(before)), pcap(packets(after))).scan.addresses_mac == searched
