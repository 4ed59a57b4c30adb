"""FF1: format-preserving encryption of one number.

NIST SP 800-38G, algorithms 7 and 8, with AES. A string of numerals is taken as the number it spells, most significant
numeral first. (`engine/addresses` has the same for many short strings at once.)
"""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ROUNDS: Final = 10
_BLOCK: Final = 16
_LAST: Final = 0xFF


class Ff1:
    """FF1 under one key."""

    def __init__(self, key: bytes) -> None:
        # ECB of single blocks is the block cipher that the standard builds on.
        self.encipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305  # see above

    def bind(self, radix: int, length: int, tweak: bytes) -> "BoundFf1":
        """Return the permutation of numbers with so many numerals under a tweak."""
        return BoundFf1(self, radix, length, tweak)


class BoundFf1:
    """The permutation of the numbers below `radix ** length` that a key and a tweak give."""

    def __init__(self, cipher: Ff1, radix: int, length: int, tweak: bytes) -> None:
        self._encipher = cipher.encipher
        left = length // 2
        right = length - left
        self._moduli: tuple[int, int] = (pow(radix, left), pow(radix, right))
        self._numeral_bytes = ((self._moduli[1] - 1).bit_length() + 7) // 8
        self._number_bytes = 4 * -(-self._numeral_bytes // 4) + 4
        head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([_ROUNDS, left & _LAST])
        head += length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        padded = tweak + bytes((-len(tweak) - self._numeral_bytes - 1) % _BLOCK)
        # What comes before a round's own bytes is the same in each: whole blocks of it are chained once, and where
        # the rest is a single block, all that a round adds to it is one number.
        whole = len(padded) // _BLOCK * _BLOCK
        self._chained = self._chain(bytes(_BLOCK), head + padded[:whole])
        self._open = padded[whole:]
        rest = self._open + bytes(1 + self._numeral_bytes)
        self._single = len(rest) == _BLOCK and self._number_bytes <= _BLOCK
        constant = int.from_bytes(self._chained, "big") ^ int.from_bytes(rest[:_BLOCK], "big")
        masks = [constant ^ (turn << 8 * self._numeral_bytes) for turn in range(_ROUNDS)]
        self._masks = list(zip(masks[::2], masks[1::2], strict=True))
        self._surplus = 8 * (_BLOCK - self._number_bytes)

    def encrypt(self, number: int) -> int:
        """Return the image of a number."""
        low, high = self._moduli
        left, right = divmod(number, high)
        if self._single:
            # Most time of a job with many identifiers goes by here: no calls but the cipher's.
            encipher, surplus, number_of = self._encipher, self._surplus, int.from_bytes
            for one, other in self._masks:
                left = (left + (number_of(encipher((one ^ right).to_bytes(_BLOCK))) >> surplus)) % low
                right = (right + (number_of(encipher((other ^ left).to_bytes(_BLOCK))) >> surplus)) % high
            return left * high + right
        for turn in range(0, _ROUNDS, 2):
            left = (left + self._round(turn, right)) % low
            right = (right + self._round(turn + 1, left)) % high
        return left * high + right

    def decrypt(self, number: int) -> int:
        """Return the number that has this image."""
        low, high = self._moduli
        left, right = divmod(number, high)
        if self._single:
            encipher, surplus, number_of = self._encipher, self._surplus, int.from_bytes
            for one, other in reversed(self._masks):
                right = (right - (number_of(encipher((other ^ left).to_bytes(_BLOCK))) >> surplus)) % high
                left = (left - (number_of(encipher((one ^ right).to_bytes(_BLOCK))) >> surplus)) % low
            return left * high + right
        for turn in range(_ROUNDS - 2, -1, -2):
            right = (right - self._round(turn + 1, left)) % high
            left = (left - self._round(turn, right)) % low
        return left * high + right

    def _round(self, turn: int, half: int) -> int:
        last = self._open + bytes([turn]) + half.to_bytes(self._numeral_bytes, "big")
        block = self._chain(self._chained, last)
        if self._number_bytes > _BLOCK:
            block += self._lengthened(block)
        return int.from_bytes(block[: self._number_bytes], "big")

    def _chain(self, state: bytes, data: bytes) -> bytes:
        """Chain whole blocks behind a state (PRF of the standard)."""
        for at in range(0, len(data), _BLOCK):
            mixed = int.from_bytes(state, "big") ^ int.from_bytes(data[at : at + _BLOCK], "big")
            state = self._encipher(mixed.to_bytes(_BLOCK, "big"))
        return state

    def _lengthened(self, block: bytes) -> bytes:
        number = int.from_bytes(block, "big")
        count = -(-self._number_bytes // _BLOCK)
        return b"".join(self._encipher((number ^ each).to_bytes(_BLOCK, "big")) for each in range(1, count))
