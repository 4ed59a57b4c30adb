"""The shipped capture holds what its README says."""

import hashlib
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from scapy.layers.dns import DNS
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Dot1Q
from scapy.packet import Packet
from scapy.utils import checksum, rdpcap

FOLDER = Path(__file__).parent.parent / "gql_server" / "demo_capture"
CAPTURE = FOLDER / "hospital.pcap"
MODALITY, ARCHIVE = "10.20.1.10", "10.20.2.20"
DICOM_PORT, WEB_PORT, CLOSED_PORT = 11112, 80, 9999
ASSOCIATE_REQUEST, ASSOCIATE_ACCEPT = b"\x01\x00", b"\x02\x00"


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    return list(rdpcap(str(CAPTURE)))


def tcp_bytes(packets: list[Packet], *, source: str, port: int) -> bytes:
    """What one machine said on one TCP port, in the order sent (the recording lost and repeated nothing)."""
    said = (p for p in packets if TCP in p and IP in p and p[IP].src == source and port in (p[TCP].sport, p[TCP].dport))
    return b"".join(bytes(p[TCP].payload)[: p[IP].len - 4 * p[IP].ihl - 4 * p[TCP].dataofs] for p in said)


def tcp_checksum_is_right(packet: Packet) -> bool:
    """Add up the pseudo-header and the segment as they stand: right when nothing is left over."""
    ip = packet[IP]
    segment = bytes(ip)[4 * ip.ihl : ip.len]
    pseudo = bytes(ip)[12:20] + bytes([0, ip.proto]) + len(segment).to_bytes(2, "big")
    return bool(checksum(pseudo + segment) == 0)


def test_the_readme_names_this_very_file() -> None:
    readme = (FOLDER / "README.md").read_text()

    assert hashlib.sha256(CAPTURE.read_bytes()).hexdigest() in readme
    assert f"{CAPTURE.stat().st_size:,} bytes" in readme


def test_it_is_small_and_has_the_packets_the_readme_counts(packets: list[Packet]) -> None:
    stated = re.search(r"(\d+) packets", (FOLDER / "README.md").read_text())

    assert CAPTURE.stat().st_size < 1_000_000
    assert stated is not None
    assert len(packets) == int(stated[1])


def test_no_frame_is_longer_than_a_link_of_1500_allows(packets: list[Packet]) -> None:
    assert max(len(p) - (4 if Dot1Q in p else 0) for p in packets) == 1514


def test_a_dicom_study_of_the_invented_patient_is_stored(packets: list[Packet]) -> None:
    asked = tcp_bytes(packets, source=MODALITY, port=DICOM_PORT)
    answered = tcp_bytes(packets, source=ARCHIVE, port=DICOM_PORT)

    assert asked.startswith(ASSOCIATE_REQUEST)
    assert answered.startswith(ASSOCIATE_ACCEPT)
    assert b"EXAMPLE^PATIENT" in asked
    assert b"1.2.840.10008.5.1.4.1.1.7" in asked
    assert len(asked) > 128 * 128


def test_the_name_server_answers_with_a_aaaa_ptr_and_no_such_name(packets: list[Packet]) -> None:
    answers = [p[DNS] for p in packets if DNS in p and p[DNS].qr]

    assert [(a.an[0].type, a.an[0].rdata) for a in answers if a.ancount] == [
        (1, ARCHIVE),
        (28, "2001:db8:20:2::20"),
        (12, b"archive.hospital.example."),
    ]
    assert [a.rcode for a in answers if not a.ancount] == [3]


def test_a_page_is_fetched_over_both_versions_of_ip_and_in_the_vlan(packets: list[Packet]) -> None:
    requests = [p for p in packets if TCP in p and bytes(p[TCP].payload).startswith(b"GET /worklist.html ")]

    assert [(IPv6 in p, Dot1Q in p) for p in requests] == [(False, False), (True, False), (False, True)]
    assert tcp_bytes(packets, source=ARCHIVE, port=WEB_PORT).startswith(b"HTTP/1.0 200 OK\r\n")


def test_neighbors_are_found_by_arp_and_by_ndp(packets: list[Packet]) -> None:
    arps = [(Dot1Q in p, p[ARP].op, p[ARP].psrc) for p in packets if ARP in p]

    assert arps == [
        (False, 1, MODALITY),
        (False, 2, "10.20.1.1"),
        (True, 1, "10.20.30.10"),
        (True, 2, "10.20.30.1"),
    ]
    assert [p[ICMPv6ND_NA].tgt for p in packets if ICMPv6ND_NA in p] == ["2001:db8:20::1"]


def test_icmp_errors_quote_the_datagrams_that_earned_them(packets: list[Packet]) -> None:
    errors = [p for p in packets if ICMP in p]

    assert [(p[IP].src, p[ICMP].type, p[ICMP].code) for p in errors] == [(ARCHIVE, 3, 3), ("10.20.1.1", 11, 0)]
    for error in errors:
        assert (error[IPerror].src, error[IPerror].dst) == (MODALITY, ARCHIVE)
        assert error[UDPerror].dport == CLOSED_PORT
    assert sum(ICMPv6DestUnreach in p for p in packets) == 1
    assert sum(ICMPv6EchoReply in p for p in packets) == 2
    assert sum(UDP in p and p[UDP].dport == CLOSED_PORT for p in packets) == 3


def test_only_the_page_fetched_with_offload_has_wrong_checksums(packets: list[Packet]) -> None:
    wrong = [p for p in packets if TCP in p and IP in p and not tcp_checksum_is_right(p)]

    assert Counter((p[IP].src, p[TCP].dport) for p in wrong) == {(MODALITY, WEB_PORT): 8}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_sees_the_checksums_the_readme_lists() -> None:
    told = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    protocols = ("ip", "tcp", "udp", "icmp", "icmpv6")
    fields = [word for name in protocols for word in ("-e", f"{name}.checksum.status")]
    shown = ["-T", "fields", "-E", "occurrence=f", "-E", "separator=,"]
    words = ["tshark", "-r", str(CAPTURE), *told, *shown, *fields]
    rows = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    counts = Counter(
        (name, state) for row in rows for name, state in zip(protocols, row.split(","), strict=True) if state
    )

    assert counts == {
        ("ip", "1"): 99,
        ("tcp", "1"): 95,
        ("tcp", "0"): 8,
        ("udp", "1"): 14,
        ("icmp", "1"): 2,
        ("icmpv6", "1"): 39,
    }


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_follows_the_dicom_conversations_to_their_success() -> None:
    words = ["tshark", "-r", str(CAPTURE), "-Y", "dicom", "-T", "fields", "-e", "_ws.col.Info"]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout

    assert "C-ECHO-RSP ID=1 (Success)" in told
    assert "C-STORE-RSP ID=1 (Success)" in told
