from itertools import pairwise

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses.macs import SYMBOLS, Ff1, permute_macs


def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def ff1(key: bytes, radix: int, numerals: list[int]) -> list[int]:
    """FF1 of SP 800-38G without a tweak, one number at a time, written from the standard's algorithm 7."""

    def number(part: list[int]) -> int:
        total = 0
        for numeral in part:
            total = total * radix + numeral
        return total

    n = len(numerals)
    u, v = n // 2, n - n // 2
    a, b = numerals[:u], numerals[u:]
    size = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * -(-size // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + bytes(4)
    for turn in range(10):
        q = bytes((-size - 1) % 16) + bytes([turn]) + number(b).to_bytes(size, "big")
        r = bytes(16)
        for at in range(0, len(p + q), 16):
            r = aes(key, bytes(x ^ y for x, y in zip(r, (p + q)[at : at + 16], strict=True)))
        s = r
        for j in range(1, -(-d // 16)):
            s += aes(key, bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"), strict=True)))
        m = u if turn % 2 == 0 else v
        c = (number(a) + int.from_bytes(s[:d], "big")) % radix**m
        a, b = b, [c // radix**k % radix for k in reversed(range(m))]
    return a + b


KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")


def test_the_reference_gives_the_first_sample_of_the_standard() -> None:
    # NIST, FF1 samples, sample 1: AES-128, radix 10, no tweak.
    assert ff1(KEY, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) == [2, 4, 3, 3, 4, 7, 7, 4, 8, 4]


@given(st.integers(0, (1 << SYMBOLS) - 1), st.binary(min_size=16, max_size=16))
def test_many_at_once_are_as_the_reference_has_them(number: int, key: bytes) -> None:
    bits = [number >> place & 1 for place in reversed(range(SYMBOLS))]
    expected = int("".join(map(str, ff1(key, 2, bits))), 2)
    permuted = Ff1(key).permute(np.array([number, 0, number], np.uint64)).tolist()
    assert permuted[0] == permuted[2] == expected


def test_the_group_and_the_local_bit_stay_and_no_two_addresses_meet() -> None:
    addresses = np.random.default_rng(1).integers(0, 1 << 48, 50_000, dtype=np.uint64)
    addresses = np.unique(np.concatenate([addresses, addresses ^ np.uint64(1), np.arange(5000, dtype=np.uint64)]))
    permuted = permute_macs(Ff1(KEY), addresses)
    flags = np.uint64(0x030000000000)
    assert np.array_equal(addresses & flags, permuted & flags)
    assert all(one < other for one, other in pairwise(sorted(permuted.tolist())))
    assert int(permuted.max()) < 1 << 48
