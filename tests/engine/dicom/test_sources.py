import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.dicom.sources import NO_SPANS, SHORT_STREAM, ShortStream, count_of, cut, gather_torn, read_short
from tests.engine.dicom.byte_streams import connection, held

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


def test_a_short_stream_reads_as_the_stream_itself() -> None:
    stream = held(bytes(range(100)))
    short = read_short(connection(stream, b"")).streams[0]
    assert isinstance(short, ShortStream)
    assert (short.end, short.starts_at_syn) == (stream.end, stream.starts_at_syn)
    for at, count in ((0, 10), (90, 20), (100, 1), (120, 5), (7, 0)):
        assert short.read(at, count) == stream.read(at, count)
        assert short.next_covered(at) == stream.next_covered(at)
        assert short.covered(at, count) == stream.covered(at, count)
    for spans in (SPANS, np.array([(90, 20), (0, 3)], np.int64)):
        outs = [np.zeros(30, np.uint8), np.zeros(30, np.uint8)]
        assert short.gather(spans, outs[0]) == stream.gather(spans, outs[1])
        assert outs[0].tobytes() == outs[1].tobytes()
    assert short.fill(5, 3) == 3
    short.scatter(np.array([(50, 2)], np.int64), np.frombuffer(b"ab", np.uint8).copy())
    assert (stream.read(5, 3), stream.read(50, 2)) == (bytes(3), b"ab")


def test_a_stream_that_is_long_or_has_holes_is_left() -> None:
    for stream in (held(bytes(SHORT_STREAM + 1)), held(bytes(50), [(10, 20)]), held(bytes(50), [(0, 20)])):
        assert read_short(connection(stream, b"")).streams[0] is stream
