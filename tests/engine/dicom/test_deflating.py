import random
import zlib

import pytest

from gql_server.engine.dicom import deflating
from gql_server.engine.dicom.deflating import deflate_to, inflate


def deflated(plain: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return packer.compress(plain) + packer.flush()


TEXT = bytes(random.Random(1).choice(b"ABC 123") for _ in range(3000))


@pytest.mark.parametrize("surplus", [0, 1, *range(6, 40)])
def test_a_stream_has_exactly_the_length_asked_for(surplus: int) -> None:
    length = len(deflated(TEXT)) + surplus
    stream = deflate_to(TEXT, length)
    assert stream is not None
    assert len(stream) == length
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    assert reader.decompress(stream) == TEXT
    assert reader.eof
    assert reader.unused_data in {b"", b"\0"}


@pytest.mark.parametrize("seed", range(20))
def test_a_little_more_room_than_is_needed_is_mostly_filled(seed: int) -> None:
    plain = bytes(random.Random(seed).choice(b"ABC 123") for _ in range(300))
    streams = [deflate_to(plain, len(deflated(plain)) + surplus) for surplus in range(2, 6)]
    assert sum(stream is not None for stream in streams) >= 2


def test_what_does_not_fit_is_not_written() -> None:
    assert deflate_to(TEXT, len(deflated(TEXT)) - 1) is None
    assert deflate_to(random.Random(2).randbytes(500), 300) is None


def test_the_ends_of_a_stream_add_nothing_to_it() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    begun = packer.compress(TEXT) + packer.flush(zlib.Z_SYNC_FLUSH)
    for length, end in deflating._ENDS.items():
        assert len(end) == length
        assert inflate(begun + deflating._STORED + end) == TEXT


@pytest.mark.parametrize("trailer", [b"", b"\0", b"12345678"])
def test_padding_and_the_end_of_a_gzip_member_are_passed_over(trailer: bytes) -> None:
    assert inflate(deflated(TEXT) + trailer) == TEXT


@pytest.mark.parametrize("data", [b"", b"no stream", deflated(TEXT)[:-1], deflated(TEXT) + bytes(9)])
def test_what_is_no_whole_stream_is_refused(data: bytes) -> None:
    assert inflate(data) is None


def test_a_stream_that_stands_for_too_much_is_refused() -> None:
    assert inflate(deflated(bytes(deflating.MAX_INFLATED))) is not None
    assert inflate(deflated(bytes(deflating.MAX_INFLATED + 1))) is None
