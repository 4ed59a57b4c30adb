"""FF1: format-preserving encryption of bit strings.

NIST SP 800-38G, algorithm 7, with AES-128 and radix 2. Its first edition asks for at least 100 strings, the draft of
revision 1 for a million. All lengths used here have that but one: the 2**16 host numbers of 169.254/16, where no key
could hide what anybody can list.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.addresses.permutations import ecb

U = np.uint64
Numbers = npt.NDArray[np.uint64]

_ROUNDS: Final = 10
_BLOCK: Final = 16
_RADIX: Final = 2


class Ff1:
    """FF1 of many numbers at once; all tweaks have the same few bytes."""

    def __init__(self, key: bytes, symbols: int, *, tweak_bytes: int = 0) -> None:
        self._aes = ecb(key)
        self._left_bits = symbols // 2
        self._right_bits = symbols - self._left_bits
        self._tweak_bytes = tweak_bytes
        self._numeral_bytes = -(-self._right_bits // 8)
        assert tweak_bytes + 1 + self._numeral_bytes <= _BLOCK  # Q of the standard is one block
        # How many bytes of a block make the round's number; its last eight hold what is left modulo 2**64.
        self._number_end = 4 * -(-self._numeral_bytes // 4) + 4
        # P of the standard: version, method, addition; radix; rounds; u mod 256; n; t.
        head = bytes([1, 2, 1, 0, 0, _RADIX, _ROUNDS, self._left_bits])
        head += symbols.to_bytes(4, "big") + tweak_bytes.to_bytes(4, "big")
        self._first = np.frombuffer(self._aes.update(head), np.uint8)

    def permute(self, numbers: Numbers, tweaks: Numbers | None = None) -> Numbers:
        """Encrypt numbers of up to 64 bits."""
        at, mask = U(self._right_bits), U((1 << self._right_bits) - 1)
        left, right = self.permute_halves(numbers >> at, numbers & mask, tweaks)
        return (left << at) | right

    def permute_halves(self, left: Numbers, right: Numbers, tweaks: Numbers | None = None) -> tuple[Numbers, Numbers]:
        """Encrypt strings given as their halves, the longer one behind."""
        head = np.zeros((len(left), _BLOCK), np.uint8)
        if tweaks is not None:
            head[:, : self._tweak_bytes] = _octets(tweaks, self._tweak_bytes)
        head ^= self._first
        for turn in range(_ROUNDS):
            mask = U((1 << (self._right_bits if turn & 1 else self._left_bits)) - 1)
            left, right = right, (left + self._round(head, turn, right)) & mask
        return left, right

    def _round(self, head: npt.NDArray[np.uint8], turn: int, half: Numbers) -> Numbers:
        """Return the round function's number modulo 2**64."""
        blocks = head.copy()
        blocks[:, _BLOCK - self._numeral_bytes - 1] ^= np.uint8(turn)
        blocks[:, _BLOCK - self._numeral_bytes :] ^= _octets(half, self._numeral_bytes)
        ciphered = np.frombuffer(self._aes.update(blocks.tobytes()), np.uint8).reshape(-1, _BLOCK)
        number = np.ascontiguousarray(ciphered[:, self._number_end - 8 : self._number_end])
        return number.view(">u8")[:, 0].astype(np.uint64)


def _octets(numbers: Numbers, count: int) -> npt.NDArray[np.uint8]:
    return numbers.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - count :]
