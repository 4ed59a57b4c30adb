"""Prefix-preserving permutations of IP addresses.

Both constructions turn an address bit by bit: whether bit k is flipped is a keyed function of the k bits before it.
So two addresses that share k bits share k bits afterwards, and the map is a bijection; with the upper bits left as
they are, it permutes what lies below a fixed prefix.

ipcrypt-pfx: draft-denis-ipcrypt. Crypto-PAn: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization",
ICNP 2002. Which addresses are special, their first 16 bits tell (but for :: and ::1), so cycle-walking needs no more
than a table of those: the first 16 bits are mapped again while their image is special, and the others follow as they
are flipped below the original ones.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from gql_server.engine.addresses.network_memo import NetworkMemo
from gql_server.engine.addresses.ranges import (
    ORDINARY,
    ORDINARY_TOPS_IPV6,
    TOP_BITS,
    TOP_CLASSES_IPV4,
    TOPS,
    Flags,
    Numbers,
    Pairs,
)
from gql_server.engine.compilation import Bytes, U, Words, entry
from gql_server.engine.memory import load8, load64, pointer, store64

IPV4_BITS: Final = 32
IPV6_BITS: Final = 128
WORD_BITS: Final = 64
GROUP_ID_BITS: Final = 24
"""As many low bits of an IPv6 group id are permuted (`ranges.is_dynamic_group_id`)."""

_BATCH_BLOCKS: Final = 8192
_BLOCK: Final = 16
_MAPPED: Final = U(0xFFFF << 32)
_GROUP: Final = (0xFF02 << 48, 1 << 32)

InterfaceIds = Callable[[Pairs], Numbers]
"""Gives the interface ids that the low words of addresses become."""


@entry
def build_prefix_blocks(addresses: Words, first: int, bits: int, blocks: Bytes) -> None:
    """For each of some bits from the first on, write the bits before it behind a leading one, as 128 bits."""
    out = pointer(blocks)
    place = 0
    for i in range(addresses.shape[0] // 2):
        high, low = addresses[2 * i], addresses[2 * i + 1]
        # One loop for each word, so that the compiler finds a plain one to unroll.
        for k in range(first, min(first + bits, 64)):
            store64(out, place, U(0))
            store64(out, place + 8, (U(1) << U(k)) | (high >> U(1) >> U(63 - k)))
            place += _BLOCK
        for k in range(max(first, 64), first + bits):
            store64(out, place, (U(1) << U(k - 64)) | (high >> U(1) >> U(127 - k)))
            store64(out, place + 8, (high << U(k - 64)) | (low >> U(1) >> U(127 - k)))
            place += _BLOCK


@entry
def join_tops(addresses: Words, step: int, tops: Words, rest: int, images: Words) -> None:
    """Turn flips into images: the first 16 bits of numbers become those of a table, the others are flipped."""
    address, top, image = pointer(addresses), pointer(tops), pointer(images)
    shift = U(rest)
    mask = (U(1) << shift) - U(1)
    for i in range(images.shape[0]):
        number = address[i * step]
        image[i] = (top[number >> shift] << shift) | ((number ^ image[i]) & mask)


@entry
def write_mapped(addresses: Words, rows: Words) -> None:
    """Write IPv4 addresses as ::ffff:a.b.c.d."""
    address, out = pointer(addresses), pointer(rows)
    for i in range(addresses.shape[0]):
        out[2 * i], out[2 * i + 1] = U(0), address[i] | _MAPPED


@entry
def lengthen(flips: Words, last: Words) -> None:
    """Make flips of prefixes those of all that are one bit longer, given the flip of that bit for each of them."""
    flip, bit = pointer(flips), pointer(last)
    for i in range(last.shape[0] - 1, -1, -1):
        both = (flip[i] << U(1)) | bit[i]
        flip[2 * i], flip[2 * i + 1] = both, both


@entry
def build_padded_blocks(addresses: Words, first: int, bits: int, pad: Bytes, blocks: Bytes) -> None:
    """For each of some bits from the first on, write the bits before it, leftmost, followed by the pad's."""
    out, filler = pointer(blocks), pointer(pad)
    pad_high, pad_low = load64(filler, 0), load64(filler, 8)
    place = 0
    for i in range(addresses.shape[0] // 2):
        high, low = addresses[2 * i], addresses[2 * i + 1]
        for k in range(first, first + bits):
            keep_high = ~(~U(0) >> U(k)) if k < 64 else ~U(0)  # noqa: PLR2004  # a word
            keep_low = U(0) if k <= 64 else ~(~U(0) >> U(k - 64))  # noqa: PLR2004  # a word
            store64(out, place, (high & keep_high) | (pad_high & ~keep_high))
            store64(out, place + 8, (low & keep_low) | (pad_low & ~keep_low))
            place += _BLOCK


@entry
def collect_last_bits(one: Bytes, other: Bytes, bits: int, flips: Words) -> None:
    """Add the last bits of two rows of blocks, and write those that belong together as one number."""
    first, second = pointer(one), pointer(other)
    place = _BLOCK - 1
    for i in range(flips.shape[0]):
        number = U(0)
        for _ in range(bits):
            number = (number << U(1)) | U((load8(first, place) ^ load8(second, place)) & 1)
            place += _BLOCK
        flips[i] = number


@entry
def collect_first_bits(ciphered: Bytes, bits: int, flips: Words) -> None:
    """Write the first bits of blocks, those that belong together as one number."""
    blocks = pointer(ciphered)
    place = 0
    for i in range(flips.shape[0]):
        number = U(0)
        for _ in range(bits):
            number = (number << U(1)) | U(load8(blocks, place) >> 7)
            place += _BLOCK
        flips[i] = number


class Permutation(ABC):
    """The permutations that a map of IP addresses is made of."""

    @abstractmethod
    def ordinary_ipv4(self, addresses: Numbers) -> Numbers:
        """Permute the ordinary IPv4 addresses."""

    @abstractmethod
    def hosts_ipv4(self, addresses: Numbers, bits: int) -> Numbers:
        """Permute the last bits of IPv4 addresses that share all others."""

    @abstractmethod
    def ordinary_ipv6(self, addresses: Pairs, ids: InterfaceIds) -> Pairs:
        """Permute the ordinary IPv6 addresses together with :: and ::1."""

    @abstractmethod
    def interface_ids(self, addresses: Pairs) -> Numbers:
        """Permute the low words of IPv6 addresses, those below each high word on their own."""

    @abstractmethod
    def group_ids(self, low: Numbers) -> Numbers:
        """Permute the last 24 bits of IPv6 group ids."""

    @abstractmethod
    def group_prefixes(self, groups: Pairs) -> Pairs:
        """Permute what lies between scope and group id of IPv6 groups; the group ids are zero."""


class PrefixPreserving(Permutation):
    """Computes the flips of many addresses at once."""

    _base_ipv4: int
    """Which bit of the 128 an IPv4 address begins with."""

    def __init__(self) -> None:
        self._blocks = np.empty(_BATCH_BLOCKS * _BLOCK, np.uint8)
        self._networks = NetworkMemo()

    def ordinary_ipv4(self, addresses: Numbers) -> Numbers:
        """Permute the ordinary IPv4 addresses."""
        rest = IPV4_BITS - TOP_BITS
        images = self._flips(self._lifted(addresses), self._base_ipv4 + TOP_BITS, rest)
        join_tops(np.ascontiguousarray(addresses), 1, self._tops_ipv4, rest, images)
        return images

    def hosts_ipv4(self, addresses: Numbers, bits: int) -> Numbers:
        """Permute the last bits of IPv4 addresses."""
        return addresses ^ self._flips(self._lifted(addresses), self._base_ipv4 + IPV4_BITS - bits, bits)

    def ordinary_ipv6(self, addresses: Pairs, ids: InterfaceIds) -> Pairs:
        """Permute the high words, cycle-walked; the low ones are the caller's."""
        addresses = np.ascontiguousarray(addresses)
        images = self._networks.flips(addresses, self._flips_of_networks)
        join_tops(addresses.reshape(-1), 2, self._tops_ipv6, WORD_BITS - TOP_BITS, images)
        out = np.empty_like(addresses)
        out[:, 0], out[:, 1] = images, ids(addresses)
        return out

    def interface_ids(self, addresses: Pairs) -> Numbers:
        """Permute the low words."""
        return np.asarray(addresses[:, 1] ^ self._flips(addresses, WORD_BITS, WORD_BITS))

    def group_ids(self, low: Numbers) -> Numbers:
        """Permute the last 24 bits, as those of one canonical group."""
        canonical = np.empty((len(low), 2), np.uint64)
        canonical[:, 0], canonical[:, 1] = U(_GROUP[0]), U(_GROUP[1]) | low
        return low ^ self._flips(canonical, IPV6_BITS - GROUP_ID_BITS, GROUP_ID_BITS)

    def group_prefixes(self, groups: Pairs) -> Pairs:
        """Permute the 80 bits from the 16th on."""
        out = groups.copy()
        out[:, 0] ^= self._flips(groups, 16, 48)
        out[:, 1] ^= self._flips(groups, WORD_BITS, 32) << U(32)
        return out

    @cached_property
    def _tops_ipv4(self) -> Numbers:
        return _walked(self._flips_of_tops(self._base_ipv4, self._lifted), TOP_CLASSES_IPV4 == ORDINARY)

    @cached_property
    def _tops_ipv6(self) -> Numbers:
        return _walked(self._flips_of_tops(0, _leading), ORDINARY_TOPS_IPV6)

    def _flips_of_networks(self, addresses: Pairs) -> Numbers:
        """Return the flips of the other 48 bits of high words."""
        return self._flips(addresses, TOP_BITS, WORD_BITS - TOP_BITS)

    def _flips_of_tops(self, base: int, lift: Callable[[Numbers], Pairs]) -> Numbers:
        """Return the flips of the first 16 bits of every address, one prefix length after the other."""
        flips = np.zeros(TOPS, np.uint64)
        for length in range(TOP_BITS):
            prefixes = np.arange(1 << length, dtype=np.uint64) << U(IPV4_BITS - length)
            lengthen(flips, self._flips(lift(prefixes), base + length, 1))
        return flips

    def _flips(self, addresses: Pairs, first: int, bits: int) -> Numbers:
        """Return the flips of some bits as numbers."""
        flips = np.empty(len(addresses), np.uint64)
        step = _BATCH_BLOCKS // bits
        for begin in range(0, len(addresses), step):
            part = np.ascontiguousarray(addresses[begin : begin + step]).reshape(-1)
            self._collect(part, first, bits, flips[begin : begin + step])
        return flips

    def _cipher(self, cipher: CipherContext, count: int, out: npt.NDArray[np.uint8]) -> None:
        cipher.update_into(self._blocks.data[: count * _BLOCK], out.data)

    @abstractmethod
    def _collect(self, addresses: Words, first: int, bits: int, flips: Words) -> None:
        """Write the flips of some bits of a batch."""

    @abstractmethod
    def _lifted(self, addresses: Numbers) -> Pairs:
        """Return IPv4 addresses as 128 bits."""


def _leading(numbers: Numbers) -> Pairs:
    """Return numbers of 32 bits as the first of 128."""
    rows = np.zeros((len(numbers), 2), np.uint64)
    rows[:, 0] = numbers << U(32)
    return rows


def _walked(flips: Numbers, allowed: Flags) -> Numbers:
    """Return the images of all first 16 bits, mapped again while they are special."""
    tops = np.arange(TOPS, dtype=np.uint64)
    image = tops ^ flips
    waiting = np.flatnonzero(allowed & ~allowed[image.astype(np.intp)])
    while len(waiting):
        image[waiting] ^= flips[image[waiting].astype(np.intp)]
        waiting = waiting[~allowed[image[waiting].astype(np.intp)]]
    return image


def _room() -> npt.NDArray[np.uint8]:
    return np.empty((_BATCH_BLOCKS + 1) * _BLOCK, np.uint8)  # update_into asks for one block more


class IpcryptPfx(PrefixPreserving):
    """ipcrypt-pfx: the exclusive or of two AES-128 permutations of the padded prefix."""

    KEY_BYTES: Final = 32
    _base_ipv4 = IPV6_BITS - IPV4_BITS

    def __init__(self, key: bytes) -> None:
        super().__init__()
        first, second = key[:16], key[16:]
        if len(key) != self.KEY_BYTES or first == second:
            raise ValueError("ipcrypt-pfx takes two different AES-128 keys")
        self._first, self._second = ecb(first), ecb(second)
        self._one, self._other = _room(), _room()

    def _lifted(self, addresses: Numbers) -> Pairs:
        """Return ::ffff:a.b.c.d."""
        lifted = np.empty((len(addresses), 2), np.uint64)
        write_mapped(np.ascontiguousarray(addresses), lifted.reshape(-1))
        return lifted

    def _collect(self, addresses: Words, first: int, bits: int, flips: Words) -> None:
        build_prefix_blocks(addresses, first, bits, self._blocks)
        self._cipher(self._first, len(flips) * bits, self._one)
        self._cipher(self._second, len(flips) * bits, self._other)
        collect_last_bits(self._one, self._other, bits, flips)


class CryptoPan(PrefixPreserving):
    """Crypto-PAn: the first bit of AES-128 over the prefix, padded with a secret."""

    KEY_BYTES: Final = 32
    _base_ipv4 = 0

    def __init__(self, key: bytes) -> None:
        super().__init__()
        if len(key) != self.KEY_BYTES:
            raise ValueError("Crypto-PAn takes an AES-128 key and a 16-byte pad")
        self._aes = ecb(key[:16])
        self._pad = np.frombuffer(self._aes.update(key[16:]), np.uint8).copy()
        self._ciphered = _room()

    def _lifted(self, addresses: Numbers) -> Pairs:
        return _leading(addresses)

    def _collect(self, addresses: Words, first: int, bits: int, flips: Words) -> None:
        build_padded_blocks(addresses, first, bits, self._pad, self._blocks)
        self._cipher(self._aes, len(flips) * bits, self._ciphered)
        collect_first_bits(self._ciphered, bits, flips)


def ecb(key: bytes) -> CipherContext:
    """Return AES for many independent blocks."""
    # ECB is how they go through one block cipher; no block is ever a message.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # see above
