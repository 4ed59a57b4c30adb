"""The demo's output, as tshark reads it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.demos import Demo
from tests.journeys.material import HOSPITAL
from tests.journeys.packets import is_special
from tests.journeys.programs import require

ADDRESSES: tuple[str, ...] = (
    "eth.addr",
    "arp.src.hw_mac",
    "arp.dst.hw_mac",
    "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4",
)
ADDRESSES += ("ip.addr", "ipv6.addr", "icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address")
ADDRESSES += ("icmpv6.opt.linkaddr", "icmpv6.mldr.mar.multicast_address")
KEPT: tuple[str, ...] = (
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.protocols",
    "ip.len",
    "ipv6.plen",
)
KEPT += ("tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len", "udp.length", "udp.stream")
CHECKSUMS: tuple[str, ...] = (
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "icmp.checksum.status",
)
CHECKSUMS += ("icmpv6.checksum.status",)
GOOD, BAD = "1", "0"


@dataclass(frozen=True)
class Reading:
    """A capture before and after, read once each: for each packet the values of each field."""

    before: list[dict[str, list[str]]]
    after: list[dict[str, list[str]]]


@pytest.fixture(scope="module")
def reading(demonstration: Demo) -> Reading:
    require("tshark")
    return Reading(_read(HOSPITAL), _read(demonstration.output))


def _read(capture: Path) -> list[dict[str, list[str]]]:
    fields = (*ADDRESSES, *KEPT, *CHECKSUMS)
    checks = [f"{protocol}.check_checksum:TRUE" for protocol in ("ip", "tcp", "udp")]
    options = [option for check in checks for option in ("-o", check)] + [
        option for field in fields for option in ("-e", field)
    ]
    told = subprocess.run(
        ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=|", "-E", "aggregator=;", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        dict(zip(fields, (value.split(";") for value in line.split("|")), strict=True))
        for line in told.stdout.splitlines()
    ]


def _values(packets: list[dict[str, list[str]]], fields: tuple[str, ...]) -> list[list[list[str]]]:
    return [[packet[field] for field in fields] for packet in packets]


def _addresses(packets: list[dict[str, list[str]]]) -> set[str]:
    return {each for packet in packets for field in ADDRESSES for each in packet[field] if each}


def test_no_address_of_anybody_is_left_in_any_field(reading: Reading) -> None:
    originals = {each for each in _addresses(reading.before) if not is_special(each)}
    assert len(originals) >= 8
    assert originals & _addresses(reading.after) == set()


def test_every_kind_of_address_was_looked_at(reading: Reading) -> None:
    seen = {field for packet in reading.before for field in ADDRESSES if packet[field] != [""]}
    assert seen == set(ADDRESSES)


def test_count_times_lengths_and_layers_are_the_same(reading: Reading) -> None:
    assert len(reading.before) == 159
    assert _values(reading.before, KEPT) == _values(reading.after, KEPT)


def test_good_checksums_are_good_and_bad_ones_bad(reading: Reading) -> None:
    before = _values(reading.before, CHECKSUMS)
    assert before == _values(reading.after, CHECKSUMS)
    states = [state for packet in before for field in packet for state in field]
    assert states.count(GOOD) > 150
    assert states.count(BAD) > 0
