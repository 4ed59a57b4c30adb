"""Rules for addresses: what they are, what they may not be.

As text an address rule is a pair: the source, and the target or one of the words KEEP, MAP and ZERO. A MAC rule is a
pair too: the address, and the first three octets that it gets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

from gql_server.domain.anonymization import NicPolicy
from gql_server.domain.errors import (
    RuleFamiliesDiffer,
    RuleMalformed,
    RulesError,
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


class RuleAction(StrEnum):
    """What a rule does with the addresses of its source."""

    TRANSLATE = "TRANSLATE"
    """Send each to the address at the same offset in the target."""
    KEEP = "KEEP"
    """Leave them as they are."""
    MAP = "MAP"
    """Map them as if no rule were there: an exception inside another rule's source."""
    ZERO = "ZERO"
    """Replace them by the address 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRule:
    """What becomes of every address of `source`; where two rules match, the longest source prefix wins."""

    source: Network
    action: RuleAction
    target: Network | None
    """Where TRANSLATE leads; KEEP leads to the source itself; None for the others."""

    def as_text(self) -> tuple[str, str]:
        """Return the rule as a pair of text."""
        return str(self.source), str(self.target) if self.action is RuleAction.TRANSLATE else self.action.value


_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NO_DEVICE = "00:00:00:00:00:00"
_OUI = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MacRule:
    """Give one device another vendor."""

    original: str
    """The MAC address, lower case with colons."""
    oui: str
    """The first three octets that it gets, lower case with colons."""

    @property
    def kept(self) -> str:
        """The address that it gets where its last three octets are kept."""
        return self.oui + self.original[8:]

    def as_text(self) -> tuple[str, str]:
        """Return the rule as a pair of text."""
        return self.original, self.oui


def parse_mac_rules(pairs: list[tuple[str, str]]) -> tuple[MacRule, ...]:
    """Read and check rules given as (address, first three octets); hyphens count as colons.

    Raises:
        RuleMalformed: a side is no address, or one of a group or of no device.
        RulesOverlap: two rules name the same address.
    """
    if len(pairs) > MAX_RULES:
        raise RuleMalformed(index=MAX_RULES, reason=f"at most {MAX_RULES} rules are allowed")
    rules: list[MacRule] = []
    seen: dict[str, int] = {}
    for index, (original, oui) in enumerate(pairs):
        rule = MacRule(
            original=_octets(index, original, _MAC, "a MAC address"),
            oui=_octets(index, oui, _OUI, "an OUI of three octets"),
        )
        if (other := seen.setdefault(rule.original, index)) != index:
            raise RulesOverlap(index=index, other=other)
        if rule.original == _NO_DEVICE:
            raise RuleMalformed(index=index, reason="this is the address of no device")
        rules.append(rule)
    return tuple(rules)


def check_mac_targets(rules: tuple[MacRule, ...], nic: NicPolicy) -> None:
    """Refuse rules under which two devices would get one address; mapped octets are kept apart by the engine.

    Raises:
        RuleMalformed: the address made is that of no device.
        RuleTargetsCollide: two rules make the same address.
    """
    if nic is NicPolicy.MAP:
        return
    made: dict[str, int] = {}
    for index, rule in enumerate(rules):
        if rule.kept == _NO_DEVICE:
            raise RuleMalformed(index=index, reason="the address that it makes is that of no device")
        if (other := made.setdefault(rule.kept, index)) != index:
            raise RuleTargetsCollide(index=index, other=other)


def _octets(index: int, text: str, pattern: re.Pattern[str], wanted: str) -> str:
    octets = text.strip().lower().replace("-", ":")
    if not pattern.fullmatch(octets):
        raise RuleMalformed(index=index, reason=f"not {wanted} in hexadecimal")
    if int(octets[:2], 16) & 1:
        raise RuleMalformed(index=index, reason="group addresses are never touched")
    return octets


def parse_address_rules(pairs: list[tuple[str, str]]) -> tuple[AddressRule, ...]:
    """Read and check rules given as pairs of text; the order of the result is longest source prefix first.

    Raises:
        RuleMalformed: a side is no CIDR, has host bits set, or lies in a special range; or over half of all
            addresses would be kept or translated.
        RuleFamiliesDiffer: IPv4 to IPv6 or back.
        RuleTargetTooSmall: the target cannot hold the source.
        RulesOverlap: two rules have the same source.
        RuleTargetsCollide: two addresses would get the same target.
    """
    if len(pairs) > MAX_RULES:
        raise RuleMalformed(index=MAX_RULES, reason=f"at most {MAX_RULES} rules are allowed")
    rules = [_parse_rule(index, source, target) for index, (source, target) in enumerate(pairs)]
    _check_owned(rules)
    check_injective(rules)
    return tuple(sorted(rules, key=_by_specificity))


def _by_specificity(rule: AddressRule) -> tuple[int, int, int]:
    return (-rule.source.prefixlen, rule.source.version, int(rule.source.network_address))


def _parse_rule(index: int, source: str, target: str) -> AddressRule:
    network = _parse_network(index, source)
    word = target.strip().upper()
    if word in (RuleAction.KEEP, RuleAction.MAP, RuleAction.ZERO):
        kept = network if word == RuleAction.KEEP else None
        return AddressRule(source=network, action=RuleAction(word), target=kept)
    rule = AddressRule(source=network, action=RuleAction.TRANSLATE, target=_parse_network(index, target))
    assert rule.target is not None
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


def _check_owned(rules: list[AddressRule]) -> None:
    """Refuse rules that own over half of a family's addresses: few images would be left for the others."""
    for version in (4, 6):
        owning = [rule for rule in rules if rule.target is not None and rule.source.version == version]
        if sum(0.5**rule.source.prefixlen for rule in owning) > 0.5:  # noqa: PLR2004  # half
            index = rules.index(owning[-1])
            raise RuleMalformed(index=index, reason="over half of all addresses would be kept or translated")


def image_of(rule: AddressRule) -> Network:
    """Return the part of the target that the source really fills."""
    assert rule.target is not None
    return type(rule.target)((int(rule.target.network_address), rule.source.prefixlen))


def check_injective(rules: list[AddressRule]) -> None:
    """Refuse rules under which two addresses would become one.

    A rule whose source lies inside another's takes its addresses away from it, so their images may overlap only
    where the outer rule's would-be image of the inner source is what overlaps.

    Raises:
        RulesOverlap: two rules have the same source.
        RuleTargetsCollide: two images meet.
    """
    faults: dict[tuple[int, int], RulesError] = {
        (index, other): RulesOverlap(index=index, other=other) for index, other in _same_sources(rules)
    }
    for index, other in _meeting_images(rules):
        faults.setdefault((index, other), RuleTargetsCollide(index=index, other=other))
    if faults:
        raise faults[min(faults)]


def _same_sources(rules: list[AddressRule]) -> Iterator[tuple[int, int]]:
    first: dict[Network, int] = {}
    for index, rule in enumerate(rules):
        if (other := first.setdefault(rule.source, index)) != index:
            yield index, other


def _meeting_images(rules: list[AddressRule]) -> Iterator[tuple[int, int]]:
    """Return pairs of rules whose images meet though they must not, the later one first.

    Images are prefixes: where two meet, one is the other or lies in it. So it is enough to look each up among those
    of every length that occurs.
    """
    images: dict[tuple[int, int, int], list[int]] = {}
    lengths: dict[int, set[int]] = {4: set(), 6: set()}
    for index, rule in enumerate(rules):
        if rule.target is not None:
            length = rule.source.prefixlen
            images.setdefault(_prefix(rule.target, length), []).append(index)
            lengths[rule.source.version].add(length)
    for inner, rule in enumerate(rules):
        if rule.target is None:
            continue
        for length in sorted(lengths[rule.source.version]):
            if length > rule.source.prefixlen:
                break
            for outer in images.get(_prefix(rule.target, length), ()):
                if outer != inner and not _fills_its_hole(rule, rules[outer]):
                    yield max(outer, inner), min(outer, inner)


def _prefix(network: Network, length: int) -> tuple[int, int, int]:
    return network.version, length, int(network.network_address) >> (network.max_prefixlen - length)


def _fills_its_hole(inner: AddressRule, outer: AddressRule) -> bool:
    """Say whether the inner rule lands exactly where the outer one would have put it: then nothing collides."""
    return _shift(inner) == _shift(outer)


def _shift(rule: AddressRule) -> int:
    assert rule.target is not None
    return int(rule.target.network_address) - int(rule.source.network_address)
