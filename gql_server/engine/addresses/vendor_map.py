"""What a MAC transformation makes of each address.

A MAC address that a rule names gets the rule's first three octets; its last three stay, or go through FF1 with the
original vendor as tweak. Interface ids made from such an address follow it. Everything else stays as it is: other
devices, groups, IPv4 addresses, IPv6 prefixes, and solicited-node groups, which are groups.

No two devices become one. Two rules that would make the same address by keeping octets are refused; where mapped
octets meet, the rule whose original is the larger number tries its octets with the lowest bits changed, counting up.
When an address that a rule makes turns up in the capture as another device's, the transformation is refused.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.anonymization import NicPolicy
from gql_server.domain.errors import MacTargetTaken
from gql_server.domain.rules import check_mac_targets, parse_mac_rules
from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.eui64 import eui64_of_mac, part_by_id
from gql_server.engine.addresses.ff1 import Ff1
from gql_server.engine.addresses.macs import KEY_BYTES, NIC_BITS, OUI_BYTES
from gql_server.engine.addresses.ranges import Flags, Numbers, Pairs
from gql_server.engine.keys import derive

U = np.uint64
Places = npt.NDArray[np.intp]
_NIC: Final = U(0xFFFFFF)


class VendorMap:
    """Maps many addresses at once; the same key, policy and rules always give the same result."""

    def __init__(self, key: bytes, nic: NicPolicy, rules: tuple[tuple[str, str], ...]) -> None:
        """Read the rules.

        Raises:
            RulesError: the rules contradict themselves.
        """
        parsed = parse_mac_rules(list(rules))
        check_mac_targets(parsed, nic)
        originals = np.array([_number(rule.original) for rule in parsed], np.uint64)
        order = np.argsort(originals)
        self._originals = originals[order]
        if nic is NicPolicy.KEEP:
            made = np.array([_number(rule.kept) for rule in parsed], np.uint64)[order]
        else:
            made = _mapped(key, self._originals, np.array([_number(rule.oui) for rule in parsed], np.uint64)[order])
        self._made = made
        by_made = np.argsort(made)
        self._made_sorted, self._rule_of_made = made[by_made], order[by_made]

    def ipv4(self, addresses: Numbers) -> Numbers:
        """Return IPv4 addresses as they are."""
        return addresses

    def ipv6(self, addresses: Pairs) -> Pairs:
        """Map the interface ids that were made from MAC addresses.

        Raises:
            MacTargetTaken: an id tells of another device with an address that a rule makes.
        """
        of_hosts = np.flatnonzero(~ranges.is_group_ipv6(addresses))
        parted = part_by_id(addresses[of_hosts])
        out = addresses.copy()
        out[of_hosts[parted.mac_places], 1] = eui64_of_mac(self.mac(parted.macs))
        return out

    def mac(self, addresses: Numbers) -> Numbers:
        """Map MAC addresses.

        Raises:
            MacTargetTaken: another device has an address that a rule makes.
        """
        named, places = _find(self._originals, addresses)
        made, made_places = _find(self._made_sorted, addresses)
        taken = np.flatnonzero(made & ~named)
        if len(taken):
            raise MacTargetTaken(index=int(self._rule_of_made[made_places[taken[0]]]))
        out = addresses.copy()
        out[named] = self._made[places[named]]
        return out


def _find(known: Numbers, addresses: Numbers) -> tuple[Flags, Places]:
    """Say which addresses are known, and where; `known` is sorted."""
    if not len(known):
        return np.zeros(len(addresses), np.bool_), np.zeros(len(addresses), np.intp)
    places = np.minimum(np.searchsorted(known, addresses), len(known) - 1)
    return known[places] == addresses, places


def _mapped(key: bytes, originals: Numbers, vendors: Numbers) -> Numbers:
    """Return what devices get whose last three octets are mapped."""
    cipher = Ff1(derive(key, "mac/vendor-nic", KEY_BYTES), NIC_BITS, tweak_bytes=OUI_BYTES)
    tweaks = originals >> U(NIC_BITS)
    return kept_apart(vendors, originals & _NIC, lambda nics, places: cipher.permute(nics, tweaks[places]))


def kept_apart(vendors: Numbers, nics: Numbers, permute: Callable[[Numbers, Places], Numbers]) -> Numbers:
    """Return addresses of which no two are the same and none is that of no device.

    `permute` permutes last octets, each device's in its own way: so of n + 2 tries one is free.
    """
    places = np.arange(len(nics))
    made = (vendors << U(NIC_BITS)) | permute(nics, places)
    seen = {0}
    for place in places:
        tries = 0
        while int(made[place]) in seen:
            tries += 1
            again = permute(nics[place : place + 1] ^ U(tries), places[place : place + 1])
            made[place] = (vendors[place] << U(NIC_BITS)) | again[0]
        seen.add(int(made[place]))
    return made


def _number(octets: str) -> int:
    return int(octets.replace(":", ""), 16)
