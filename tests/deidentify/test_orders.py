"""Orders: what is refused before anything is done."""

import os
import socket
from pathlib import Path

import pytest

from gql_server.deidentify.orders import check_distinct, read_key, read_source, read_target
from gql_server.domain.errors import InvalidInput

KEY = bytes(range(32))


def key_file(path: Path, body: bytes, mode: int = 0o600) -> Path:
    path.touch(mode=mode)
    path.write_bytes(body)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("body", [KEY, KEY.hex().encode(), KEY.hex().upper().encode() + b"\n", b"\n" * 32])
def test_a_key_is_bytes_or_digits(tmp_path: Path, body: bytes) -> None:
    assert read_key(key_file(tmp_path / "key", body)) == (KEY if body != b"\n" * 32 else body)


@pytest.mark.parametrize(
    "body", [b"", KEY[:31], KEY + b"\n", KEY.hex().encode()[:63], KEY.hex().encode() + b"0", b"x" * 64]
)
def test_what_is_no_key_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(InvalidInput, match="neither 32 bytes nor 64 hexadecimal digits"):
        read_key(key_file(tmp_path / "key", body))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(InvalidInput, match="others may read it"):
        read_key(key_file(tmp_path / "key", KEY, mode))


def test_a_key_may_come_through_a_pipe() -> None:
    reader, writer = os.pipe()
    os.write(writer, KEY.hex().encode())
    os.close(writer)
    assert read_key(Path(f"/dev/fd/{reader}")) == KEY
    os.close(reader)


def test_without_a_file_every_key_is_new() -> None:
    assert read_key(None) != read_key(None)
    assert len(read_key(None)) == 32


def test_a_key_that_is_not_there_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file") as told:
        read_key(tmp_path / "nothing")
    assert str(tmp_path) not in str(told.value)


def test_a_source_is_a_file_or_a_pipe_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    assert read_source("-") is None
    assert read_source(str(tmp_path / "link")) == (tmp_path / "file").resolve()
    assert read_source(str(tmp_path / "pipe")) == tmp_path / "pipe"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for name in ("socket", "."):
        with pytest.raises(InvalidInput, match="neither a file nor a pipe"):
            read_source(str(tmp_path / name))


def test_a_target_is_never_a_device_a_folder_or_in_no_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", Path("/dev/null"), tmp_path / "nowhere" / "out"):
        with pytest.raises(InvalidInput, match="OUT"):
            read_target("OUT", str(place))
    assert read_target("OUT", "-") is None
    assert read_target("OUT", str(tmp_path / "out")) == tmp_path.resolve() / "out"


def test_a_target_behind_a_link_is_what_the_link_names(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    assert read_target("OUT", str(tmp_path / "link")) == tmp_path.resolve() / "out"


@pytest.mark.parametrize("name", ["out.pcap.gz", "out.ZST"])
def test_a_target_is_not_called_packed(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="unpacked"):
        read_target("OUT", str(tmp_path / name))


def test_one_file_is_named_for_one_thing(tmp_path: Path) -> None:
    one, two, three = tmp_path / "one", tmp_path / "two", tmp_path / "three"
    one.touch()
    two.hardlink_to(one)
    check_distinct(one, three, None)
    check_distinct(None, None, None)
    for source, target, report in ((one, one, None), (one, two, None), (one, three, three), (one, three, two)):
        with pytest.raises(InvalidInput, match="already named"):
            check_distinct(source, target, report)
