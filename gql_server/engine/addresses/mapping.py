"""What each address becomes: a keyed, injective function.

Ordinary addresses go through the chosen permutation, again and again while the image is special (cycle-walking), so
the special ranges are neither entered nor left. Rules stand before that (`rewriting_rules.py`): what they do not name
never lands where they lead. With EXPLICIT there is no permutation: what no rule names becomes the address 0.

Inside a class the same permutations work below the class's prefix:

    169.254/16, fe80::/10      the host bits; the interface id
    240/4                      the host bits
    multicast groups           what hosts made up or unicast bits: 23 bits of IPv4 groups, group ids from 0x80000000
                               on (their low 24 bits), the 80 bits before them where flags are set; the assigned
                               groups stay
    group MAC addresses        as the IP groups they stand for

**Interface ids made from MAC addresses follow them.** The EUI-64 of a MAC address becomes the EUI-64 of its pseudonym,
below whatever the prefix becomes; other ids are permuted within each /64, cycle-walked past those of that form. Rules
of up to 64 bits move such ids too, or they would carry MAC addresses out; longer ones name single hosts and do not,
and KEEP keeps all. PERMUTATION maps an ordinary IPv6 address as a whole, so that nothing in it tells of a MAC address;
ids below fe80::/10 follow there too.

**What the prefix law says.** With IPCRYPT_PFX and CRYPTO_PAN two ordinary addresses without a rule that share their
first k bits and no more do so afterwards, exactly, if k is at least 16 (below, if neither image was special at first)
and, in IPv6, at most 63. Beyond, within one /64, it holds for ids of which neither is an EUI-64 nor had to walk past
one, which one in 2**17 has.

A keyed permutation may leave an address where it is: one in 2**32 of the IPv4, one in 2**128 of the IPv6, one in 2**46
of the MAC addresses (2**24 where the vendor is kept); one in 2**16 of 169.254/16, one in 2**24 of the solicited-node
groups. Moving them elsewhere would cost the prefix law or the inverse.

CRYPTO_PAN leaves many more: where a bit of an address is that of the secret pad, the next longer prefix makes the same
block, so the next bit is flipped if this one was. Of n bits none is flipped for 3**(n-1) / 2**(2n-1) of the addresses
on average over all keys: one IPv4 address in 14,900, and in a key where one stays, much of its subnet. The published
construction is what that mode is for, so ordinary addresses keep to it; inside the classes ipcrypt-pfx permutes.
"""

from collections.abc import Callable
from typing import Final, assert_never

import numpy as np

from gql_server.domain.anonymization import AddressMapping, MacMapping
from gql_server.domain.rules import parse_address_rules
from gql_server.engine.addresses import macs, ranges, scrambling
from gql_server.engine.addresses.cycle_walking import cycle_walk, walk_on
from gql_server.engine.addresses.eui64 import count_eui64, eui64_of_mac, is_eui64, part_by_id
from gql_server.engine.addresses.macs import mac_permutation
from gql_server.engine.addresses.permutations import CryptoPan, IpcryptPfx, Permutation
from gql_server.engine.addresses.ranges import Flags, Numbers, Pairs
from gql_server.engine.addresses.rewriting_rules import RuleTable
from gql_server.engine.addresses.scrambling import Scrambling
from gql_server.engine.keys import derive

U = np.uint64
_GROUP_ID: Final = U(0xFFFFFFFF)
_CANONICAL_GROUP_IPV4: Final = U(0xE0000000)
_LINK_LOCAL_BITS: Final = 16
_RESERVED_BITS: Final = 28
_GROUP_BITS: Final = 23


def _permutation(mapping: AddressMapping, key: bytes) -> Permutation:
    match mapping:
        case AddressMapping.IPCRYPT_PFX | AddressMapping.EXPLICIT:
            return IpcryptPfx(derive(key, "ip/pfx", IpcryptPfx.KEY_BYTES))
        case AddressMapping.CRYPTO_PAN:
            return CryptoPan(derive(key, "ip/cryptopan", CryptoPan.KEY_BYTES))
        case AddressMapping.PERMUTATION:
            length = scrambling.KEY_BYTES
            return Scrambling(derive(key, "ip/ff1", length), derive(key, "ip/deterministic", length))
        case _:
            assert_never(mapping)


def _mac_key(mapping: MacMapping, key: bytes) -> bytes:
    purposes = {MacMapping.PERMUTATION: "mac/ff1", MacMapping.KEEP_OUI: "mac/ff1-nic"}
    return derive(key, purposes[mapping], macs.KEY_BYTES)


class AddressMap:
    """Maps many addresses at once; the same key, mappings and rules always give the same result."""

    def __init__(
        self,
        key: bytes,
        mapping: AddressMapping,
        rules: tuple[tuple[str, str], ...],
        *,
        mac_mapping: MacMapping = MacMapping.PERMUTATION,
    ) -> None:
        parsed = parse_address_rules(list(rules))
        self._is_explicit = mapping is AddressMapping.EXPLICIT
        self._permutation = _permutation(mapping, key)
        self._inside = self._permutation
        if mapping is AddressMapping.CRYPTO_PAN:
            self._inside = _permutation(AddressMapping.IPCRYPT_PFX, key)
        self._macs = mac_permutation(mac_mapping, _mac_key(mac_mapping, key))
        self._rules4 = RuleTable(parsed, version=4)
        self._rules6 = RuleTable(parsed, version=6)

    def ipv4(self, addresses: Numbers) -> Numbers:
        """Map IPv4 addresses, given as numbers."""
        # Most windows have no special address.
        if not ranges.count_special_ipv4(addresses):
            return self._ordinary_ipv4(addresses)
        classes = ranges.TOP_CLASSES_IPV4[(addresses >> U(ranges.TOP_BITS)).astype(np.intp)]
        out = addresses.copy()
        _within(out, classes == ranges.ORDINARY, self._ordinary_ipv4)
        _within(out, classes == ranges.LINK_LOCAL, lambda a: self._inside.hosts_ipv4(a, _LINK_LOCAL_BITS))
        _within(out, (classes == ranges.RESERVED) & (addresses != ranges.BROADCAST_IPV4), self._reserved_ipv4)
        _within(out, classes == ranges.GROUP, self._group_ipv4)
        return out

    def ipv6(self, addresses: Pairs) -> Pairs:
        """Map IPv6 addresses, given as pairs of high and low word."""
        if not ranges.count_special_ipv6(addresses.reshape(-1)):
            return self._ordinary_ipv6(addresses)
        out = addresses.copy()
        _within(out, ranges.is_ordinary_ipv6(addresses), self._ordinary_ipv6)
        _within(out, ranges.is_link_local_ipv6(addresses), self._link_local_ipv6)
        _within(out, ranges.is_group_ipv6(addresses), self._group_ipv6)
        return out

    def mac(self, addresses: Numbers) -> Numbers:
        """Map MAC addresses, given as numbers."""
        if not ranges.count_special_macs(addresses):
            return self._ordinary_mac(addresses)
        out = addresses.copy()
        _within(out, ranges.is_ordinary_mac(addresses), self._ordinary_mac)
        _within(out, ranges.is_ipv4_group_mac(addresses), self._ipv4_group_mac)
        _within(out, ranges.is_ipv6_group_mac(addresses), self._ipv6_group_mac)
        return out

    def _default_ipv4(self, addresses: Numbers) -> Numbers:
        return np.zeros_like(addresses) if self._is_explicit else self._permutation.ordinary_ipv4(addresses)

    def _ordinary_ipv4(self, addresses: Numbers) -> Numbers:
        if not self._rules4:
            return self._default_ipv4(addresses)
        images = self._rules4.apply(_rows(addresses), lambda a: _rows(self._default_ipv4(a[:, 1])), lambda a: a)
        return images[:, 1].copy()

    def _default_ipv6(self, addresses: Pairs) -> Pairs:
        if self._is_explicit:
            return np.zeros_like(addresses)

        def step(pairs: Pairs) -> Pairs:
            return self._permutation.ordinary_ipv6(pairs, self._interface_ids)

        image = step(addresses)
        if np.count_nonzero(image[:, 0]) == len(image):  # the fixed ones begin with a word of zero
            return image
        return walk_on(image, step, lambda a: ~ranges.is_fixed_ipv6(a))

    def _ordinary_ipv6(self, addresses: Pairs) -> Pairs:
        if not self._rules6:
            return self._default_ipv6(addresses)
        return self._rules6.apply(addresses, self._default_ipv6, self._follow)

    def _interface_ids(self, addresses: Pairs) -> Numbers:
        """Return what interface ids become below their prefix; those of MAC addresses and others never mix."""
        parted = part_by_id(addresses)
        if not len(parted.macs):
            return self._other_ids(parted.others)
        out = np.empty(len(addresses), np.uint64)
        out[parted.mac_places] = self._ids_of_macs(parted.macs)
        out[parted.other_places] = self._other_ids(parted.others)
        return out

    def _other_ids(self, addresses: Pairs) -> Numbers:
        ids = self._permutation.interface_ids(addresses)
        if not count_eui64(ids):
            return ids

        def step(pairs: Pairs) -> Pairs:
            return _with_ids(pairs, self._permutation.interface_ids(pairs))

        return walk_on(_with_ids(addresses, ids), step, lambda a: ~is_eui64(a[:, 1]))[:, 1].copy()

    def _follow(self, addresses: Pairs) -> Pairs:
        """Move interface ids as the MAC addresses that they were made from."""
        out = addresses.copy()
        parted = part_by_id(addresses)
        out[parted.mac_places, 1] = self._ids_of_macs(parted.macs)
        return out

    def _ids_of_macs(self, macs: Numbers) -> Numbers:
        return eui64_of_mac(self._ordinary_mac(macs))

    def _reserved_ipv4(self, addresses: Numbers) -> Numbers:
        return cycle_walk(addresses, lambda a: self._inside.hosts_ipv4(a, _RESERVED_BITS), ranges.is_reserved_ipv4)

    def _group_ipv4(self, addresses: Numbers) -> Numbers:
        host = ranges.GROUP_IPV4_HOST
        out = addresses.copy()
        chosen = np.flatnonzero(~ranges.is_assigned_group_ipv4(addresses))
        # All groups with the same 23 bits share a MAC address, so only those bits decide.
        start = (addresses[chosen] & host) | _CANONICAL_GROUP_IPV4
        image = cycle_walk(
            start, lambda a: self._inside.hosts_ipv4(a, _GROUP_BITS), lambda a: ~ranges.is_assigned_group_ipv4(a)
        )
        out[chosen] = (addresses[chosen] & ~host) | (image & host)
        return out

    def _link_local_ipv6(self, addresses: Pairs) -> Pairs:
        return _with_ids(addresses, self._interface_ids(addresses))

    def _group_ids(self, low: Numbers) -> Numbers:
        """Map group ids, whatever stands before them: they stay, or their low 24 bits change."""
        out = low.copy()
        chosen = np.flatnonzero(ranges.is_dynamic_group_id(low))
        ids = low[chosen] & _GROUP_ID
        out[chosen] = (low[chosen] & ~_GROUP_ID) | self._inside.group_ids(ids)
        return out

    def _group_ipv6(self, addresses: Pairs) -> Pairs:
        out = addresses.copy()
        chosen = np.flatnonzero(ranges.has_group_flags(addresses))
        prefixes = addresses[chosen]
        prefixes[:, 1] &= ~_GROUP_ID
        prefixes = self._inside.group_prefixes(prefixes)
        out[chosen, 0] = prefixes[:, 0]
        out[chosen, 1] = prefixes[:, 1] | (addresses[chosen, 1] & _GROUP_ID)
        out[:, 1] = self._group_ids(out[:, 1])
        return out

    def _ordinary_mac(self, addresses: Numbers) -> Numbers:
        image = self._macs.permute(addresses)
        if not ranges.count_special_macs(image):
            return image
        return walk_on(image, self._macs.permute, ranges.is_ordinary_mac)

    def _ipv4_group_mac(self, addresses: Numbers) -> Numbers:
        host = ranges.GROUP_IPV4_HOST
        group = self._group_ipv4((addresses & host) | _CANONICAL_GROUP_IPV4)
        return (addresses & ~host) | (group & host)

    def _ipv6_group_mac(self, addresses: Numbers) -> Numbers:
        return self._group_ids(addresses)


def _within(out: Numbers, belongs: Flags, change: Callable[[Numbers], Numbers]) -> None:
    """Map those of one class; the classes are disjoint and each maps onto itself."""
    chosen = np.flatnonzero(belongs)
    if len(chosen):
        out[chosen] = change(out[chosen])


def _with_ids(addresses: Pairs, ids: Numbers) -> Pairs:
    return np.stack([addresses[:, 0], ids], axis=1)


def _rows(numbers: Numbers) -> Pairs:
    return np.stack([np.zeros_like(numbers), numbers], axis=1)
