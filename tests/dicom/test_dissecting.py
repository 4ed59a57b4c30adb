"""What tshark reads: enough of it to tell two structures apart."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dicom.dissecting import fields, objects, parity, tags
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of

TAG, OTHER_TAG = b"\x10\0\x20\0LO", b"\x10\0\x21\0LO"
pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def test_tshark_reads_tags_and_lengths(recording: Recording, tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(capture_of(recording.wire).file())
    assert len(fields(path)) == len(recording.wire.segments)
    assert len(tags(path)) > 2000
    assert sum(objects(path, tmp_path / "objects").values()) >= 14


def test_another_structure_and_a_wrong_checksum_are_found(recording: Recording, tmp_path: Path) -> None:
    original, output = tmp_path / "original.pcap", tmp_path / "output.pcap"
    original.write_bytes(capture_of(recording.wire).file())
    assert parity(original, original) == []
    changed = [
        replace(one, payload=one.payload.replace(b"\x10\0\x20\0LO", b"\x10\0\x21\0LO"))
        for one in recording.wire.segments
    ]
    output.write_bytes(capture_of(recording.wire.with_segments(changed)).file())
    assert any("0010,0021" in sentence for sentence in parity(original, output))
    output.write_bytes(original.read_bytes().replace(TAG, OTHER_TAG))
    assert any("tcp.checksum.status" in sentence for sentence in parity(original, output))
