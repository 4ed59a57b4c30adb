from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.errors import RulesError
from gql_server.domain.rules import AddressRule, RuleAction, parse_address_rules
from gql_server.engine.addresses.ranges import Pairs
from gql_server.engine.addresses.rewriting_rules import RuleTable

RULES = parse_address_rules(
    [
        ("8.0.0.0/29", "8.0.0.8/29"),
        ("8.0.0.8/30", "8.0.0.0/30"),
        ("8.0.0.2/32", "9.9.9.9/32"),
        ("::2/127", "1::/127"),
    ]
)
FIRST = 8 << 24
PREFIXES = (0x20010DB8 << 96, (0x20010DB8 << 96) + (1 << 64))
"""Two IPv6 prefixes of 64 bits; the tests know 16 ids below each."""


def rows(numbers: list[int]) -> Pairs:
    return np.array([(number >> 64, number & (1 << 64) - 1) for number in numbers], np.uint64).reshape(-1, 2)


def numbers(pairs: Pairs) -> list[int]:
    return [(high << 64) | low for high, low in pairs.tolist()]


class Universe:
    """A few addresses, and permutations of them."""

    def __init__(self, members: list[int], default: list[int], follow: list[int] | None = None) -> None:
        self._default = dict(zip(members, default, strict=True))
        self._follow = dict(zip(members, follow or members, strict=True))
        self.members = members

    def default(self, pairs: Pairs) -> Pairs:
        return rows([self._default[number] for number in numbers(pairs)])

    def follow(self, pairs: Pairs) -> Pairs:
        return rows([self._follow[number] for number in numbers(pairs)])

    def mapped(self, rules: tuple[AddressRule, ...], version: int) -> dict[int, int]:
        table = RuleTable(rules, version=version)
        images = table.apply(rows(self.members), self.default, self.follow)
        return dict(zip(self.members, numbers(images), strict=True))


def winner(rules: tuple[AddressRule, ...], number: int, version: int) -> AddressRule | None:
    """Find the rule of an address one by one: they come longest prefix first."""
    address = IPv4Address(number) if version == 4 else IPv6Address(number)
    return next((rule for rule in rules if rule.source.version == version and address in rule.source), None)


def check(rules: tuple[AddressRule, ...], universe: Universe, version: int) -> None:
    mapped = universe.mapped(rules, version)
    owned: list[int] = []
    for number, image in mapped.items():
        rule = winner(rules, number, version)
        if rule is not None and rule.action is RuleAction.ZERO:
            assert image == 0
            continue
        owned.append(image)
        if rule is not None and rule.target is not None:
            shift = int(rule.target.network_address) - int(rule.source.network_address)
            if version == 4 or rule.action is RuleAction.KEEP or rule.source.prefixlen > 64:
                assert image == number + shift
            else:
                assert image >> 64 == (number + shift) >> 64
    assert len(owned) == len(set(owned)), "two addresses became one"


def test_rules_of_the_other_version_do_not_count() -> None:
    assert [bool(RuleTable(RULES, version=version)) for version in (4, 6)] == [True, True]
    assert not RuleTable(parse_address_rules([("8.0.0.0/29", "8.0.0.8/29")]), version=6)
    assert Universe([3], [3]).mapped(RULES, 6) == {3: (1 << 112) + 1}


def test_a_landing_in_a_target_takes_the_place_of_the_source() -> None:
    members = list(range(FIRST, FIRST + 32))
    rotated = [FIRST + (number - FIRST + 5) % 32 for number in members]
    mapped = Universe(members, rotated).mapped(RULES, 4)
    assert len(set(mapped.values())) == 32
    assert mapped[FIRST + 2] == int(IPv4Address("9.9.9.9"))
    assert [mapped[FIRST + n] - FIRST for n in (0, 1, 3, 7, 8, 11)] == [8, 9, 11, 15, 0, 3]
    # 28 would land on 1, which the rules give to 9; that would land on 14, which they give to 6, and that on 11: to 3,
    # which lands on 8: to 0, which lands on 5.
    assert mapped[FIRST + 28] == FIRST + 5


@st.composite
def rules4(draw: st.DrawFn) -> tuple[AddressRule, ...]:
    """Rules within 32 addresses, so that every overlap is met."""
    pairs = []
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.integers(28, 32))
        size = 1 << (32 - length)
        source, target = (FIRST + draw(st.integers(0, 32 // size - 1)) * size for _ in range(2))
        words = [f"{IPv4Address(target)}/{length}", "KEEP", "MAP", "ZERO"]
        pairs.append((f"{IPv4Address(source)}/{length}", draw(st.sampled_from(words))))
    return accepted(pairs)


@st.composite
def rules6(draw: st.DrawFn) -> tuple[AddressRule, ...]:
    """Rules for whole prefixes, and such for ids below them."""
    pairs = []
    for prefix in PREFIXES:
        target = draw(st.sampled_from(PREFIXES))
        words = [f"{IPv6Address(target)}/64", "KEEP", "MAP", "ZERO", ""]
        if word := draw(st.sampled_from(words)):
            pairs.append((f"{IPv6Address(prefix)}/64", word))
    for _ in range(draw(st.integers(0, 4))):
        length = draw(st.integers(125, 128))
        size = 1 << (128 - length)
        place = draw(st.integers(0, 16 // size - 1)) * size
        source, target = (draw(st.sampled_from(PREFIXES)) + place for _ in range(2))
        words = [f"{IPv6Address(target)}/{length}", "KEEP", "MAP", "ZERO"]
        pairs.append((f"{IPv6Address(source)}/{length}", draw(st.sampled_from(words))))
    return accepted(pairs)


def accepted(pairs: list[tuple[str, str]]) -> tuple[AddressRule, ...]:
    """Return as many of the rules as go together."""
    rules: tuple[AddressRule, ...] = ()
    taken: list[tuple[str, str]] = []
    for pair in pairs:
        try:
            rules = parse_address_rules([*taken, pair])
        except RulesError:
            continue
        taken.append(pair)
    return rules


@settings(max_examples=300, deadline=None)
@given(rules=rules4(), default=st.permutations(range(FIRST, FIRST + 32)))
def test_no_two_addresses_become_one_whatever_the_rules(rules: tuple[AddressRule, ...], default: list[int]) -> None:
    check(rules, Universe(list(range(FIRST, FIRST + 32)), default), 4)


MEMBERS6 = [prefix + number for prefix in PREFIXES for number in range(16)]


@settings(max_examples=500, deadline=None)
@given(rules=rules6(), default=st.permutations(MEMBERS6), ids=st.permutations(range(16)))
def test_ids_that_follow_never_meet_a_rule_s_addresses(
    rules: tuple[AddressRule, ...], default: list[int], ids: list[int]
) -> None:
    follow = [prefix + number for prefix in PREFIXES for number in ids]
    check(rules, Universe(MEMBERS6, default, follow), 6)


@pytest.mark.parametrize(("length", "moves"), [(48, True), (64, True), (65, False), (128, False)])
def test_an_id_follows_where_the_rule_leaves_it_whole(length: int, moves: bool) -> None:  # noqa: FBT001  # a table
    first = PREFIXES[0]
    size = 1 << (128 - length)
    rules = parse_address_rules([(f"{IPv6Address(first // size * size)}/{length}", f"3fff::/{length}")])
    follow = [first + 1, first]
    mapped = Universe([first, first + 1], [first, first + 1], follow).mapped(rules, 6)
    target = (0x3FFF << 112) + first % size
    assert mapped[first] == (target | 1 if moves else target)
    kept = parse_address_rules([(f"{IPv6Address(first // size * size)}/{length}", "KEEP")])
    assert Universe([first, first + 1], [first, first + 1], follow).mapped(kept, 6)[first] == first


def test_mapped_holes_and_zeroed_addresses() -> None:
    texts = [("8.0.0.0/28", "9.0.0.0/28"), ("8.0.0.4/30", "MAP"), ("8.0.0.8/30", "ZERO"), ("8.0.0.12/30", "KEEP")]
    members = list(range(FIRST, FIRST + 32))
    rotated = [FIRST + (number - FIRST + 16) % 32 for number in members]
    mapped = Universe(members, rotated).mapped(parse_address_rules(texts), 4)
    assert [mapped[FIRST + n] for n in (0, 8, 12)] == [9 << 24, 0, FIRST + 12]
    assert mapped[FIRST + 4] == FIRST + 20
    # 28 would become 12, which is kept; 12 would become 28.
    assert mapped[FIRST + 28] == FIRST + 28
