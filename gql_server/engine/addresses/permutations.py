"""Prefix-preserving permutations of IP addresses.

Both constructions turn an address bit by bit: whether bit k is flipped is a keyed function of the k bits before it.
So two addresses that share k bits share k bits afterwards, and the map is a bijection. What is computed here is the
mask of flips; with its upper bits cleared, it permutes the addresses below a fixed prefix.

ipcrypt-pfx: draft-denis-ipcrypt. Crypto-PAn: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization",
ICNP 2002. Addresses are pairs of 64-bit words; an IPv4 address lies in the low one.
"""

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from gql_server.engine.compilation import Bytes, U, Words, entry
from gql_server.engine.memory import load64, pointer, store64

IPV4_BITS: Final = 32
IPV6_BITS: Final = 128
_BATCH_BLOCKS: Final = 16384
_BLOCK: Final = 16

Pairs = npt.NDArray[np.uint64]
"""Shape (n, 2): high and low word."""


@entry
def build_prefix_blocks(addresses: Words, start: int, blocks: Bytes) -> None:
    """For each bit from `start` on, write the bits before it behind a leading one, as 128 bits."""
    out = pointer(blocks)
    place = 0
    for i in range(addresses.shape[0] // 2):
        high, low = addresses[2 * i], addresses[2 * i + 1]
        mark_high, mark_low = U(0), U(1)
        for k in range(IPV6_BITS):
            if k >= start:
                store64(out, place, mark_high)
                store64(out, place + 8, mark_low)
                place += _BLOCK
            bit = (high >> U(63 - k)) & U(1) if k < 64 else (low >> U(127 - k)) & U(1)  # noqa: PLR2004  # a word
            mark_high = (mark_high << U(1)) | (mark_low >> U(63))
            mark_low = (mark_low << U(1)) | bit


@entry
def build_padded_blocks(addresses: Words, bits: int, pad: Bytes, blocks: Bytes) -> None:
    """For each bit, write the bits before it, which stand leftmost, followed by the pad's."""
    out, filler = pointer(blocks), pointer(pad)
    pad_high, pad_low = load64(filler, 0), load64(filler, 8)
    place = 0
    for i in range(addresses.shape[0] // 2):
        high, low = addresses[2 * i], addresses[2 * i + 1]
        for k in range(bits):
            keep_high = ~(~U(0) >> U(k)) if k < 64 else ~U(0)  # noqa: PLR2004  # a word
            keep_low = U(0) if k <= 64 else ~(~U(0) >> U(k - 64))  # noqa: PLR2004  # a word
            store64(out, place, (high & keep_high) | (pad_high & ~keep_high))
            store64(out, place + 8, (low & keep_low) | (pad_low & ~keep_low))
            place += _BLOCK


class Permutation(ABC):
    """Computes the flips of many addresses at once."""

    def __init__(self) -> None:
        self._blocks = np.empty(_BATCH_BLOCKS * _BLOCK, np.uint8)
        self._ciphered = np.empty((_BATCH_BLOCKS + 1) * _BLOCK, np.uint8)  # update_into asks for one block more

    def flips_of_ipv4(self, addresses: Pairs) -> Pairs:
        """Return the flips of IPv4 addresses."""
        return self._in_batches(addresses, IPV4_BITS)

    def flips_of_ipv6(self, addresses: Pairs) -> Pairs:
        """Return the flips of IPv6 addresses."""
        return self._in_batches(addresses, IPV6_BITS)

    def _in_batches(self, addresses: Pairs, bits: int) -> Pairs:
        flips = np.zeros_like(addresses)
        step = _BATCH_BLOCKS // bits
        for begin in range(0, len(addresses), step):
            batch = addresses[begin : begin + step]
            packed = np.packbits(self._bits(batch, bits).reshape(len(batch), bits), axis=1)
            if bits == IPV4_BITS:
                flips[begin : begin + step, 1] = packed.view(">u4")[:, 0]
            else:
                flips[begin : begin + step] = packed.view(">u8")
        return flips

    def _cipher(self, cipher: CipherContext, count: int) -> npt.NDArray[np.uint8]:
        size = count * _BLOCK
        cipher.update_into(self._blocks.data[:size], self._ciphered.data)
        return self._ciphered[:size]

    @abstractmethod
    def _bits(self, batch: Pairs, bits: int) -> npt.NDArray[np.uint8]:
        """Return one byte a bit, 0 or 1."""


class IpcryptPfx(Permutation):
    """ipcrypt-pfx: the exclusive or of two AES-128 permutations of the padded prefix."""

    KEY_BYTES: Final = 32
    _MAPPED: Final = U(0xFFFF << 32)

    def __init__(self, key: bytes) -> None:
        super().__init__()
        first, second = key[:16], key[16:]
        if len(key) != self.KEY_BYTES or first == second:
            raise ValueError("ipcrypt-pfx takes two different AES-128 keys")
        self._first, self._second = _ecb(first), _ecb(second)

    def _bits(self, batch: Pairs, bits: int) -> npt.NDArray[np.uint8]:
        addresses = batch.copy()
        if bits == IPV4_BITS:  # taken as ::ffff:a.b.c.d, from bit 96 on
            addresses[:, 0] = 0
            addresses[:, 1] |= self._MAPPED
        build_prefix_blocks(addresses.reshape(-1), IPV6_BITS - bits, self._blocks)
        last = self._cipher(self._first, len(batch) * bits)[_BLOCK - 1 :: _BLOCK].copy()
        other = self._cipher(self._second, len(batch) * bits)[_BLOCK - 1 :: _BLOCK]
        return (last ^ other) & np.uint8(1)


class CryptoPan(Permutation):
    """Crypto-PAn: the first bit of AES-128 over the prefix, padded with a secret."""

    KEY_BYTES: Final = 32

    def __init__(self, key: bytes) -> None:
        super().__init__()
        if len(key) != self.KEY_BYTES:
            raise ValueError("Crypto-PAn takes an AES-128 key and a 16-byte pad")
        self._aes = _ecb(key[:16])
        self._pad = np.frombuffer(self._aes.update(key[16:]), np.uint8).copy()

    def _bits(self, batch: Pairs, bits: int) -> npt.NDArray[np.uint8]:
        addresses = batch.copy()
        if bits == IPV4_BITS:
            addresses[:, 0] = batch[:, 1] << U(32)
            addresses[:, 1] = 0
        build_padded_blocks(addresses.reshape(-1), bits, self._pad, self._blocks)
        return self._cipher(self._aes, len(batch) * bits)[::_BLOCK] >> np.uint8(7)


def _ecb(key: bytes) -> CipherContext:
    # ECB is how many independent blocks go through one block cipher; no block is ever a message.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # see above
