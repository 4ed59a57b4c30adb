"""What rules say of addresses, looked up for many at once."""

from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gql_server.domain.rules import AddressRule, RuleAction, parse_address_rules
from gql_server.engine.verify import classes
from gql_server.engine.verify.tables import Pairs, Words

Flags = npt.NDArray[np.bool_]
Classes = npt.NDArray[np.int64]

_WORD_BITS: Final = 64
_WORD: Final = (1 << _WORD_BITS) - 1
_IPV4_BITS: Final = 32


class Ruling(NamedTuple):
    """What the rules say of some addresses."""

    kept: Flags
    """Where a rule itself leaves the address as it is."""
    zeroed: Flags
    translated: Flags
    broken: Flags
    """Where the pseudonym is not what the rule says."""


def rule_on(pairs: Pairs, ordinary: Flags, rules: tuple[tuple[str, str], ...], *, version: int) -> Ruling:
    """Apply rules to pairs; only ordinary addresses have one, and the longest source prefix wins."""
    size = len(pairs.low)
    ruling = Ruling(*(np.zeros(size, np.bool_) for _ in Ruling._fields))
    free = ordinary.copy()
    for rule in parse_address_rules(list(rules)):
        if rule.source.version == version:
            chosen = np.flatnonzero(free & _inside(pairs, rule))
            free[chosen] = False
            _apply(ruling, pairs, chosen, rule)
    return ruling


def _words(address: IPv4Address | IPv6Address) -> tuple[np.uint64, np.uint64]:
    number = int(address)
    return np.uint64(number >> _WORD_BITS), np.uint64(number & _WORD)


def _inside(pairs: Pairs, rule: AddressRule) -> Flags:
    high, low = _words(rule.source.network_address)
    mask_high, mask_low = _words(rule.source.netmask)
    return np.asarray((pairs.high & mask_high == high) & (pairs.low & mask_low == low))


def _apply(ruling: Ruling, pairs: Pairs, chosen: npt.NDArray[np.int64], rule: AddressRule) -> None:
    if rule.action is RuleAction.MAP:
        return
    mapped = pairs.mapped[chosen]
    if rule.action is RuleAction.ZERO:
        ruling.zeroed[chosen] = True
        ruling.broken[chosen] = mapped & (pairs.prefix[chosen] < 0)
        return
    assert rule.target is not None
    high, low = _words(rule.source.network_address)
    new_high, new_low = _words(rule.target.network_address)
    wanted_high = pairs.high[chosen] - high + new_high
    wanted_low = pairs.low[chosen] - low + new_low
    met = (pairs.new_high[chosen] == wanted_high) & (pairs.new_low[chosen] == wanted_low)
    if rule.action is RuleAction.TRANSLATE and rule.source.prefixlen <= _WORD_BITS and rule.source.version == 6:  # noqa: PLR2004  # the version
        # The interface id may follow a MAC address that has another one.
        met |= (pairs.new_high[chosen] == wanted_high) & is_eui64(pairs.low[chosen]) & is_eui64(pairs.new_low[chosen])
    # What a prefix becomes is the image of its first address, cut off.
    ruling.broken[chosen] = mapped & ~met & (pairs.prefix[chosen] < 0)
    ruling.translated[chosen] = True
    same = (wanted_high == pairs.high[chosen]) & (wanted_low == pairs.low[chosen])
    ruling.kept[chosen] = same


def has_rules(rules: tuple[tuple[str, str], ...], *, version: int) -> bool:
    """Say whether any rule is about addresses of a version of IP."""
    return any(rule.source.version == version for rule in parse_address_rules(list(rules)))


def classes_of(kind: int, high: Words, low: Words) -> Classes:
    """Return the classes of addresses of a kind."""
    found = np.empty(len(low), np.int64)
    lower = np.ascontiguousarray(low)
    classes.classify(kind, np.ascontiguousarray(high) if kind == classes.IPV6 else lower, lower, found)
    return found


def are_ordinary(kind: int, pairs: Pairs) -> Flags:
    """Say which originals are in no special class."""
    return np.asarray(classes_of(kind, pairs.high, pairs.low) == classes.ORDINARY)


def is_eui64(identifiers: Words) -> Flags:
    """Say which interface ids are made from a MAC address."""
    return np.asarray((identifiers >> np.uint64(24)) & np.uint64(0xFFFF) == np.uint64(0xFFFE))


def macs_of(identifiers: Words) -> Words:
    """Return the MAC addresses of EUI-64 interface ids (RFC 4291 appendix A)."""
    upper = (identifiers >> np.uint64(40)) << np.uint64(24)
    macs: Words = (upper | (identifiers & np.uint64(0xFFFFFF))) ^ np.uint64(0x020000000000)
    return macs


def named_organizations(addresses: Words, rules: tuple[tuple[str, str], ...]) -> npt.NDArray[np.int64]:
    """Return the first three octets that MAC rules give each address, -1 where none names it."""
    organizations = np.full(len(addresses), -1, np.int64)
    if not rules:
        return organizations
    named = sorted((int(mac.replace(":", ""), 16), int(oui.replace(":", ""), 16)) for mac, oui in rules)
    known, given = np.array([mac for mac, _ in named], np.uint64), np.array([oui for _, oui in named], np.int64)
    place = np.minimum(np.searchsorted(known, addresses), len(known) - 1)
    hit = known[place] == addresses
    organizations[hit] = given[place[hit]]
    return organizations
