import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses.ff1 import Ff1

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
LENGTHS = [16, 23, 24, 28, 32, 46, 64]
"""As many bits as are permuted somewhere, but for the 80 below."""


def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def number_of(numerals: list[int], radix: int) -> int:
    total = 0
    for numeral in numerals:
        total = total * radix + numeral
    return total


def ff1(key: bytes, radix: int, numerals: list[int], tweak: bytes = b"") -> list[int]:
    """FF1 of SP 800-38G, one string at a time, written from the standard's algorithm 7."""
    n = len(numerals)
    u, v = n // 2, n - n // 2
    a, b = numerals[:u], numerals[u:]
    size = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * -(-size // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big")
    p += len(tweak).to_bytes(4, "big")
    for turn in range(10):
        q = tweak + bytes((-len(tweak) - size - 1) % 16) + bytes([turn]) + number_of(b, radix).to_bytes(size, "big")
        r = bytes(16)
        for at in range(0, len(p + q), 16):
            r = aes(key, bytes(x ^ y for x, y in zip(r, (p + q)[at : at + 16], strict=True)))
        s = r
        for j in range(1, -(-d // 16)):
            s += aes(key, bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"), strict=True)))
        m = u if turn % 2 == 0 else v
        c = (number_of(a, radix) + int.from_bytes(s[:d], "big")) % radix**m
        a, b = b, [c // radix**k % radix for k in reversed(range(m))]
    return a + b


def reference(key: bytes, number: int, bits: int, tweak: bytes = b"") -> int:
    return number_of(ff1(key, 2, [number >> place & 1 for place in reversed(range(bits))], tweak), 2)


def test_the_reference_gives_the_samples_of_the_standard() -> None:
    # NIST, FF1 samples 1 to 3: AES-128, radix 10 without and with a tweak, radix 36 and an odd length.
    digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert ff1(KEY, 10, digits) == [2, 4, 3, 3, 4, 7, 7, 4, 8, 4]
    assert ff1(KEY, 10, digits, bytes.fromhex("39383736353433323130")) == [6, 1, 2, 4, 2, 0, 0, 7, 7, 3]
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    sample = ff1(KEY, 36, list(range(19)), bytes.fromhex("3737373770717273373737"))
    assert "".join(letters[numeral] for numeral in sample) == "a9tv40mll9kdu509eum"


@pytest.mark.parametrize("bits", LENGTHS)
@given(data=st.data(), key=st.binary(min_size=16, max_size=16))
def test_many_at_once_are_as_the_reference_has_them(bits: int, data: st.DataObject, key: bytes) -> None:
    number = data.draw(st.integers(0, (1 << bits) - 1))
    permuted = Ff1(key, bits).permute(np.array([number, 0, number], np.uint64)).tolist()
    assert permuted == [reference(key, number, bits), reference(key, 0, bits), permuted[0]]


@given(number=st.integers(0, (1 << 80) - 1))
def test_long_strings_go_by_halves(number: int) -> None:
    left, right = (np.array([half], np.uint64) for half in divmod(number, 1 << 40))
    left, right = Ff1(KEY, 80).permute_halves(left, right)
    assert (int(left[0]) << 40) | int(right[0]) == reference(KEY, number, 80)


@given(number=st.integers(0, (1 << 24) - 1), tweak=st.integers(0, (1 << 24) - 1))
def test_each_number_has_its_own_tweak(number: int, tweak: int) -> None:
    numbers, tweaks = np.array([number, number], np.uint64), np.array([tweak, tweak ^ 1], np.uint64)
    expected = [reference(KEY, number, 24, each.to_bytes(3, "big")) for each in (tweak, tweak ^ 1)]
    assert Ff1(KEY, 24, tweak_bytes=3).permute(numbers, tweaks).tolist() == expected


def test_every_string_has_its_own_image() -> None:
    every = np.arange(1 << 16, dtype=np.uint64)
    assert np.array_equal(np.sort(Ff1(KEY, 16).permute(every)), every)
