"""Captures to measure with: read by others as they were meant."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from scapy.utils import RawPcapNgReader

from benchmarks import captures
from benchmarks.traffic import Mix, Traffic
from tests.captures import read_pcap
from tests.journeys.programs import require

PACKETS = 2000
PROTOCOLS = ("ip", "tcp", "udp", "icmp", "icmpv6")


def test_both_formats_hold_the_same_packets_and_times(tmp_path: Path) -> None:
    traffic = Traffic(Mix.IMIX, packets=PACKETS)
    captures.pcapng(traffic).tofile(tmp_path / "capture.pcapng")
    with RawPcapNgReader(str(tmp_path / "capture.pcapng")) as reader:
        read: list[tuple[bytes, Any]] = list(reader)
    assert [data for data, _ in read] == read_pcap(captures.pcap(traffic).tobytes())
    assert [(about.tshigh << 32) + about.tslow for _, about in read] == traffic.times.tolist()


@pytest.mark.parametrize("mix", Mix)
@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_tshark_finds_every_packet_and_no_bad_checksum(tmp_path: Path, mix: Mix, suffix: str) -> None:
    require("tshark")
    path = tmp_path / f"capture.{suffix}"
    traffic = Traffic(mix, packets=PACKETS)
    (captures.pcap if suffix == "pcap" else captures.pcapng)(traffic).tofile(path)
    checks = [word for protocol in PROTOCOLS[:3] for word in ("-o", f"{protocol}.check_checksum:TRUE")]
    fields = [word for protocol in PROTOCOLS for word in ("-e", f"{protocol}.checksum.status")]
    command = ["tshark", "-r", str(path), *checks, "-T", "fields", *fields]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    states = [state for line in lines for cell in line.split("\t") for state in cell.split(",")]
    assert len(lines) == PACKETS
    assert "0" not in states
    assert states.count("1") > PACKETS
