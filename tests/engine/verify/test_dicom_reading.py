"""PDUs and PDVs of one stream."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import dictionary_for
from gql_server.engine.verify.dicom_judge import StreamJudge
from gql_server.engine.verify.dicom_streams import Chunk
from gql_server.engine.verify.dicom_values import ValueJudge
from tests.engine.verify.dicom_traffic import EXPLICIT, NOW, WAS, command, conversation, data_set, encoded, p_data

NONE = np.empty(0, np.uint8)


def chunks(was: bytes, now: bytes, size: int, hole: tuple[int, int] | None = None) -> Iterator[Chunk]:
    """Cut a stream, and take bytes out of it."""
    edges = sorted({*range(0, len(was), size), len(was), *(hole or ())})
    for begin, end in pairwise(edges):
        if hole and hole[0] <= begin < hole[1]:
            yield Chunk(at=begin, original=NONE, output=NONE, missing=end - begin)
        else:
            one, other = (np.frombuffer(data[begin:end], np.uint8).copy() for data in (was, now))
            yield Chunk(at=begin, original=one, output=other)


def read(
    was: bytes, now: bytes, *, size: int = 1 << 20, hole: tuple[int, int] | None = None, syntax: int = 2
) -> StreamJudge:
    assert len(was) == len(now)
    expected = DicomExpectation()
    dictionary = dictionary_for(expected)
    judge = StreamJudge(expected, dictionary, ValueJudge(expected))
    judge.read(chunks(was, now, size, hole), {1: syntax} if syntax else {})
    judge.flush()
    return judge


def stream(values: dict[str, object]) -> bytes:
    body = encoded(data_set(values), EXPLICIT)
    return p_data(command(values), 3) + p_data(body[:100], 0) + p_data(body[100:], 2)


IS, WILL = stream(WAS), stream(NOW)


@pytest.mark.parametrize("size", [1, 13, 1 << 20])
@pytest.mark.parametrize("syntax", [0, d.EXPLICIT])
def test_a_stream_is_read_in_any_pieces(size: int, syntax: int) -> None:
    s = read(IS, WILL, size=size, syntax=syntax).state
    assert [s[i] for i in (d.PDUS, d.MESSAGES, d.DATA_SETS)] == [3, 1, 1]
    assert [s[i] for i in (d.STRUCTURE, d.LEFT, d.BULK_LEFT, d.PIXELS_LEFT, d.UNDECODABLE)] == [0] * 5


def test_several_pdvs_share_a_pdu() -> None:
    def joined(values: dict[str, object]) -> bytes:
        data = stream(values)
        pdvs, at = b"", 0
        while at < len(data):
            length = int.from_bytes(data[at + 2 : at + 6], "big")
            pdvs += data[at + 6 : at + 6 + length]
            at += 6 + length
        return b"\4\0" + len(pdvs).to_bytes(4, "big") + pdvs

    s = read(joined(WAS), joined(NOW)).state
    assert [s[i] for i in (d.PDUS, d.DATA_SETS, d.LEFT, d.STRUCTURE)] == [1, 1, 0, 0]


@pytest.mark.parametrize("at", [0, 2, 5, 6, 9, 10, 11])
def test_headers_stay(at: int) -> None:
    wrong = WILL[:at] + bytes([WILL[at] ^ 8]) + WILL[at + 1 :]
    assert read(IS, wrong).state[d.STRUCTURE] == 1


def test_a_stream_may_be_zero() -> None:
    s = read(IS, bytes(len(IS))).state
    assert [s[i] for i in (d.STRUCTURE, d.LEFT, d.BULK_LEFT)] == [0, 0, 0]


def test_garbage_must_be_zero() -> None:
    garbage = b"\x09garbage, no PDU"
    assert read(garbage + IS, garbage + WILL).state[d.LEFT] == len(garbage)
    s = read(garbage + IS, bytes(len(garbage)) + WILL).state
    assert [s[i] for i in (d.LEFT, d.UNDECODABLE, d.DATA_SETS)] == [0, len(garbage), 1]


def test_a_request_that_is_cut_must_be_zero() -> None:
    cut = conversation(WAS)[0][1][:90]
    assert read(cut, cut).state[d.LEFT] > 0
    s = read(cut, bytes(len(cut))).state
    assert [s[i] for i in (d.LEFT, d.UNDECODABLE)] == [0, len(cut)]


def test_what_a_malformed_pdu_holds_must_be_zero() -> None:
    bad = b"\4\0\0\0\0\x0a\0\0\0\6\2\3DOE^"
    assert read(bad + IS, bad + WILL).state[d.LEFT] > 0
    assert read(bad + IS, bytes(len(bad)) + WILL).state[d.LEFT] == 0


def test_pixels_with_a_hole_are_read_on() -> None:
    at = IS.index(WAS["pixels"]) + 10
    s = read(IS, WILL, hole=(at, at + 50)).state
    assert [s[i] for i in (d.LEFT, d.STRUCTURE, d.DATA_SETS, d.PIXELS_LEFT)] == [0, 0, 1, 0]


def test_behind_a_hole_in_headers_nothing_may_stay() -> None:
    at = IS.index(b"DOEBERG") - 8
    assert read(IS, WILL, hole=(at, at + 12)).state[d.LEFT] > 0
    zero = WILL[: at + 12] + bytes(len(WILL) - at - 12)
    assert read(IS, zero, hole=(at, at + 12)).state[d.LEFT] == 0


def test_behind_a_hole_over_pdus_the_output_shows_where_to_go_on() -> None:
    twice, will = IS + IS, WILL + WILL
    hole = (len(IS) - 20, len(IS) + 3)
    rest = len(IS) - 3
    assert read(twice, will, hole=hole).state[d.LEFT] > 0
    first = 6 + int.from_bytes(IS[2:6], "big") - 3
    zero = will[: len(IS) + 3] + bytes(first) + will[-(rest - first) :]
    s = read(twice, zero, hole=hole).state
    assert [s[i] for i in (d.LEFT, d.STRUCTURE, d.DATA_SETS)] == [0, 0, 1]
