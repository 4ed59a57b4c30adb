import random
import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.errors import CaptureError
from gql_server.engine.capture.windows import Window
from gql_server.engine.inspect.survey import Survey, SurveyLimits
from tests.captures import (
    ICMPV6,
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    IP_C,
    Face,
    Packet,
    SectionOf,
    arp,
    ethernet,
    icmp,
    icmpv6,
    ipv4,
    ipv6,
    option,
    packets,
    pcap,
    pcapng,
    tcp,
    udp,
    udp4,
    udp6,
    vlan,
)
from tests.engine.addresses.test_walk import PACKETS
from tests.engine.inspect.second_survey import SecondSurvey
from tests.engine.inspect.surveying import Found, find, survey, write

V4 = [IP_A, IP_B, IP_C, "10.0.0.1", "255.255.255.255", "224.0.0.251", "0.0.0.0"]
V6 = [IP6_A, IP6_B, "fe80::1", "ff02::1", "::"]


def mixed(number: int, seed: int) -> list[Packet]:
    """Make packets of many kinds, some cut, between a few ends."""
    pick = random.Random(seed)
    found = []
    for _ in range(number):
        source, destination = pick.choice(V4), pick.choice(V4)
        source6, destination6 = pick.choice(V6), pick.choice(V6)
        ports = {"source_port": pick.choice([53, 1024, 65535]), "destination_port": pick.choice([53, 80, 40000])}
        data4 = udp(bytes(pick.randrange(40)), source=source, destination=destination, **ports)
        data6 = udp(bytes(pick.randrange(40)), source=source6, destination=destination6, **ports)
        frame = pick.choice(
            [
                ethernet(ipv4(data4, 17, source=source, destination=destination)),
                ethernet(
                    ipv4(data4, 17, source=source, destination=destination, fragment=pick.choice([0x2000, 0x00B9]))
                ),
                ethernet(ipv4(tcp(source=source, destination=destination), 6, source=source, destination=destination)),
                ethernet(ipv4(icmp(8, b""), 1, source=source, destination=destination)),
                ethernet(vlan(ipv4(data4, 17, source=source, destination=destination)), kind=0x8100),
                ethernet(ipv4(b"\x11\x01\0\0" + bytes(8) + data4, 51, source=source, destination=destination)),
                ethernet(ipv6(data6, 17, source=source6, destination=destination6), kind=0x86DD),
                ethernet(
                    ipv6(data6, 60, source=source6, destination=destination6, extensions=b"\x11" + bytes(7)),
                    kind=0x86DD,
                ),
                ethernet(
                    ipv6(data6, 44, source=source6, destination=destination6, extensions=b"\x11\0\0\x09" + bytes(4)),
                    kind=0x86DD,
                ),
                ethernet(ipv6(icmpv6(128, b""), ICMPV6, source=source6, destination=destination6), kind=0x86DD),
                ethernet(arp(), kind=0x0806),
                ethernet(b"\x42\x42\x03" + bytes(35), kind=38),
            ]
        )
        kept = frame[: pick.choice([len(frame), len(frame), pick.randrange(len(frame) + 1)])]
        time = 1_700_000_000_000_000_000 + pick.randrange(10**9)
        found.append(Packet(data=kept, time_ns=time, original_length=len(frame)))
    return found


def judge(found: Found, contents: list[Packet]) -> None:
    """Hold a survey against the second one."""
    second = SecondSurvey()
    for packet in contents:
        second.add(packet)
    assert len(found.conversations) == len(second.conversations)
    for row in found.conversations:
        ends = (row.initiator, row.initiator_port), (row.responder, row.responder_port)
        both = second.conversations[frozenset(ends), row.protocol]
        assert ends[0] == both.initiator
        assert [row.packets_sent, row.packets_received] == both.packets
        assert [row.bytes_sent, row.bytes_received] == both.bytes
        assert (row.first_time_ns, row.last_time_ns) == (both.first, both.last)
    assert {row.address: row.packets_sent for row in found.talkers if row.packets_sent} == second.sent
    assert {row.address: row.packets_received for row in found.talkers if row.packets_received} == second.received
    assert found.summary["packetsWithoutIp"] == second.others


@pytest.mark.parametrize("seed", range(5))
def test_a_second_survey_counts_the_same(seed: int) -> None:
    contents = mixed(400, seed)
    judge(find(pcap(contents)), contents)


@pytest.mark.parametrize("seed", range(3))
def test_sums_of_conversations_and_talkers_are_those_of_the_trace(seed: int) -> None:
    contents = mixed(300, seed)
    found = find(pcap(contents))
    sums: Counter[str] = Counter()
    for row in found.conversations:
        sums["packets"] += row.packets_sent + row.packets_received
        sums["bytes"] += row.bytes_sent + row.bytes_received
    summary = found.summary
    assert sums["packets"] + summary["packetsWithoutIp"] == summary["packets"] == len(contents)
    assert sums["bytes"] + summary["bytesWithoutIp"] == summary["bytes"] == sum(packet.length for packet in contents)
    assert sum(row.packets_sent for row in found.talkers) == sums["packets"]
    assert sum(row.bytes_received for row in found.talkers) == sums["bytes"]
    assert all(summary["isComplete"].values())


@pytest.mark.parametrize("capture", [
    pcap(mixed(300, 1)),
    pcapng(SectionOf(contents=mixed(150, 1)), SectionOf(contents=mixed(150, 2), little=False)),
], ids=["pcap", "pcapng"])  # fmt: skip
@pytest.mark.parametrize("window", [256, 333, 1 << 16])
def test_where_windows_begin_does_not_matter(capture: bytes, window: int) -> None:
    whole = find(capture)
    parts = find(capture, window=window, piece=100)
    assert parts == whole
    assert parts.content == whole.content


def test_a_stripped_capture_is_surveyed_like_the_one_it_was() -> None:
    noise = struct.pack("<III", 5, 12, 12)
    capture = pcapng(SectionOf(contents=mixed(200, 3), extra=noise, packet_options=option(1, b"note") + option(0, b"")))
    whole, stripped = find(capture), find(capture, strip=True)
    assert stripped.conversations == whole.conversations
    assert stripped.protocols == whole.protocols


def test_the_same_packets_are_found_whatever_the_format() -> None:
    contents = mixed(200, 4)
    as_pcap = find(pcap(contents))
    for capture in (
        pcapng(SectionOf(contents=contents)),
        pcapng(SectionOf(contents=contents[:90], packet_kind=2), SectionOf(contents=contents[90:], little=False)),
        pcap(contents, little=False),
    ):
        found = find(capture)
        assert (found.conversations, found.talkers, found.pairs, found.protocols) == (
            as_pcap.conversations,
            as_pcap.talkers,
            as_pcap.pairs,
            as_pcap.protocols,
        )


@pytest.mark.parametrize(
    ("resolution", "units", "offset", "time"),
    [
        (0x09, 10**9, 0, 1_700_000_000_123_456_789),
        (0x00, 1, 0, 1_700_000_000_000_000_000),
        (0x0C, 10**12, -5, 1_234_567_891),
        (0x94, 1 << 20, 0, 1_700_000_000_500_000_000),
        (0xA0, 1 << 32, 7, 1_700_000_000_500_000_000),
        (0xAD, 1 << 45, 0, 3_250_000_000),
    ],
)
def test_times_of_any_resolution_are_nanoseconds(resolution: int, units: int, offset: int, time: int) -> None:
    options = option(9, bytes([resolution])) + option(14, struct.pack("<q", offset))
    face = Face(options=options, units_per_second=units, offset_seconds=offset)
    found = find(pcapng(SectionOf(faces=[face], contents=[Packet(data=ethernet(udp4()), time_ns=time)])))
    assert [row.first_time_ns for row in found.conversations] == [time]


@pytest.mark.parametrize(
    ("resolution", "offset", "ticks"),
    [(0x09, 0, 1 << 63), (0xFF, 0, 1), (0x7F, 0, 1), (0x09, 1 << 40, 1), (0x00, 0, 1 << 40)],
)
def test_a_time_beyond_63_bits_is_none(resolution: int, offset: int, ticks: int) -> None:
    options = option(9, bytes([resolution])) + option(14, struct.pack("<q", offset))
    face = Face(options=options, units_per_second=10**9)
    found = find(pcapng(SectionOf(faces=[face], contents=[Packet(data=ethernet(udp4()), time_ns=ticks)])))
    assert [(row.first_time_ns, row.packets_sent) for row in found.conversations] == [(None, 1)]


def test_packets_without_a_time_are_counted_and_leave_it_open() -> None:
    simple = SectionOf(contents=packets(ethernet(udp4()), ethernet(udp4())), packet_kind=3, faces=[Face(snap=40)])
    (row,) = find(pcapng(simple)).conversations
    assert (row.packets_sent, row.first_time_ns, row.last_time_ns) == (2, None, None)


def test_what_a_snap_length_cut_from_a_simple_packet_is_not_read() -> None:
    frame = ethernet(udp4())[:35] + b"\xaa\xaa\xaa"
    cut = Packet(data=frame[:38], original_length=60)
    whole, short = (SectionOf(contents=[cut], packet_kind=3, faces=[Face(snap=snap)]) for snap in (0, 36))
    assert find(pcapng(whole)).conversations[0].initiator_port is not None
    assert find(pcapng(short)).conversations[0].initiator_port is None


def test_rows_that_found_no_room_are_told_and_the_others_stay_exact() -> None:
    ends = [f"10.0.{n >> 8}.{n & 255}" for n in range(1000)]
    contents = packets(*[ethernet(udp4(source=end)) for end in ends for _ in range(3)])
    whole = find(pcap(contents))
    limits = SurveyLimits(talkers=500, conversations=100, pairs=10)
    found = find(pcap(contents), limits=limits)
    assert found.summary["isComplete"] == {
        "conversations.rows": False,
        "talkers.rows": False,
        "ip-mac-pairs.rows": False,
        "protocols.rows": True,
    }
    assert len(found.conversations) == 100
    assert len(found.talkers) == 500
    assert set(found.conversations) < set(whole.conversations)
    kept = {row.address: row for row in whole.talkers}
    assert all(row == kept[row.address] for row in found.talkers)
    assert found.summary["packetsWithoutRow"] == 3000 - 300
    assert found.summary["bytesWithoutRow"] == 2700 * len(contents[0].data)
    assert found.protocols == whole.protocols


def test_tables_grow_as_far_as_they_may() -> None:
    frames = [ethernet(udp4(source=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")) for n in range(20_000)]
    found = find(pcap(packets(*frames)))
    assert len(found.conversations) == 20_000
    assert len(found.talkers) == 20_001
    assert all(found.summary["isComplete"].values())


def test_an_empty_capture_has_files_without_rows() -> None:
    for capture in (pcap([]), pcapng(SectionOf(contents=[]))):
        found = find(capture)
        assert (found.conversations, found.talkers, found.pairs, found.protocols) == ((), (), (), {})
        assert found.summary["packets"] == 0


def test_places_to_start_again_from_lie_where_records_begin() -> None:
    contents = packets(*[ethernet(udp4(bytes(60_000)))] * 100)
    findings = survey(pcap(contents), window=1 << 17).findings()
    record = 16 + len(contents[0].data)
    marks = findings.marks.tolist()
    assert len(marks) == 6
    assert marks[0] == [0, 0, 24]
    for kind, before, offset in marks:
        assert (kind, offset) == (0, 24 + before * record)


def test_header_blocks_of_pcapng_are_marked() -> None:
    capture = pcapng(SectionOf(contents=packets(b"a")), SectionOf(faces=[Face(), Face()], contents=packets(b"b")))
    kinds = [(kind, before) for kind, before, _ in survey(capture).findings().marks.tolist()]
    assert kinds == [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 1)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PACKETS), st.data(), st.sampled_from([0, 1, 101, 105, 108, 113, 127, 276, 77]))
def test_any_bytes_are_surveyed(packet: bytes, data: st.DataObject, link_type: int) -> None:
    changed = bytearray(packet[: data.draw(st.integers(0, len(packet)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    found = write(survey(pcap(packets(bytes(changed)), link_type=link_type)))
    assert sum(row.packets_sent for row in found.conversations) + found.summary["packetsWithoutIp"] == 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_capture_is_surveyed_or_refused_by_framing(tail: bytes, place: int, value: int) -> None:
    body = bytearray(pcapng(SectionOf(contents=packets(*PACKETS[:3]))) + tail)
    body[place % len(body)] = value
    try:
        found = write(survey(bytes(body)))
    except CaptureError:
        return
    assert found.summary["packets"] >= 0


def test_a_window_of_broken_records_is_no_survey() -> None:
    buffer = np.frombuffer(pcap(packets(udp6())), np.uint8).copy()
    records = np.zeros(0, np.int64)
    cut = Window(buffer=buffer, begin=0, end=len(buffer) - 1, records=records, count=0, first_packet=0, base=0)
    with pytest.raises(ValueError, match="whole records"):
        Survey().add(cut)
