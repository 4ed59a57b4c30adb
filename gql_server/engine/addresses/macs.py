"""Permutations of MAC addresses.

By default FF1 on 46 bits: those of the address without the group and the local bit, which stay. Or the vendor stays:
FF1 on the last 24 bits, with the first three octets as its tweak, so each vendor's addresses are permuted on their own.
"""

from abc import ABC, abstractmethod
from typing import Final, assert_never

import numpy as np

from gql_server.domain.anonymization import MacMapping
from gql_server.engine.addresses.ff1 import Ff1
from gql_server.engine.addresses.ranges import Numbers

U = np.uint64
SYMBOLS: Final = 46
NIC_BITS: Final = 24
OUI_BYTES: Final = 3
KEY_BYTES: Final = 16

_FLAGS: Final = U(0x0300_0000_0000)
"""The group and the local bit."""
_LOW: Final = U(0x00FF_FFFF_FFFF)
_NIC: Final = U(0xFFFFFF)


class MacPermutation(ABC):
    """Permutes MAC addresses, keeping their group and local bits."""

    @abstractmethod
    def permute(self, addresses: Numbers) -> Numbers:
        """Permute 48-bit addresses."""


class WholeMacs(MacPermutation):
    """The vendor does not show."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Ff1(key, SYMBOLS)

    def permute(self, addresses: Numbers) -> Numbers:
        """Permute all bits but two."""
        upper = (addresses >> U(42)) << U(40)
        mixed: Numbers = self._cipher.permute(upper | (addresses & _LOW))
        whole: Numbers = ((mixed >> U(40)) << U(42)) | (addresses & _FLAGS) | (mixed & _LOW)
        return whole


class NicsOfVendors(MacPermutation):
    """The first three octets stay."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Ff1(key, NIC_BITS, tweak_bytes=OUI_BYTES)

    def permute(self, addresses: Numbers) -> Numbers:
        """Permute the last three octets."""
        vendors = addresses >> U(NIC_BITS)
        return (vendors << U(NIC_BITS)) | self._cipher.permute(addresses & _NIC, vendors)


def mac_permutation(mapping: MacMapping, key: bytes) -> MacPermutation:
    """Return the permutation of a mapping."""
    match mapping:
        case MacMapping.PERMUTATION:
            return WholeMacs(key)
        case MacMapping.KEEP_OUI:
            return NicsOfVendors(key)
        case _:
            assert_never(mapping)
