from typing import Any

import numpy as np
import pytest

from gql_server.domain.anonymization import AddressMapping
from gql_server.domain.verification import AddressExpectation, MacExpectation, Verification
from gql_server.engine.addresses.mapping import AddressMap
from gql_server.engine.verify import classes
from gql_server.engine.verify.conclusions import Conclusions, Expected
from tests.captures import Packet, ethernet, ip_bytes, ipv4, ipv6, mac_bytes, pcap, with_checksum
from tests.engine.verify.proving import Reason, Status, prove
from tests.engine.verify.table_pairs import pairs_of


def captured(addresses: list[str], macs: list[str] | None = None) -> bytes:
    """Return a capture with each address as a source; IPv4 headers without a right checksum."""
    contents = []
    for index, address in enumerate(addresses):
        mac = (macs or ["02:00:00:00:00:01"] * len(addresses))[index]
        fixed = "ff02::1" if ":" in address else "224.0.0.1"
        packet = (ipv6 if ":" in address else ipv4)(b"", 59, source=address, destination=fixed)
        if ":" not in address:  # the checksum field is no business of these tests
            packet = with_checksum(packet, 10)
        contents.append(
            Packet(
                data=ethernet(
                    packet, source=mac, destination="01:00:5e:00:00:01", kind=0x86DD if ":" in address else 0x0800
                )
            )
        )
    return pcap(contents)


def proved(before: list[str], after: list[str], **fields: object) -> Verification:
    return prove(captured(before), captured(after, ["02:00:00:00:00:09"] * len(after)), **fields)


@pytest.mark.parametrize("kept", ["10.1.2.3", "fe80::1", "2001:db8::1", "240.1.2.3", "239.1.2.3", "ff02::1:ff00:1"])
def test_one_fixed_point_is_chance(kept: str) -> None:
    verification = proved([kept], [kept])
    assert verification.reasons == (Reason.FIXED_POINT,)
    assert verification.status is Status.VERIFIED


@pytest.mark.parametrize(
    "kept",
    [
        ["10.1.2.3", "10.1.2.4"],
        ["169.254.1.2", "169.254.1.3"],
        ["fe80::1", "fe80::2"],
        ["2001:db8::1", "2001:db8::2"],
        ["239.1.2.3", "239.1.2.4"],
        ["ff02::1:ff00:1", "ff02::1:ff00:2"],
    ],
)
def test_two_are_a_leak(kept: list[str]) -> None:
    verification = proved(kept, kept)
    assert verification.status is Status.FAILED
    assert Reason.ADDRESS_LEAKED in verification.reasons


def test_many_addresses_of_a_small_range_have_more_fixed_points() -> None:
    before = [f"169.254.{n >> 8}.{n & 255}" for n in range(1, 16_001, 2)]
    after = [f"169.254.{n >> 8}.{n & 255}" for n in range(2, 16_002, 2)]
    assert proved(before, [*before[:2], *after[2:]]).status is Status.VERIFIED
    assert proved(before, [*before[:20], *after[20:]]).status is Status.FAILED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("10.1.2.3", "127.0.0.1"),
        ("10.1.2.3", "169.254.2.3"),
        ("169.254.1.2", "10.1.2.3"),
        ("240.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "10.1.2.3"),
        ("224.0.0.251", "224.0.0.252"),
        ("239.1.2.3", "10.1.2.3"),
        ("2001:db8::1", "fe80::1"),
        ("fe80::1", "2001:db8::1"),
        ("ff02::fb", "ff02::fc"),
        ("::1", "2001:db8::1"),
    ],
)
def test_an_address_that_leaves_its_class_is_caught(before: str, after: str) -> None:
    assert Reason.CLASS_CHANGED in proved([before], [after]).reasons


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("00:11:22:33:44:55", "02:11:22:33:44:56"),
        ("00:11:22:33:44:55", "01:11:22:33:44:56"),
        ("00:11:22:33:44:55", "33:33:ff:00:00:01"),
        ("01:80:c2:00:00:0e", "01:80:c2:00:00:0d"),
    ],
)
def test_a_mac_address_keeps_its_flags(before: str, after: str) -> None:
    verification = prove(captured(["127.0.0.1"], [before]), captured(["127.0.0.1"], [after]))
    assert Reason.CLASS_CHANGED in verification.reasons


def test_the_vendor_stays_where_it_has_to() -> None:
    before = captured(["127.0.0.1"], ["00:11:22:33:44:55"])
    none = "00:00:00:00:00:00"
    for after, reasons in (("00:11:22:99:98:97", ()), ("00:11:23:33:44:56", (Reason.RULE_BROKEN,)), (none, ())):
        output = captured(["127.0.0.1"], [after])
        assert prove(before, output, macs=MacExpectation.OUI_KEPT).reasons == reasons


RULES = (
    ("10.0.0.0/8", "172.20.0.0/8".replace("172.20", "44.0")),
    ("10.9.0.0/16", "KEEP"),
    ("10.9.9.0/24", "ZERO"),
    ("10.8.0.0/16", "MAP"),
    ("2001:db8::/32", "2001:db9::/32"),
    ("2001:db8:9::/48", "KEEP"),
    ("2001:db8:7::1/128", "2001:db9:7::2/128"),
)


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        ("10.1.2.3", "44.1.2.3", set()),
        ("10.1.2.3", "44.1.2.4", {Reason.RULE_BROKEN}),
        ("10.1.2.3", "0.0.0.0", set()),
        ("10.9.2.3", "10.9.2.3", {Reason.ADDRESSES_KEPT_BY_RULE}),
        ("10.9.2.3", "44.9.2.3", {Reason.RULE_BROKEN}),
        ("10.9.9.3", "0.0.0.0", set()),
        ("10.9.9.3", "44.9.9.3", {Reason.RULE_BROKEN}),
        ("10.8.1.2", "99.8.1.2", set()),
        ("2001:db8::5", "2001:db9::5", set()),
        ("2001:db8::5", "2001:db9::6", {Reason.RULE_BROKEN}),
        ("2001:db8:9::5", "2001:db8:9::5", {Reason.ADDRESSES_KEPT_BY_RULE}),
        ("2001:db8:9::5", "2001:db9:9::5", {Reason.RULE_BROKEN}),
        ("2001:db8::0211:22ff:fe33:4455", "2001:db9::0811:27ff:fe99:4455", set()),
        ("2001:db8::0211:22ff:fe33:4455", "2001:db9::1", {Reason.RULE_BROKEN}),
    ],
)
def test_rules_are_held_to(before: str, after: str, reasons: set[Reason]) -> None:
    verification = proved([before], [after], rules=RULES[:6])
    assert set(verification.reasons) == reasons


def test_an_explicit_map_leaves_nothing_else() -> None:
    fields = {"addresses": AddressExpectation.EXPLICIT, "rules": RULES[:1]}
    assert proved(["10.1.2.3", "9.9.9.9"], ["44.1.2.3", "0.0.0.0"], **fields).reasons == ()
    assert proved(["9.9.9.9"], ["8.8.8.8"], **fields).reasons == (Reason.RULE_BROKEN,)
    assert proved(["10.1.2.3"], ["44.1.2.4"], **fields).reasons == (Reason.RULE_BROKEN,)
    assert proved(["169.254.1.2"], ["169.254.3.4"], **fields).reasons == ()


MAC_FIELDS: dict[str, Any] = {
    "addresses": AddressExpectation.KEPT,
    "macs": MacExpectation.NAMED,
    "mac_rules": (("00:11:22:33:44:55", "aa:bb:cc"), ("00:11:22:33:44:66", "aa:bb:cc")),
}


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("00:11:22:33:44:55", "aa:bb:cc:33:44:55", False),
        ("00:11:22:33:44:55", "aa:bb:cc:01:02:03", False),
        ("00:11:22:33:44:55", "aa:bb:cd:33:44:55", True),
        ("00:11:22:33:44:55", "00:11:22:33:44:55", True),
        ("00:11:22:33:44:77", "00:11:22:33:44:77", False),
        ("00:11:22:33:44:77", "aa:bb:cc:33:44:77", True),
    ],
)
def test_only_the_named_devices_change(before: str, after: str, *, broken: bool) -> None:
    verification = prove(captured(["10.1.2.3"], [before]), captured(["10.1.2.3"], [after]), **MAC_FIELDS)
    assert (verification.status is Status.FAILED) == broken
    assert (Reason.RULE_BROKEN in verification.reasons) == broken
    assert Reason.ADDRESSES_KEPT_BY_RULE in verification.reasons


def test_ip_addresses_stay_when_macs_change() -> None:
    macs = ["00:11:22:33:44:77"]
    verification = prove(captured(["10.1.2.3"], macs), captured(["10.1.2.4"], macs), **MAC_FIELDS)
    assert Reason.RULE_BROKEN in verification.reasons
    assert ip_bytes("10.1.2.3")
    assert mac_bytes(macs[0])


def test_what_became_zero_breaks_no_rule() -> None:
    before = captured(["10.1.2.3"], ["00:11:22:33:44:77"])
    for addresses, macs in ((["0.0.0.0"], ["00:11:22:33:44:77"]), (["10.1.2.3"], ["00:00:00:00:00:00"])):
        assert Reason.RULE_BROKEN not in prove(before, captured(addresses, macs), **MAC_FIELDS).reasons


def judged(kind: int, changes: list[tuple[int, int]], prefix: int = -1, **fields: Any) -> set[Reason]:
    """Judge pairs as they stand in the tables."""
    pairs = pairs_of(changes, prefix)
    expected = {"addresses": AddressExpectation.MAPPED, "macs": MacExpectation.MAPPED, "rules": (), "mac_rules": ()}
    conclusions = Conclusions(Expected(**(expected | fields)))
    conclusions.judge(kind, lambda: iter([pairs]))
    return conclusions.reasons


def test_a_short_prefix_may_be_its_own_image() -> None:
    short = [(n << 96, n << 96) for n in (0x20010DB8, 0x20010DB9)]
    assert judged(classes.IPV6, short, 31) == set()
    assert judged(classes.IPV6, short, 32) == {Reason.ADDRESS_LEAKED}
    local = [(0xFE80 << 112, 0xFE80 << 112), (0xFE80 << 112 | 1 << 64, 0xFE80 << 112 | 1 << 64)]
    assert judged(classes.IPV6, local, 64) == set()


def test_a_prefix_has_no_class_to_keep() -> None:
    assert judged(classes.IPV6, [(0x2001 << 112, 0xFE80 << 112)], 16) == set()
    assert judged(classes.IPV6, [(0x2001 << 112, 0xFE80 << 112)]) == {Reason.CLASS_CHANGED}


@pytest.mark.parametrize(
    ("new", "doubles"),
    [((0, 0, 0), False), ((5, 6, 7), False), ((5, 1 << 64 | 5, 5), True), ((5, 1 << 64 | 5, 6), False)],
)
def test_originals_that_became_zero_share_no_pseudonym(new: tuple[int, int, int], *, doubles: bool) -> None:
    changes = [(PREFIX | n, PREFIX | one if one else 0) for n, one in enumerate(new, 11)]
    assert judged(classes.IPV6, changes) == ({Reason.MAP_NOT_INJECTIVE} if doubles else set())


ID = 0x021122FFFE334455
FOLLOWS = 0xA8BBCCFFFE334455
PREFIX = 0x20010DB8 << 96


@pytest.mark.parametrize(
    ("was", "now", "prefix", "broken"),
    [
        (PREFIX | ID, PREFIX | FOLLOWS, -1, False),
        (PREFIX | ID, PREFIX | ID, -1, True),
        (PREFIX | ID, 1 << 64 | PREFIX | FOLLOWS, -1, True),
        (PREFIX | ID, PREFIX | 0xA8BBCC0000334455, -1, True),
        (PREFIX | ID, PREFIX | ID, 128, False),
        (PREFIX | 0x0211220000334455, PREFIX | 0x0211220000334455, -1, False),
        (PREFIX | 0x021122FFFE334499, PREFIX | 0x021122FFFE334499, -1, False),
        (PREFIX | 5, PREFIX | 5, -1, False),
        (0xFF02 << 112 | ID, 0xFF02 << 112 | ID, -1, False),
    ],
)
def test_interface_ids_follow_the_named_devices_alone(was: int, now: int, prefix: int, *, broken: bool) -> None:
    assert (Reason.RULE_BROKEN in judged(classes.IPV6, [(was, now)], prefix, **MAC_FIELDS)) == broken


OTHER = 0x001122334477
NAMED, GIVEN = 0x001122334455, 0xAABBCC334455


@pytest.mark.parametrize(
    ("was", "now", "reasons"),
    [
        (NAMED, GIVEN, set()),
        (NAMED, NAMED, {Reason.RULE_BROKEN}),
        (OTHER, OTHER, {Reason.ADDRESSES_KEPT_BY_RULE}),
        (OTHER, OTHER + 1, {Reason.RULE_BROKEN}),
        (0xFFFFFFFFFFFF, 0xFFFFFFFFFFFF, set()),
    ],
)
def test_the_other_devices_stay(was: int, now: int, reasons: set[Reason]) -> None:
    assert judged(classes.MAC, [(was, now)], **MAC_FIELDS) == reasons


def test_addresses_that_stay_by_rule_are_ordinary() -> None:
    fields: dict[str, Any] = {"addresses": AddressExpectation.KEPT}
    assert judged(classes.IPV4, [(0x0A000001, 0x0A000001)], **fields) == {Reason.ADDRESSES_KEPT_BY_RULE}
    assert judged(classes.IPV4, [(0x0A000001, 0x0A000002)], **fields) == {Reason.RULE_BROKEN}
    assert judged(classes.IPV4, [(0x7F000001, 0x7F000001)], **fields) == set()
    assert judged(classes.MAC, [(OTHER, OTHER + 1)], **fields) == set()


def test_flags_and_vendor_are_those_of_ordinary_addresses() -> None:
    group = [(0x3333FF000001, 0x333380000001)]
    assert judged(classes.MAC, group, macs=MacExpectation.OUI_KEPT) == set()
    assert judged(classes.MAC, [(0x020000000005, 0)]) == set()


def test_a_device_may_be_given_an_organization_of_zeros() -> None:
    fields = MAC_FIELDS | {"mac_rules": (("00:11:22:33:44:55", "00:00:00"),)}
    assert judged(classes.MAC, [(0x001122334455, 0x000000334455)], **fields) == set()
    assert judged(classes.MAC, [(0x001122334455, 0x001122334455)], **fields) == {Reason.RULE_BROKEN}
    assert judged(classes.IPV6, [(PREFIX | ID, PREFIX | 0x020000FFFE334455)], **fields) == set()


def test_where_the_vendor_stays_fixed_points_are_less_rare() -> None:
    fields: dict[str, Any] = {"macs": MacExpectation.OUI_KEPT}
    moved = [(n << 1, n << 1 | 1) for n in range(0x200000000000, 0x200000000000 + (1 << 20))]
    kept = [(n, n) for n in (0x100000000001, 0x100000000002, 0x100000000003)]
    assert judged(classes.MAC, moved + kept[:2], **fields) == {Reason.FIXED_POINT}
    assert judged(classes.MAC, moved + kept, **fields) == {Reason.ADDRESS_LEAKED}
    assert judged(classes.MAC, moved + kept[:2]) == {Reason.ADDRESS_LEAKED}
    ipv4_moved = [(n << 1, n << 1 | 1) for n in range(0x10000000, 0x10000000 + (1 << 20))]
    ipv4_kept = [(0x0A000001, 0x0A000001), (0x0A000002, 0x0A000002)]
    assert judged(classes.IPV4, ipv4_moved + ipv4_kept, **fields) == {Reason.ADDRESS_LEAKED}
    groups = [(0x01005E010000 + n, 0x01005E010000 + n) for n in range(2)]
    assert judged(classes.MAC, groups, **fields) == {Reason.ADDRESS_LEAKED}
    changed = [(0x01005E020000 + n, 0x01005E020001 + n) for n in range(0, 1 << 20, 2)]
    assert judged(classes.MAC, changed + groups, **fields) == {Reason.FIXED_POINT}


def of_a_subnet(stayed: int, moved: int) -> list[tuple[int, int]]:
    """Return addresses of which the first ones stay and the law of prefixes holds."""
    still = [(0x0A140000 + n, 0x0A140000 + n) for n in range(stayed)]
    return still + [(0x0B150000 + n, 0x2C3D0000 + n) for n in range(moved)]


@pytest.mark.parametrize("kind", [classes.IPV4, classes.IPV6])
def test_crypto_pan_leaves_an_eighth_at_most(kind: int) -> None:
    pan: dict[str, Any] = {"addresses": AddressExpectation.CRYPTO_PAN}
    shift = 0 if kind == classes.IPV4 else 96
    few = [(was << shift, now << shift) for was, now in of_a_subnet(10, 62)]
    many = [(was << shift, now << shift) for was, now in of_a_subnet(11, 61)]
    assert judged(kind, few, **pan) == {Reason.FIXED_POINT}
    assert judged(kind, many, **pan) == {Reason.ADDRESS_LEAKED}
    assert judged(kind, few, addresses=AddressExpectation.PREFIX_PRESERVED) == {Reason.ADDRESS_LEAKED}
    assert judged(kind, few) == {Reason.ADDRESS_LEAKED}


def test_crypto_pan_is_no_excuse_for_special_addresses_and_stations() -> None:
    pan: dict[str, Any] = {"addresses": AddressExpectation.CRYPTO_PAN}
    groups = [(0xE9010000 + n, 0xE9010001 + n) for n in range(0, 64, 2)]
    assert judged(classes.IPV4, groups, **pan) == set()
    left = [(was, was) for was, _ in groups[:2]]
    assert judged(classes.IPV4, left[:1] + groups[1:], **pan) == {Reason.FIXED_POINT}
    assert judged(classes.IPV4, left + groups[2:], **pan) == {Reason.ADDRESS_LEAKED}
    stations = [(0x100000000000 + n, 0x100000000000 + n + (n > 3)) for n in range(0, 64, 2)]
    assert judged(classes.MAC, stations, **pan) == {Reason.ADDRESS_LEAKED}


LOOPBACK = 127
NEIGHBOURS = [(0x0A140001, 0x2C3D0001), (0x0A140002, 0x2C3D0101)]


@pytest.mark.parametrize("addresses", [AddressExpectation.PREFIX_PRESERVED, AddressExpectation.CRYPTO_PAN])
def test_where_prefixes_are_preserved_they_are(addresses: AddressExpectation) -> None:
    fields: dict[str, Any] = {"addresses": addresses}
    assert judged(classes.IPV4, NEIGHBOURS, **fields) == {Reason.PREFIX_BROKEN}
    assert judged(classes.IPV4, NEIGHBOURS, **fields, rules=(("2001:db8::/32", "KEEP"),)) == {Reason.PREFIX_BROKEN}
    assert judged(classes.IPV4, NEIGHBOURS, **fields, rules=(("10.99.0.0/16", "KEEP"),)) == set()
    wide = [(was << 96, now << 96) for was, now in NEIGHBOURS]
    assert judged(classes.IPV6, wide, **fields) == {Reason.PREFIX_BROKEN}
    assert judged(classes.IPV6, wide, **fields, rules=(("10.99.0.0/16", "KEEP"),)) == {Reason.PREFIX_BROKEN}
    assert judged(classes.IPV6, wide, **fields, rules=(("2001:db8::/32", "KEEP"),)) == set()
    macs = [(0x100000000000 + n, 0x140000000000 + 7 * n) for n in range(64)]
    assert judged(classes.MAC, macs, **fields) == set()


def test_a_map_without_prefixes_is_not_held_to_them() -> None:
    assert judged(classes.IPV4, NEIGHBOURS) == set()


@pytest.mark.parametrize(
    ("mapping", "addresses"),
    [
        (AddressMapping.IPCRYPT_PFX, AddressExpectation.PREFIX_PRESERVED),
        (AddressMapping.CRYPTO_PAN, AddressExpectation.CRYPTO_PAN),
    ],
)
def test_many_addresses_mapped_by_any_key_are_sound(mapping: AddressMapping, addresses: AddressExpectation) -> None:
    """Four subnets and 8,000 random addresses: of 40 keys of Crypto-PAn some leave dozens where they are."""
    subnets = np.arange(0x0A140000, 0x0A140400, dtype=np.uint64)
    anywhere = np.random.default_rng(5).integers(1 << 24, 223 << 24, 8_000, dtype=np.uint64)
    originals = np.unique(np.concatenate([subnets, anywhere]))
    stayed = 0
    for number in range(40):
        images = AddressMap(number.to_bytes(32, "big"), mapping, ()).ipv4(originals)
        changes = list(zip(originals.tolist(), images.tolist(), strict=True))
        stayed += sum(was == now for was, now in changes if was >> 24 != LOOPBACK)
        assert judged(classes.IPV4, changes, addresses=addresses) <= {Reason.FIXED_POINT}
    assert (stayed > 10) == (mapping is AddressMapping.CRYPTO_PAN)
