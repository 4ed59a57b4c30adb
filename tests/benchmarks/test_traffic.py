"""Traffic: the same from the same seed, and what it is said to be."""

from collections import Counter

import numpy as np
import pytest

from benchmarks import captures
from benchmarks.frames import Ends
from benchmarks.traffic import Mix, Traffic, _each_alone
from tests.captures import read_pcap
from tests.engine.reading import read_packet

PACKETS = 4000


def packets_of(mix: Mix, seed: int = 1) -> list[bytes]:
    return read_pcap(captures.pcap(Traffic(mix, packets=PACKETS, seed=seed)).tobytes())


@pytest.mark.parametrize("mix", Mix)
def test_the_same_seed_makes_the_same_packets_and_another_one_others(mix: Mix) -> None:
    once = packets_of(mix)
    assert len(once) == PACKETS
    assert packets_of(mix) == once
    assert packets_of(mix, seed=2) != once


@pytest.mark.parametrize("mix", Mix)
def test_every_checksum_is_right(mix: Mix) -> None:
    readings = [read_packet(packet) for packet in packets_of(mix)]
    assert [reading.wrong() for reading in readings if reading.wrong()] == []
    assert sum(len(reading.checksums) for reading in readings) > PACKETS


def test_imix_has_its_sizes_in_their_ratio() -> None:
    sizes = Counter(min((60, 590, 1514), key=lambda size: abs(size - len(packet))) for packet in packets_of(Mix.IMIX))
    assert [round(12 * sizes[size] / PACKETS) for size in (60, 590, 1514)] == [7, 4, 1]


def test_imix_has_every_kind_of_packet() -> None:
    readings = [read_packet(packet) for packet in packets_of(Mix.IMIX)]
    packets = packets_of(Mix.IMIX)
    kinds = Counter(int.from_bytes(packet[12:14], "big") for packet in packets)
    assert set(kinds) == {0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8}
    names = {name for reading in readings for name, _ in reading.checksums}
    assert {"ipv4", "tcp", "udp", "icmp", "icmpv6"} <= {name.lower() for name in names}


def test_large_packets_have_1400_bytes() -> None:
    assert {len(packet) for packet in packets_of(Mix.LARGE)} == {1400}


def test_unique_sources_never_come_again() -> None:
    assert len({packet[26:30] for packet in packets_of(Mix.UNIQUE)}) == PACKETS


def test_a_million_unique_sources_are_unique() -> None:
    places = np.arange(1_000_000)
    nobody = np.zeros((1, 1), np.uint8)
    ends = Ends(macs=(nobody,) * 2, ipv4=(nobody,) * 2, ipv6=(nobody,) * 2, ports=(places, places))
    assert len(np.unique(_each_alone(ends, places).ipv4[0], axis=0)) == len(places)
