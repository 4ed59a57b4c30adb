"""Files that survive: whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from gql_server.domain.errors import StorageError, StorageFull
from gql_server.store.durable_files import create_empty, remove_tree, seal_tree, storing, write_all, write_durably


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_and_no_quota_are_a_full_store(number: int) -> None:
    with pytest.raises(StorageFull), storing():
        raise OSError(number, "said the disk")


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EACCES])
def test_anything_else_is_an_error_that_names_no_path(number: int) -> None:
    with pytest.raises(StorageError) as refusal, storing():
        raise OSError(number, "said the disk", "/secret/path")
    assert not isinstance(refusal.value, StorageFull)
    assert "secret" not in str(refusal.value)


def test_large_data_is_written_whole_and_in_place(tmp_path: Path) -> None:
    data = os.urandom((1 << 20) * 2 + 17)
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    write_all(descriptor, data, offset=5)
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == bytes(5) + data


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"old", b"new"):
        assert write_durably(path, data, mode=0o440)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_to_write_wins_when_nobody_may_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert write_durably(path, b"first", mode=0o600, overwrite=False)
    assert not write_durably(path, b"second", mode=0o600, overwrite=False)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_file_is_made_once(tmp_path: Path) -> None:
    create_empty(tmp_path / "file", mode=0o600)
    with pytest.raises(FileExistsError):
        create_empty(tmp_path / "file", mode=0o600)


def test_a_sealed_tree_is_closed_at_every_depth_and_can_still_be_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep" / "deeper").mkdir(parents=True)
    files = [tree / "file", tree / "deep" / "file", tree / "deep" / "deeper" / "file"]
    for file in files:
        file.write_bytes(b"data")
    seal_tree(tree, file_mode=0o440, directory_mode=0o550)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o440}
    assert {stat.S_IMODE(file.parent.stat().st_mode) for file in files} == {0o550}
    remove_tree(tree)
    remove_tree(tree)
    assert not tree.exists()


def test_removing_a_tree_does_not_follow_links_out_of_it(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (outside / "kept").touch()
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    remove_tree(tree)
    assert (outside / "kept").exists()


def test_a_tree_that_is_not_there_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        seal_tree(tmp_path / "nothing", file_mode=0o440, directory_mode=0o550)
