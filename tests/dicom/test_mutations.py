"""Mutations: pure, and lossless or degraded as they say."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dicom.mutations import CONFLICTS, DEGRADED, LOSSLESS, MUTATIONS, corrupted
from tests.dicom.reading import connections_in, pieces_of, records_of
from tests.dicom.scenes import Recording
from tests.dicom.wire import SYN, capture_of


def streams(data: bytes) -> list[bytes]:
    return sorted(bytes(one.data) for pair in connections_in(data) for one in pair if one.data)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_a_pure_function_of_wire_and_chance(recording: Recording, name: str) -> None:
    once, again = (MUTATIONS[name](recording.wire, random.Random(1)).file() for _ in range(2))
    assert once == again
    assert (once != capture_of(recording.wire).file()) == (name != "clean")


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_lossless_mutation_keeps_every_stream(recording: Recording, name: str) -> None:
    assert streams(LOSSLESS[name](recording.wire, random.Random(1)).file()) == streams(
        capture_of(recording.wire).file()
    )


@pytest.mark.parametrize("name", DEGRADED)
def test_a_degraded_mutation_loses_bytes_and_invents_none(recording: Recording, name: str) -> None:
    whole = streams(capture_of(recording.wire).file())
    pairs = connections_in(DEGRADED[name](recording.wire, random.Random(1)).file())
    there = sum(sum(one.there) for pair in pairs for one in pair)
    assert 0 < there < sum(map(len, whole))
    if not name.startswith(("lossy", "snapped")):
        assert all(any(bytes(one.data) in other for other in whole) for pair in pairs for one in pair)


@pytest.mark.parametrize("name", CONFLICTS)
def test_conflicting_copies_conflict(recording: Recording, name: str) -> None:
    pairs = connections_in(CONFLICTS[name](recording.wire, random.Random(1)).file())
    assert sum(bool(one.conflicts) for pair in pairs for one in pair) > 3


def test_sequence_numbers_wrap(recording: Recording) -> None:
    records = records_of(LOSSLESS["wrapped"](recording.wire, random.Random(1)).file())
    numbers = [one.sequence for one in pieces_of(records)]
    assert max(numbers) > 0xFFFF_F000
    assert min(numbers) < 0x1000


def test_a_capture_from_the_middle_has_no_opening_and_no_association(recording: Recording) -> None:
    for name in ("mid-stream", "no association"):
        data = DEGRADED[name](recording.wire, random.Random(1)).file()
        assert not any(one.flags & SYN for one in pieces_of(records_of(data)))
        assert not any(bytes(one.data[:2]) in (b"\1\0", b"\2\0") for pair in connections_in(data) for one in pair)


def test_a_corruption_depends_on_its_seed_alone(recording: Recording) -> None:
    data = capture_of(recording.wire).file()
    assert corrupted(data, 1) == corrupted(data, 1) != corrupted(data, 2)
    assert len(corrupted(data, 3)) == len(data)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", ["clean", "IPv6", "SLL2", "double tagged", "wrapped", "retransmitted"])
def test_tshark_reads_a_capture_without_complaint(recording: Recording, tmp_path: Path, name: str) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(MUTATIONS[name](recording.wire, random.Random(1)).file())
    words = ["tshark", "-n", "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    fields = [word for field in ("tcp.checksum.status", "dicom.pdu.type") for word in ("-e", field)]
    done = subprocess.run([*words, "-T", "fields", *fields], capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert {status for status, _ in lines} == {"1"}
    assert len([kind for _, kind in lines if kind]) > 150
