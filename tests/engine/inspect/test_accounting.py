import pytest

from gql_server.engine.inspect.layout import QUEUE_MOST
from tests.captures import IP_A, IP_B, IP_C, MAC_A, MAC_B, Packet, arp, ethernet, pcap, udp4
from tests.engine.inspect.surveying import find, find_in


def test_lengths_are_those_on_the_wire_and_times_the_earliest_and_the_latest() -> None:
    contents = [
        Packet(data=ethernet(udp4()), time_ns=5_000_000_000, original_length=1500),
        Packet(data=ethernet(udp4()), time_ns=3_000_000_000),
        Packet(data=ethernet(udp4()), time_ns=4_000_000_000),
    ]
    (row,) = find(pcap(contents)).conversations
    assert (row.packets_sent, row.bytes_sent) == (3, 1500 + 2 * len(contents[0].data))
    assert (row.first_time_ns, row.last_time_ns) == (3_000_000_000, 5_000_000_000)


def test_talkers_count_what_they_send_and_receive() -> None:
    back = ethernet(udp4(bytes(100), source=IP_B, destination=IP_A))
    found = find_in(ethernet(udp4()), back, ethernet(udp4(source=IP_C)))
    size = len(ethernet(udp4()))
    assert {
        str(row.address): (row.packets_sent, row.bytes_sent, row.packets_received, row.bytes_received)
        for row in found.talkers
    } == {IP_A: (1, size, 1, len(back)), IP_B: (1, len(back), 2, 2 * size), IP_C: (1, size, 0, 0)}


def test_a_packet_to_oneself_is_sent_and_received() -> None:
    (row,) = find_in(ethernet(udp4(destination=IP_A))).talkers
    assert (row.packets_sent, row.packets_received) == (1, 1)


def test_the_mac_that_was_claimed_before_the_first_packet_counts_its_packets() -> None:
    found = find_in(ethernet(arp(source=IP_A), kind=0x0806), ethernet(udp4()), ethernet(udp4()))
    (own,) = [pair for pair in found.pairs if str(pair.address) == IP_A]
    assert (own.mac, own.packets_sent, own.claims) == (MAC_A, 2, 1)


def test_packets_without_a_mac_count_for_no_pair() -> None:
    frames = [ethernet(udp4(), source="01:00:5e:00:00:01")] * 4 + [ethernet(udp4())]
    found = find_in(*frames)
    assert {(str(pair.address), pair.mac, pair.packets_sent, pair.packets_received) for pair in found.pairs} == {
        (IP_A, MAC_A, 1, 0),
        (IP_B, MAC_B, 0, 5),
    }


@pytest.mark.parametrize("count", [1, QUEUE_MOST - 1, QUEUE_MOST, QUEUE_MOST + 1, 3 * QUEUE_MOST + 5])
def test_packets_that_wait_in_the_queue_are_all_entered(count: int) -> None:
    frames = [ethernet(udp4(source=f"10.9.{number // 200}.{1 + number % 200}")) for number in range(count)]
    found = find_in(*frames, *frames[:1])
    assert len(found.conversations) == count
    assert sum(row.packets_sent for row in found.conversations) == count + 1
    assert {(str(row.address), row.packets_sent) for row in found.talkers if row.packets_received == 0} == {
        (f"10.9.{number // 200}.{1 + number % 200}", 2 if number == 0 else 1) for number in range(count)
    }
    assert found.summary["packets"] == count + 1
