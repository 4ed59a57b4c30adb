"""Keyed permutations of the numbers below any bound.

Below a million a prefix cipher: the numbers in the order of their encryptions. From there on FF1 (SP 800-38G) over
as many bits as the numbers have, walked along its cycles until the image is below the bound again. Both are from
Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002; revision 1 of the standard asks for a million.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gql_server.engine.dicom.ff1 import BoundFf1, Ff1
from gql_server.engine.keys import derive

SMALL_DOMAIN: Final = 1_000_000
_TABLE_ENTRIES: Final = 4_000_000
"""Entries of all prefix ciphers held at once; 8 bytes each."""
_BOUND_PERMUTATIONS: Final = 4096
_TWEAK_BYTES: Final = 16
_BLOCK_WORDS: Final = 2

Test = Callable[[int], bool]
Tables = tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]


class Permuting:
    """Permutations for one purpose; each layout of a value has its own."""

    def __init__(self, key: bytes, purpose: str) -> None:
        secret = derive(key, f"dicom-{purpose}", 64)
        self._ff1 = Ff1(secret[:32])
        self._order = Cipher(algorithms.AES(secret[32:]), modes.ECB()).encryptor().update  # noqa: S305  # single blocks
        self._bound: OrderedDict[tuple[bytes, int], BoundFf1] = OrderedDict()
        self._tables: OrderedDict[tuple[bytes, int], Tables] = OrderedDict()
        self._entries = 0

    def encrypt(self, number: int, domain: int, layout: bytes, allowed: Test | None = None) -> int:
        """Return the image of a number below `domain`.

        With `allowed`, the numbers it holds for are permuted among themselves; it must hold for `number`.
        """
        step = self._steps(domain, layout)[0]
        number = step(number)
        while number >= domain or (allowed is not None and not allowed(number)):
            number = step(number)
        return number

    def decrypt(self, number: int, domain: int, layout: bytes, allowed: Test | None = None) -> int:
        """Return the number whose image this is."""
        step = self._steps(domain, layout)[1]
        number = step(number)
        while number >= domain or (allowed is not None and not allowed(number)):
            number = step(number)
        return number

    def _steps(self, domain: int, layout: bytes) -> tuple[Callable[[int], int], Callable[[int], int]]:
        if domain < SMALL_DOMAIN:
            there, back = self._table(domain, layout)
            return (lambda number: int(there[number])), (lambda number: int(back[number]))
        place = (layout, domain)
        bound = self._bound.get(place)
        if bound is None:
            bound = self._ff1.bind(2, (domain - 1).bit_length(), _tweak(layout, domain))
            self._bound[place] = bound
            if len(self._bound) > _BOUND_PERMUTATIONS:
                self._bound.popitem(last=False)
        return bound.encrypt, bound.decrypt

    def _table(self, domain: int, layout: bytes) -> Tables:
        place = (layout, domain)
        tables = self._tables.get(place)
        if tables is not None:
            self._tables.move_to_end(place)
            return tables
        there = self._prefix_cipher(domain, _tweak(layout, domain))
        back = np.empty_like(there)
        back[there] = np.arange(domain, dtype=np.uint32)
        self._tables[place] = there, back
        self._entries += domain
        while self._entries > _TABLE_ENTRIES:
            (_, dropped), _ = self._tables.popitem(last=False)
            self._entries -= dropped
        return there, back

    def _prefix_cipher(self, domain: int, tweak: bytes) -> npt.NDArray[np.uint32]:
        """Return each number's rank among the encryptions of all."""
        blocks = np.empty((domain, _BLOCK_WORDS), ">u8")
        blocks[:, 0] = int.from_bytes(tweak[:8], "big")
        blocks[:, 1] = np.arange(domain)
        ciphered = np.frombuffer(self._order(blocks.tobytes()), ">u8").reshape(domain, _BLOCK_WORDS)
        ranks = np.empty(domain, np.uint32)
        ranks[np.argsort(ciphered[:, 0].astype(np.uint64), kind="stable")] = np.arange(domain, dtype=np.uint32)
        return ranks


def _tweak(layout: bytes, domain: int) -> bytes:
    """Return a tweak as long as a block, so that a round costs one encryption."""
    bound = domain.to_bytes(-(-domain.bit_length() // 8), "big")
    return hashlib.blake2b(len(bound).to_bytes(4, "big") + bound + layout, digest_size=_TWEAK_BYTES).digest()
