from pathlib import Path

import pytest

from gql_server.domain.errors import CaptureCut
from gql_server.domain.packets import ConversationKey
from gql_server.engine.inspect import locating
from gql_server.engine.inspect.locating import LocatedPacket, locate_packets
from tests.captures import (
    IP6_A,
    IP6_B,
    Face,
    Packet,
    SectionOf,
    block,
    ethernet,
    ipv4,
    option,
    packets,
    pcap,
    pcapng,
    udp,
    udp4,
    udp6,
)
from tests.engine.inspect.surveying import survey

MANY = packets(*[ethernet(udp4(bytes(n % 977), source=f"10.0.0.{n % 7}")) for n in range(5000)])
SECTIONS = [
    SectionOf(contents=MANY[:1500], extra=block(5, bytes(12))),
    SectionOf(
        faces=[Face(link_type=101), Face(options=option(9, b"\x09", ">"), units_per_second=10**9)],
        contents=[Packet(data=each.data, time_ns=each.time_ns, interface=1) for each in MANY[1500:4000]],
        little=False,
    ),
    SectionOf(contents=MANY[4000:], packet_kind=2),
]


@pytest.fixture(params=["pcap", "pcapng"])
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "capture"
    path.write_bytes(pcap(MANY) if request.param == "pcap" else pcapng(*SECTIONS))
    return path


def told(found: list[LocatedPacket]) -> list[tuple[int, int, bytes, int | None]]:
    return [(each.number, each.link_type, each.data, each.time_ns) for each in found]


def wanted(first: int, last: int) -> list[tuple[int, int, bytes, int | None]]:
    return [(n + 1, 1, MANY[n].data, MANY[n].time_ns) for n in range(first, min(last, len(MANY)))]


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 100), (1499, 1501), (3999, 4001), (4950, 5000), (4990, 5100)])
def test_packets_are_found_by_number_with_marks_and_without(capture: Path, marked: bool, first: int, last: int) -> None:  # noqa: FBT001  # of a table
    if marked:
        survey(capture.read_bytes()).finish(capture.parent)
    assert told(locate_packets(capture, first=first, last=last)) == wanted(first, last)


def test_marks_lead_past_what_comes_before(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    survey(capture.read_bytes()).finish(capture.parent)
    monkeypatch.setattr(locating, "_WINDOW_BYTES", 4096)
    size = capture.stat().st_size
    damaged = bytearray(capture.read_bytes())
    # What lies between the headers and the second mark is never read.
    damaged[750_000:1_000_000] = bytes(250_000)
    capture.write_bytes(damaged)
    assert len(damaged) == size
    assert told(locate_packets(capture, first=4950, last=5000)) == wanted(4950, 5000)


@pytest.mark.parametrize("window", [300, 4096])
def test_windows_of_any_size_find_the_same(capture: Path, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    monkeypatch.setattr(locating, "_WINDOW_BYTES", window)
    assert told(locate_packets(capture, first=1490, last=1590)) == wanted(1490, 1590)


def test_a_conversation_is_found_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    back = ethernet(udp4(source="198.51.100.88", destination="10.0.0.3", ports=(2222, 1111)))
    other = ethernet(udp4(source="10.0.0.3", ports=(1112, 2222)))
    six = ethernet(udp6(), kind=0x86DD)
    path.write_bytes(pcap(packets(*[each.data for each in MANY[:20]], back, other, six, back)))
    key = ConversationKey.parse("17 10.0.0.3 1111 198.51.100.88 2222")
    for one in (key, key.turned()):
        found = locate_packets(path, first=0, last=99, conversation=one)
        assert [each.number for each in found] == [4, 11, 18, 21, 24]
        assert [each.number for each in locate_packets(path, first=1, last=3, conversation=one)] == [11, 18]
    sixth = ConversationKey.parse(f"17 {IP6_A} 1111 {IP6_B} 2222")
    assert [each.number for each in locate_packets(path, first=0, last=9, conversation=sixth)] == [23]


def test_ports_that_are_not_there_are_asked_for_as_such(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    later = ethernet(ipv4(udp(), 17, fragment=0x00B9))
    path.write_bytes(pcap(packets(ethernet(udp4()), later)))
    found = locate_packets(
        path, first=0, last=9, conversation=ConversationKey.parse("17 203.0.113.77 - 198.51.100.88 -")
    )
    assert [each.number for each in found] == [2]


def test_nothing_is_found_where_nothing_is_asked_for(capture: Path) -> None:
    assert locate_packets(capture, first=5, last=5) == []
    assert locate_packets(capture, first=5000, last=5001) == []


def test_a_capture_that_was_cut_meanwhile_is_refused(capture: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-1])
    with pytest.raises(CaptureCut):
        locate_packets(capture, first=4990, last=5000)


def test_a_packet_without_a_time_has_none_and_keeps_its_lengths(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcapng"
    one = Packet(data=ethernet(udp4()), original_length=1500)
    path.write_bytes(pcapng(SectionOf(contents=[one], packet_kind=3, faces=[Face(snap=len(one.data))])))
    (found,) = locate_packets(path, first=0, last=1)
    assert (found.time_ns, found.original_length, found.data) == (None, 1500, one.data)
