from hashlib import sha256

from gql_server.domain.traces import CaptureFormat
from tests.captures import Face, Packet, SectionOf, option, pcap, pcapng
from tests.engine.doubles import summarize


def test_a_pcap_is_summed_up() -> None:
    contents = [
        Packet(data=b"a" * 10, time_ns=5_000_000_000),
        Packet(data=b"b" * 20, time_ns=3_000_001_000, original_length=1500),
    ]
    data = pcap(contents, link_type=113)
    summary = summarize(data)
    assert summary.format == CaptureFormat.PCAP
    assert summary.sha256 == sha256(data).hexdigest()
    assert (summary.size_bytes, summary.link_types, summary.interfaces) == (len(data), (113,), 1)
    assert (summary.packets, summary.captured_bytes, summary.original_bytes) == (2, 30, 1510)
    assert (summary.truncated_packets, summary.first_time_ns, summary.last_time_ns) == (1, 3_000_001_000, 5_000_000_000)


def test_times_of_interfaces_with_other_units_are_compared_as_times() -> None:
    faces = [Face(), Face(options=option(9, b"\x03"), units_per_second=1000), Face(link_type=113)]
    contents = [Packet(data=b"", time_ns=9_000_000_000), Packet(data=b"", time_ns=10_000_000_000, interface=1)]
    summary = summarize(pcapng(SectionOf(faces=faces, contents=contents)))
    assert (summary.first_time_ns, summary.last_time_ns) == (9_000_000_000, 10_000_000_000)
    assert (summary.link_types, summary.interfaces) == ((1, 113), 3)


def test_times_beyond_63_bits_are_told() -> None:
    face = Face(options=option(9, b"\x09"), units_per_second=10**9)
    contents = [Packet(data=b"", time_ns=(1 << 64) - 1), Packet(data=b"", time_ns=1 << 63)]
    summary = summarize(pcapng(SectionOf(faces=[face], contents=contents)))
    assert (summary.first_time_ns, summary.last_time_ns) == (1 << 63, (1 << 64) - 1)
