import hashlib
from pathlib import Path

import pytest

from tests.captures import packets, pcap
from tests.engine.addresses.test_walk import PACKETS
from tests.engine.inspect.surveying import find, survey


def test_digests_are_those_of_the_files_and_the_summary_lists_them() -> None:
    found = find(pcap(packets(*PACKETS)))
    assert {file.name for file in found.files} == set(found.content)
    for file in found.files:
        content = found.content[file.name]
        assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    listed = {name: (each["sizeBytes"], each["sha256"]) for name, each in found.summary["files"].items()}
    assert listed == {
        file.name: (file.size_bytes, file.sha256) for file in found.files if file.name != "inspection.json"
    }


def test_the_same_capture_gives_the_same_files_to_the_byte() -> None:
    capture = pcap(packets(*PACKETS))
    assert find(capture).content == find(capture).content


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    surveyed = survey(pcap([]))
    (tmp_path / "talkers.rows").write_bytes(b"before")
    with pytest.raises(FileExistsError):
        surveyed.finish(tmp_path)
    assert (tmp_path / "talkers.rows").read_bytes() == b"before"
