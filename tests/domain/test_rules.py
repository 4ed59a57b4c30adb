"""Address rules: overlap, size, collision."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.anonymization import NicPolicy
from gql_server.domain.errors import (
    RuleFamiliesDiffer,
    RuleMalformed,
    RulesError,
    RulesOverlap,
    RuleTargetsCollide,
    RuleTargetTooSmall,
)
from gql_server.domain.rules import (
    MAX_RULES,
    AddressRule,
    check_mac_targets,
    parse_address_rules,
    parse_mac_rules,
)


def test_rules_come_longest_source_first() -> None:
    rules = parse_address_rules([("10.0.0.0/8", "11.0.0.0/8"), ("10.1.0.0/16", "172.20.0.0/16")])
    assert [str(rule.source) for rule in rules] == ["10.1.0.0/16", "10.0.0.0/8"]


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([("10.0.0.1/8", "11.0.0.0/8")], RuleMalformed),
        ([("ten", "11.0.0.0/8")], RuleMalformed),
        ([("0.0.0.0/0", "0.0.0.0/0")], RuleMalformed),
        ([("224.0.0.0/4", "10.0.0.0/4")], RuleMalformed),
        ([("127.0.0.0/8", "10.0.0.0/8")], RuleMalformed),
        ([("169.254.0.0/16", "10.0.0.0/16")], RuleMalformed),
        ([("126.0.0.0/7", "10.0.0.0/7")], RuleMalformed),
        ([("0.1.0.0/16", "10.0.0.0/16")], RuleMalformed),
        ([("10.0.0.0/16", "240.0.0.0/16")], RuleMalformed),
        ([("fe80::/64", "2001:db8::/64")], RuleMalformed),
        ([("2001:db8::/64", "ff02::/64")], RuleMalformed),
        ([("::/64", "2001:db8::/64")], RuleMalformed),
        ([("10.0.0.0/8", "2001:db8::/32")], RuleFamiliesDiffer),
        ([("10.0.0.0/8", "11.0.0.0/9")], RuleTargetTooSmall),
        ([("10.0.0.0/8", "11.0.0.0/8"), ("10.0.0.0/8", "12.0.0.0/8")], RulesOverlap),
        ([("10.0.0.0/16", "11.0.0.0/16"), ("12.0.0.0/16", "11.0.0.0/16")], RuleTargetsCollide),
        ([("10.0.0.0/24", "11.0.0.0/8"), ("12.0.0.0/25", "11.0.0.128/25")], RuleTargetsCollide),
        ([("10.0.0.0/8", "11.0.0.0/8"), ("10.1.0.0/16", "11.2.0.0/16")], RuleTargetsCollide),
        ([("11.0.0.0/16", "KEEP"), ("12.0.0.0/16", "11.0.0.0/16")], RuleTargetsCollide),
        ([("10.0.0.0/8", "11.0.0.0/8"), ("11.1.0.0/16", "KEEP")], RuleTargetsCollide),
        ([("10.0.0.0/8", "KEEP"), ("10.0.0.0/8", "ZERO")], RulesOverlap),
        ([("64.0.0.0/2", "KEEP"), ("192.0.0.0/3", "KEEP"), ("128.0.0.0/8", "KEEP")], RuleMalformed),
        ([("4000::/2", "8000::/2"), ("8000::/2", "4000::/2"), ("2001::/16", "2002::/16")], RuleMalformed),
    ],
)
def test_contradictions_are_refused(pairs: list[tuple[str, str]], error: type[RulesError]) -> None:
    with pytest.raises(error):
        parse_address_rules(pairs)


def test_the_first_fault_is_the_one_that_is_named() -> None:
    pairs = [("10.0.0.0/8", "11.0.0.0/8"), ("12.0.0.0/8", "13.0.0.0/8"), ("14.0.0.0/8", "13.0.0.0/8")]
    with pytest.raises(RuleTargetsCollide) as collision:
        parse_address_rules([*pairs, ("10.0.0.0/8", "KEEP")])
    assert (collision.value.index, collision.value.other) == (2, 1)
    with pytest.raises(RulesOverlap) as overlap:
        parse_address_rules([*pairs[:2], ("10.0.0.0/8", "KEEP"), *pairs[2:]])
    assert (overlap.value.index, overlap.value.other) == (2, 0)


def test_half_of_all_addresses_may_be_kept_or_translated_and_the_rest_zeroed() -> None:
    pairs = [("64.0.0.0/3", "192.0.0.0/3"), ("96.0.0.0/4", "KEEP"), ("128.0.0.0/3", "MAP"), ("32.0.0.0/3", "ZERO")]
    assert len(parse_address_rules(pairs)) == 4


def test_an_inner_rule_that_lands_in_its_own_hole_is_allowed() -> None:
    assert len(parse_address_rules([("10.0.0.0/8", "11.0.0.0/8"), ("10.1.0.0/16", "11.1.0.0/16")])) == 2


def test_too_many_rules_are_refused() -> None:
    pairs = [(f"10.{i // 256}.{i % 256}.0/24", f"11.{i // 256}.{i % 256}.0/24") for i in range(MAX_RULES + 1)]
    with pytest.raises(RuleMalformed):
        parse_address_rules(pairs)


def test_mac_rules_are_read_in_either_notation() -> None:
    (rule,) = parse_mac_rules([(" 00-1A-2B-33-44-55", "A4:5E:60 ")])
    assert (rule.as_text(), rule.kept) == (("00:1a:2b:33:44:55", "a4:5e:60"), "a4:5e:60:33:44:55")


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([("00:11:22:33:44", "a4:5e:60")], RuleMalformed),
        ([("00:11:22:33:44:55", "a4:5e")], RuleMalformed),
        ([("ff:ff:ff:ff:ff:ff", "a4:5e:60")], RuleMalformed),
        ([("00:11:22:33:44:55", "33:33:00")], RuleMalformed),
        ([("00:00:00:00:00:00", "a4:5e:60")], RuleMalformed),
        ([("00:11:22:33:44:55", "a4:5e:60"), ("00-11-22-33-44-55", "a4:5e:61")], RulesOverlap),
        ([(f"00:11:22:33:{n // 256:02x}:{n % 256:02x}", "a4:5e:60") for n in range(MAX_RULES + 1)], RuleMalformed),
    ],
)
def test_mac_rules_that_name_no_device_are_refused(pairs: list[tuple[str, str]], error: type[RulesError]) -> None:
    with pytest.raises(error):
        parse_mac_rules(pairs)


def test_two_devices_with_one_target_are_refused_where_octets_are_kept() -> None:
    rules = parse_mac_rules([("00:11:22:33:44:55", "a4:5e:60"), ("00:11:23:33:44:55", "a4:5e:60")])
    with pytest.raises(RuleTargetsCollide) as caught:
        check_mac_targets(rules, NicPolicy.KEEP)
    assert (caught.value.index, caught.value.other) == (1, 0)
    check_mac_targets(rules, NicPolicy.MAP)
    nobody = parse_mac_rules([("00:11:22:00:00:00", "00:00:00")])
    check_mac_targets(nobody, NicPolicy.MAP)
    with pytest.raises(RuleMalformed):
        check_mac_targets(nobody, NicPolicy.KEEP)


def _apply(rules: tuple[AddressRule, ...], address: int) -> int | None:
    for rule in rules:
        first = int(rule.source.network_address)
        if first <= address < first + rule.source.num_addresses:
            assert rule.target is not None
            return int(rule.target.network_address) + address - first
    return None


@st.composite
def _pairs(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Rules within 16 addresses, so that every overlap is met."""
    pairs = []
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(28, 32))
        size = 1 << (32 - length)
        ends = [draw(st.integers(0, 16 // size - 1)) * size for _ in range(2)]
        source, target = (str(ipaddress.ip_address(0x0A000000 + end)) for end in ends)
        pairs.append((f"{source}/{length}", f"{target}/{length}"))
    return pairs


@given(_pairs())
def test_accepted_rules_never_map_two_addresses_to_one(pairs: list[tuple[str, str]]) -> None:
    try:
        rules = parse_address_rules(pairs)
    except RulesError:
        return
    images = [image for last in range(16) if (image := _apply(rules, 0x0A000000 + last)) is not None]
    assert len(images) == len(set(images))
