import struct
from pathlib import Path

import pytest
import zstandard

from gql_server.domain.errors import CompressionDamaged
from gql_server.engine.capture.zstd_source import SKIPPABLE_MAGICS
from tests.engine.capture.test_source import NOISE, read_all


def test_skippable_frames_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    notes = b"".join(magic + struct.pack("<I", 5) + b"notes" for magic in SKIPPABLE_MAGICS)
    path.write_bytes(notes + zstandard.compress(b"data") + notes)
    assert read_all(path) == b"data"


def test_a_skippable_frame_that_reaches_beyond_the_file_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(SKIPPABLE_MAGICS[3] + b"\xff\xff\xff\xff" + b"notes")
    with pytest.raises(CompressionDamaged):
        read_all(path)


@pytest.mark.parametrize("size", [1, 255, 256, 65_791, 65_792, 300_000])
def test_every_form_of_the_content_size_is_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(zstandard.compress(NOISE[:size]))
    assert read_all(path) == NOISE[:size]


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    data = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(NOISE))
    data[-1] ^= 1
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(CompressionDamaged):
        read_all(path)


def test_a_window_beyond_128_mebibytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    descriptor, window = 0x00, (31 - 10) << 3
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes([descriptor, window]) + b"\x01\x00\x00")
    with pytest.raises(CompressionDamaged):
        read_all(path)
