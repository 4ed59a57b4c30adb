import gzip
import random
import struct
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gql_server.domain.errors import CompressionBomb, CompressionDamaged
from gql_server.engine.capture.source import open_source
from gql_server.engine.capture.unpacking import UnpackingLimit

WIDE = UnpackingLimit(unpacked_bytes=1 << 30, ratio=1 << 20)
NOISE = random.Random(1).randbytes(300_000)


def read_all(path: Path, limit: UnpackingLimit = WIDE, step: int = 10_007) -> bytes:
    source = open_source(path, limit)
    window, out = memoryview(bytearray(step)), b""
    try:
        while count := source.read_into(window):
            out += window[:count]
        assert source.position == source.size == path.stat().st_size
    finally:
        source.close()
    return out


def wrap(kind: str, data: bytes) -> bytes:
    match kind:
        case "gzip":
            return gzip.compress(data)
        case "zstd":
            return zstandard.ZstdCompressor().compress(data)
        case "zstd with checksum":
            return zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(data)
        case _:
            return data


KINDS = ["gzip", "zstd", "zstd with checksum"]


@pytest.mark.parametrize("kind", [*KINDS, "plain"])
@pytest.mark.parametrize("data", [b"", b"x", NOISE, bytes(1_000_000)], ids=["empty", "byte", "noise", "zeros"])
def test_what_was_wrapped_comes_out(tmp_path: Path, kind: str, data: bytes) -> None:
    path = tmp_path / "file.whatever"
    path.write_bytes(wrap(kind, data))
    assert read_all(path) == data


@pytest.mark.parametrize("kind", KINDS)
def test_wrappings_one_after_the_other_come_out_as_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap(kind, NOISE) + wrap(kind, b"") + wrap(kind, b"end"))
    assert read_all(path) == NOISE + b"end"


def test_a_skippable_frame_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\x5a\x2a\x4d\x18" + struct.pack("<I", 5) + b"notes" + wrap("zstd", b"data"))
    assert read_all(path) == b"data"


def test_zeros_after_a_gzip_member_are_padding(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap("gzip", b"data") + bytes(200_000))
    assert read_all(path) == b"data"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [1, 5, 100_000])
def test_a_cut_wrapping_is_damaged(tmp_path: Path, kind: str, cut: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap(kind, NOISE)[:-cut])
    with pytest.raises(CompressionDamaged) as refused:
        read_all(path)
    assert refused.value.offset <= path.stat().st_size


@pytest.mark.parametrize("kind", KINDS)
def test_rubbish_after_a_wrapping_is_damage(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap(kind, b"data") + b"rubbish")
    with pytest.raises(CompressionDamaged):
        read_all(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_refused_by_its_ratio_soon_after_the_limit(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap(kind, bytes(64 << 20)))
    source = open_source(path, UnpackingLimit(unpacked_bytes=1 << 40, ratio=100))
    unpacked: list[int] = []
    with pytest.raises(CompressionBomb):
        unpacked.extend(iter(lambda: source.read_into(memoryview(bytearray(1 << 20))), 0))
    source.close()
    assert sum(unpacked) <= max(100 * source.size, 1 << 20) + (1 << 18)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_over_the_limit_of_bytes_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap(kind, NOISE))
    with pytest.raises(CompressionBomb) as refused:
        read_all(path, UnpackingLimit(unpacked_bytes=299_999, ratio=100))
    assert (refused.value.limit_bytes, refused.value.ratio) == (299_999, 100)


@given(kind=st.sampled_from(KINDS), changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_come_out_or_are_refused(tmp_path: Path, kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(wrap(kind, NOISE[:100] * 3 + bytes(5000)))
    for place, value in changes:
        if place < len(data):
            data[place] = value
    path = tmp_path / "file"
    path.write_bytes(data)
    outcome = outcome_of(path)
    assert outcome is None or 0 <= outcome <= len(data)


def outcome_of(path: Path) -> int | None:
    """Return where a file was refused, None when it was read."""
    try:
        read_all(path, UnpackingLimit(unpacked_bytes=1 << 24, ratio=1 << 20))
    except (CompressionDamaged, CompressionBomb) as error:
        return error.offset
    return None
