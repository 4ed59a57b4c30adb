import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses.tables import fold, words_of
from gql_server.engine.compilation import State, U, Words, entry


@entry
def folded(x: int) -> int:
    """Call the kernel."""
    return fold(x)


@entry
def added(words: Words, out: State) -> None:
    """Call the kernel."""
    for i in range(words.shape[0]):
        out[i] = words_of(words[i])


@given(st.lists(st.integers(0, 0xFFFF), max_size=2000))
def test_folding_a_sum_is_adding_with_the_carry_around(words: list[int]) -> None:
    expected = 0
    for word in words:
        expected += word
        expected = (expected & 0xFFFF) + (expected >> 16)
    got = folded(sum(words))
    assert got == expected or {got, expected} == {0, 0xFFFF}
    assert 0 <= got <= 0xFFFF


@given(st.integers(0, (1 << 62) - 1))
def test_any_sum_folds_into_sixteen_bits(total: int) -> None:
    assert folded(total) % 0xFFFF == total % 0xFFFF
    assert 0 <= folded(total) <= 0xFFFF


@given(st.integers(0, (1 << 64) - 1))
def test_the_words_of_a_number_are_added(number: int) -> None:
    out = np.zeros(1, np.int64)
    added(np.array([U(number)]), out)
    assert out[0] == sum((number >> shift) & 0xFFFF for shift in (0, 16, 32, 48))
