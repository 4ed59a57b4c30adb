import numpy as np

from gql_server.engine.verify.expectations import is_eui64, macs_of, named_organizations, rule_on
from tests.engine.verify.table_pairs import pairs_of


def test_the_longest_source_wins_and_only_ordinary_addresses_have_rules() -> None:
    rules = (("10.0.0.0/8", "11.0.0.0/8"), ("10.1.0.0/16", "KEEP"), ("10.1.2.0/24", "ZERO"), ("10.1.3.0/24", "MAP"))
    pairs = pairs_of(
        [(0x0A000001, 0x0B000001), (0x0A010001, 0x0A010001), (0x0A010201, 5), (0x0A010301, 6), (0x0A000002, 7)]
    )
    ruling = rule_on(pairs, np.array([True, True, True, True, False]), rules, version=4)
    assert ruling.translated.tolist() == [True, True, False, False, False]
    assert ruling.kept.tolist() == [False, True, False, False, False]
    assert ruling.zeroed.tolist() == [False, False, True, False, False]
    assert ruling.broken.tolist() == [False, False, True, False, False]
    assert not rule_on(pairs, np.ones(5, bool), rules, version=6).translated.any()


def test_rules_of_ipv6_may_reach_into_the_interface_id() -> None:
    rules = (("2001:db8::1:0/112", "2001:db8::2:0/112"),)
    source, target = 0x20010DB8 << 96 | 0x10007, 0x20010DB8 << 96 | 0x20007
    ruling = rule_on(pairs_of([(source, target), (source, target + 1)]), np.ones(2, bool), rules, version=6)
    assert ruling.broken.tolist() == [False, True]


def test_interface_ids_tell_of_mac_addresses() -> None:
    ids = np.array([0x021122FFFE334455, 0x021122FFFF334455], np.uint64)
    assert is_eui64(ids).tolist() == [True, False]
    assert macs_of(ids[:1]).tolist() == [0x001122334455]


def test_named_devices_are_found() -> None:
    addresses = np.array([0x001122334455, 0x001122334466, 0xFFFFFFFFFFFF], np.uint64)
    rules = (("00:11:22:33:44:66", "aa:bb:cc"),)
    assert named_organizations(addresses, rules).tolist() == [-1, 0xAABBCC, -1]
    assert named_organizations(addresses, ()).tolist() == [-1, -1, -1]


def test_a_prefix_that_a_rule_keeps_is_kept_and_none_is_broken() -> None:
    rules = (("2001:db8::/32", "KEEP"), ("2001:db9::/32", "2001:dba::/32"))
    kept, moved = 0x20010DB80001 << 80, 0x20010DB90001 << 80
    pairs = pairs_of([(kept, kept), (moved, 0x20010DBA << 96)])
    pairs.prefix[:] = 48, 40
    ruling = rule_on(pairs, np.ones(2, bool), rules, version=6)
    assert ruling.kept.tolist() == [True, False]
    assert not ruling.broken.any()


def test_a_prefix_of_what_becomes_zero_may_be_mapped() -> None:
    pairs = pairs_of([(0x20010DB8 << 96, 0x20010DB9 << 96), (0x20010DB8 << 96 | 1, 0x20010DB9 << 96 | 1)])
    pairs.prefix[0] = 48
    assert rule_on(pairs, np.ones(2, bool), (("2001:db8::/32", "ZERO"),), version=6).broken.tolist() == [False, True]


def test_an_interface_id_may_follow_where_a_rule_leaves_it_free() -> None:
    was, now = 0x20010DB8 << 96 | 0x021122FFFE334455, 0x20010DB9 << 96 | 0x081127FFFE994455
    for length, broken in ((64, False), (65, True)):
        rules = ((f"2001:db8::/{length}", f"2001:db9::/{length}"),)
        assert rule_on(pairs_of([(was, now)]), np.ones(1, bool), rules, version=6).broken.tolist() == [broken]
    others = pairs_of([(was, now + (1 << 64)), (was - (1 << 24), now), (was, now - (1 << 24))])
    assert rule_on(others, np.ones(3, bool), (("2001:db8::/32", "2001:db9::/32"),), version=6).broken.all()
    kept = pairs_of([(was, (was >> 64) << 64 | 0x081127FFFE994455)])
    assert rule_on(kept, np.ones(1, bool), (("2001:db8::/32", "KEEP"),), version=6).broken.all()
