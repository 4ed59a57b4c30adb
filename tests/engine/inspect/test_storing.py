from hashlib import sha256
from pathlib import Path

import pytest

from gql_server.domain.errors import CaptureCut
from gql_server.engine.capture.source import PlainSource
from gql_server.engine.capture.windows import CaptureWindows, Window
from gql_server.engine.inspect.storing import store_capture
from tests.captures import ethernet, packets, pcap, udp4

PCAP = pcap(packets(*[ethernet(udp4())] * 9))
LAST = len(PCAP) - 1


def windows_of(tmp_path: Path, data: bytes) -> CaptureWindows:
    path = tmp_path / "source"
    path.write_bytes(data)
    # Small windows, so that there are several.
    return CaptureWindows(PlainSource(path), strip=False, window_bytes=256)


def test_what_is_written_is_what_is_summed_up(tmp_path: Path) -> None:
    seen: list[int] = []
    windows = windows_of(tmp_path, PCAP)
    summary, _ = store_capture(windows, tmp_path / "out", lambda: seen.append(windows.packets))
    assert (tmp_path / "out").read_bytes() == PCAP
    assert (summary.sha256, summary.size_bytes, summary.packets) == (sha256(PCAP).hexdigest(), len(PCAP), 9)
    assert len(seen) > 1
    assert seen[-1] == 9
    assert seen == sorted(seen)


def test_a_change_comes_before_the_digest_and_the_survey(tmp_path: Path) -> None:
    def change(window: Window) -> None:
        window.buffer[window.end - 1] ^= 0xFF

    summary, survey = store_capture(windows_of(tmp_path, PCAP), tmp_path / "out", lambda: None, change=change)
    written = (tmp_path / "out").read_bytes()
    assert written[LAST] == PCAP[LAST] ^ 0xFF
    assert summary.sha256 == sha256(written).hexdigest()
    assert {file.name for file in survey.finish(tmp_path)} != set()


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    summary, _ = store_capture(windows_of(tmp_path, PCAP), None, lambda: None)
    assert summary.sha256 == sha256(PCAP).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_damaged_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureCut):
        store_capture(windows_of(tmp_path, PCAP[:-5]), tmp_path / "out", lambda: None)
