"""Address rules: overlap, size, collision."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.errors import (
    RuleFamiliesDiffer,
    RuleMalformed,
    RulesError,
    RulesOverlap,
    RuleTargetsCollide,
    RuleTargetTooSmall,
)
from gql_server.domain.rules import MAX_RULES, AddressRule, parse_address_rules


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
    ],
)
def test_contradictions_are_refused(pairs: list[tuple[str, str]], error: type[RulesError]) -> None:
    with pytest.raises(error):
        parse_address_rules(pairs)


def test_an_inner_rule_that_lands_in_its_own_hole_is_allowed() -> None:
    assert len(parse_address_rules([("10.0.0.0/8", "11.0.0.0/8"), ("10.1.0.0/16", "11.1.0.0/16")])) == 2


def test_too_many_rules_are_refused() -> None:
    pairs = [(f"10.{i // 256}.{i % 256}.0/24", f"11.{i // 256}.{i % 256}.0/24") for i in range(MAX_RULES + 1)]
    with pytest.raises(RuleMalformed):
        parse_address_rules(pairs)


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
