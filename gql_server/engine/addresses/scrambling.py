"""Permutations of IP addresses that keep no prefix.

IPv4 addresses go through FF1 (NIST SP 800-38G) on 32 bits, IPv6 addresses through ipcrypt-deterministic
(draft-denis-ipcrypt), which is one block of AES-128; both are cycle-walked. What lies below the prefix of a special
range goes through FF1 on its bits.
"""

from functools import cache
from typing import Final

import numpy as np

from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.cycle_walking import cycle_walk
from gql_server.engine.addresses.ff1 import Ff1
from gql_server.engine.addresses.permutations import (
    GROUP_ID_BITS,
    IPV4_BITS,
    WORD_BITS,
    InterfaceIds,
    Permutation,
    ecb,
)
from gql_server.engine.addresses.ranges import Numbers, Pairs

U = np.uint64
KEY_BYTES: Final = 16
_GROUP_PREFIX_BITS: Final = 80
_HALF: Final = 40


class Scrambling(Permutation):
    """Permutes whole addresses: nothing of an ordinary one shows, not even that its interface id tells a MAC."""

    def __init__(self, key4: bytes, key6: bytes) -> None:
        # The number of bits is part of what FF1 enciphers, so one key serves all lengths.
        self._ff1 = cache(lambda bits: Ff1(key4, bits))
        self._aes = ecb(key6)

    def ordinary_ipv4(self, addresses: Numbers) -> Numbers:
        """Permute 32 bits."""
        return cycle_walk(addresses, self._ff1(IPV4_BITS).permute, ranges.is_ordinary_ipv4)

    def hosts_ipv4(self, addresses: Numbers, bits: int) -> Numbers:
        """Permute the last bits."""
        return self._last(addresses, bits)

    def ordinary_ipv6(self, addresses: Pairs, ids: InterfaceIds) -> Pairs:  # noqa: ARG002  # ids are not told apart
        """Permute 128 bits."""
        return cycle_walk(addresses, self.whole, lambda a: ranges.is_ordinary_ipv6(a) | ranges.is_fixed_ipv6(a))

    def whole(self, addresses: Pairs) -> Pairs:
        """Encrypt IPv6 addresses by ipcrypt-deterministic."""
        ciphered = self._aes.update(addresses.astype(">u8").tobytes())
        return np.frombuffer(ciphered, ">u8").reshape(-1, 2).astype(np.uint64)

    def interface_ids(self, addresses: Pairs) -> Numbers:
        """Permute 64 bits."""
        return self._ff1(WORD_BITS).permute(addresses[:, 1])

    def group_ids(self, low: Numbers) -> Numbers:
        """Permute the last 24 bits."""
        return self._last(low, GROUP_ID_BITS)

    def group_prefixes(self, groups: Pairs) -> Pairs:
        """Permute 80 bits: 48 of the high word, 32 of the low one."""
        left = (groups[:, 0] >> U(8)) & U((1 << _HALF) - 1)
        right = ((groups[:, 0] & U(0xFF)) << U(32)) | (groups[:, 1] >> U(32))
        left, right = self._ff1(_GROUP_PREFIX_BITS).permute_halves(left, right)
        out = np.empty_like(groups)
        out[:, 0] = (groups[:, 0] >> U(48) << U(48)) | (left << U(8)) | (right >> U(32))
        out[:, 1] = (right << U(32)) | (groups[:, 1] & U(0xFFFFFFFF))
        return out

    def _last(self, numbers: Numbers, bits: int) -> Numbers:
        mask = U((1 << bits) - 1)
        return (numbers & ~mask) | self._ff1(bits).permute(numbers & mask)
