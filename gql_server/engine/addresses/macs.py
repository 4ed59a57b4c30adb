"""A permutation of MAC addresses: FF1 on 46 bits.

FF1 is the format-preserving mode of NIST SP 800-38G, here with radix 2, 46 symbols and no tweak: the bits of the
address without the group and the local bit, which stay.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SYMBOLS: Final = 46
_HALF: Final = SYMBOLS // 2
_ROUNDS: Final = 10
_BLOCK: Final = 16
_NUMERAL_BYTES: Final = 3
_MASK: Final = np.uint64((1 << _HALF) - 1)

_FLAGS: Final = np.uint64(0x0300_0000_0000)
"""The group and the local bit."""
_LOW: Final = np.uint64(0x00FF_FFFF_FFFF)

Numbers = npt.NDArray[np.uint64]


class Ff1:
    """FF1 with AES-128, radix 2 and 46 symbols, of many numbers at once."""

    def __init__(self, key: bytes) -> None:
        # ECB is how many independent blocks go through one block cipher; no block is ever a message.
        self._aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # see above
        # P of SP 800-38G: version, method, addition; radix; rounds; u mod 256; n; t.
        head = bytes([1, 2, 1, 0, 0, 2, _ROUNDS, _HALF]) + SYMBOLS.to_bytes(4, "big") + bytes(4)
        self._first = np.frombuffer(self._aes.update(head), np.uint8)

    def permute(self, numbers: Numbers) -> Numbers:
        """Encrypt 46-bit numbers."""
        left, right = numbers >> np.uint64(_HALF), numbers & _MASK
        for turn in range(_ROUNDS):
            left, right = right, (left + self._round(turn, right)) & _MASK
        return (left << np.uint64(_HALF)) | right

    def _round(self, turn: int, half: Numbers) -> Numbers:
        """Return the round function's number, modulo 2**64; the caller takes it modulo 2**23."""
        blocks = np.zeros((len(half), _BLOCK), np.uint8)
        blocks[:, _BLOCK - _NUMERAL_BYTES - 1] = turn
        numerals = half.astype(">u8").view(np.uint8).reshape(-1, 8)
        blocks[:, _BLOCK - _NUMERAL_BYTES :] = numerals[:, 8 - _NUMERAL_BYTES :]
        blocks ^= self._first
        ciphered = np.frombuffer(self._aes.update(blocks.tobytes()), ">u8").reshape(-1, 2)
        number: Numbers = ciphered[:, 0].astype(np.uint64)  # S is the first 8 bytes: d = 4 * ceil(3 / 4) + 4
        return number


def permute_macs(cipher: Ff1, addresses: Numbers) -> Numbers:
    """Permute 48-bit addresses, keeping their group and local bits."""
    upper = (addresses >> np.uint64(42)) << np.uint64(40)
    mixed: Numbers = cipher.permute(upper | (addresses & _LOW))
    whole: Numbers = ((mixed >> np.uint64(40)) << np.uint64(42)) | (addresses & _FLAGS) | (mixed & _LOW)
    return whole
