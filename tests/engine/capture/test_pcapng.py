import struct
from dataclasses import replace

import pytest

from gql_server.domain.errors import (
    BlockMalformed,
    NotACapture,
    RecordTooLarge,
    UnsupportedCapture,
)
from gql_server.domain.traces import CaptureFormat
from tests.captures import MAC_A, Face, Packet, SectionOf, block, ethernet, mac_bytes, option, packets, pcapng, udp4
from tests.engine.doubles import Identity, rewrite_capture, rewrite_packet, summarize
from tests.engine.judging import MAP


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


WORD = b"Secret"
"""What no block or option may carry out."""
NAMES = struct.pack("<HH", 1, 11) + bytes(4) + WORD + b"\0\0" + bytes(4)
LEFT_OUT = {
    "name resolution": block(4, NAMES + option(2, WORD)),
    "interface statistics": block(5, bytes(12) + option(1, WORD) + option(4, bytes(8))),
    "systemd journal": block(9, b"_HOSTNAME=" + WORD),
    "decryption secrets": block(10, struct.pack("<II", 0x544C534B, len(WORD)) + WORD),
    "custom": block(0xBAD, struct.pack("<I", 32473) + WORD),
    "custom, not to be copied": block(0x40000BAD, struct.pack("<I", 32473) + WORD),
    "sysdig": block(0x204, bytes(20) + WORD),
    "hone": block(0x101, bytes(4) + WORD),
    "unassigned": block(0x7FFFFFFF, WORD),
}


@pytest.mark.parametrize("extra", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_block_of_another_kind_is_left_out(extra: bytes) -> None:
    with_it = pcapng(SectionOf(contents=packets(ethernet(udp4())), extra=extra))
    without = pcapng(SectionOf(contents=packets(ethernet(udp4()))))
    assert WORD in with_it
    assert rewrite_capture(with_it, Identity()) == rewrite_capture(without, Identity())


@pytest.mark.parametrize("code", [1, 2, 3, 4, 2988, 2989, 19372, 19373, 0x8001])
def test_options_of_a_section_are_left_out(code: int) -> None:
    section = SectionOf(contents=packets(ethernet(udp4())), options=option(code, WORD) + option(0, b""))
    out = rewrite_capture(pcapng(section), Identity())
    assert out == rewrite_capture(pcapng(SectionOf(contents=packets(ethernet(udp4())))), Identity())


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (1, WORD),
        (2, WORD),
        (3, WORD),
        (4, b"\xcb\0\x71\x4d\xff\xff\xff\0"),
        (5, bytes(16) + b"\x40"),
        (6, b"\0\x11\x22\x33\x44\x55"),
        (7, b"\0\x11\x22\xff\xfe\x33\x44\x55"),
        (8, bytes(8)),
        (9, WORD),
        (10, WORD),
        (11, b"\0host " + WORD),
        (12, WORD),
        (13, WORD),
        (14, WORD),
        (15, WORD),
        (16, bytes(8)),
        (17, bytes(8)),
        (18, b"\0\0\0\x01"),
        (2988, WORD),
        (0x8001, WORD),
    ],
)
def test_options_of_an_interface_are_left_out(code: int, value: bytes) -> None:
    contents = packets(ethernet(udp4()))
    told = SectionOf(faces=[Face(options=option(code, value) + option(0, b""))], contents=contents)
    assert rewrite_capture(pcapng(told), Identity()) == rewrite_capture(
        pcapng(SectionOf(contents=contents)), Identity()
    )


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize(
    ("code", "value"), [(9, b"\x09"), (9, b"\x94"), (10, b"\0\0\x0e\x10"), (13, b"\x04"), (14, b"\0\0\0\0\0\0\x0e\x10")]
)
def test_how_times_and_check_sequences_are_written_stays(*, code: int, value: bytes, little: bool) -> None:
    order = "<" if little else ">"
    plain = option(code, value if order == ">" else value[::-1], order) + option(0, b"", order)
    named = option(2, WORD, order) + plain
    kept = SectionOf(faces=[Face(options=plain)], contents=packets(ethernet(udp4())), little=little)
    told = SectionOf(faces=[Face(options=named)], contents=packets(ethernet(udp4())), little=little)
    assert rewrite_capture(pcapng(told), Identity()) == pcapng(kept)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 2988, 0x8001])
@pytest.mark.parametrize("kind", [2, 6])
@pytest.mark.parametrize("little", [True, False])
def test_options_of_a_packet_are_left_out(*, code: int, kind: int, little: bool) -> None:
    order = "<" if little else ">"
    plain = SectionOf(contents=packets(ethernet(udp4())), packet_kind=kind, little=little)
    told = replace(plain, packet_options=option(code, WORD, order) + option(0, b"", order))
    assert rewrite_capture(pcapng(told), Identity()) == pcapng(plain)


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_padding_of_a_packet_is_zeroed(kind: int) -> None:
    frame = ethernet(udp4(b"odd"))
    capture = pcapng(SectionOf(contents=packets(frame), packet_kind=kind))
    assert len(frame) % 4
    place = capture.index(frame) + len(frame)
    dirty = capture[:place] + WORD[: -len(frame) % 4] + capture[place + -len(frame) % 4 :]
    assert rewrite_capture(dirty, Identity()) == capture


def test_sections_are_rewritten_each_by_its_own_order_interfaces_and_link_types() -> None:
    frame, raw = ethernet(udp4(b"frame")), udp4(b"raw")
    cooked = bytes(4) + b"\0\x06" + mac_bytes(MAC_A) + b"\0\0\x08\0" + udp4(b"cooked")
    mixed = [Packet(data=frame), Packet(data=raw, interface=1), Packet(data=cooked, interface=2)]
    faces = [Face(link_type=1), Face(link_type=101), Face(link_type=113)]
    other = [Face(link_type=113), Face(link_type=1)]
    swapped = [Packet(data=cooked), Packet(data=frame, interface=1)]
    sections = [
        SectionOf(faces=faces, contents=mixed),
        SectionOf(faces=other, contents=swapped, little=False),
        SectionOf(faces=faces, contents=mixed, packet_kind=2),
        SectionOf(faces=other, contents=packets(cooked), packet_kind=3, little=False),
    ]
    capture = pcapng(*sections)
    out = rewrite_capture(capture, MAP)
    assert len(out) == len(capture)
    for packet, link_type in ((frame, 1), (raw, 101), (cooked, 113)):
        new, _ = rewrite_packet(packet, MAP, link_type=link_type)
        assert capture.replace(packet, new) != capture
        capture = capture.replace(packet, new)
    assert out == capture


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
