from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import pytest

from gql_server.domain.anonymization import AddressMapping, AddressPair, MacMapping, NicPolicy
from gql_server.domain.errors import CaptureCut, MacTargetTaken
from gql_server.engine.addresses.anonymizing import preview
from gql_server.engine.tasks import PreviewTask, Progressed
from tests.captures import (
    IP6_A,
    IP_A,
    IP_B,
    MAC_A,
    MAC_B,
    UDP,
    SectionOf,
    arp,
    block,
    dhcp_request,
    ethernet,
    ip_bytes,
    ipv4,
    mac_bytes,
    packets,
    pcap,
    pcapng,
    read_pcap,
    udp,
    udp4,
    udp6,
)
from tests.engine.doubles import KEY, anonymize_file, inspect_file, transform_file
from tests.engine.reading import read_packet

FRAMES = [ethernet(udp4()), ethernet(udp6(), kind=0x86DD), ethernet(udp4(source="10.1.2.3"))]
RULES = (("10.0.0.0/8", "172.0.0.0/8"),)


def previewed(
    source: Path,
    first: int,
    rules: tuple[tuple[str, str], ...] = (),
    mac_mapping: MacMapping = MacMapping.PERMUTATION,
) -> tuple[AddressPair, ...]:
    task = PreviewTask(
        source=source,
        mapping=AddressMapping.IPCRYPT_PFX,
        mac_mapping=mac_mapping,
        rules=rules,
        key=KEY,
        first=first,
        memory_bytes=1,
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
    assert done.inspection == inspect_file(tmp_path / "out" / "capture.pcap", tmp_path / "third").inspection
    assert len(done.inspection) == 6
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


VENDOR = "a4:5e:60"
DEVICES = [
    ethernet(arp(), kind=0x0806),
    ethernet(udp6(), kind=0x86DD),
    ethernet(ipv4(udp(dhcp_request(), source_port=68, destination_port=67), UDP)),
]


def transformed(directory: Path, *, nic: NicPolicy, rules: tuple[tuple[str, str], ...]) -> list[bytes]:
    directory.mkdir(exist_ok=True)
    source = directory / "in.pcap"
    source.write_bytes(pcap(packets(*DEVICES)))
    transform_file(source, directory / "out", rules, nic)
    return read_pcap((directory / "out" / "capture.pcap").read_bytes())


def test_a_device_gets_its_vendor_wherever_its_address_stands_and_nothing_else_changes(tmp_path: Path) -> None:
    out = transformed(tmp_path, nic=NicPolicy.KEEP, rules=((MAC_A, VENDOR),))
    made = mac_bytes(VENDOR + MAC_A[8:])
    eui64 = bytes([made[0] ^ 2, *made[1:3], 0xFF, 0xFE, *made[3:]])
    named = ip_bytes(IP6_A)
    assert named[8:] != eui64
    for before, after in zip(DEVICES, out, strict=True):
        expected = before.replace(mac_bytes(MAC_A), made).replace(named, named[:8] + eui64)
        assert read_packet(after).wrong() == []
        # Checksums follow the addresses they cover.
        assert [n for n in range(len(after)) if after[n] != expected[n]] in ([], [60, 61], [40, 41])


def test_mapped_octets_are_the_same_in_each_capture(tmp_path: Path) -> None:
    (one, *_) = transformed(tmp_path / "one", nic=NicPolicy.MAP, rules=((MAC_A, VENDOR), (MAC_B, VENDOR)))
    assert one[6:9] == one[0:3] == mac_bytes(VENDOR)
    assert one[9:12] not in (mac_bytes(MAC_A)[3:], one[3:6])
    assert one == transformed(tmp_path / "other", nic=NicPolicy.MAP, rules=((MAC_B, VENDOR), (MAC_A, VENDOR)))[0]


def test_a_made_address_that_is_another_device_s_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MacTargetTaken) as caught:
        transformed(
            tmp_path, nic=NicPolicy.KEEP, rules=(("a4:5e:60:33:44:55", VENDOR), ("02:00:00:33:44:66", MAC_B[:8]))
        )
    assert caught.value.index == 1


def test_the_vendors_of_an_anonymized_capture_stay_where_that_was_asked(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*FRAMES)))
    anonymize_file(source, tmp_path / "out", mac_mapping=MacMapping.KEEP_OUI)
    (first, *_) = read_pcap((tmp_path / "out" / "capture.pcap").read_bytes())
    assert first[6:9] == mac_bytes(MAC_A)[:3]
    assert first[9:12] != mac_bytes(MAC_A)[3:]
    assert previewed(source, 2, mac_mapping=MacMapping.KEEP_OUI)[1].replacement[:8] == MAC_A[:8]


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
