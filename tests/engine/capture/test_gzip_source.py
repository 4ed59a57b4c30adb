import gzip
from pathlib import Path

import pytest

from gql_server.domain.errors import CompressionDamaged
from gql_server.engine.capture.gzip_source import GzipSource
from tests.engine.capture.test_source import WIDE, read_all


def test_zeros_after_a_member_are_padding(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"data") + bytes(200_000))
    assert read_all(path) == b"data"


def test_members_may_stand_behind_padding(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"one") + bytes(70_000) + gzip.compress(b"two"))
    assert read_all(path) == b"onetwo"


@pytest.mark.parametrize("place", [3, -8, -1])
def test_a_damaged_header_checksum_or_length_is_named(tmp_path: Path, place: int) -> None:
    data = bytearray(gzip.compress(b"data" * 100))
    data[place] ^= 0xFF
    path = tmp_path / "file"
    path.write_bytes(data)
    source = GzipSource(path, WIDE)
    with pytest.raises(CompressionDamaged):
        list(iter(lambda: source.read_into(memoryview(bytearray(1000))), 0))
    source.close()
