"""Rules from CIDR to CIDR, looked up by longest prefix."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from gql_server.engine.addresses.permutations import IPV4_BITS, IPV6_BITS


class _Rule(NamedTuple):
    source: int
    length: int
    shift: int


class RuleTable:
    """The rules of one IP version: an injective map from some ordinary addresses to others.

    A rule never touches a special address, nor sends one there: such addresses go the default way.
    """

    def __init__(self, rules: tuple[tuple[str, str], ...], *, version: int) -> None:
        self._bits = IPV4_BITS if version == 4 else IPV6_BITS  # noqa: PLR2004  # the IP version
        self._by_source: dict[tuple[int, int], _Rule] = {}
        self._by_target: dict[tuple[int, int], list[_Rule]] = {}
        for source_text, target_text in rules:
            source, target = ip_network(source_text), ip_network(target_text)
            if source.version == version:
                self._add(source, target)
        self._lengths = sorted({length for length, _ in self._by_source}, reverse=True)

    def _add(self, source: IPv4Network | IPv6Network, target: IPv4Network | IPv6Network) -> None:
        first, image, length = int(source.network_address), int(target.network_address), source.prefixlen
        rule = _Rule(source=first, length=length, shift=image - first)
        self._by_source[length, self._prefix(first, length)] = rule
        self._by_target.setdefault((length, self._prefix(image, length)), []).append(rule)

    def __bool__(self) -> bool:
        return bool(self._by_source)

    def apply(self, addresses: list[int], images: list[int], default: Callable[[list[int]], list[int]]) -> list[int]:
        """Return the images of ordinary addresses, given those of the default map."""
        out = list(images)
        waiting: list[int] = []
        for index, address in enumerate(addresses):
            ruled = self.image(address)
            if ruled is not None:
                out[index] = ruled
            elif self.source(out[index]) is not None:
                waiting.append(index)
        while waiting:
            # The image is a rule's: take that of the rule's source, which nobody else has.
            sources = [self.source(out[index]) for index in waiting]
            replaced = default([source for source in sources if source is not None])
            for index, image in zip(waiting, replaced, strict=True):
                out[index] = image
            waiting = [index for index in waiting if self.source(out[index]) is not None]
        return out

    def image(self, address: int) -> int | None:
        """Return where a rule sends an address, None when no rule does."""
        rule = self._rule_of(address)
        if rule is None:
            return None
        image = address + rule.shift
        return image if self._is_ordinary(address) and self._is_ordinary(image) else None

    def source(self, image: int) -> int | None:
        """Return the address that a rule sends here, None when no rule does."""
        for length in self._lengths:
            for rule in self._by_target.get((length, self._prefix(image, length)), ()):
                address = image - rule.shift
                if self._rule_of(address) == rule and self.image(address) == image:
                    return address
        return None

    def _rule_of(self, address: int) -> _Rule | None:
        for length in self._lengths:
            rule = self._by_source.get((length, self._prefix(address, length)))
            if rule is not None:
                return rule
        return None

    def _prefix(self, address: int, length: int) -> int:
        return address >> (self._bits - length)

    def _is_ordinary(self, address: int) -> bool:
        """Say of one number what `ranges.is_ordinary_ipv4` and `..._ipv6` say of many."""
        if self._bits == IPV4_BITS:
            kept = address >> 24 in (0, 127) or address >> 16 == 0xA9FE or address >> 29 == 7  # noqa: PLR2004
        else:
            kept = address <= 1 or address >> 118 == 0x3FA or address >> 120 == 0xFF  # noqa: PLR2004
        return not kept
