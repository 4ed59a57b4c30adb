from pathlib import Path

import pytest

from gql_server.engine.verify.dicom_times import TimeShift
from gql_server.engine.verify.layout import PACKET_COLUMNS, PACKET_HIGH, PACKET_LOW
from gql_server.engine.verify.side_by_side import SideBySide
from tests.captures import Face, Packet, SectionOf, ethernet, option, pcap, pcapng, udp4

DAY = 86_400 * 10**9
START = 1_700_000_000_123_456_000


def written(folder: Path, name: str, days: list[int], kind: str) -> Path:
    contents = [Packet(data=ethernet(udp4()), time_ns=START + i * 10**9 + each * DAY) for i, each in enumerate(days)]
    path = folder / name
    faces = [Face(options=option(9, b"\x09"))] if kind == "pcapng-nano" else [Face()]
    data = pcap(contents) if kind == "pcap" else pcapng(SectionOf(contents=contents, faces=faces))
    path.write_bytes(data)
    return path


def unlike(folder: Path, was: list[int], now: list[int], kind: str) -> tuple[int | None, list[bool]]:
    """Return the shift, and which packets do not follow it."""
    shift = TimeShift(wanted=True)
    with SideBySide(written(folder, "a", was, kind), written(folder, "b", now, kind)) as reading:
        count = next(iter(reading))
        shift.observe(reading, count)
        shift.settle(reading, count)
        lists = [each.packets.reshape(-1, PACKET_COLUMNS)[:count] for each in (reading.original, reading.output)]
    one, other = lists
    found = (one[:, PACKET_HIGH] != other[:, PACKET_HIGH]) | (one[:, PACKET_LOW] != other[:, PACKET_LOW])
    return shift.days, found.tolist()


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_all_packets_move_together(tmp_path: Path, kind: str) -> None:
    assert unlike(tmp_path, [0, 0, 0], [-14, -14, -14], kind) == (-14, [False, False, False])
    assert unlike(tmp_path, [0, 0, 0], [-14, -13, -14], kind) == (-14, [False, True, False])


def test_packets_that_stay_did_not_move(tmp_path: Path) -> None:
    assert unlike(tmp_path, [0, 0], [0, 0], "pcap") == (0, [True, True])


def test_a_shift_that_nobody_wants_is_none(tmp_path: Path) -> None:
    shift = TimeShift(wanted=False)
    with SideBySide(written(tmp_path, "a", [0], "pcap"), written(tmp_path, "b", [-7], "pcap")) as reading:
        for count in reading:
            shift.observe(reading, count)
            shift.settle(reading, count)
    assert shift.days is None
