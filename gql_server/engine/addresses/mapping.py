"""What each address becomes: a keyed, injective function.

Ordinary addresses go through the chosen permutation, again and again while the image is special (cycle-walking), so
the special ranges are neither entered nor left. Rules stand before that. Where a rule has taken an image, the address
that would have had it takes the image of the rule's source instead; so every address has one image, no two share one,
and what a rule does not name never lands in its target.

Inside a class the same flips permute what lies below the class's prefix:

    169.254/16, fe80::/10      the host bits; the interface id
    240/4                      the host bits
    multicast groups           what hosts made up or unicast bits: 23 bits of IPv4 groups, group ids from 0x80000000
                               on (their low 24 bits), the 80 bits before them where flags are set; the assigned
                               groups stay
    group MAC addresses        as the IP groups they stand for

A keyed permutation may leave an address where it is: one in 2**32 of the IPv4, one in 2**128 of the IPv6, one in 2**46
of the MAC addresses; one in 2**16 of 169.254/16, one in 2**24 of the solicited-node groups. Moving them elsewhere would
cost the prefix law or the inverse.
"""

from collections.abc import Callable
from typing import Final, assert_never

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gql_server.domain.anonymization import AddressMapping
from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.macs import Ff1, permute_macs
from gql_server.engine.addresses.permutations import CryptoPan, IpcryptPfx, Permutation
from gql_server.engine.addresses.ranges import Flags, Numbers, Pairs
from gql_server.engine.addresses.rewriting_rules import RuleTable

U = np.uint64
_GROUP_HIGH: Final = U(0xFF02 << 48)
_GROUP_LOW: Final = U(1 << 32)
_GROUP_ID: Final = U(0xFFFFFFFF)
_GROUP_HOST: Final = U(0x00FFFFFF)
_GROUP_SCOPE: Final = U(0xFFFF << 48)
_CANONICAL_GROUP_IPV4: Final = U(0xE0000000)
_MAC_KEY_BYTES: Final = 16


def derive(key: bytes, purpose: str, length: int) -> bytes:
    """Derive the key of one purpose from the data key (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"gql-server/{purpose}".encode()).derive(key)


def _permutation(mapping: AddressMapping, key: bytes) -> Permutation:
    match mapping:
        case AddressMapping.IPCRYPT_PFX:
            return IpcryptPfx(derive(key, "ip/pfx", IpcryptPfx.KEY_BYTES))
        case AddressMapping.CRYPTO_PAN:
            return CryptoPan(derive(key, "ip/cryptopan", CryptoPan.KEY_BYTES))
        case AddressMapping.PERMUTATION | AddressMapping.EXPLICIT:
            raise NotImplementedError
        case _:
            assert_never(mapping)


def _walk(
    start: npt.NDArray[np.uint64],
    step: Callable[[npt.NDArray[np.uint64]], npt.NDArray[np.uint64]],
    allowed: Callable[[npt.NDArray[np.uint64]], Flags],
) -> npt.NDArray[np.uint64]:
    """Step until the image is allowed; it ends, since the start was allowed and the step is a permutation."""
    image = step(start)
    outside = np.flatnonzero(~allowed(image))
    while len(outside):
        image[outside] = step(image[outside])
        outside = outside[~allowed(image[outside])]
    return image


class AddressMap:
    """Maps many addresses at once; the same key, mapping and rules always give the same result."""

    def __init__(self, key: bytes, mapping: AddressMapping, rules: tuple[tuple[str, str], ...]) -> None:
        self._permutation = _permutation(mapping, key)
        self._macs = Ff1(derive(key, "mac/ff1", _MAC_KEY_BYTES))
        self._rules4 = RuleTable(rules, version=4)
        self._rules6 = RuleTable(rules, version=6)

    def ipv4(self, addresses: Numbers) -> Numbers:
        """Map IPv4 addresses, given as numbers."""
        out = addresses.copy()
        self._within(out, ranges.is_ordinary_ipv4, self._ordinary_ipv4)
        self._within(out, ranges.is_link_local_ipv4, lambda a: self._below4(a, ranges.LINK_LOCAL_IPV4_HOST))
        self._within(out, ranges.is_reserved_ipv4, self._reserved_ipv4)
        self._within(out, ranges.is_group_ipv4, self._group_ipv4)
        return out

    def ipv6(self, addresses: Pairs) -> Pairs:
        """Map IPv6 addresses, given as pairs of high and low word."""
        out = addresses.copy()
        self._within(out, ranges.is_ordinary_ipv6, self._ordinary_ipv6)
        self._within(out, ranges.is_link_local_ipv6, self._link_local_ipv6)
        self._within(out, ranges.is_group_ipv6, self._group_ipv6)
        return out

    def mac(self, addresses: Numbers) -> Numbers:
        """Map MAC addresses, given as numbers."""
        out = addresses.copy()
        self._within(out, ranges.is_ordinary_mac, self._ordinary_mac)
        self._within(out, ranges.is_ipv4_group_mac, self._ipv4_group_mac)
        self._within(out, ranges.is_ipv6_group_mac, self._ipv6_group_mac)
        return out

    @staticmethod
    def _within(
        out: npt.NDArray[np.uint64],
        belongs: Callable[[npt.NDArray[np.uint64]], Flags],
        change: Callable[[npt.NDArray[np.uint64]], npt.NDArray[np.uint64]],
    ) -> None:
        """Map those of one class; the classes are disjoint and each maps onto itself."""
        chosen = np.flatnonzero(belongs(out))
        if len(chosen):
            out[chosen] = change(out[chosen])

    def _below4(self, addresses: Numbers, host: np.uint64) -> Numbers:
        pairs = np.zeros((len(addresses), 2), np.uint64)
        pairs[:, 1] = addresses
        return addresses ^ (self._permutation.flips_of_ipv4(pairs)[:, 1] & host)

    def _step4(self, addresses: Numbers) -> Numbers:
        return self._below4(addresses, U(0xFFFFFFFF))

    def _step6(self, addresses: Pairs) -> Pairs:
        return addresses ^ self._permutation.flips_of_ipv6(addresses)

    def _ordinary_ipv4(self, addresses: Numbers) -> Numbers:
        def default(numbers: list[int]) -> list[int]:
            start = np.array(numbers, np.uint64)
            return [int(image) for image in _walk(start, self._step4, ranges.is_ordinary_ipv4)]

        image = _walk(addresses, self._step4, ranges.is_ordinary_ipv4)
        if not self._rules4:
            return image
        ruled = self._rules4.apply([int(a) for a in addresses], [int(a) for a in image], default)
        return np.array(ruled, np.uint64)

    def _ordinary_ipv6(self, addresses: Pairs) -> Pairs:
        def default(numbers: list[int]) -> list[int]:
            return _numbers(_walk(_pairs(numbers), self._step6, ranges.is_ordinary_ipv6))

        image = _walk(addresses, self._step6, ranges.is_ordinary_ipv6)
        if not self._rules6:
            return image
        return _pairs(self._rules6.apply(_numbers(addresses), _numbers(image), default))

    def _reserved_ipv4(self, addresses: Numbers) -> Numbers:
        return _walk(addresses, lambda a: self._below4(a, ranges.RESERVED_IPV4_HOST), ranges.is_reserved_ipv4)

    def _group_ipv4(self, addresses: Numbers) -> Numbers:
        host = ranges.GROUP_IPV4_HOST
        out = addresses.copy()
        chosen = np.flatnonzero(~ranges.is_assigned_group_ipv4(addresses))
        # All groups with the same 23 bits share a MAC address, so only those bits decide.
        start = (addresses[chosen] & host) | _CANONICAL_GROUP_IPV4
        image = _walk(start, lambda a: self._below4(a, host), lambda a: ~ranges.is_assigned_group_ipv4(a))
        out[chosen] = (addresses[chosen] & ~host) | (image & host)
        return out

    def _link_local_ipv6(self, addresses: Pairs) -> Pairs:
        out = addresses.copy()
        out[:, 1] ^= self._permutation.flips_of_ipv6(addresses)[:, 1]
        return out

    def _group_ids(self, low: Numbers) -> Numbers:
        """Return the flips of group ids: none, or some of the low 24 bits, whatever the rest of the address is."""
        flips = np.zeros_like(low)
        chosen = np.flatnonzero(ranges.is_dynamic_group_id(low))
        canonical = np.empty((len(chosen), 2), np.uint64)
        canonical[:, 0] = _GROUP_HIGH
        canonical[:, 1] = _GROUP_LOW | (low[chosen] & _GROUP_ID)
        flips[chosen] = self._permutation.flips_of_ipv6(canonical)[:, 1] & _GROUP_HOST
        return flips

    def _group_ipv6(self, addresses: Pairs) -> Pairs:
        out = addresses.copy()
        chosen = np.flatnonzero(ranges.has_group_flags(addresses))
        middle = addresses[chosen]
        middle[:, 1] &= ~_GROUP_ID
        flips = self._permutation.flips_of_ipv6(middle)
        out[chosen, 0] ^= flips[:, 0] & ~_GROUP_SCOPE
        out[chosen, 1] ^= flips[:, 1] & ~_GROUP_ID
        out[:, 1] ^= self._group_ids(addresses[:, 1])
        return out

    def _ordinary_mac(self, addresses: Numbers) -> Numbers:
        return _walk(addresses, lambda a: permute_macs(self._macs, a), ranges.is_ordinary_mac)

    def _ipv4_group_mac(self, addresses: Numbers) -> Numbers:
        host = ranges.GROUP_IPV4_HOST
        group = self._group_ipv4((addresses & host) | _CANONICAL_GROUP_IPV4)
        return (addresses & ~host) | (group & host)

    def _ipv6_group_mac(self, addresses: Numbers) -> Numbers:
        return addresses ^ self._group_ids(addresses & _GROUP_ID)


def _pairs(numbers: list[int]) -> Pairs:
    words = [(number >> 64, number & 0xFFFFFFFFFFFFFFFF) for number in numbers]
    return np.array(words, np.uint64).reshape(-1, 2)


def _numbers(pairs: Pairs) -> list[int]:
    return [(high << 64) | low for high, low in pairs.tolist()]
