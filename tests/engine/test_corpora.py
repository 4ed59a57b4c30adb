"""Every capture of the shared test data: rewritten or refused by name."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from gql_server.domain.errors import CaptureError
from gql_server.domain.verification import AddressExpectation, MacExpectation, VerificationStatus
from gql_server.engine.tasks import VerifyTask
from gql_server.engine.verify.verifying import verify
from tests.captures import ip_bytes, mac_bytes
from tests.engine.corpora import corpora
from tests.engine.doubles import anonymize_file, inspect_file
from tests.engine.reading import is_kept_ip, is_kept_mac, read_packet, unchanged

READABLE = 415
"""At least so many of the 421 files are captures; the others have faults or versions that are refused."""


def packets_of(path: Path) -> list[tuple[int, bytes, bytes]]:
    """Read a capture a second time: link type, what the record says of time and length, packet."""
    data = path.read_bytes()
    return _pcapng(data) if data[:4] == b"\n\r\r\n" else _pcap(data)


def _pcap(data: bytes) -> list[tuple[int, bytes, bytes]]:
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    found, place = [], 24
    while place < len(data):
        size = struct.unpack_from(order + "I", data, place + 8)[0]
        found.append((link_type, data[place : place + 16], data[place + 16 : place + 16 + size]))
        place += 16 + size
    return found


def _pcapng(data: bytes) -> list[tuple[int, bytes, bytes]]:
    found: list[tuple[int, bytes, bytes]] = []
    faces: list[tuple[int, int]] = []
    place, order = 0, "<"
    while place < len(data):
        if data[place : place + 4] == b"\n\r\r\n":
            order, faces = ("<" if data[place + 8] == 0x4D else ">"), []
        kind, length = struct.unpack_from(order + "II", data, place)
        if kind == 1:
            faces.append(struct.unpack_from(order + "HxxI", data, place + 8))
        elif kind == 3:
            wire = struct.unpack_from(order + "I", data, place + 8)[0]
            size = min(wire, faces[0][1] or wire, length - 16)
            found.append((faces[0][0], data[place + 8 : place + 12], data[place + 12 : place + 12 + size]))
        elif kind in (2, 6):
            size = struct.unpack_from(order + "I", data, place + 20)[0]
            face = struct.unpack_from(order + ("I" if kind == 6 else "H"), data, place + 8)[0]
            found.append((faces[face][0], data[place + 8 : place + 28], data[place + 28 : place + 28 + size]))
        place += length
    return found


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    """Every capture that is understood: as it was stored, and rewritten."""
    root, done, refusals = tmp_path_factory.mktemp("corpora"), [], []
    for number, source in enumerate(sorted(path for path in corpora("captures").rglob("*") if path.is_file())):
        before, after = root / f"{number}.in", root / f"{number}.out"
        try:
            summary = inspect_file(source, before).summary
            stored = before / summary.format.file_name
            result = anonymize_file(stored, after).summary
        except CaptureError as error:
            refusals.append(error)
            continue
        assert result == inspect_file(after / summary.format.file_name, root / f"{number}.again").summary
        done.append((stored, after / summary.format.file_name))
    assert all("offset" in error.facts() for error in refusals)
    return done


def test_most_captures_are_understood(rewritten: list[tuple[Path, Path]]) -> None:
    assert len(rewritten) >= READABLE


def test_packets_lengths_and_times_are_equal(rewritten: list[tuple[Path, Path]]) -> None:
    for before, after in rewritten:
        old, new = packets_of(before), packets_of(after)
        assert [(link, said, len(packet)) for link, said, packet in old] == [
            (link, said, len(packet)) for link, said, packet in new
        ]


def test_no_unicast_address_of_a_read_header_stays(rewritten: list[tuple[Path, Path]]) -> None:
    stayed = [
        (before.parent.name, number, places)
        for before, after in rewritten
        for number, ((link, _, old), (_, _, new)) in enumerate(zip(packets_of(before), packets_of(after), strict=True))
        if (places := unchanged(old, new, link))
    ]
    assert stayed == []


def test_checksums_are_as_right_and_wrong_as_they_were(rewritten: list[tuple[Path, Path]]) -> None:
    changed = []
    for before, after in rewritten:
        for (link, _, old), (_, _, new) in zip(packets_of(before), packets_of(after), strict=True):
            was, now = read_packet(old, link).checksums, read_packet(new, link).checksums
            changed += [(before.parent.name, was, now)] if was != now and len(was) == len(now) else []
    assert changed == []


def scapy_addresses(packet: bytes) -> set[bytes]:
    """Read the outer addresses of an Ethernet frame with scapy."""
    found: set[bytes] = set()
    frame = Ether(packet)
    found |= {mac_bytes(frame.src), mac_bytes(frame.dst)}
    for layer, fields in ((IP, ("src", "dst")), (IPv6, ("src", "dst")), (ARP, ("psrc", "pdst"))):
        if layer in frame:
            found |= {
                ip_bytes(str(getattr(frame[layer], name))) for name in fields if is_ip(getattr(frame[layer], name))
            }
    return found


def is_ip(value: object) -> bool:
    return isinstance(value, str) and (value.count(".") == 3 or ":" in value)


def is_kept(packed: bytes) -> bool:
    return is_kept_mac(packed) if len(packed) == 6 else is_kept_ip(packed)


@pytest.mark.filterwarnings("ignore")
def test_scapy_finds_no_original_address(rewritten: list[tuple[Path, Path]]) -> None:
    leaks = []
    for before, after in rewritten[::8]:
        pairs = list(zip(packets_of(before), packets_of(after), strict=True))[:40]
        old = {
            one for (link, _, packet), _ in pairs if link == 1 and len(packet) >= 54 for one in scapy_addresses(packet)
        }
        new = {
            one for _, (link, _, packet) in pairs if link == 1 and len(packet) >= 54 for one in scapy_addresses(packet)
        }
        leaks += [(before.parent.name, one.hex()) for one in old & new if not is_kept(one)]
    assert leaks == []


FIELDS = ["eth.src", "eth.dst", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"]


CHECKSUMS = [f"{protocol}.checksum.status" for protocol in ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp")]
"""The statuses of tshark: 0 bad, 1 good, 2 unverified, 3 not present."""
SEEN = ["frame.time_epoch", "frame.len", "frame.cap_len"]
STEP = 1 if "GQL_SERVER_LONG_TESTS" in os.environ else 30


def tshark(path: Path, fields: list[str]) -> list[list[str]]:
    arguments = ["tshark", "-n", "-r", str(path), "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    # It quotes packets in its messages: payload, which is kept here.
    arguments += ["--disable-protocol", "openflow"]
    for protocol in ("ip", "tcp", "udp"):
        arguments += ["-o", f"{protocol}.check_checksum:TRUE"]
    arguments += ["-T", "fields", *(word for field in fields for word in ("-e", field))]
    # It reads a few of the files only in part, or refuses their link type; what it does read is compared.
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return [line.split("\t") for line in done.stdout.splitlines()]


def tshark_addresses(path: Path) -> set[str]:
    return {one for line in tshark(path, FIELDS) for cell in line for one in cell.split(",") if one}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_tshark_finds_no_original_address(rewritten: list[tuple[Path, Path]]) -> None:
    leaks = []
    for before, after in rewritten[::STEP]:
        for text in tshark_addresses(before) & tshark_addresses(after):
            packed = mac_bytes(text) if text.count(":") == 5 and len(text) == 17 else ip_bytes(text)
            leaks += [] if is_kept(packed) else [(before.parent.name, text)]
    assert leaks == []


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_tshark_finds_no_checksum_in_another_state(rewritten: list[tuple[Path, Path]]) -> None:
    """What was zeroed may be read as less than it was; a status that is still there is the same."""
    changed = []
    for before, after in rewritten[::STEP]:
        old, new = iter(tshark(before, [*SEEN, *CHECKSUMS])), tshark(after, [*SEEN, *CHECKSUMS])
        for number, now in enumerate(new, start=1):
            # It counts blocks that are no packets, too; these are gone.
            was = next(one for one in old if one[: len(SEEN)] == now[: len(SEEN)])
            for field, one, other in zip(CHECKSUMS, was[len(SEEN) :], now[len(SEEN) :], strict=True):
                kept = other.split(",") if other else []
                if kept != one.split(",")[: len(kept)]:
                    changed.append((before.parent.name, number, field, one, other))
    assert changed == []


def test_the_second_reader_accounts_for_every_output(rewritten: list[tuple[Path, Path]]) -> None:
    unsound = []
    for before, after in rewritten:
        task = VerifyTask(
            source=before,
            output=after,
            addresses=AddressExpectation.PREFIX_PRESERVED,
            macs=MacExpectation.MAPPED,
            memory_bytes=1 << 29,
        )
        found = verify(task, lambda _: None).verification
        if found.status not in (VerificationStatus.VERIFIED, VerificationStatus.PARTIAL):
            unsound.append((before.parent.name, found.status, found.reasons))
    assert unsound == []
