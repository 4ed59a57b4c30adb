"""The private directory: closed, locked, and gone afterwards."""

import os
from pathlib import Path

import pytest

from gql_server.deidentify.staging import private_directory, remove_abandoned, spool
from gql_server.domain.errors import InvalidInput


def test_it_lies_beside_the_target_closed_to_others_and_goes_with_all_in_it(tmp_path: Path) -> None:
    with private_directory(tmp_path / "out") as staging:
        assert staging.parent == tmp_path
        assert staging.stat().st_mode & 0o777 == 0o700
        (staging / "original").mkdir()
        (staging / "original" / "capture.pcap").touch()
    assert list(tmp_path.iterdir()) == []


def test_it_goes_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), private_directory(tmp_path / "out"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_it_is_removed_and_its_file_stays(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"capture")
    with private_directory(tmp_path / "out") as staging:
        (staging / "capture.pcap").hardlink_to(tmp_path / "in")
    assert (tmp_path / "in").read_bytes() == b"capture"


def test_that_of_a_living_run_stays_and_that_of_a_dead_one_goes(tmp_path: Path) -> None:
    with private_directory(tmp_path / "one") as living:
        dead = living.with_name(f"{living.name}-dead")
        dead.mkdir()
        (dead / "received").touch()
        with private_directory(tmp_path / "two"):
            assert living.exists()
            assert not dead.exists()


def test_that_of_another_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with private_directory(tmp_path / "out") as staging:
        other = staging.with_name(f"{staging.name}-other")
    other.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    remove_abandoned(tmp_path)
    assert other.exists()


def test_a_link_with_its_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with private_directory(tmp_path / "out") as staging:
        name = staging.name
    (tmp_path / name).symlink_to("precious")
    remove_abandoned(tmp_path)
    assert (tmp_path / "precious").exists()


def test_a_folder_that_takes_nothing_is_told_of() -> None:
    with pytest.raises(InvalidInput, match="nothing can be written beside it"), private_directory(Path("/proc/out")):
        pass


def test_a_pipe_is_written_down_in_full(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"first ")
    os.write(writer, b"second")
    os.close(writer)
    spool(Path(f"/dev/fd/{reader}"), tmp_path / "received")
    os.close(reader)
    assert (tmp_path / "received").read_bytes() == b"first second"


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="IN"):
        spool(tmp_path, tmp_path / "received")
