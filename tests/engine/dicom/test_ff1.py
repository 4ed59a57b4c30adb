import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.ff1 import Ff1
from tests.engine.addresses.test_ff1 import ff1, number_of

KEYS = {
    128: bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"),
    192: bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f"),
    256: bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94"),
}
NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyz"
TEN = bytes.fromhex("39383736353433323130")
LETTERS = bytes.fromhex("3737373770717273373737")

# NIST, "FF1 samples" of SP 800-38G, samples 1 to 9.
SAMPLES = [
    (128, 10, b"", "0123456789", "2433477484"),
    (128, 10, TEN, "0123456789", "6124200773"),
    (128, 36, LETTERS, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (192, 10, b"", "0123456789", "2830668132"),
    (192, 10, TEN, "0123456789", "2496655549"),
    (192, 36, LETTERS, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (256, 10, b"", "0123456789", "6657667009"),
    (256, 10, TEN, "0123456789", "1001623463"),
    (256, 36, LETTERS, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("bits", "radix", "tweak", "plain", "cipher"), SAMPLES)
def test_the_samples_of_the_standard(bits: int, radix: int, tweak: bytes, plain: str, cipher: str) -> None:
    permutation = Ff1(KEYS[bits]).bind(radix, len(plain), tweak)
    number = permutation.encrypt(int(plain, radix))
    digits = [NUMERALS[number // radix**place % radix] for place in reversed(range(len(plain)))]
    assert "".join(digits) == cipher
    assert permutation.decrypt(number) == int(plain, radix)


@settings(deadline=None)
@given(st.data(), st.sampled_from([2, 10, 36]), st.integers(2, 400), st.binary(max_size=40))
def test_any_length_is_as_the_algorithm_written_out(data: st.DataObject, radix: int, length: int, tweak: bytes) -> None:
    number = data.draw(st.integers(0, radix**length - 1))
    numerals = [number // radix**place % radix for place in reversed(range(length))]
    expected = number_of(ff1(KEYS[128], radix, numerals, tweak), radix)
    permutation = Ff1(KEYS[128]).bind(radix, length, tweak)
    assert permutation.encrypt(number) == expected
    assert permutation.decrypt(expected) == number
