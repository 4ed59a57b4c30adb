from collections.abc import Callable
from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.anonymization import AddressMapping, MacMapping
from gql_server.domain.errors import RulesOverlap
from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.eui64 import eui64_of_mac, is_eui64
from gql_server.engine.addresses.mapping import AddressMap
from gql_server.engine.addresses.ranges import Numbers, Pairs
from tests.engine.doubles import KEY

MAPS = {
    "pfx": AddressMap(KEY, AddressMapping.IPCRYPT_PFX, ()),
    "pan": AddressMap(KEY, AddressMapping.CRYPTO_PAN, ()),
    "permutation": AddressMap(KEY, AddressMapping.PERMUTATION, ()),
    "vendors kept": AddressMap(KEY, AddressMapping.IPCRYPT_PFX, (), mac_mapping=MacMapping.KEEP_OUI),
}
RULES = (
    ("10.0.0.0/8", "20.0.0.0/8"),
    ("10.1.0.0/16", "30.1.0.0/16"),
    ("192.168.0.0/24", "192.168.0.0/24"),
    ("2001:db8::/32", "fd00:1::/32"),
    ("2001:db8:1::/48", "2001:dead:1::/48"),
)
RULED = AddressMap(KEY, AddressMapping.IPCRYPT_PFX, RULES)
EXPLICIT = AddressMap(KEY, AddressMapping.EXPLICIT, RULES)
EVERY = pytest.mark.parametrize("addresses", MAPS.values(), ids=MAPS.keys())
PREFIX_PRESERVING = pytest.mark.parametrize("addresses", [MAPS["pfx"], MAPS["pan"]], ids=["pfx", "pan"])
MANY_RULES = {
    "none": (),
    "nested": RULES,
    # An eighth of all addresses each, so that many others would land in the images.
    "wide": (("64.0.0.0/3", "192.0.0.0/3"), ("72.0.0.0/8", "MAP"), ("128.0.0.0/4", "KEEP"), ("200.0.0.0/8", "MAP")),
    "wide IPv6": (
        ("4000::/3", "6000::/3"),
        ("4800::/8", "MAP"),
        ("8000::/3", "KEEP"),
        ("2001:db8::/32", "2001:db8::/32"),
    ),
}
EVERY_WAY = pytest.mark.parametrize(
    "addresses",
    [
        AddressMap(KEY, mapping, rules, mac_mapping=mac_mapping)
        for rules in MANY_RULES.values()
        for mapping in (AddressMapping.IPCRYPT_PFX, AddressMapping.CRYPTO_PAN, AddressMapping.PERMUTATION)
        for mac_mapping in MacMapping
    ],
    ids=[
        f"{rules}-{mapping}-{macs}"
        for rules in MANY_RULES
        for mapping in ("pfx", "pan", "whole")
        for macs in MacMapping
    ],
)


def map4(addresses: AddressMap, *texts: str) -> list[str]:
    numbers = np.array([int(ip_address(text)) for text in texts], np.uint64)
    return [str(ip_address(number)) for number in addresses.ipv4(numbers).tolist()]


def rows(numbers: list[int]) -> Pairs:
    return np.array([(number >> 64, number & (1 << 64) - 1) for number in numbers], np.uint64).reshape(-1, 2)


def map6(addresses: AddressMap, *texts: str) -> list[str]:
    mapped = addresses.ipv6(rows([int(ip_address(text)) for text in texts])).tolist()
    return [str(ip_address(((high << 64) | low).to_bytes(16, "big"))) for high, low in mapped]


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


@EVERY_WAY
@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(0, (1 << 32) - 1) | st.integers(1 << 29, 6 << 29), unique=True, max_size=64))
def test_no_two_ipv4_addresses_meet_under_any_rules(addresses: AddressMap, numbers: list[int]) -> None:
    mapped = addresses.ipv4(np.array(numbers, np.uint64)).tolist()
    assert len(set(mapped)) == len(numbers)
    assert mapped == [addresses.ipv4(np.array([number], np.uint64)).tolist()[0] for number in numbers]


PREFIXES6 = [0x20010DB8_00000001, 0x20010DB8_00010001, 0x40000000_00000000, 0x4800FFFF_00000000, 0xFE800000_00000000, 0]
IDS = st.integers(0, (1 << 64) - 1) | st.integers(0, (1 << 48) - 1).map(
    lambda mac: int(eui64_of_mac(np.array([mac], np.uint64))[0])
)


@EVERY_WAY
@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.tuples(st.sampled_from(PREFIXES6) | st.integers(0, (1 << 64) - 1), IDS), unique=True))
def test_no_two_ipv6_addresses_meet_under_any_rules(addresses: AddressMap, numbers: list[tuple[int, int]]) -> None:
    pairs = np.array(numbers, np.uint64).reshape(-1, 2)
    mapped = addresses.ipv6(pairs)
    assert len(np.unique(mapped, axis=0)) == len(pairs)
    assert [addresses.ipv6(pairs[n : n + 1]).tolist()[0] for n in range(len(pairs))] == mapped.tolist()
    for belongs in (ranges.is_fixed_ipv6, ranges.is_link_local_ipv6, ranges.is_group_ipv6):
        assert np.array_equal(belongs(pairs), belongs(mapped))


@EVERY
@settings(max_examples=30, deadline=None)
@given(macs=st.lists(st.integers(0, (1 << 48) - 1), unique=True))
def test_no_two_mac_addresses_meet(addresses: AddressMap, macs: list[int]) -> None:
    mapped = map_mac(addresses, *macs)
    assert len(set(mapped)) == len(macs)
    assert mapped == [map_mac(addresses, mac)[0] for mac in macs]


@PREFIX_PRESERVING
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


@PREFIX_PRESERVING
@settings(deadline=None)
@given(base=st.integers(0, (1 << 128) - 1), bits=st.integers(0, 111))
def test_shared_ipv6_prefixes_are_preserved(addresses: AddressMap, base: int, bits: int) -> None:
    base = (0x2001 << 112) | (base >> 16)
    other = base ^ (1 << bits)
    pairs = rows([base, other])
    (one_high, one_low), (two_high, two_low) = addresses.ipv6(pairs).tolist()
    one, two = (one_high << 64) | one_low, (two_high << 64) | two_low
    if bits >= 64 or not (is_eui64(pairs[:, 1]) | is_eui64(addresses._permutation.interface_ids(pairs))).any():
        assert shared_bits(one, two, 128) == 127 - bits
    else:
        assert one_high == two_high


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
    assert int((macs == mapped).sum()) < 3
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


def test_another_key_gives_another_map() -> None:
    other = AddressMap(b"k" * 32, AddressMapping.IPCRYPT_PFX, ())
    assert map4(other, "10.1.2.3") != map4(MAPS["pfx"], "10.1.2.3")
    assert map_mac(other, 0x001122334455) != map_mac(MAPS["pfx"], 0x001122334455)


@pytest.mark.parametrize("mapping", list(AddressMapping))
@pytest.mark.parametrize("mac_mapping", list(MacMapping))
def test_the_same_key_gives_the_same_pseudonyms_in_each_capture(
    mapping: AddressMapping, mac_mapping: MacMapping
) -> None:
    numbers = np.random.default_rng(9).integers(0, 1 << 32, 1000, dtype=np.uint64)
    first, later = (AddressMap(KEY, mapping, RULES, mac_mapping=mac_mapping) for _ in range(2))
    first.ipv4(numbers[:7])
    assert np.array_equal(first.ipv4(numbers), later.ipv4(numbers))
    assert np.array_equal(first.mac(numbers), later.mac(numbers))
    pairs = numbers.reshape(-1, 2)
    assert np.array_equal(first.ipv6(pairs), later.ipv6(pairs))


def undone(flips: Callable[[int], int], image: int, bits: int) -> int:
    """Return what has this image under a prefix-preserving permutation: each round gets one more bit right."""
    original = image
    for _ in range(bits):
        original = image ^ flips(original)
    return original


@PREFIX_PRESERVING
def test_no_address_becomes_the_broadcast_address(addresses: AddressMap) -> None:
    def flips(number: int) -> int:
        return number ^ int(addresses._inside.hosts_ipv4(np.array([number], np.uint64), 28)[0])

    original = undone(flips, 0xFFFFFFFF, 28)
    assert original ^ flips(original) == 0xFFFFFFFF != original
    (mapped,) = map4(addresses, str(ip_address(original)))
    assert ip_address(mapped) in ip_network("240.0.0.0/4")
    assert mapped != "255.255.255.255"


@pytest.mark.parametrize("image", [0, 1])
@PREFIX_PRESERVING
def test_no_address_becomes_the_loopback_address_or_none(addresses: AddressMap, image: int) -> None:
    permutation = addresses._permutation

    def step(number: int) -> int:
        high, low = permutation.ordinary_ipv6(rows([number]), permutation.interface_ids)[0]
        return number ^ ((int(high) << 64) | int(low))

    # The first 16 bits may have walked; they are in a table.
    top = int(np.flatnonzero(permutation._tops_ipv6 == 0)[0]) << 112  # type: ignore[attr-defined]  # of these two
    below = (1 << 112) - 1
    original = undone(lambda number: step(top | number & below) & below, image, 112) | top
    assert original ^ step(original) == image
    (mapped,) = map6(addresses, str(ip_address(original.to_bytes(16, "big"))))
    assert mapped not in ("::", "::1")


def test_rules_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(RulesOverlap):
        AddressMap(KEY, AddressMapping.IPCRYPT_PFX, (("10.0.0.0/8", "KEEP"), ("10.0.0.0/8", "ZERO")))


MAC = 0x001122334455
ID = "211:22ff:fe33:4455"


def id_of(mac: int) -> int:
    return int(eui64_of_mac(np.array([mac], np.uint64))[0])


@pytest.mark.parametrize("prefix", ["2001:db8:1:2:", "fd12:3456:789a:1:", "fe80::"])
@pytest.mark.parametrize("name", ["pfx", "pan", "vendors kept"])
def test_an_id_made_from_a_mac_address_follows_it(name: str, prefix: str) -> None:
    (mapped, other) = map6(MAPS[name], prefix + ID, prefix + "1:2:3:4")
    (mac,) = map_mac(MAPS[name], MAC)
    assert int(ip_address(mapped)) & (1 << 64) - 1 == id_of(mac)
    assert shared_bits(int(ip_address(mapped)), int(ip_address(other)), 128) >= 64
    assert prefix == "fe80::" or not mapped.startswith(prefix)


def test_a_whole_permutation_tells_of_mac_addresses_only_on_the_link() -> None:
    whole = MAPS["permutation"]
    ordinary, local = map6(whole, "2001:db8:1:2:" + ID, "fe80::" + ID)
    (mac,) = map_mac(whole, MAC)
    assert int(ip_address(local)) == (0xFE80 << 112) | id_of(mac)
    assert not is_eui64(rows([int(ip_address(ordinary))])[:, 1]).any()


@PREFIX_PRESERVING
def test_other_ids_never_land_among_those_of_mac_addresses(addresses: AddressMap) -> None:
    pairs = np.empty((1 << 18, 2), np.uint64)
    pairs[:, 0] = 0xFE80 << 48
    pairs[:, 1] = np.random.default_rng(6).integers(0, 1 << 63, len(pairs), dtype=np.uint64)
    assert is_eui64(addresses._permutation.interface_ids(pairs)).any(), "some would land there"
    assert np.array_equal(is_eui64(addresses.ipv6(pairs)[:, 1]), is_eui64(pairs[:, 1]))


def test_rules_for_prefixes_take_ids_along_and_rules_that_keep_leave_them() -> None:
    rules = (("2001:db8::/32", "2001:db8::/32"), ("2001:db8:2::/48", "KEEP"), ("2001:db8:3::/112", "3fff::/112"))
    ruled = AddressMap(KEY, AddressMapping.IPCRYPT_PFX, rules)
    mapped = map6(ruled, "2001:db8:1:2:" + ID, "2001:db8:2:0:" + ID, "2001:db8:3::7", "2001:db8:1:2::7")
    (mac,) = map_mac(ruled, MAC)
    assert int(ip_address(mapped[0])) == int(ip_address("2001:db8:1:2::")) | id_of(mac)
    assert mapped[1:] == ["2001:db8:2:0:" + ID, "3fff::7", "2001:db8:1:2::7"]


def test_kept_mapped_and_zeroed_ranges() -> None:
    rules = (("10.0.0.0/8", "20.0.0.0/8"), ("10.1.0.0/16", "MAP"), ("10.2.0.0/16", "ZERO"), ("11.0.0.0/8", "KEEP"))
    ruled = AddressMap(KEY, AddressMapping.IPCRYPT_PFX, (*rules, ("2001:db8::/32", "ZERO")))
    mapped = map4(ruled, "10.9.8.7", "10.1.2.3", "10.2.3.4", "11.5.6.7")
    assert mapped == ["20.9.8.7", *map4(MAPS["pfx"], "10.1.2.3"), "0.0.0.0", "11.5.6.7"]
    assert map6(ruled, "2001:db8:1::5") == ["::"]


def test_an_explicit_map_zeroes_what_no_rule_names() -> None:
    assert map4(EXPLICIT, "10.2.3.4", "10.1.3.4", "8.8.8.8") == ["20.2.3.4", "30.1.3.4", "0.0.0.0"]
    assert map6(EXPLICIT, "2001:db8:2::5", "2001:dead::1", "::2") == ["fd00:1:2::5", "::", "::"]
    special = ["127.0.0.1", "169.254.17.3", "234.17.3.9", "241.1.2.3", "255.255.255.255"]
    assert map4(EXPLICIT, *special) == map4(MAPS["pfx"], *special)
    special6 = ["::1", "fe80::" + ID, "ff02::1:ff33:4455"]
    assert map6(EXPLICIT, *special6) == map6(MAPS["pfx"], *special6)
    assert map_mac(EXPLICIT, MAC) == map_mac(MAPS["pfx"], MAC)


def test_no_addresses_map_to_none() -> None:
    assert (map4(RULED), map6(RULED), map_mac(RULED)) == ([], [], [])


def test_crypto_pan_leaves_more_where_they_are_and_only_ordinary_addresses() -> None:
    """3**31 / 2**63 of them on average; few free bits are not left to it, or one group in 1,500 would stay."""
    ordinary = np.random.default_rng(3).integers(1 << 24, 126 << 24, 5_000, dtype=np.uint64)
    groups = np.arange(0xEA000200, 0xEA000200 + 500, dtype=np.uint64)
    local = np.arange(0xA9FE0000, 0xA9FE0000 + 500, dtype=np.uint64)
    reserved = np.arange(0xF0000000, 0xF0000000 + 500, dtype=np.uint64)
    group_macs = np.arange(0x3333FF000000, 0x3333FF000000 + 500, dtype=np.uint64)
    stayed = dict.fromkeys(("ordinary", "groups", "local", "reserved", "macs", "flagged"), 0)
    flagged = rows([(0xFF3E00402001_0DB8 << 64) | (n << 32) | 1 for n in range(500)])
    for number in range(100):
        addresses = AddressMap(number.to_bytes(32, "big"), AddressMapping.CRYPTO_PAN, ())
        stayed["ordinary"] += int((addresses.ipv4(ordinary) == ordinary).sum())
        stayed["groups"] += int((addresses.ipv4(groups) == groups).sum())
        stayed["local"] += int((addresses.ipv4(local) == local).sum())
        stayed["reserved"] += int((addresses.ipv4(reserved) == reserved).sum())
        stayed["macs"] += int((addresses.mac(group_macs) == group_macs).sum())
        stayed["flagged"] += int((addresses.ipv6(flagged) == flagged).all(axis=1).sum())
    assert 10 < stayed.pop("ordinary") < 150  # 33.5 on average
    assert stayed.pop("local") < 6  # 0.8 on average
    assert set(stayed.values()) == {0}
