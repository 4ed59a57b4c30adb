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
from gql_server.engine.compilation import Words, entry
from gql_server.engine.memory import pointer

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
        addresses = np.ascontiguousarray(addresses)
        numbers = np.empty(len(addresses), np.uint64)
        take_flags(addresses, numbers)
        images = self._cipher.permute(numbers)
        give_flags(addresses, images)
        return images


@entry
def take_flags(addresses: Words, numbers: Words) -> None:
    """Write the addresses without the group and the local bit, as numbers of 46 bits."""
    address, out = pointer(addresses), pointer(numbers)
    for i in range(numbers.shape[0]):
        out[i] = (address[i] >> U(42) << U(40)) | (address[i] & _LOW)


@entry
def give_flags(addresses: Words, images: Words) -> None:
    """Turn numbers of 46 bits into addresses with the group and the local bit of others."""
    address, image = pointer(addresses), pointer(images)
    for i in range(images.shape[0]):
        image[i] = (image[i] >> U(40) << U(42)) | (address[i] & _FLAGS) | (image[i] & _LOW)


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
