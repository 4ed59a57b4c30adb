from pathlib import Path

import pytest

from tests.captures import ICMP, ICMPV6, UDP, ethernet, icmp, icmpv6, ipv4, ipv6, udp
from tests.engine.dicom.talking import hello, only, opened, packets_of, send, settled, tcp_residue, whole

SECRET = b"PatientName^Jane"
OPTIONS = {
    "maximum": b"\2\4\5\xb4",
    "scale": b"\3\3\7",
    "selective": b"\4\2",
    "ranges": b"\5\x12" + bytes(range(1, 17)),
    "times": b"\x08\x0a\1\2\3\4\5\6\7\x08",
    "timeout": b"\x1c\4\1\2",
    "cookie": b"\x22\x0a\1\2\3\4\5\6\7\x08",
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_in_the_form_of_its_standard_stays(tmp_path: Path, name: str) -> None:
    frame = send(options=OPTIONS[name])
    assert settled(tmp_path, [frame]) == [frame]


@pytest.mark.parametrize("name", OPTIONS)
def test_in_another_form_it_goes(tmp_path: Path, name: str) -> None:
    kind = OPTIONS[name][0]
    frame = send(options=bytes([kind, 15]) + SECRET[:13] + OPTIONS["maximum"])
    after = settled(tmp_path, [frame])[0]
    assert after[54:74] == bytes([kind, 15]) + bytes(13) + OPTIONS["maximum"] + b"\1"
    assert tcp_residue(after) == 0


@pytest.mark.parametrize("kind", [19, 29, 30, 253])
def test_digests_and_multipath_options_go(tmp_path: Path, kind: int) -> None:
    after = settled(tmp_path, [send(options=bytes([kind, 18]) + SECRET)])[0]
    assert after[54:72] == bytes([kind, 18]) + bytes(16)


def test_payload_behind_options_is_found(tmp_path: Path) -> None:
    with opened(tmp_path, [send(SECRET, options=OPTIONS["times"])]) as image:
        assert whole(only(image).streams[0]) == SECRET


def test_a_cut_segment_is_counted_and_leaves_a_hole(tmp_path: Path) -> None:
    frames = [*hello(), send(SECRET)[:-6], send(SECRET, at=16)[:54], send(b"end", at=32)]
    with opened(tmp_path, frames) as image:
        stream = only(image).streams[0]
        assert stream.covered(0, 99) == [(0, 10), (32, 3)]
        assert (stream.cut, stream.holes, only(image).packets) == (2, 1, 3)


def test_a_length_of_zero_goes_to_the_end_of_the_packet(tmp_path: Path) -> None:
    frame = send(SECRET)
    frame = frame[:16] + b"\0\0" + frame[18:]
    with opened(tmp_path, [frame]) as image:
        assert whole(only(image).streams[0]) == SECRET


def test_eight_bytes_of_icmp_stay(tmp_path: Path) -> None:
    four = ethernet(ipv4(icmp(8, SECRET, rest=b"\1\2\3\4"), ICMP))
    six = ethernet(ipv6(icmpv6(135, SECRET, rest=b"\1\2\3\4"), ICMPV6), kind=0x86DD)
    assert settled(tmp_path, [four, six]) == [
        ethernet(ipv4(icmp(8, bytes(16), rest=b"\1\2\3\4"), ICMP)),
        ethernet(ipv6(icmpv6(135, bytes(16), rest=b"\1\2\3\4"), ICMPV6), kind=0x86DD),
    ]


def test_a_datagram_keeps_its_header(tmp_path: Path) -> None:
    assert settled(tmp_path, [ethernet(ipv4(udp(SECRET), UDP))]) == [ethernet(ipv4(udp(bytes(16)), UDP))]


def test_packets_that_changed_nothing_are_not_counted(tmp_path: Path) -> None:
    with opened(tmp_path, [ethernet(ipv4(udp(bytes(16)), UDP)), *hello(), send(bytes(9))]) as image:
        done = image.settle()
    assert (done.packets_rewritten, done.bytes_foreign) == (0, 25)
    assert packets_of(tmp_path)[-1] == send(bytes(9))
