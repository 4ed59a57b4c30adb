"""Address rules: what they are, and what they may not be."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from gql_server.domain.errors import (
    RuleFamiliesDiffer,
    RuleMalformed,
    RulesOverlap,
    RuleTargetsCollide,
    RuleTargetTooSmall,
)

Network = IPv4Network | IPv6Network

MAX_RULES = 1000

SPECIAL_RANGES: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("::/127"),
    IPv6Network("fe80::/10"),
    IPv6Network("ff00::/8"),
)
"""Ranges whose addresses keep their class (RFC 6890): no rule may lead out of them or into them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRule:
    """Send every address of `source` to the address at the same offset in `target`.

    Where two rules match, the longest source prefix wins.
    """

    source: Network
    target: Network


def parse_address_rules(pairs: list[tuple[str, str]]) -> tuple[AddressRule, ...]:
    """Read and check rules given as (source, target) text; the order of the result is longest source prefix first.

    Raises:
        RuleMalformed: a side is no CIDR, has host bits set, or lies in a special range.
        RuleFamiliesDiffer: IPv4 to IPv6 or back.
        RuleTargetTooSmall: the target cannot hold the source.
        RulesOverlap: two rules have the same source.
        RuleTargetsCollide: two addresses would get the same target.
    """
    if len(pairs) > MAX_RULES:
        raise RuleMalformed(index=MAX_RULES, reason=f"at most {MAX_RULES} rules are allowed")
    rules = [_parse_rule(index, source, target) for index, (source, target) in enumerate(pairs)]
    check_injective(rules)
    return tuple(sorted(rules, key=_by_specificity))


def _by_specificity(rule: AddressRule) -> tuple[int, int, int]:
    return (-rule.source.prefixlen, rule.source.version, int(rule.source.network_address))


def _parse_rule(index: int, source: str, target: str) -> AddressRule:
    rule = AddressRule(source=_parse_network(index, source), target=_parse_network(index, target))
    if rule.source.version != rule.target.version:
        raise RuleFamiliesDiffer(index=index)
    if rule.target.prefixlen > rule.source.prefixlen:
        raise RuleTargetTooSmall(index=index)
    return rule


def _parse_network(index: int, text: str) -> Network:
    try:
        network = ip_network(text.strip())
    except ValueError as error:
        raise RuleMalformed(index=index, reason="not a CIDR with its host bits zero") from error
    if any(network.version == special.version and network.overlaps(special) for special in SPECIAL_RANGES):
        raise RuleMalformed(index=index, reason="special ranges keep their class and take no rule")
    return network


def image_of(rule: AddressRule) -> Network:
    """Return the part of the target that the source really fills."""
    return type(rule.target)((int(rule.target.network_address), rule.source.prefixlen))


def check_injective(rules: list[AddressRule]) -> None:
    """Refuse rules under which two addresses would become one.

    A rule whose source lies inside another's takes its addresses away from it, so their images may overlap only
    where the outer rule's would-be image of the inner source is what overlaps.

    Raises:
        RulesOverlap: two rules have the same source.
        RuleTargetsCollide: two images meet.
    """
    for index, rule in enumerate(rules):
        for other in range(index):
            earlier = rules[other]
            if rule.source.version != earlier.source.version:
                continue
            if rule.source == earlier.source:
                raise RulesOverlap(index=index, other=other)
            if _images_meet(rule, earlier):
                raise RuleTargetsCollide(index=index, other=other)


def _images_meet(one: AddressRule, two: AddressRule) -> bool:
    outer, inner = (one, two) if one.source.prefixlen <= two.source.prefixlen else (two, one)
    if not image_of(outer).overlaps(image_of(inner)):
        return False
    # The inner rule may land exactly where the outer one would have put it: then nothing collides.
    shift = int(outer.target.network_address) - int(outer.source.network_address)
    hole = int(inner.source.network_address) + shift
    inside = inner.source.subnet_of(outer.source)  # type: ignore[arg-type]  # both have the same version
    return not (inside and hole == int(inner.target.network_address))
