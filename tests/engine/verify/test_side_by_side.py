from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gql_server.domain.verification import LeakPlace
from gql_server.engine.verify.framing import HEADERS
from gql_server.engine.verify.layout import LENGTHS, STATE_LENGTH, TIMES
from gql_server.engine.verify.side_by_side import Repetition, SideBySide
from tests.captures import IP_A, SectionOf, ethernet, ip_bytes, packets, pcap, pcapng, tcp4, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, replaced

FRAMES = [ethernet(udp4()), ethernet(tcp4()), ethernet(udp4(b"another"))]
OUTPUTS = [replaced(one) for one in FRAMES]
BEFORE = packets(*FRAMES)


def test_files_of_many_windows_are_read_to_the_end() -> None:
    short, long = ethernet(udp4(b"")), ethernet(udp4(b"p" * 1400))
    one, two = (pcap(packets(frame))[24:] for frame in (short, long))
    before = pcap([]) + one * 30_000 + two * 2_000 + one * 10
    one, two = (pcap(packets(replaced(frame)))[24:] for frame in (short, long))
    verification = prove(before, pcap([]) + one * 30_000 + two * 2_000 + one * 10)
    assert_sound(verification)
    assert verification.interference.packets == 32_010
    assert verification.scan.bytes_scanned == verification.ledger.size_bytes


@pytest.mark.parametrize("after", [packets(*OUTPUTS)[:2], packets(*OUTPUTS)[1:], [], [*packets(*OUTPUTS), *BEFORE[2:]]])
def test_a_packet_dropped_or_added_is_caught(after: list[object]) -> None:
    verification = prove(pcap(BEFORE), pcap(after))  # type: ignore[arg-type]  # packets
    assert verification.status is Status.FAILED
    assert Reason.PACKETS_DIFFER in verification.reasons


def test_packets_in_another_order_are_caught() -> None:
    after = packets(*OUTPUTS)
    verification = prove(pcap(BEFORE), pcap([after[1], after[0], after[2]]))
    assert Reason.PACKETS_DIFFER in verification.reasons
    assert verification.interference.times_changed == 2


def test_packets_that_changed_places_are_caught_by_their_bytes() -> None:
    verification = prove(pcap(packets(*FRAMES)), pcap(packets(OUTPUTS[1], OUTPUTS[0], OUTPUTS[2])))
    assert verification.status is Status.FAILED
    assert verification.interference.bytes_changed > 0


def test_a_capture_without_packets_is_sound() -> None:
    verification = prove(pcap([]), pcap([]))
    assert verification.status is Status.VERIFIED
    assert verification.ledger.structural == 24


def readings(directory: Path, before: bytes, after: bytes) -> SideBySide:
    (directory / "in").write_bytes(before)
    (directory / "out").write_bytes(after)
    return SideBySide(directory / "in", directory / "out")


def follow_all(reading: Repetition) -> None:
    for _ in reading:
        reading.follow(np.arange(len(reading.output.window)))


SECTION = [SectionOf(contents=BEFORE)]


@pytest.mark.parametrize(
    ("before", "after", "counter", "expected"),
    [
        (pcap(BEFORE), pcap(packets(*OUTPUTS)), None, True),
        (pcap(BEFORE), pcap(packets(*OUTPUTS)), LENGTHS, False),
        (pcap(BEFORE), pcap(packets(*OUTPUTS)), TIMES, False),
        (pcap(BEFORE), pcap(packets(*OUTPUTS), link_type=113), None, False),
        (pcap(BEFORE), pcap(packets(*OUTPUTS[:2])), None, False),
        (pcap(BEFORE), pcap(packets(*OUTPUTS, OUTPUTS[0])), None, False),
        (pcapng(*SECTION), pcapng(*SECTION), None, False),
        (pcap(BEFORE), pcap(BEFORE)[:-1], None, False),
    ],
    ids=["alike", "lengths", "times", "header", "fewer", "more", "pcapng", "cut"],
)
def test_files_are_aligned_when_their_records_are(
    tmp_path: Path, before: bytes, after: bytes, counter: int | None, *, expected: bool
) -> None:
    state = np.zeros(STATE_LENGTH, np.int64)
    if counter is not None:
        state[counter] = 1
    with readings(tmp_path, before, after) as reading:
        assert sum(reading) <= 3
        assert reading.is_aligned(state) is expected


def test_what_ended_early_is_not_aligned(tmp_path: Path) -> None:
    cut = pcap(BEFORE)[:-1]
    with readings(tmp_path, cut, cut) as reading:
        assert sum(reading) == 2
        assert not reading.is_aligned(np.zeros(STATE_LENGTH, np.int64))


def test_the_original_follows_window_by_window(tmp_path: Path) -> None:
    frames = [ethernet(udp4(bytes([number % 251]) * 1400)) for number in range(2400)]
    before = pcap(packets(*frames))
    after = pcap(packets(*map(replaced, frames)))
    with readings(tmp_path, before, after) as reading:
        lists = [(count, reading.output.packets.tolist()) for count in reading]
        second = Repetition(reading)
        for number, count in enumerate(second):
            begin, window = second.output.base, second.output.window.tobytes()
            assert window == after[begin : begin + len(window)]
            second.follow(np.arange(len(window)))
            assert (count, second.output.packets.tolist()) == lists[number]
            assert second.output.window.tobytes() == window
            assert second.original.packets is second.output.packets
            assert second.original.next == second.output.next == 0
            assert second.original.window.tobytes() == before[begin : begin + len(window)]
    assert (number > 2, second.packets) == (True, 2400)


def test_of_the_original_only_the_packets_asked_for_are_read(tmp_path: Path) -> None:
    frames = [ethernet(udp4(bytes([number]) * 50)) for number in range(200)]
    before = pcap(packets(*frames))
    length = 16 + len(frames[0])
    with readings(tmp_path, before, pcap(packets(*map(replaced, frames)))) as reading:
        assert list(reading) == [200]
        second = Repetition(reading)
        assert next(iter(second)) == 200
        second.original.buffer[:] = 0
        begins = [24 + length * number for number in range(200)]
        # The header of the file, the begin and the last byte of a packet, the header of a record, behind the last.
        second.follow(np.array([0, begins[5] + 16, begins[8] - 1, begins[9], len(before)]))
        window = second.original.window.tobytes()
        read = [number for number, at in enumerate(begins) if window[at + 16 : at + length] == frames[number]]
        assert read == [0, 5, 7, 9]
        assert window.count(0) > len(window) - 4 * length
        assert second.original.count == 200


@pytest.mark.parametrize("changed", ["in", "out"])
def test_a_file_that_became_shorter_cannot_be_read_again(tmp_path: Path, changed: str) -> None:
    with readings(tmp_path, pcap(BEFORE), pcap(packets(*OUTPUTS))) as reading:
        assert list(reading) == [3]
        (tmp_path / changed).write_bytes(pcap(BEFORE)[:-1])
        second = Repetition(reading)
        with pytest.raises(OSError, match="Input/output error"):
            follow_all(second)


LAST = len(pcap(packets(*OUTPUTS[:2])))


@pytest.mark.parametrize(
    ("record", "length"), [(24, len(pcap(packets(*OUTPUTS))) - 40), (LAST, len(OUTPUTS[2]) - 4)], ids=["one", "shorter"]
)
def test_packets_that_are_others_now_are_not_listed(tmp_path: Path, record: int, length: int) -> None:
    after = pcap(packets(*OUTPUTS))
    with readings(tmp_path, pcap(BEFORE), after) as reading:
        assert list(reading) == [3]
        at = record + 8
        (tmp_path / "out").write_bytes(after[:at] + length.to_bytes(4, "little") + after[at + 4 :])
        second = Repetition(reading)
        assert next(iter(second)) == 3
        with pytest.raises(OSError, match="Input/output error"):
            second.follow(np.array([0]))


def test_a_second_reading_counts_no_header_again(tmp_path: Path) -> None:
    with readings(tmp_path, pcap(BEFORE), pcap(packets(*OUTPUTS))) as reading:
        assert list(reading) == [3]
        headers = int(reading.output.framing[HEADERS])
        follow_all(Repetition(reading))
        assert int(reading.output.framing[HEADERS]) == headers


@pytest.mark.parametrize("shift", [0, 1])
def test_a_hit_is_explained_in_its_packet_however_the_original_is_read(shift: int) -> None:
    frames = packets(*[ethernet(udp4(b"p" * 1400))] * 599, ethernet(udp4(ip_bytes(IP_A) + b"p" * 1396)))
    outputs = [replace(one, data=replaced(one.data[:42]) + one.data[42:]) for one in frames]
    outputs[0] = replace(outputs[0], time_ns=outputs[0].time_ns + shift * 1_000_000_000)
    verification = prove(pcap(frames), pcap(outputs))
    (found,) = [one for one in verification.scan.findings if one.place is LeakPlace.PAYLOAD]
    assert (found.hits, found.first_packet) == (1, 600)


def test_a_malformed_file_is_all_that_is_told() -> None:
    whole = pcap(packets(*OUTPUTS))
    verification = prove(pcap(BEFORE), whole[:-1])
    assert Reason.OUTPUT_MALFORMED in verification.reasons
    assert Reason.PACKETS_DIFFER not in verification.reasons
