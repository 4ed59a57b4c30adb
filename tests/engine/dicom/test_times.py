import struct
from pathlib import Path

import numpy as np
import pytest

from gql_server.domain.dicom_errors import DatesOutOfRange
from gql_server.engine.capture.source import PlainSource
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.dicom.times import shift_times
from tests.captures import block, option

DAY = 86_400


def shifted(tmp_path: Path, capture: bytes, days: int) -> bytes:
    path = tmp_path / "capture"
    path.write_bytes(capture)
    image = np.frombuffer(capture, np.uint8).copy()
    source = PlainSource(path)
    try:
        # Small windows, so that a record's place in the file differs from that in its window.
        shift_times(image, CaptureWindows(source, strip=True, window_bytes=128), days)
    finally:
        source.close()
    return image.tobytes()


def pcap_of(order: str, *times: tuple[int, int]) -> bytes:
    header = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return header + b"".join(struct.pack(order + "IIII", *time, 60, 60) + bytes(60) for time in times)


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_packet_of_a_pcap_moves_by_whole_days_and_nothing_else_does(tmp_path: Path, order: str) -> None:
    times = [(1_700_000_000 + second, second) for second in range(9)]
    moved = [(seconds - 70 * DAY, fraction) for seconds, fraction in times]
    assert shifted(tmp_path, pcap_of(order, *times), -70) == pcap_of(order, *moved)


@pytest.mark.parametrize("seconds", [0, 10 * DAY - 1])
def test_a_time_before_1970_is_refused_with_its_packet(tmp_path: Path, seconds: int) -> None:
    with pytest.raises(DatesOutOfRange) as refusal:
        shifted(tmp_path, pcap_of("<", (20 * DAY, 0), (30 * DAY, 0), (seconds, 0)), -10)
    assert refusal.value.packet == 3


def test_a_time_after_2106_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatesOutOfRange):
        shifted(tmp_path, pcap_of("<", ((1 << 32) - 5, 0)), 1)


def section(order: str, resolutions: list[int | None], packets: list[tuple[int, int]]) -> bytes:
    whole = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    for resolution in resolutions:
        options = b"" if resolution is None else option(9, bytes([resolution]), order) + bytes(4)
        whole += block(1, struct.pack(order + "HHI", 1, 0, 0) + options, order)
    for face, ticks in packets:
        head = struct.pack(order + "IIIII", face, ticks >> 32, ticks & 0xFFFFFFFF, 20, 20)
        whole += block(6, head + bytes(20), order)
    return whole


@pytest.mark.parametrize("order", ["<", ">"])
def test_each_interface_of_a_pcapng_counts_days_in_its_own_ticks(tmp_path: Path, order: str) -> None:
    start = 1_700_000_000
    resolutions = [None, 9, 0x80 | 10]
    ticks = [10**6, 10**9, 1 << 10]
    packets = [(face, start * ticks[face] + 7) for face in (0, 1, 2, 1)]
    moved = [(face, (start - 14 * DAY) * ticks[face] + 7) for face in (0, 1, 2, 1)]
    assert shifted(tmp_path, section(order, resolutions, packets), -14) == section(order, resolutions, moved)


def test_each_section_has_its_own_interfaces(tmp_path: Path) -> None:
    start = 1_700_000_000
    capture = section("<", [None], [(0, start * 10**6)]) + section(">", [9], [(0, start * 10**9)])
    moved = section("<", [None], [(0, (start + DAY) * 10**6)]) + section(">", [9], [(0, (start + DAY) * 10**9)])
    assert shifted(tmp_path, capture, 1) == moved


def test_an_obsolete_packet_block_moves_by_the_interface_it_names(tmp_path: Path) -> None:
    def capture(seconds: int) -> bytes:
        ticks = seconds * 10**9
        head = struct.pack("<HHIIII", 1, 9, ticks >> 32, ticks & 0xFFFFFFFF, 20, 20)
        return section("<", [None, 9], []) + block(2, head + bytes(20))

    assert shifted(tmp_path, capture(1_700_000_000), -7) == capture(1_700_000_000 - 7 * DAY)


def test_a_simple_packet_block_has_no_time_to_move(tmp_path: Path) -> None:
    capture = section("<", [None], []) + block(3, struct.pack("<I", 20) + bytes(20))
    assert shifted(tmp_path, capture, -7) == capture


@pytest.mark.parametrize("ticks", [0, 1 << 63, (1 << 62) - 1])
def test_ticks_that_are_no_time_are_refused(tmp_path: Path, ticks: int) -> None:
    days = -7 if ticks == 0 else 7
    with pytest.raises(DatesOutOfRange):
        shifted(tmp_path, section("<", [9], [(0, ticks)]), days)
