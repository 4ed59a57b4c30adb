from dataclasses import replace

import pytest

from gql_server.domain.anonymization import PayloadPolicy
from gql_server.domain.traces import CaptureSummary
from gql_server.engine.addresses.rewriter import Rewriter
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.inspect.summary import Summarizer
from tests.captures import (
    Face,
    Packet,
    SectionOf,
    arp,
    ethernet,
    option,
    packets,
    pcap,
    pcapng,
    tcp4,
    udp4,
    udp6,
)
from tests.engine.doubles import BytesSource, Identity, rewrite_capture, summarize

CUT = PayloadPolicy.TRUNCATE
FRAMES = [ethernet(udp4(b"x" * n)) for n in (0, 1, 2, 3, 4, 5, 99)]
FRAMES += [ethernet(arp(), kind=0x0806), ethernet(tcp4(b"y" * 40)), ethernet(udp6(b"z" * 7), kind=0x86DD)]
HEADERS = [42] * 7 + [42, 54, 62]


def shortened(frames: list[bytes]) -> list[Packet]:
    """The same packets as a capture with a snap length would hold them, were it another for each."""
    cut = zip(packets(*frames), HEADERS, strict=True)
    return [Packet(data=one.data[:size], time_ns=one.time_ns, original_length=len(one.data)) for one, size in cut]


def unsummed(capture: bytes) -> bytes:
    """Leave out what checksums say of payload that is gone."""
    return rewrite_capture(capture, Identity(), payload=PayloadPolicy.KEEP)


def zeroed(frame: bytes, size: int) -> bytes:
    """A frame whose checksum says what it says with payload of zeros."""
    return rewrite_capture(pcap(packets(frame)), Identity(), payload=PayloadPolicy.ZERO)[40:][:size]


def expected() -> list[Packet]:
    return [
        replace(one, data=zeroed(frame, size))
        for one, frame, size in zip(shortened(FRAMES), FRAMES, HEADERS, strict=True)
    ]


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_pcap_records_move_together(*, little: bool, nanoseconds: bool) -> None:
    capture = pcap(packets(*FRAMES), little=little, nanoseconds=nanoseconds)
    out = rewrite_capture(capture, Identity(), payload=CUT)
    assert out == pcap(expected(), little=little, nanoseconds=nanoseconds)


@pytest.mark.parametrize("kind", [2, 6])
@pytest.mark.parametrize("little", [True, False])
def test_pcapng_blocks_move_together_and_are_padded_anew(*, kind: int, little: bool) -> None:
    order = "<" if little else ">"
    section = SectionOf(contents=packets(*FRAMES), little=little, packet_kind=kind)
    noisy = replace(section, packet_options=option(1, b"remark", order))
    out = rewrite_capture(pcapng(noisy), Identity(), payload=CUT)
    assert out == rewrite_capture(pcapng(replace(section, contents=expected())), Identity())


def test_sections_of_both_byte_orders_are_shortened_each_in_its_own() -> None:
    sections = [SectionOf(contents=packets(*FRAMES), little=little) for little in (True, False, True)]
    out = rewrite_capture(pcapng(*sections), Identity(), payload=CUT)
    wanted = [replace(section, contents=expected()) for section in sections]
    assert out == rewrite_capture(pcapng(*wanted), Identity())


def test_kinds_of_blocks_may_alternate_and_others_lie_between() -> None:
    section = SectionOf(faces=[Face(), Face()], contents=packets(FRAMES[-2], FRAMES[2]))
    simple = replace(section, packet_kind=3)
    out = rewrite_capture(pcapng(section, simple, section), Identity(), payload=CUT)
    assert summarize(out).packets == 6
    assert b"y" not in out


def rewritten_summary(capture: bytes, window: int) -> tuple[CaptureSummary, bytes]:
    windows = CaptureWindows(BytesSource(capture), strip=True, window_bytes=window)
    rewriter, summarizer, out = Rewriter(Identity(), payload=CUT), Summarizer(), b""
    for part in windows:
        rewriter.rewrite(part)
        summarizer.add(part.data)
        out += bytes(part.data)
    return summarizer.summary(windows), out


@pytest.mark.parametrize("window", [256, 1000, 1 << 20])
@pytest.mark.parametrize("capture", [pcap(packets(*FRAMES * 9)), pcapng(SectionOf(contents=packets(*FRAMES * 9)))])
def test_the_summary_is_of_what_is_written(capture: bytes, window: int) -> None:
    summary, out = rewritten_summary(capture, window)
    assert summary == summarize(out)
    assert summary.truncated_packets == 9 * 8
    assert summary.original_bytes == 9 * sum(map(len, FRAMES))


def test_a_packet_that_was_cut_before_is_counted_once() -> None:
    contents = [Packet(data=FRAMES[-4], original_length=500)]
    summary, out = rewritten_summary(pcap(contents), 1 << 20)
    assert (summary.truncated_packets, summary.original_bytes) == (1, 500)
    assert summary == summarize(out)
