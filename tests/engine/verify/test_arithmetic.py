import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.compilation import Bytes, entry
from gql_server.engine.memory import pointer
from gql_server.engine.verify import arithmetic
from tests.captures import checksum


@entry
def _sum_beside(one: Bytes, other: Bytes, at: int, end: int, shift: int) -> tuple[int, int]:
    return arithmetic.sum_beside(pointer(one), pointer(other), at, end, shift)


@entry
def _sum_of(data: Bytes, at: int, end: int) -> int:
    return arithmetic.sum_of(pointer(data), at, end)


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data + b"\0", np.uint8).copy()


@given(st.binary(max_size=100), st.integers(0, 5))
def test_a_sum_is_that_of_the_internet_checksum(data: bytes, at: int) -> None:
    begin = min(at, len(data))
    assert 0xFFFF - checksum(data[begin:]) == _sum_of(array(data), begin, len(data))


@given(st.binary(max_size=60), st.integers(0, 3))
def test_bytes_are_summed_and_compared_at_once(data: bytes, shift: int) -> None:
    other = array(b"\x07" * shift + data)
    total, differing = _sum_beside(array(data), other, 0, len(data), shift)
    assert (total, differing) == (_sum_of(array(data), 0, len(data)), 0)


@pytest.mark.parametrize("size", range(1, 20))
def test_one_byte_that_differs_is_seen(size: int) -> None:
    for at in range(size):
        other = array(bytes(size))
        other[at] = 1
        assert _sum_beside(array(bytes(size)), other, 0, size, 0)[1] != 0
