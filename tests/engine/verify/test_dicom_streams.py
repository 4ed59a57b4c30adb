import os
from pathlib import Path

import numpy as np
import pytest

from gql_server.engine.verify import dicom_streams
from gql_server.engine.verify.dicom_connections import Segments
from gql_server.engine.verify.dicom_streams import Laid, PairReader, Pieces, chunks_of

SYN = 2


def laid(*rows: tuple[int, int, int], stream: int = 2, flags: dict[int, int] | None = None) -> Laid:
    """Lay out segments of one stream: sequence number, length, place in the file."""
    count = len(rows)
    return Laid(
        Segments(
            packet=np.arange(count, dtype=np.uint32),
            stream=np.full(count, stream, np.uint32),
            at=np.array([row[2] for row in rows], np.int64),
            other=np.array([row[2] + 1000 for row in rows], np.int64),
            sequence=np.array([row[0] & 0xFFFFFFFF for row in rows], np.uint32),
            flags=np.array([(flags or {}).get(i, 16) for i in range(count)], np.uint8),
            data=np.zeros(count, np.uint32),
            length=np.array([row[1] for row in rows], np.uint32),
            rewritten=np.zeros(count, np.bool_),
            live=np.zeros(count, np.bool_),
        )
    )


def spans(pieces: Pieces) -> list[tuple[int, int, int]]:
    return [(begin, end, at) for begin, end, at, _ in pieces.first.tolist()]


def test_segments_in_order_are_a_stream() -> None:
    pieces = laid((99, 0, 0), (100, 10, 500), (110, 5, 600), flags={0: SYN}).pieces(0)
    assert spans(pieces) == [(0, 10, 500), (10, 15, 600)]
    assert len(pieces.copies) == len(pieces.before) == 0


def test_sequence_numbers_wrap() -> None:
    assert spans(laid((-6, 4, 500), (-2, 8, 600), (6, 1, 700)).pieces(0)) == [(0, 4, 500), (4, 12, 600), (12, 13, 700)]


def test_order_does_not_matter() -> None:
    pieces = laid((99, 0, 0), (110, 5, 600), (100, 10, 500), flags={0: SYN}).pieces(0)
    assert spans(pieces) == [(0, 10, 500), (10, 15, 600)]


def test_the_first_copy_counts() -> None:
    pieces = laid((99, 0, 0), (105, 10, 500), (100, 20, 600), (100, 5, 700), flags={0: SYN}).pieces(0)
    assert spans(pieces) == [(0, 5, 600), (5, 15, 500), (15, 20, 615)]
    assert [row[:3] for row in pieces.copies.tolist()] == [[0, 5, 700], [5, 15, 605]]


def test_data_with_syn_counts_from_behind_it() -> None:
    assert spans(laid((99, 4, 500), (104, 3, 600), flags={0: SYN}).pieces(0)) == [(0, 4, 500), (4, 7, 600)]


def test_what_lies_before_the_stream_is_no_part_of_it() -> None:
    pieces = laid((99, 0, 0), (97, 6, 500), flags={0: SYN}).pieces(0)
    assert spans(pieces) == [(0, 3, 503)]
    assert [row[:3] for row in pieces.before.tolist()] == [[-3, 0, 500]]


@pytest.mark.parametrize("most", [4, 1 << 21])
def test_chunks_tell_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(dicom_streams, "CHUNK", most)
    path = tmp_path / "file"
    path.write_bytes(bytes(range(200)) * 20)
    file = os.open(path, os.O_RDONLY)
    pieces = laid((99, 0, 0), (100, 3, 10), (103, 3, 60), (110, 4, 30), flags={0: SYN}).pieces(0)
    found, holes = {}, []
    for chunk in chunks_of(pieces, PairReader(file, file)):
        if chunk.missing:
            holes.append((chunk.at, chunk.missing))
        for i, byte in enumerate(chunk.original.tolist()):
            found[chunk.at + i] = byte
        assert chunk.output.tolist() == chunk.original.tolist()
    os.close(file)
    assert holes == [(6, 4)]
    assert found == {0: 10, 1: 11, 2: 12, 3: 60, 4: 61, 5: 62, 10: 30, 11: 31, 12: 32, 13: 33}


def test_there_may_be_nothing() -> None:
    found = laid()
    assert len(found.numbers) == 0
