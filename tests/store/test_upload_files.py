"""One upload's file: one writer, exact offsets."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gql_server.domain.errors import BlobMissing, NotFound, StorageError, UploadBusy, UploadClosed
from gql_server.store.upload_files import UploadFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.touch(mode=0o600)
    return path


@pytest.fixture
def small_files() -> Iterator[int]:
    """The kernel refuses to let a file grow beyond this: a disk that fails in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_what_a_crash_left_beyond_the_offset_is_cut_off(path: Path) -> None:
    path.write_bytes(b"acknowledged, and some more that nobody was told of")
    with UploadFile(path) as file:
        file.begin(12)
        file.write(b"!")
        assert file.sync() == 13
    assert path.read_bytes() == b"acknowledged!"


def test_a_chunk_without_bytes_changes_nothing(path: Path) -> None:
    path.write_bytes(b"abc")
    with UploadFile(path) as file:
        file.begin(3)
        assert file.sync() == 3
    assert path.read_bytes() == b"abc"


def test_a_chunk_that_is_rolled_back_leaves_what_was_acknowledged(path: Path) -> None:
    path.write_bytes(b"abc")
    with UploadFile(path) as file:
        file.begin(3)
        file.write(b"wrong")
        file.roll_back(3)
        assert path.read_bytes() == b"abc"
        file.begin(3)
        file.write(b"d")
        assert file.sync() == 4
    assert path.read_bytes() == b"abcd"


def test_a_second_writer_waits_its_turn(path: Path) -> None:
    with UploadFile(path), pytest.raises(UploadBusy):
        UploadFile(path)
    with UploadFile(path) as file:
        file.begin(0)


def test_the_lock_of_a_killed_writer_is_free(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gql_server.store.upload_files import UploadFile\n"
        "file = UploadFile(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(UploadBusy):
            UploadFile(path)
        writer.kill()
        writer.communicate()
    UploadFile(path).__exit__(None, None, None)


def test_of_two_chunks_for_the_same_offset_exactly_one_wins(path: Path) -> None:
    for round_number in range(200):
        path.write_bytes(b"")
        offset, wins = [0], list[bytes]()
        barrier = threading.Barrier(2)

        def send(
            data: bytes, offset: list[int] = offset, wins: list[bytes] = wins, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait()
            try:
                with UploadFile(path) as file:
                    if offset[0] == 0:
                        file.begin(0)
                        file.write(data)
                        offset[0] = file.sync()
                        wins.append(data)
            except UploadBusy:
                return

        senders = [threading.Thread(target=send, args=(data,)) for data in (b"first" * 100, b"second" * 100)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert [path.read_bytes()] == wins, round_number


def test_an_absent_upload_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        UploadFile(tmp_path / "nothing")


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(StorageError):
        UploadFile(tmp_path / "link")


def test_lost_bytes_are_noticed_before_more_are_added(path: Path) -> None:
    path.write_bytes(b"ab")
    with UploadFile(path) as file:
        with pytest.raises(BlobMissing):
            file.begin(3)
        file.roll_back(0)
    assert path.read_bytes() == b"ab"


def test_a_file_that_became_a_trace_is_not_touched(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"capture")
    (tmp_path / "capture.pcap").hardlink_to(path)
    with UploadFile(path) as file:
        with pytest.raises(UploadClosed):
            file.begin(3)
        file.roll_back(0)
    assert path.read_bytes() == b"capture"


def test_a_write_that_fails_in_the_middle_takes_the_whole_chunk_back(path: Path, small_files: int) -> None:
    with UploadFile(path) as file:
        file.begin(0)
        file.write(b"kept")
        assert file.sync() == 4
        file.begin(4)
        with pytest.raises(StorageError):
            file.write(bytes(small_files))
        assert path.read_bytes() == b"kept"
        with pytest.raises(StorageError):
            file.write(b"more")
        with pytest.raises(StorageError):
            file.sync()
        file.begin(4)
        file.write(b"!")
        assert file.sync() == 5
    assert path.read_bytes() == b"kept!"
