import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.dicom.sources import NO_SPANS, count_of, cut, gather_torn
from tests.engine.dicom.byte_streams import held

SPANS = np.array([(10, 3), (20, 0), (30, 5)], np.int64)


def places(spans: np.ndarray) -> list[int]:
    return [place for at, count in spans.tolist() for place in range(at, at + count)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=6), st.integers(0, 40), st.integers(0, 40))
def test_a_part_of_spans_holds_what_that_part_of_their_bytes_is(
    pairs: list[tuple[int, int]], at: int, count: int
) -> None:
    spans = np.array(pairs, np.int64).reshape(-1, 2)
    assert places(cut(spans, at, count)) == places(spans)[at : at + count]


def test_spans_are_counted() -> None:
    assert count_of(SPANS) == 8
    assert count_of(NO_SPANS) == 0


@pytest.mark.parametrize("holes", [[], [(10, 11)], [(11, 32)], [(12, 13), (34, 40)], [(0, 60)]])
def test_what_was_not_captured_is_zero_and_told(holes: list[tuple[int, int]]) -> None:
    data = bytes(range(100, 160))
    out = np.full(8, 77, np.uint8)
    missing = gather_torn(held(data, holes), SPANS, out)
    lost = {place for begin, end in missing for place in range(begin, end)}
    for place, source in enumerate(places(SPANS)):
        torn = any(begin <= source < end for begin, end in holes)
        assert (place in lost) == torn
        assert out[place] == (0 if torn else data[source])
    assert missing == sorted(missing)
