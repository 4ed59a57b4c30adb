from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.packets import ByteRange
from gql_server.engine.inspect import comparing
from gql_server.engine.inspect.comparing import changed_ranges, compare, compare_packets
from gql_server.engine.inspect.locating import LocatedPacket
from gql_server.engine.tasks import CompareTask
from tests.captures import IP_A, IP_C, MAC_A, MAC_B, arp, ethernet, packets, pcap, udp4
from tests.engine.addresses.test_walk import PACKETS
from tests.engine.doubles import anonymize_file


def located(data: bytes) -> LocatedPacket:
    return LocatedPacket(number=1, time_ns=0, link_type=1, original_length=len(data), data=data)


def test_what_did_not_change_is_not_marked() -> None:
    packet = located(ethernet(udp4()))
    found = compare_packets(packet, packet, data_bytes=99)
    assert (found.fields, found.ranges, found.is_complete) == ((), (), True)


def test_changed_fields_are_named_and_changed_bytes_placed() -> None:
    found = compare_packets(located(ethernet(udp4())), located(ethernet(udp4(source=IP_C))), data_bytes=99)
    changes = {change.path: (change.before, change.after) for change in found.fields}
    assert changes["1.IP.src"] == (IP_A, IP_C)
    assert set(changes) == {"1.IP.src", "1.IP.chksum", "2.UDP.chksum"}
    assert [(place.offset, place.length) for place in found.ranges] == [(24, 3), (28, 2), (40, 2)]


def test_a_layer_that_became_another_is_gone_and_the_other_new() -> None:
    found = compare_packets(located(ethernet(arp(), kind=0x0806)), located(ethernet(udp4())), data_bytes=99)
    changes = {change.path: (change.before, change.after) for change in found.fields}
    assert changes["1.ARP.hwsrc"] == (MAC_A, None)
    assert changes["1.IP.src"] == (None, IP_A)
    assert changes["2.UDP.dport"] == (None, "2222")
    assert MAC_B in {was for was, _ in changes.values()}


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_ranges_hold_just_the_bytes_that_differ(before: bytes, after: bytes) -> None:
    found = changed_ranges(before, after)
    places = [place for one in found for place in range(one.offset, one.offset + one.length)]
    assert places == [n for n in range(max(len(before), len(after))) if before[n : n + 1] != after[n : n + 1]]
    ends = [one.offset + one.length for one in found]
    assert all(end < one.offset for end, one in zip(ends, found[1:], strict=False))


def test_the_rest_of_the_longer_packet_differs() -> None:
    assert changed_ranges(b"abc", b"abcdef") == [ByteRange(offset=3, length=3)]
    assert changed_ranges(b"abx", b"abcdef") == [ByteRange(offset=2, length=4)]


def test_changes_that_find_no_room_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = located(ethernet(udp4())), located(ethernet(udp4(source=IP_C)))
    monkeypatch.setattr(comparing, "RANGES_MOST", 2)
    found = compare_packets(one, other, data_bytes=9)
    assert (len(found.ranges), found.is_complete) == (2, False)
    monkeypatch.setattr(comparing, "RANGES_MOST", 9)
    monkeypatch.setattr(comparing, "CHANGES_MOST", 1)
    found = compare_packets(one, other, data_bytes=9)
    assert (len(found.fields), found.is_complete) == (1, False)


def test_a_packet_is_found_in_both_captures(tmp_path: Path) -> None:
    source = tmp_path / "capture.pcap"
    source.write_bytes(pcap(packets(*PACKETS)))
    anonymize_file(source, tmp_path / "out")
    task = CompareTask(
        source=tmp_path / "out" / "capture.pcap", origin=source, number=3, data_bytes=1 << 16, memory_bytes=1
    )
    found = compare(task).comparison
    assert found is not None
    assert (found.before.number, found.after.number, found.before.data) == (3, 3, PACKETS[2].hex())
    assert found.after.captured_length == found.before.captured_length
    assert compare(replace(task, number=len(PACKETS) + 1)).comparison is None
