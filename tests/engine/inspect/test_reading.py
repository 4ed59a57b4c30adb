from ipaddress import ip_network
from pathlib import Path

import pytest

from gql_server.domain.inspection import InspectionOrder, RowRequest
from gql_server.domain.packets import ConversationKey
from gql_server.engine.inspect import reading
from tests.captures import IP_A, IP_B, ethernet, packets, pcap, udp4, udp6
from tests.engine.inspect.surveying import ALL, ALL_BY_PACKETS, find_in, opener, survey


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Ten hosts: the first sends one large packet, the last ten small ones."""
    frames = [
        ethernet(udp4(bytes(1000 - 99 * n), source=f"10.{n % 2}.0.{n + 1}")) for n in range(10) for _ in range(n + 1)
    ]
    frames += [ethernet(udp6(), kind=0x86DD), ethernet(udp4(destination="224.0.0.1"), destination="01:00:5e:00:00:01")]
    frames += [ethernet(udp4(source="0.0.0.0", destination="255.255.255.255"), destination="ff:ff:ff:ff:ff:ff")]
    survey(pcap(packets(*frames))).finish(tmp_path)
    return tmp_path


def test_a_page_is_a_part_of_the_whole(directory: Path) -> None:
    whole = reading.read_conversations(opener(directory), ALL)
    assert (whole.start, whole.total, whole.is_complete) == (0, 13, True)
    page = reading.read_conversations(opener(directory), RowRequest(size=3, after=4))
    assert (page.items, page.start, page.total) == (whole.items[5:8], 5, 13)
    back = reading.read_conversations(opener(directory), RowRequest(size=3, before=9, backward=True))
    assert (back.items, back.start) == (whole.items[6:9], 6)


@pytest.mark.parametrize("order", InspectionOrder)
def test_the_largest_come_first(directory: Path, order: InspectionOrder) -> None:
    noun = order.value.lower()
    for read in (reading.read_conversations, reading.read_talkers):
        rows = read(opener(directory), RowRequest(size=99, order=order)).items
        sums = [getattr(row, f"{noun}_sent") + getattr(row, f"{noun}_received") for row in rows]
        assert sums == sorted(sums, reverse=True)
    protocols = reading.read_protocols(opener(directory), RowRequest(size=99, order=order)).items
    counts = [getattr(row, noun) for row in protocols]
    assert counts == sorted(counts, reverse=True)


def test_both_orders_hold_the_same_rows(directory: Path) -> None:
    for read in (reading.read_conversations, reading.read_talkers):
        by_bytes, by_packets = read(opener(directory), ALL).items, read(opener(directory), ALL_BY_PACKETS).items
        assert by_bytes != by_packets
        assert set(by_bytes) == set(by_packets)


def test_pairs_come_by_packets_whatever_is_asked(directory: Path) -> None:
    assert reading.read_pairs(opener(directory), ALL) == reading.read_pairs(opener(directory), ALL_BY_PACKETS)


@pytest.mark.parametrize(("length", "prefixes"), [(8, 2), (16, 3), (24, 3), (32, 11), (0, 1)])
def test_subnets_sum_up_the_unicast_talkers_of_a_prefix(directory: Path, length: int, prefixes: int) -> None:
    talkers = reading.read_talkers(opener(directory), ALL).items
    hosts = [row for row in talkers if row.address.version == 4 and not row.address.is_multicast]
    hosts = [row for row in hosts if not row.address.is_unspecified and str(row.address) != "255.255.255.255"]
    rows = reading.read_subnets(opener(directory), ALL, prefix_length4=length, prefix_length6=64).items
    rows = tuple(row for row in rows if row.prefix.version == 4)
    assert len(rows) == len({ip_network((row.address, length), strict=False) for row in hosts})
    assert len(rows) >= prefixes
    for row in rows:
        own = [host for host in hosts if host.address in row.prefix]
        assert row.prefix.prefixlen == length
        assert (row.addresses, row.packets_sent) == (len(own), sum(host.packets_sent for host in own))
        assert row.bytes_received == sum(host.bytes_received for host in own)


@pytest.mark.parametrize(("length", "prefixes"), [(128, 2), (64, 2), (48, 2), (32, 1), (0, 1), (65, 2)])
def test_ipv6_subnets_have_any_length(directory: Path, length: int, prefixes: int) -> None:
    rows = reading.read_subnets(opener(directory), ALL, prefix_length4=24, prefix_length6=length).items
    rows = tuple(row for row in rows if row.prefix.version == 6)
    assert len(rows) == prefixes
    assert sum(row.addresses for row in rows) == 2
    assert {row.prefix.prefixlen for row in rows} == {length}


def test_subnets_come_in_pages_the_largest_first(directory: Path) -> None:
    def read(request: RowRequest) -> list[tuple[str, int, int]]:
        rows = reading.read_subnets(opener(directory), request, prefix_length4=32, prefix_length6=64)
        assert rows.total == 14
        return [
            (str(row.prefix), row.bytes_sent + row.bytes_received, row.packets_sent + row.packets_received)
            for row in rows.items
        ]

    whole, packets_first = read(ALL), read(ALL_BY_PACKETS)
    assert [row[1] for row in whole] == sorted((row[1] for row in whole), reverse=True)
    assert [row[2] for row in packets_first] == sorted((row[2] for row in packets_first), reverse=True)
    assert read(RowRequest(size=4, after=1)) == whole[2:6]
    assert read(RowRequest(size=2, backward=True)) == whole[-2:]


def test_directions_are_told_apart() -> None:
    back = ethernet(udp4(bytes(100), source=IP_B, destination=IP_A, ports=(2222, 1111)))
    (row,) = find_in(back, ethernet(udp4()), ethernet(udp4())).conversations
    assert (str(row.initiator), row.initiator_port, str(row.responder), row.responder_port) == (IP_B, 2222, IP_A, 1111)
    assert (row.packets_sent, row.packets_received) == (1, 2)
    assert (row.bytes_sent, row.bytes_received) == (len(back), 2 * len(ethernet(udp4())))


def test_a_conversation_of_one_end_with_itself_counts_as_sent() -> None:
    (row,) = find_in(*[ethernet(udp4(destination=IP_A, ports=(5, 5)))] * 3).conversations
    assert (row.packets_sent, row.packets_received) == (3, 0)
    both = [ethernet(udp4(destination=IP_A, ports=(5, 6))), ethernet(udp4(destination=IP_A, ports=(6, 5)))]
    (row,) = find_in(*both).conversations
    assert (row.initiator_port, row.packets_sent, row.packets_received) == (5, 1, 1)


def test_packets_of_a_conversation_are_counted_from_either_end(directory: Path) -> None:
    open_file = opener(directory)
    for row in reading.read_conversations(open_file, ALL).items:
        packets_ = row.packets_sent + row.packets_received
        assert (
            reading.count_packets(open_file, row.key) == reading.count_packets(open_file, row.key.turned()) == packets_
        )


@pytest.mark.parametrize(
    "text",
    [
        "6 10.0.0.1 1111 198.51.100.88 2222",
        "17 10.0.0.1 1112 198.51.100.88 2222",
        "17 10.0.0.1 - 198.51.100.88 -",
        "17 10.9.9.9 1111 198.51.100.88 2222",
        "17 2001:db8::1 1111 2001:db8::2 2222",
    ],
)
def test_a_conversation_that_is_not_listed_has_no_packets(directory: Path, text: str) -> None:
    assert reading.count_packets(opener(directory), ConversationKey.parse(text)) == 0
