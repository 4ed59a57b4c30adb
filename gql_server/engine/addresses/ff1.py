"""FF1: format-preserving encryption of bit strings.

NIST SP 800-38G, algorithm 7, with AES-128 and radix 2. Its first edition asks for at least 100 strings, the draft of
revision 1 for a million. All lengths used here have that but one: the 2**16 host numbers of 169.254/16, where no key
could hide what anybody can list.
"""

from typing import Final

import numpy as np

from gql_server.engine.addresses.permutations import ecb
from gql_server.engine.addresses.ranges import Numbers
from gql_server.engine.compilation import Bytes, Words, entry
from gql_server.engine.memory import load64, pointer, store64

U = np.uint64

_ROUNDS: Final = 10
_BLOCK: Final = 16
_WORD: Final = 8
_RADIX: Final = 2
_BATCH: Final = 1024
"""Numbers whose blocks stay in the nearest cache."""


@entry
def write_round(heads: Words, half: Words, turn: np.uint64, blocks: Bytes) -> None:
    """Write the blocks of a round: heads of two words, with the round and one half in the second."""
    head, number, out = pointer(heads), pointer(half), pointer(blocks)
    for i in range(half.shape[0]):
        store64(out, _BLOCK * i, head[2 * i])
        store64(out, _BLOCK * i + _WORD, head[2 * i + 1] ^ turn ^ number[i])


@entry
def add_round(ciphered: Bytes, place: int, mask: np.uint64, half: Words) -> None:
    """Add to the other half the word at a place of each block, modulo a power of two."""
    block, number = pointer(ciphered), pointer(half)
    for i in range(half.shape[0]):
        number[i] = (number[i] + load64(block, _BLOCK * i + place)) & mask


@entry
def turn_round(  # noqa: PLR0917  # kernels take their arguments by position
    ciphered: Bytes, place: int, mask: np.uint64, heads: Words, half: Words, turn: np.uint64, blocks: Bytes
) -> None:
    """End one round and write the blocks of the next: a call costs more than a few numbers."""
    block, head, number, out = pointer(ciphered), pointer(heads), pointer(half), pointer(blocks)
    for i in range(half.shape[0]):
        number[i] = (number[i] + load64(block, _BLOCK * i + place)) & mask
        store64(out, _BLOCK * i, head[2 * i])
        store64(out, _BLOCK * i + _WORD, head[2 * i + 1] ^ turn ^ number[i])


@entry
def part_halves(numbers: Words, right_bits: int, left: Words, right: Words) -> None:
    """Write the halves of numbers."""
    number, one, other = pointer(numbers), pointer(left), pointer(right)
    shift = U(right_bits)
    mask = (U(1) << shift) - U(1)
    for i in range(left.shape[0]):
        one[i], other[i] = number[i] >> shift, number[i] & mask


@entry
def join_halves(left: Words, right: Words, right_bits: int) -> None:
    """Make numbers of the left halves and the right ones."""
    number, other = pointer(left), pointer(right)
    shift = U(right_bits)
    for i in range(left.shape[0]):
        number[i] = (number[i] << shift) | other[i]


class Ff1:
    """FF1 of many numbers at once; all tweaks have the same few bytes."""

    def __init__(self, key: bytes, symbols: int, *, tweak_bytes: int = 0) -> None:
        self._aes = ecb(key)
        self._left_bits = symbols // 2
        self._right_bits = symbols - self._left_bits
        self._tweak_bytes = tweak_bytes
        self._numeral_bytes = -(-self._right_bits // 8)
        # Q of the standard is one block: the tweak in its first word, round and numeral in its second.
        assert tweak_bytes <= _WORD
        assert self._numeral_bytes < _WORD
        # How many bytes of a block make the round's number; its last eight hold what is left modulo 2**64.
        self._number_end = 4 * -(-self._numeral_bytes // 4) + 4
        masks = [U((1 << bits) - 1) for bits in (self._left_bits, self._right_bits)]
        self._turns = [(masks[turn - 1 & 1], U(turn << 8 * self._numeral_bytes)) for turn in range(1, _ROUNDS)]
        self._last_mask = masks[_ROUNDS - 1 & 1]
        # P of the standard: version, method, addition; radix; rounds; u mod 256; n; t.
        head = bytes([1, 2, 1, 0, 0, _RADIX, _ROUNDS, self._left_bits])
        head += symbols.to_bytes(4, "big") + tweak_bytes.to_bytes(4, "big")
        self._first = np.frombuffer(self._aes.update(head), ">u8").astype(np.uint64)
        self._blocks = np.empty(_BATCH * _BLOCK, np.uint8)
        self._ciphered = np.empty((_BATCH + 1) * _BLOCK, np.uint8)  # update_into asks for one block more

    def permute(self, numbers: Numbers, tweaks: Numbers | None = None) -> Numbers:
        """Encrypt numbers of up to 64 bits."""
        images, right = np.empty((2, len(numbers)), np.uint64)
        part_halves(np.ascontiguousarray(numbers), self._right_bits, images, right)
        self._permute(images, right, tweaks)
        join_halves(images, right, self._right_bits)
        return images

    def permute_halves(self, left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
        """Encrypt strings given as their halves, the longer one behind."""
        left, right = left.copy(), right.copy()
        self._permute(left, right)
        return left, right

    def _permute(self, left: Numbers, right: Numbers, tweaks: Numbers | None = None) -> None:
        """Encrypt halves in place."""
        heads = np.empty((len(left), 2), np.uint64)
        heads[:] = self._first
        if tweaks is not None:
            heads[:, 0] ^= tweaks << U(8 * (_WORD - self._tweak_bytes))
        for begin in range(0, len(left), _BATCH):
            part = slice(begin, begin + _BATCH)
            self._encrypt(heads[part].reshape(-1), left[part], right[part])

    def _encrypt(self, heads: Words, left: Numbers, right: Numbers) -> None:
        """Encrypt halves of a batch in place; after an even number of rounds each lies where it began."""
        place, encipher = self._number_end - _WORD, self._aes.update_into
        blocks, ciphered = self._blocks, self._ciphered
        plain, room = blocks.data[: len(left) * _BLOCK], ciphered.data
        write_round(heads, right, U(0), blocks)
        for mask, turn in self._turns:
            encipher(plain, room)
            turn_round(ciphered, place, mask, heads, left, turn, blocks)
            left, right = right, left
        encipher(plain, room)
        add_round(ciphered, place, self._last_mask, left)
