import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.errors import (
    CaptureCut,
    CaptureError,
    NotACapture,
)
from tests.captures import SectionOf, packets, pcap, pcapng
from tests.engine.doubles import summarize

FRAMES = [b"a" * 60, b"b" * 61, b"", b"c" * 1500]


def test_a_capture_without_packets_is_a_capture() -> None:
    summary = summarize(pcap([]))
    assert (summary.packets, summary.size_bytes, summary.first_time_ns) == (0, 24, None)
    assert summary.link_types == (1,)


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_a_stream_that_gives_little_at_a_time_reads_the_same(piece: int) -> None:
    data = pcap(packets(*FRAMES))
    assert summarize(data, piece=piece, window=64) == summarize(data)


def test_the_window_grows_for_a_large_record() -> None:
    data = pcap(packets(b"z" * 300_000, b"q"))
    assert summarize(data, window=1024).packets == 2


@pytest.mark.parametrize(
    "data", [b"", b"\xd4\xc3", b"GET / HTTP/1.1\r\n", b"\0" * 100, b"\x34\xcd\xb2\xa1" + bytes(20)]
)
def test_what_is_no_capture_is_refused(data: bytes) -> None:
    with pytest.raises(NotACapture) as refused:
        summarize(data)
    assert refused.value.offset == 0


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_cut_capture_names_the_record_it_was_cut_in(cut: int) -> None:
    data = pcap(packets(b"x" * 30, b"y" * 24))
    with pytest.raises(CaptureCut) as refused:
        summarize(data[:-cut])
    assert (refused.value.offset, refused.value.packets) == (24 + 46, 1)


GOOD = [pcap(packets(*FRAMES)), pcapng(SectionOf(contents=packets(*FRAMES)), SectionOf(little=False))]


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255))), st.integers(0, 2500))
def test_any_bytes_are_read_or_refused_with_a_named_error(
    good: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(good[:length])
    for place, value in changes:
        if place < len(data):
            data[place] = value
    for strip in (True, False):
        try:
            summary = summarize(bytes(data), window=512, strip=strip)
        except CaptureError as error:
            offset = error.facts()["offset"]
            assert isinstance(offset, int)
            assert 0 <= offset <= len(data)
        else:
            assert strip or summary.size_bytes == len(data)
