import stat
from pathlib import Path

import pytest

from gql_server.engine.capture.output import CaptureOutput


def test_what_is_written_is_there_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    with CaptureOutput(path) as output:
        output.write(memoryview(b"one"))
        output.write(memoryview(b"two"))
    assert path.read_bytes() == b"onetwo"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(b"before")
    with pytest.raises(FileExistsError), CaptureOutput(path):
        pass
    assert path.read_bytes() == b"before"


def test_without_a_path_nothing_is_kept(tmp_path: Path) -> None:
    with CaptureOutput(None) as output:
        output.write(memoryview(b"one"))
    assert list(tmp_path.iterdir()) == []


def test_an_error_passes_through(tmp_path: Path) -> None:
    with pytest.raises(KeyError), CaptureOutput(tmp_path / "capture.pcap"):
        raise KeyError
