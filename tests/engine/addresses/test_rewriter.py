import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from gql_server.engine.addresses import rewriter
from gql_server.engine.addresses.rewriter import Rewriter
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.kernels import kernel_environment
from tests.captures import Face, Packet, SectionOf, ethernet, packets, pcap, pcapng, read_pcap, udp4, udp6
from tests.engine.addresses.test_hazards import CARRIED, STUDIED
from tests.engine.addresses.test_plain_packets import mixture
from tests.engine.doubles import BytesSource, Identity, Involution, Words, anonymize_file, rewrite_capture
from tests.engine.judging import MAP
from tests.engine.reading import read_packet, unchanged


def conversations(count: int) -> list[bytes]:
    frames = []
    for n in range(count):
        host = f"{n >> 8 & 255}.{n & 255}"
        mac = f"02:00:00:00:{n >> 8 & 255:02x}:{n & 255:02x}"
        frames.append(ethernet(udp4(b"p", source=f"10.1.{host}", destination=f"10.2.{host}"), source=mac))
        six = udp6(b"p", source=f"2001:db8::{n:x}", destination=f"2001:db8:1::{n:x}")
        frames.append(ethernet(six, kind=0x86DD, destination=mac))
    return frames


def test_the_result_does_not_depend_on_the_windows() -> None:
    capture = pcap(packets(*conversations(300)))
    results = set()
    for window in (256, 4096, 1 << 20):
        one = Rewriter(MAP)
        out = b""
        for part in CaptureWindows(BytesSource(capture), strip=True, window_bytes=window):
            one.rewrite(part)
            out += bytes(part.data)
        results.add(out)
    assert len(results) == 1


def test_the_same_address_becomes_the_same_everywhere() -> None:
    frames = [ethernet(udp4(bytes([n]))) for n in range(50)]
    out = read_pcap(rewrite_capture(pcap(packets(*frames)), MAP))
    assert len({frame[:12] + frame[26:34] for frame in out}) == 1


@pytest.mark.parametrize("most", [4, 64])
def test_tables_that_grow_or_are_cleared_change_no_result(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    capture = pcap(packets(*conversations(400)))
    expected = rewrite_capture(capture, MAP)
    # As small as one packet's addresses allow, so that they fill up again and again.
    monkeypatch.setattr(rewriter, "_NARROW_SLOTS", 16)
    monkeypatch.setattr(rewriter, "_NARROW_MOST", 16 * most)
    monkeypatch.setattr(rewriter, "_WIDE_SLOTS", 16)
    monkeypatch.setattr(rewriter, "_WIDE_MOST", 16 * most)
    assert rewrite_capture(capture, MAP) == expected


class Counting(Involution):
    def __init__(self) -> None:
        self.asked = 0

    def ipv4(self, addresses: Words) -> Words:
        self.asked += len(addresses)
        return super().ipv4(addresses)


def test_an_address_is_mapped_once() -> None:
    counting = Counting()
    rewrite_capture(pcap(packets(*conversations(100), *conversations(100))), counting)
    assert counting.asked == 200


def test_distinct_addresses_are_counted() -> None:
    one = Rewriter(MAP)
    for window in CaptureWindows(BytesSource(pcap(packets(*conversations(100) * 2))), strip=True):
        one.rewrite(window)
    report = one.report(400, 0)
    assert (report.addresses_ipv4, report.addresses_ipv6, report.addresses_mac) == (200, 200, 102)


def test_packets_go_by_the_link_type_of_their_interface() -> None:
    faces = [Face(link_type=1), Face(link_type=101)]
    contents = [Packet(data=ethernet(udp4())), Packet(data=udp4(), interface=1)]
    capture = pcapng(SectionOf(faces=faces, contents=contents))
    out = rewrite_capture(capture, MAP)
    (first,), (second,) = ([capture.index(one.data)] for one in contents)
    assert unchanged(contents[0].data, out[first : first + len(contents[0].data)]) == []
    assert unchanged(contents[1].data, out[second : second + len(contents[1].data)], 101) == []


def test_an_interface_of_an_unknown_link_type_is_zeroed_and_the_others_are_not() -> None:
    faces = [Face(link_type=1), Face(link_type=147)]
    contents = [Packet(data=ethernet(udp4())), Packet(data=b"?" * 40, interface=1), Packet(data=ethernet(udp6()))]
    out = rewrite_capture(pcapng(SectionOf(faces=faces, contents=contents)), Identity())
    zeroed = [contents[0], Packet(data=bytes(40), interface=1), contents[2]]
    assert out == rewrite_capture(pcapng(SectionOf(faces=faces, contents=zeroed)), Identity())


def test_wrong_checksums_of_a_capture_stay_wrong() -> None:
    frames = [bytearray(frame) for frame in conversations(20)]
    for frame in frames[::4]:
        frame[40] ^= 1
    out = read_pcap(rewrite_capture(pcap(packets(*map(bytes, frames))), MAP))
    assert [read_packet(bytes(a)).checksums for a in frames] == [read_packet(b).checksums for b in out]


def test_seeds_are_odd_and_differ() -> None:
    words = {tuple(Rewriter(MAP)._state[10:13].tolist()) for _ in range(5)}
    assert len(words) == 5
    assert all(np.array(row)[0] % 2 for row in words)


CODE = """
import sys
from pathlib import Path
from gql_server.engine.compilation import CHECKED
from tests.engine.doubles import anonymize_file
assert not CHECKED
anonymize_file(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_the_fast_build_writes_what_the_checked_one_does(kernels: Path, tmp_path: Path) -> None:
    frames = [*mixture(7, 3_000), *conversations(500)]
    frames += [hazard.packet for hazard in (STUDIED | CARRIED).values()]
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(packets(*frames)))
    checked = anonymize_file(source, tmp_path / "checked")
    environment = {**os.environ, **kernel_environment(kernels, checked=False), "PYTHONPATH": str(Path.cwd())}
    arguments = [sys.executable, "-c", CODE, str(source), str(tmp_path / "fast")]
    subprocess.run(arguments, check=True, env=environment)
    fast = (tmp_path / "fast" / "capture.pcap").read_bytes()
    assert sha256(fast).hexdigest() == checked.summary.sha256
