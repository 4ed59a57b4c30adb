import struct

import pytest

from gql_server.domain.errors import (
    BlockMalformed,
    NotACapture,
    RecordTooLarge,
    UnsupportedCapture,
)
from gql_server.domain.traces import CaptureFormat
from tests.captures import Face, Packet, SectionOf, block, ethernet, option, packets, pcapng, udp4
from tests.engine.doubles import Identity, rewrite_capture, summarize


def test_sections_of_both_byte_orders_with_interfaces_of_their_own_are_read() -> None:
    first = SectionOf(
        faces=[Face(link_type=1), Face(link_type=113, options=option(9, b"\x09"), units_per_second=10**9)],
        contents=[Packet(data=b"a" * 5, time_ns=2_000_000_001, interface=1), Packet(data=b"b", time_ns=7_000_000_000)],
    )
    offset = option(14, struct.pack(">q", 1000), ">")
    second = SectionOf(
        little=False,
        faces=[
            Face(link_type=101, options=option(9, b"\x8a", ">") + offset, units_per_second=1024, offset_seconds=1000)
        ],
        contents=[Packet(data=b"c" * 9, time_ns=1_700_000_000_500_000_000)],
    )
    summary = summarize(pcapng(first, second))
    assert summary.format == CaptureFormat.PCAPNG
    assert (summary.link_types, summary.interfaces, summary.packets) == ((1, 113, 101), 3, 3)
    assert summary.first_time_ns == 2_000_000_001
    assert summary.last_time_ns == 1_700_000_000_500_000_000


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_each_kind_of_packet_block_is_read(kind: int) -> None:
    data = pcapng(SectionOf(contents=packets(b"a" * 5, b"b" * 8), packet_kind=kind))
    summary = summarize(data)
    assert (summary.packets, summary.captured_bytes) == (2, 13)
    assert (summary.first_time_ns is None) == (kind == 3)
    assert (
        rewrite_capture(pcapng(SectionOf(contents=packets(ethernet(udp4())), packet_kind=kind)), Identity()).count(
            ethernet(udp4())
        )
        == 1
    )


def test_a_simple_packet_is_cut_by_the_snap_length_of_its_interface() -> None:
    contents = [Packet(data=b"a" * 64, original_length=900)]
    summary = summarize(pcapng(SectionOf(faces=[Face(snap=64)], contents=contents, packet_kind=3)))
    assert (summary.captured_bytes, summary.original_bytes, summary.truncated_packets) == (64, 900, 1)


SECRETS = [
    b"SecretHardware",
    b"SecretHost",
    b"SecretName",
    b"SecretKey",
    b"SecretJournal",
    b"SecretCustom",
    b"SecretNote",
]


def test_stripping_leaves_packets_and_times_and_nothing_else() -> None:
    extra = block(4, struct.pack("<HH", 1, 15) + bytes(4) + b"SecretHost\0" + bytes(4))
    extra += block(10, struct.pack("<II", 0x544C534B, 9) + b"SecretKey") + block(9, b"SecretJournal")
    extra += block(0xBAD, struct.pack("<I", 32473) + b"SecretCustom") + block(5, bytes(12) + option(1, b"SecretNote"))
    face = Face(options=option(2, b"SecretName") + option(9, b"\x06") + option(6, b"SecretName"))
    section = SectionOf(
        faces=[face],
        contents=packets(ethernet(udp4())),
        options=option(2, b"SecretHardware"),
        extra=extra,
        packet_options=option(1, b"SecretNote") + option(3, b"\x02hash") + option(0, b""),
    )
    data = pcapng(section)
    assert all(secret in data for secret in SECRETS)
    stripped = rewrite_capture(data, Identity())
    assert not [secret for secret in SECRETS if secret in stripped]
    before, after = summarize(data), summarize(stripped)
    assert after.first_time_ns == before.first_time_ns
    assert ethernet(udp4()) in stripped
    assert rewrite_capture(stripped, Identity()) == stripped


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (struct.pack("<II", 6, 10), "length"),
        (struct.pack("<II", 6, 33), "length"),
        (block(6, struct.pack("<IIIII", 5, 0, 0, 0, 0)), "interface"),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 400, 400)), "captured"),
        (block(6, bytes(4)), "captured"),
        (block(3, b""), "captured"),
        (block(6, bytes(20))[:-4] + bytes(4), "lengths"),
        (block(1, bytes(4)), "short"),
        (block(0x0A0D0D0A, bytes(16)), "byte-order"),
        (block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HH", 2, 99)), "option"),
    ],
)
def test_a_malformed_block_is_refused_where_it_begins(tail: bytes, reason: str) -> None:
    start = pcapng(SectionOf())
    with pytest.raises(BlockMalformed, match=reason) as refused:
        summarize(start + tail + bytes(40 if len(tail) < 12 else 0))
    assert refused.value.offset == len(start)


def test_a_block_that_declares_too_much_is_refused() -> None:
    start = pcapng(SectionOf())
    for kind in (6, 0x0A0D0D0A):
        tail = struct.pack("<III", kind, 0xFFFFFFFC, 0x1A2B3C4D)
        with pytest.raises(RecordTooLarge) as refused:
            summarize(start + tail)
        assert refused.value.offset == len(start)


def test_an_interface_before_any_section_cannot_be() -> None:
    with pytest.raises(NotACapture):
        summarize(block(1, bytes(8)))


def test_another_pcapng_version_is_refused() -> None:
    with pytest.raises(UnsupportedCapture):
        summarize(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 1, -1)))
