from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import pytest

from gql_server.domain.anonymization import AddressMapping, AddressPair
from gql_server.domain.errors import CaptureCut
from gql_server.engine.addresses.anonymizing import preview
from gql_server.engine.tasks import PreviewTask, Progressed
from tests.captures import (
    IP_A,
    IP_B,
    MAC_A,
    MAC_B,
    SectionOf,
    block,
    ethernet,
    ip_bytes,
    mac_bytes,
    packets,
    pcap,
    pcapng,
    read_pcap,
    udp4,
    udp6,
)
from tests.engine.doubles import KEY, anonymize_file, inspect_file

FRAMES = [ethernet(udp4()), ethernet(udp6(), kind=0x86DD), ethernet(udp4(source="10.1.2.3"))]
RULES = (("10.0.0.0/8", "172.0.0.0/8"),)


def previewed(source: Path, first: int, rules: tuple[tuple[str, str], ...] = ()) -> tuple[AddressPair, ...]:
    task = PreviewTask(
        source=source, mapping=AddressMapping.IPCRYPT_PFX, rules=rules, key=KEY, first=first, memory_bytes=1
    )
    seen: list[Progressed] = []
    return preview(task, seen.append).pairs


def test_the_output_is_summed_up_as_it_lies_on_disk(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*FRAMES), nanoseconds=True))
    done = anonymize_file(source, tmp_path / "out")
    written = (tmp_path / "out" / "capture.pcap").read_bytes()
    assert done.summary.sha256 == sha256(written).hexdigest()
    assert done.summary == inspect_file(tmp_path / "out" / "capture.pcap", tmp_path / "again").summary
    before = inspect_file(source, tmp_path / "before").summary
    assert replace(before, sha256="") == replace(done.summary, sha256="")


def test_the_same_key_gives_the_same_bytes_and_the_report_counts(tmp_path: Path) -> None:
    source = tmp_path / "in.pcapng"
    noise = block(5, bytes(12)) + block(0xBAD, bytes(4))
    source.write_bytes(pcapng(SectionOf(contents=packets(*FRAMES), extra=noise)))
    one, two = (anonymize_file(source, tmp_path / name) for name in ("one", "two"))
    assert one == two
    report = one.report
    assert (report.packets, report.blocks_dropped, report.bytes_kept) == (3, 2, 99)
    assert (report.addresses_ipv4, report.addresses_ipv6, report.addresses_mac) == (3, 2, 2)


def test_a_preview_is_what_the_job_then_writes(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*FRAMES)))
    anonymize_file(source, tmp_path / "out", RULES)
    out = read_pcap((tmp_path / "out" / "capture.pcap").read_bytes())
    pairs = previewed(source, 100, RULES)
    assert [pair.original for pair in pairs[:4]] == [MAC_B, MAC_A, IP_A, IP_B]
    assert [pair.kind for pair in pairs] == ["MAC", "MAC", "IPV4", "IPV4", "IPV6", "IPV6", "IPV4"]
    assert pairs[-1] == AddressPair(original="10.1.2.3", replacement="172.1.2.3", kind="IPV4")
    assert mac_bytes(pairs[0].replacement) == out[0][0:6]
    assert ip_bytes(pairs[2].replacement) == out[0][26:30]
    assert ip_bytes(pairs[4].replacement) == out[1][22:38]


@pytest.mark.parametrize("first", [0, 1, 3])
def test_a_preview_stops_where_it_is_told(tmp_path: Path, first: int) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*FRAMES)))
    assert previewed(source, first) == previewed(source, 100)[:first]


def test_a_preview_of_nothing_is_empty(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap([]))
    assert previewed(source, 100) == ()


def test_every_pair_is_an_address_of_its_kind(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*FRAMES)))
    for pair in previewed(source, 100):
        if pair.kind == "MAC":
            assert len(mac_bytes(pair.replacement)) == 6
        else:
            assert f"IPV{ip_address(pair.replacement).version}" == pair.kind


def test_a_refused_source_leaves_an_error(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*FRAMES))[:-1])
    with pytest.raises(CaptureCut):
        anonymize_file(source, tmp_path / "out")


def test_a_capture_of_an_unknown_link_type_is_zeroed_and_says_so(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(b"badge 4711"), link_type=147))
    done = anonymize_file(source, tmp_path / "out")
    assert read_pcap((tmp_path / "out" / "capture.pcap").read_bytes()) == [bytes(10)]
    assert (done.report.packets_opaque, done.report.bytes_zeroed) == (1, 10)
