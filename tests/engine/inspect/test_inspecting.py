import errno
import gzip
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from gql_server.domain.errors import CaptureCut, CompressionBomb, CompressionDamaged, NotACapture
from gql_server.domain.traces import CaptureFormat
from tests.captures import SectionOf, ethernet, packets, pcap, pcapng, udp4
from tests.engine.doubles import inspect_file

PCAP = pcap(packets(*[ethernet(udp4())] * 9))
PCAPNG = pcapng(SectionOf(contents=packets(*[ethernet(udp4())] * 9)))


def test_a_plain_capture_gets_a_second_name(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(PCAP)
    summary = inspect_file(source, tmp_path / "out").summary
    stored = tmp_path / "out" / "capture.pcap"
    assert stored.samefile(source)
    assert (summary.sha256, summary.packets) == (sha256(PCAP).hexdigest(), 9)


def test_where_no_second_name_can_be_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, f"{source} {target}")

    monkeypatch.setattr(os, "link", refuse)
    source = tmp_path / "upload"
    source.write_bytes(PCAPNG)
    inspect_file(source, tmp_path / "out")
    stored = tmp_path / "out" / "capture.pcapng"
    assert stored.read_bytes() == PCAPNG
    assert not stored.samefile(source)


@pytest.mark.parametrize("wrap", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize(("data", "kind"), [(PCAP, CaptureFormat.PCAP), (PCAPNG, CaptureFormat.PCAPNG)])
def test_a_wrapped_capture_is_stored_unpacked(tmp_path: Path, wrap: type, data: bytes, kind: CaptureFormat) -> None:
    source = tmp_path / "upload"
    source.write_bytes(wrap(data))
    summary = inspect_file(source, tmp_path / "out").summary
    assert (tmp_path / "out" / kind.file_name).read_bytes() == data
    assert (summary.sha256, summary.size_bytes, summary.format) == (sha256(data).hexdigest(), len(data), kind)


def test_a_wrapping_inside_a_wrapping_is_no_capture(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(gzip.compress(gzip.compress(PCAP)))
    with pytest.raises(NotACapture):
        inspect_file(source, tmp_path / "out")


def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(gzip.compress(pcap(packets(*[bytes(60_000)] * 200))))
    with pytest.raises(CompressionBomb):
        inspect_file(source, tmp_path / "out")
    assert sum(file.stat().st_size for file in (tmp_path / "out").iterdir()) < 4 << 20


def test_a_cut_inside_and_a_cut_of_the_wrapping_are_told_apart(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(gzip.compress(PCAP[:-1]))
    with pytest.raises(CaptureCut) as refused:
        inspect_file(source, tmp_path / "one")
    assert refused.value.packets == 8
    source.write_bytes(gzip.compress(PCAP)[:-1])
    with pytest.raises(CompressionDamaged):
        inspect_file(source, tmp_path / "two")


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_the_survey_lies_beside_the_capture(tmp_path: Path, wrap: Callable[[bytes], bytes]) -> None:
    source = tmp_path / "upload"
    source.write_bytes(wrap(PCAP))
    files = inspect_file(source, tmp_path / "out").inspection
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out").iterdir()}
    assert found == {file.name: file.sha256 for file in files} | {"capture.pcap": sha256(PCAP).hexdigest()}
    assert len(files) == 6


def test_an_empty_file_is_no_capture(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(b"")
    with pytest.raises(NotACapture):
        inspect_file(source, tmp_path / "out")
