import struct

import pytest

from gql_server.domain.errors import (
    CaptureCut,
    RecordTooLarge,
    UnsupportedCapture,
)
from tests.captures import Packet, packets, pcap, tcp4
from tests.engine.doubles import Identity, rewrite_capture, summarize


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_pcap_is_read_in_both_byte_orders_and_both_units(*, little: bool, nanoseconds: bool) -> None:
    times = [1_700_000_000_123_456_789, 5, 4_294_967_295_999_999_999]
    contents = [Packet(data=b"x", time_ns=time) for time in times]
    summary = summarize(pcap(contents, little=little, nanoseconds=nanoseconds))
    unit = 1 if nanoseconds else 1000
    assert summary.packets == 3
    assert summary.first_time_ns == 5 // unit * unit
    assert summary.last_time_ns == 4_294_967_295_999_999_999 // unit * unit


def test_lengths_and_truncation_are_counted() -> None:
    contents = [Packet(data=b"x" * 10, original_length=99), Packet(data=b"y" * 34, original_length=32)]
    summary = summarize(pcap(contents))
    assert (summary.captured_bytes, summary.original_bytes, summary.truncated_packets) == (44, 131, 1)


def test_the_upper_bits_of_the_link_type_are_copied_through() -> None:
    data = pcap(packets(tcp4()), link_type=0x30000065)
    assert summarize(data).link_types == (101,)
    assert rewrite_capture(data, Identity()) == data


@pytest.mark.parametrize("declared", [0xFFFFFFFF, (64 << 20) + 1])
def test_a_record_that_declares_too_much_is_refused_where_it_begins(declared: int) -> None:
    data = pcap(packets(b"x" * 30)) + struct.pack("<IIII", 0, 0, declared, declared) + b"rest"
    with pytest.raises(RecordTooLarge) as refused:
        summarize(data)
    assert (refused.value.offset, refused.value.declared_bytes) == (70, declared)


def test_another_pcap_version_is_refused() -> None:
    with pytest.raises(UnsupportedCapture):
        summarize(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 1, 0, 0, 0, 1))


def test_a_cut_file_header_is_a_cut_capture() -> None:
    with pytest.raises(CaptureCut) as refused:
        summarize(pcap([])[:20])
    assert refused.value.offset == 0
