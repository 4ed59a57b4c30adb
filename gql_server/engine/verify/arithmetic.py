"""Sums of 16-bit words in ones' complement (RFC 1071)."""

from gql_server.engine.compilation import Bytes, kernel
from gql_server.engine.memory import load8, load16_little, load32_little
from gql_server.engine.verify.claims import is_same


@kernel
def sum_of(b: Bytes, at: int, end: int) -> int:
    """Add bytes as 16-bit words (RFC 1071), as at an even place."""
    total = 0
    for i in range((end - at) >> 2):
        total += load32_little(b, at + 4 * i)
    at += (end - at) & ~3
    if end - at >= 2:  # noqa: PLR2004  # a word
        total += load16_little(b, at)
        at += 2
    if at < end:
        total += load8(b, at)
    return swapped(fold(total))


@kernel
def sum_beside(a: Bytes, o: Bytes, at: int, end: int, shift: int) -> tuple[int, int]:
    """Add bytes of the original as 16-bit words, as at an even place; say too whether the output's differ: 0 is no."""
    total, differing = 0, 0
    for i in range((end - at) >> 2):
        word = load32_little(a, at + 4 * i)
        total += word
        differing |= word ^ load32_little(o, at + 4 * i + shift)
    rest = at + ((end - at) & ~3)
    return fold(swapped(fold(total)) + sum_of(a, rest, end)), differing + (not is_same(a, o, rest, end, shift))


@kernel
def swapped(x: int) -> int:
    """Turn the bytes of a sum around (RFC 1071 section 2B)."""
    return ((x & 0xFF) << 8) | (x >> 8)


@kernel
def fold(x: int) -> int:
    """Fold a sum into 16 bits, ones' complement."""
    x = (x & 0xFFFFFFFF) + (x >> 32)
    x = (x & 0xFFFF) + (x >> 16)
    x = (x & 0xFFFF) + (x >> 16)
    return (x & 0xFFFF) + (x >> 16)
