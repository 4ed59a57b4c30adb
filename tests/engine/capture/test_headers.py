import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.errors import BlockMalformed, CaptureError
from gql_server.engine.capture.headers import clean_section, parse_interface, parse_pcap_header, section_byte_order
from tests.captures import block, option


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_interface_keeps_its_time_options_alone(order: str) -> None:
    times = option(9, b"\x09", order) + option(14, struct.pack(order + "q", 3), order)
    options = option(2, b"eth0", order) + times + option(11, b"\0port 80", order) + option(0, b"", order)
    raw = block(1, struct.pack(order + "HHI", 113, 0, 96) + options, order)
    found = parse_interface(raw, 0, little=order == "<")
    assert (found.link_type, found.snap_length) == (113, 96)
    assert found.block == block(1, struct.pack(order + "HHI", 113, 0, 96) + times + option(0, b"", order), order)
    assert found.nanoseconds(5) == 3_000_000_005


@pytest.mark.parametrize(
    ("resolution", "ticks", "nanoseconds"),
    [
        (0, 7, 7_000_000_000),
        (3, 7, 7_000_000),
        (9, 7, 7),
        (12, 7_999, 7),
        (0x80, 7, 7_000_000_000),
        (0xA0, 1 << 32, 10**9),
    ],
)
def test_ticks_of_any_resolution_become_nanoseconds(resolution: int, ticks: int, nanoseconds: int) -> None:
    raw = block(1, struct.pack("<HHI", 1, 0, 0) + option(9, bytes([resolution])))
    assert parse_interface(raw, 0, little=True).nanoseconds(ticks) == nanoseconds


def test_an_interface_without_options_counts_microseconds_and_has_none() -> None:
    raw = block(1, struct.pack("<HHI", 1, 0, 0))
    found = parse_interface(raw, 0, little=True)
    assert (found.nanoseconds(1), found.block) == (1000, raw)


def test_options_of_the_wrong_length_are_dropped() -> None:
    raw = block(1, struct.pack("<HHI", 1, 0, 0) + option(9, b"\x09\x09") + option(14, b"xx") + option(10, b"x"))
    assert parse_interface(raw, 0, little=True).block == block(1, struct.pack("<HHI", 1, 0, 0))


def test_an_option_beyond_its_block_is_malformed() -> None:
    raw = block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HH", 2, 9) + b"x")
    with pytest.raises(BlockMalformed):
        parse_interface(raw, 5, little=True)


@given(st.binary(min_size=28, max_size=80), st.booleans())
def test_any_header_is_read_or_refused_with_a_named_error(raw: bytes, little: bool) -> None:  # noqa: FBT001
    readers: list[Callable[[], object]] = [
        lambda: parse_pcap_header(raw[:24]),
        lambda: section_byte_order(raw, 0),
        lambda: clean_section(raw, 0, little=little),
        lambda: parse_interface(raw, 0, little=little),
    ]
    for read in readers:
        try:
            read()
        except CaptureError as error:
            assert "offset" in error.facts()  # noqa: PT017  # either outcome is right
