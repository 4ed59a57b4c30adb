import pytest

from gql_server.engine.inspect.pairs import ROUTER_SUBNETS
from tests.captures import (
    IP6_A,
    IP_A,
    IP_B,
    MAC_A,
    MAC_B,
    arp,
    ethernet,
    ip_bytes,
    mac_bytes,
    udp4,
    udp6,
)
from tests.engine.inspect.surveying import Found, find_in

HOST = "00:11:22:33:44:77"


def rows(found: Found) -> list[tuple[str | None, str, bool, int, int, int, int]]:
    return [
        (
            None if pair.address is None else str(pair.address),
            pair.mac,
            pair.is_router,
            pair.addresses,
            pair.packets_sent,
            pair.packets_received,
            pair.claims,
        )
        for pair in found.pairs
    ]


def from_subnets(count: int, mac: str = MAC_A) -> list[bytes]:
    """Return frames that one MAC address sends for hosts of so many subnets."""
    return [ethernet(udp4(source=f"198.51.{n}.7"), source=mac) for n in range(count)]


def test_a_host_is_paired_with_its_mac_by_what_it_sends_and_receives() -> None:
    back = ethernet(udp4(source=IP_B, destination=IP_A), source=MAC_B, destination=MAC_A)
    assert rows(find_in(ethernet(udp4()), ethernet(udp4()), back)) == [
        (IP_A, MAC_A, False, 1, 2, 1, 0),
        (IP_B, MAC_B, False, 1, 1, 2, 0),
    ]


def test_an_address_at_two_macs_has_two_rows() -> None:
    found = find_in(ethernet(udp4()), ethernet(udp4()), ethernet(udp4(), source=HOST))
    assert [row[:2] + row[4:5] for row in rows(found) if row[0] == IP_A] == [(IP_A, MAC_A, 2), (IP_A, HOST, 1)]


def test_a_mac_of_many_subnets_is_a_router_and_what_lies_behind_it_one_row() -> None:
    found = find_in(*from_subnets(ROUTER_SUBNETS), ethernet(udp4(source="198.51.0.8")))
    assert [row for row in rows(found) if row[1] == MAC_A] == [
        (None, MAC_A, True, ROUTER_SUBNETS + 1, ROUTER_SUBNETS + 1, 0, 0)
    ]
    assert (IP_B, MAC_B, False, 1, 0, ROUTER_SUBNETS + 1, 0) in rows(found)


def test_a_mac_of_few_subnets_is_a_host_however_many_addresses_it_has() -> None:
    same = [ethernet(udp4(source=f"198.51.0.{n}")) for n in range(1, 100)]
    found = find_in(*from_subnets(ROUTER_SUBNETS - 1), *same)
    assert [row for row in rows(found) if row[2]] == []
    assert len([row for row in rows(found) if row[1] == MAC_A]) == 99 + ROUTER_SUBNETS - 2


def test_ipv6_subnets_have_64_bits() -> None:
    def frames(width: str, count: int) -> list[bytes]:
        return [ethernet(udp6(source=f"2001:db8:{width.format(n)}"), kind=0x86DD) for n in range(count)]

    assert any(row[2] for row in rows(find_in(*frames("0:{}::1", ROUTER_SUBNETS))))
    assert not any(row[2] for row in rows(find_in(*frames("0:1:{}::1", 50))))


def test_link_local_addresses_make_no_router() -> None:
    frames = [ethernet(udp4(source=f"169.254.{n}.1")) for n in range(9)]
    frames += [ethernet(udp6(source=f"fe80:0:0:{n}::1"), kind=0x86DD) for n in range(9)]
    assert not any(row[2] for row in rows(find_in(*frames)))


def test_an_address_that_was_claimed_keeps_its_row_beside_a_routers() -> None:
    found = find_in(ethernet(arp(source="10.0.0.1"), kind=0x0806), *from_subnets(9), ethernet(udp4(source="10.0.0.1")))
    assert [row for row in rows(found) if row[1] == MAC_A] == [
        (None, MAC_A, True, 9, 9, 0, 0),
        ("10.0.0.1", MAC_A, True, 1, 1, 0, 1),
    ]


def test_claimed_addresses_of_many_subnets_are_a_hosts_own() -> None:
    frames = [ethernet(arp(source=f"10.0.{n}.1"), kind=0x0806) for n in range(9)]
    found = find_in(*frames, *[ethernet(udp4(source=f"10.0.{n}.1")) for n in range(9)])
    assert sorted(row[:4] for row in rows(found) if row[1] == MAC_A) == [
        (f"10.0.{n}.1", MAC_A, False, 1) for n in range(9)
    ]


@pytest.mark.parametrize("mac", ["00:00:5e:00:01:07", "00:00:5e:00:02:ff"])
def test_a_virtual_routers_mac_is_a_routers(mac: str) -> None:
    assert [row[:4] for row in rows(find_in(ethernet(udp4(), source=mac))) if row[2]] == [(None, mac, True, 1)]
    assert not any(row[2] for row in rows(find_in(ethernet(udp4(), source="00:00:5e:00:03:07"))))


def test_no_pair_is_made_of_what_is_nobodys() -> None:
    group = ethernet(udp4(destination="224.0.0.251"), destination="01:00:5e:00:00:fb")
    broadcast = ethernet(udp4(source="0.0.0.0", destination="255.255.255.255"), destination="ff:ff:ff:ff:ff:ff")
    odd = ethernet(udp4(destination="239.1.1.1"))
    odd6 = ethernet(udp6(source="::", destination="ff02::1"), kind=0x86DD)
    dead = ethernet(udp4(), source="00:00:00:00:00:00", destination="00:00:00:00:00:00")
    assert {row[:2] for row in rows(find_in(group, broadcast, odd, odd6, dead))} == {(IP_A, MAC_A)}


def test_an_arp_probe_claims_nothing() -> None:
    assert rows(find_in(ethernet(arp(source="0.0.0.0"), kind=0x0806))) == []
    strange = arp()[:4] + b"\x08\x04" + arp()[6:]
    assert rows(find_in(ethernet(strange, kind=0x0806))) == []
    assert rows(find_in(ethernet(arp(), kind=0x0806))) == [(IP_A, MAC_A, False, 1, 0, 0, 1)]


def test_an_address_that_only_arp_spoke_of_is_no_talker() -> None:
    assert find_in(ethernet(arp(), kind=0x0806)).talkers == ()


def test_reserved_class_e_addresses_can_be_hosts() -> None:
    assert ("240.0.0.1", MAC_A) in {row[:2] for row in rows(find_in(ethernet(udp4(source="240.0.0.1"))))}


def test_addresses_of_both_versions_are_kept_apart() -> None:
    low = ip_bytes("::cb00:714d")
    assert low[12:] == ip_bytes(IP_A)
    found = find_in(ethernet(udp4()), ethernet(udp6(source="::cb00:714d"), kind=0x86DD), ethernet(udp6(), kind=0x86DD))
    assert {row[0] for row in rows(found) if row[1] == MAC_A} == {IP_A, "::cb00:714d", IP6_A}
    assert mac_bytes(MAC_A) == b"\x00\x11\x22\x33\x44\x55"
