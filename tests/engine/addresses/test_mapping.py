from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.anonymization import AddressMapping
from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.mapping import AddressMap, derive
from gql_server.engine.addresses.ranges import Numbers
from tests.engine.doubles import KEY

PREFIX_PRESERVING = (AddressMapping.IPCRYPT_PFX, AddressMapping.CRYPTO_PAN)
MAPS = {mapping: AddressMap(KEY, mapping, ()) for mapping in PREFIX_PRESERVING}
RULES = (
    ("10.0.0.0/8", "20.0.0.0/8"),
    ("10.1.0.0/16", "30.1.0.0/16"),
    ("192.168.0.0/24", "192.168.0.0/24"),
    ("2001:db8::/32", "fd00:1::/32"),
    ("2001:db8:1::/48", "2001:dead:1::/48"),
)
RULED = AddressMap(KEY, AddressMapping.IPCRYPT_PFX, RULES)
EVERY = pytest.mark.parametrize("addresses", MAPS.values(), ids=MAPS.keys())


def map4(addresses: AddressMap, *texts: str) -> list[str]:
    numbers = np.array([int(ip_address(text)) for text in texts], np.uint64)
    return [str(ip_address(number)) for number in addresses.ipv4(numbers).tolist()]


def map6(addresses: AddressMap, *texts: str) -> list[str]:
    numbers = [int(ip_address(text)) for text in texts]
    words = np.array([(number >> 64, number & (1 << 64) - 1) for number in numbers], np.uint64).reshape(-1, 2)
    return [str(ip_address(((high << 64) | low).to_bytes(16, "big"))) for high, low in addresses.ipv6(words).tolist()]


def map_mac(addresses: AddressMap, *macs: int) -> list[int]:
    mapped: list[int] = addresses.mac(np.array(macs, np.uint64)).tolist()
    return mapped


def shared_bits(one: int, other: int, width: int) -> int:
    return width - (one ^ other).bit_length()


@EVERY
def test_special_ranges_are_neither_entered_nor_left(addresses: AddressMap) -> None:
    numbers = np.random.default_rng(7).integers(0, 1 << 32, 100_000, dtype=np.uint64)
    mapped = addresses.ipv4(numbers)
    for belongs in (
        ranges.is_ordinary_ipv4,
        ranges.is_fixed_ipv4,
        ranges.is_link_local_ipv4,
        ranges.is_group_ipv4,
        ranges.is_reserved_ipv4,
    ):
        assert np.array_equal(belongs(numbers), belongs(mapped))


@EVERY
@pytest.mark.parametrize("first", [0x01000000, 0x0A000000, 0xA9FE0000, 0xE0000000, 0xEA123400, 0xF0000000, 0xFFFF0000])
def test_no_two_ipv4_addresses_meet(addresses: AddressMap, first: int) -> None:
    numbers = np.arange(first, first + (1 << 16), dtype=np.uint64)
    assert len(np.unique(addresses.ipv4(numbers))) == len(numbers)


@EVERY
def test_no_two_random_ipv4_addresses_meet(addresses: AddressMap) -> None:
    numbers = np.unique(np.random.default_rng(3).integers(0, 1 << 32, 100_000, dtype=np.uint64))
    assert len(np.unique(addresses.ipv4(numbers))) == len(numbers)


@EVERY
@settings(deadline=None)
@given(base=st.integers(1 << 24, (223 << 24) - 1), bits=st.integers(0, 24), flip=st.integers(0, (1 << 24) - 1))
def test_shared_prefixes_are_preserved_beyond_the_longest_special_one(
    addresses: AddressMap, base: int, bits: int, flip: int
) -> None:
    other = base ^ (flip >> bits)
    numbers = np.array([base, other], np.uint64)
    if ranges.is_ordinary_ipv4(numbers).all():
        one, two = addresses.ipv4(numbers).tolist()
        shared = shared_bits(base, other, 32)
        assert shared_bits(one, two, 32) == shared if shared >= 16 else one != two or base == other


@EVERY
@settings(deadline=None)
@given(base=st.integers(0, (1 << 128) - 1), bits=st.integers(0, 100))
def test_shared_ipv6_prefixes_are_preserved(addresses: AddressMap, base: int, bits: int) -> None:
    base = (0x20 << 120) | (base >> 8)
    other = base ^ (1 << bits)
    one, two = (int(ip_address(text)) for text in map6(addresses, str(ip_address(base)), str(ip_address(other))))
    assert shared_bits(one, two, 128) == shared_bits(base, other, 128)


@EVERY
def test_fixed_addresses_stay(addresses: AddressMap) -> None:
    fixed = ["0.0.0.0", "0.0.0.7", "127.0.0.1", "255.255.255.255", "224.0.0.251", "239.255.255.250"]
    assert map4(addresses, *fixed) == fixed
    fixed6 = ["::", "::1", "ff02::1", "ff02::fb", "ff05::1:3", "ff0e::101"]
    assert map6(addresses, *fixed6) == fixed6
    macs = [0, 0xFFFFFFFFFFFF, 0x01005E0000FB, 0x333300000001, 0x3333000000FB, 0x0180C200000E, 0x01000CCCCCCC]
    assert map_mac(addresses, *macs) == macs


@EVERY
def test_host_bits_of_link_local_addresses_do_not_show(addresses: AddressMap) -> None:
    original = ["169.254.17.3", "fe80::211:22ff:fe33:4455"]
    (four,), (six,) = map4(addresses, original[0]), map6(addresses, original[1])
    assert ip_address(four) in ip_network("169.254.0.0/16")
    assert ip_address(six) in ip_network("fe80::/64")
    assert [four, six] != original


@EVERY
def test_solicited_node_groups_and_their_mac_addresses_go_together(addresses: AddressMap) -> None:
    (group,) = map6(addresses, "ff02::1:ff33:4455")
    (mac,) = map_mac(addresses, 0x3333FF334455)
    number = int(ip_address(group))
    assert number >> 24 == int(ip_address("ff02::1:ff33:4455")) >> 24
    assert number != int(ip_address("ff02::1:ff33:4455"))
    assert mac == 0x333300000000 | (number & 0xFFFFFFFF)


@EVERY
def test_made_up_groups_and_their_mac_addresses_go_together(addresses: AddressMap) -> None:
    (four,) = map4(addresses, "234.17.3.9")
    (mac,) = map_mac(addresses, 0x01005E110309)
    assert four.startswith(("234.", "235."))
    assert four != "234.17.3.9"
    assert mac == 0x01005E000000 | (int(ip_address(four)) & 0x7FFFFF)
    (six,) = map6(addresses, "ff3e:40:2001:db8:1:2:8000:99")
    (mac6,) = map_mac(addresses, 0x333380000099)
    assert six.startswith("ff3e:")
    assert "2001:db8" not in six
    assert mac6 == 0x333300000000 | (int(ip_address(six)) & 0xFFFFFFFF)


@EVERY
def test_no_two_groups_meet(addresses: AddressMap) -> None:
    low = np.random.default_rng(5).integers(0, 1 << 32, 10_000, dtype=np.uint64)
    macs = np.unique(np.uint64(0x333300000000) | low)
    assert len(np.unique(addresses.mac(macs))) == len(macs)
    groups = np.empty((len(macs), 2), np.uint64)
    groups[:, 0], groups[:, 1] = np.uint64(0xFF3E << 48), macs
    assert len(np.unique(addresses.ipv6(groups), axis=0)) == len(groups)
    every = np.arange(0x01005E000000, 0x01005E000000 + (1 << 23), 97, dtype=np.uint64)
    mapped = addresses.mac(every)
    assert len(np.unique(mapped)) == len(every)
    assert bool(ranges.is_ipv4_group_mac(mapped).all())


@EVERY
def test_station_and_group_mac_addresses_keep_their_class(addresses: AddressMap) -> None:
    macs = np.random.default_rng(5).integers(0, 1 << 48, 100_000, dtype=np.uint64)
    mapped = addresses.mac(macs)
    flags = np.uint64(0x030000000000)
    assert np.array_equal(macs & flags, mapped & flags)
    assert int((macs == mapped).sum()) == 0
    assert np.array_equal(ranges.is_ordinary_mac(macs), ranges.is_ordinary_mac(mapped))


def test_the_longest_rule_wins_and_keeps_the_host_bits() -> None:
    mapped = map4(RULED, "10.2.3.4", "10.1.3.4", "192.168.0.9")
    assert mapped == ["20.2.3.4", "30.1.3.4", "192.168.0.9"]
    assert map6(RULED, "2001:db8:2::5", "2001:db8:1::5") == ["fd00:1:2::5", "2001:dead:1::5"]


def test_addresses_without_a_rule_never_land_in_a_target_and_no_two_meet() -> None:
    generator = np.random.default_rng(11)
    parts = [generator.integers(0, 1 << 32, 100_000, dtype=np.uint64)]
    for network in ("10.0.0.0/8", "20.0.0.0/8", "30.1.0.0/16", "192.168.0.0/24"):
        first = int(ip_network(network).network_address)
        parts.append(first + generator.integers(0, ip_network(network).num_addresses, 20_000, dtype=np.uint64))
    numbers: Numbers = np.unique(np.concatenate(parts))
    mapped = RULED.ipv4(numbers)
    assert len(np.unique(mapped)) == len(numbers)
    unruled = ~np.isin(numbers >> np.uint64(24), [10]) & (numbers >> np.uint64(8) != np.uint64(0xC0A800))
    landed = mapped[unruled]
    # 20.1/16 is the place that the inner rule left free.
    in_target = (landed >> np.uint64(24) == 20) & (landed >> np.uint64(16) != np.uint64(0x1401))
    assert not in_target.any()
    assert not (landed >> np.uint64(16) == np.uint64(0x1E01)).any()
    assert not (landed >> np.uint64(8) == np.uint64(0xC0A800)).any()


def test_another_key_gives_another_map_and_another_purpose_another_key() -> None:
    other = AddressMap(b"k" * 32, AddressMapping.IPCRYPT_PFX, ())
    assert map4(other, "10.1.2.3") != map4(MAPS[AddressMapping.IPCRYPT_PFX], "10.1.2.3")
    assert len({derive(KEY, purpose, 16) for purpose in ("ip/pfx", "ip/cryptopan", "mac/ff1")}) == 3


def test_no_addresses_map_to_none() -> None:
    assert (map4(RULED), map6(RULED), map_mac(RULED)) == ([], [], [])
