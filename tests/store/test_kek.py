"""The key file: made once, closed to others."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gql_server.domain.errors import SetupError
from gql_server.store.kek import read_or_create_kek


def test_the_first_start_makes_it_and_later_ones_read_it(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    kek = read_or_create_kek(path)
    assert len(kek) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create_kek(path) == kek
    assert [each.name for each in tmp_path.iterdir()] == ["kek"]


def test_servers_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(read_or_create_kek, [tmp_path / "kek"] * 16))
    assert len(keys) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "kek"
    read_or_create_kek(path)
    path.chmod(mode)
    with pytest.raises(SetupError, match="chmod 600"):
        read_or_create_kek(path)


@pytest.mark.parametrize("body", [b"", bytes(16), bytes(33)])
def test_a_file_of_another_length_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "kek"
    path.write_bytes(body)
    path.chmod(0o600)
    with pytest.raises(SetupError, match="32 bytes"):
        read_or_create_kek(path)
