"""De-identified captures before their judges: whole ones, rearranged ones, degraded ones.

GQL_SERVER_LONG_TESTS=1 takes twenty seeds, other ones each time, instead of one; a failure names its seed.
"""

import os
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path
from ssl import TLSVersion

import pytest

from gql_server.domain.dicom import DamagePolicy, DatePolicy, DicomParameters, DicomProblem, PixelPolicy
from gql_server.domain.dicom_errors import DicomUndecodable
from tests.dicom import dissecting, judging, laws
from tests.dicom.canaries import Scanner
from tests.dicom.encryption import ORGANIZATION, contexts
from tests.dicom.mutations import CONFLICTS, DEGRADED, LOSSLESS
from tests.dicom.outcomes import KEY, Engine, Outcome
from tests.dicom.planting import Kind
from tests.dicom.programs import Clients
from tests.dicom.reading import records_of
from tests.dicom.replaying import receive, replay, storescp
from tests.dicom.rereading import associations_in
from tests.dicom.scenes import Recording, play_few, record
from tests.dicom.surroundings import SURROUNDINGS, surrounded, two_interfaces, with_frame_checks
from tests.dicom.wire import capture_of

LONG = "GQL_SERVER_LONG_TESTS" in os.environ
FIRST = time.time_ns() >> 20 if LONG else 1
SEEDS = range(FIRST, FIRST + (20 if LONG else 1))
TOLERANT = DicomParameters(damage=DamagePolicy.ZERO)


def test_every_judge_is_content_with_a_clean_capture(clean_outcome: Outcome, recording: Recording) -> None:
    assert judging.judge(clean_outcome.original, clean_outcome.output, recording.oracle) == []
    assert laws.checksums(clean_outcome.before, clean_outcome.after) == []
    assert {one.problem for one in clean_outcome.report.unreadable} <= {DicomProblem.DEFLATE_BLANKED}


def test_the_same_task_gives_the_same_bytes(clean_outcome: Outcome, engine: Engine) -> None:
    assert engine.run(clean_outcome.before).after == clean_outcome.after


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_rearranged_capture_gives_the_same_streams(
    clean_outcome: Outcome, recording: Recording, engine: Engine, name: str
) -> None:
    for seed in SEEDS:
        outcome = engine.run(LOSSLESS[name](recording.wire, random.Random(seed)).file())
        assert laws.streams(outcome.after) == laws.streams(clean_outcome.after), seed
        assert judging.framing(outcome.before, outcome.after) == [], seed
        assert judging.leaks(outcome.after, recording.oracle) == [], seed
        assert laws.checksums(outcome.before, outcome.after) == [], seed


@pytest.mark.parametrize("name", DEGRADED)
def test_a_degraded_capture_shows_no_byte_that_the_clean_run_hides(
    clean_outcome: Outcome, recording: Recording, engine: Engine, name: str
) -> None:
    for seed in SEEDS:
        outcome = engine.run(DEGRADED[name](recording.wire, random.Random(seed)).file(), TOLERANT)
        both = (outcome.before, outcome.after)
        assert judging.framing(*both) == [], seed
        assert judging.leaks(outcome.after, recording.oracle) == [], seed
        assert laws.disclosed((clean_outcome.before, clean_outcome.after), both) == [], seed
        assert laws.checksums(*both) == [], seed


@pytest.mark.parametrize("name", CONFLICTS)
def test_conflicting_copies_become_one(recording: Recording, engine: Engine, name: str) -> None:
    for seed in SEEDS:
        outcome = engine.run(CONFLICTS[name](recording.wire, random.Random(seed)).file(), TOLERANT)
        assert judging.framing(outcome.before, outcome.after) == [], seed
        assert judging.leaks(outcome.after, recording.oracle) == [], seed
        assert laws.checksums(outcome.before, outcome.after) == [], seed


def test_damage_is_refused_or_zeroed_as_was_asked(small_recording: Recording, engine: Engine) -> None:
    """Every byte was captured; a PDU in the middle of an association is of a type that there is not."""
    segments = list(small_recording.wire.segments)
    index = next(n for n, one in enumerate(segments) if n > 40 and one.from_client and one.payload[:1] == b"\x04")
    segments[index] = replace(segments[index], payload=b"\x09" + segments[index].payload[1:])
    data = capture_of(small_recording.wire.with_segments(segments)).file()
    with pytest.raises(DicomUndecodable) as refused:
        engine.run(data)
    assert refused.value.packet == index + 1
    outcome = engine.run(data, TOLERANT)
    assert judging.leaks(outcome.after, small_recording.oracle) == []
    assert sum(one.bytes for one in outcome.report.unreadable) >= len(segments[index].payload)


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_nothing_beside_dicom_tells_a_name(small_recording: Recording, engine: Engine, name: str) -> None:
    capture = capture_of(small_recording.wire)
    outcome = engine.run(surrounded(capture, small_recording.oracle, name).file())
    assert judging.framing(outcome.before, outcome.after) == []
    assert judging.leaks(outcome.after, small_recording.oracle) == []
    assert outcome.report.bytes_foreign > 0


def test_frame_checks_hold_no_digest_of_what_was(small_recording: Recording, engine: Engine) -> None:
    outcome = engine.run(with_frame_checks(capture_of(small_recording.wire)).file())
    assert judging.framing(outcome.before, outcome.after) == []
    assert all(record.data[-4:] == bytes(4) for record in records_of(outcome.after))


def test_comments_of_a_file_go(small_recording: Recording, engine: Engine) -> None:
    outcome = engine.run(two_interfaces(capture_of(small_recording.wire), small_recording.oracle))
    assert judging.leaks(outcome.after, small_recording.oracle) == []
    assert judging.structure(outcome.before, outcome.after) == []


@pytest.mark.parametrize("version", [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3])
def test_tls_is_told_of_and_its_certificate_goes(engine: Engine, tmp_path: Path, version: TLSVersion) -> None:
    recorded = record(5, _echo, port=2762, tls=contexts(tmp_path, version))
    outcome = engine.run(capture_of(recorded.wire).file())
    assert outcome.report.encrypted == 2
    assert outcome.report.associations == 0
    assert ORGANIZATION.encode() not in outcome.after


def _echo(clients: Clients, _: object) -> None:
    clients.echo()


def test_one_key_gives_one_pseudonym_in_every_trace(small_recording: Recording, engine: Engine) -> None:
    captures = [capture_of(one.wire).file() for one in (small_recording, record(77, play_few))]
    outcomes = [engine.run(one) for one in captures]
    assert judging.consistency([(one.before, one.after) for one in outcomes]) == []


def test_another_key_gives_other_pseudonyms(small_recording: Recording, engine: Engine) -> None:
    data = capture_of(small_recording.wire).file()
    one, other = engine.run(data), engine.run(data, key=KEY[::-1])
    assert laws.streams(one.after) != laws.streams(other.after)
    assert judging.structure(one.after, other.after) == []


def test_kept_pixels_stay_and_everything_else_goes(recording: Recording, engine: Engine) -> None:
    data = capture_of(recording.wire).file()
    outcome = engine.run(data, DicomParameters(pixels=PixelPolicy.KEEP))
    assert judging.structure(data, outcome.after) == []
    assert judging.leaks(outcome.after, recording.oracle) == []
    assert len(judging.pixels(outcome.after)) == len(judging.pixels(data))
    assert native_pixels(outcome.after) == native_pixels(data)


def native_pixels(data: bytes) -> list[bytes]:
    """Pixel data that is not encapsulated."""
    return [
        element.value
        for association in associations_in(data)
        for message in association.messages
        for element in message.elements
        if element.path == (0x7FE00010,) and 0 < element.length < 0xFFFFFFFF and "1.2.4" not in message.syntax
    ]


def test_uids_that_are_retained_stay_and_others_go(small_recording: Recording, engine: Engine) -> None:
    outcome = engine.run(capture_of(small_recording.wire).file(), DicomParameters(retain_uids=True))
    scanner = Scanner(small_recording.oracle, without=frozenset({Kind.UID}))
    assert scanner.find(outcome.after) == []
    assert Scanner(one for one in small_recording.oracle if one.kind is Kind.UID).find(outcome.after) != []


def test_dates_that_are_kept_stay_and_others_go(small_recording: Recording, engine: Engine) -> None:
    data = capture_of(small_recording.wire).file()
    kept, removed = (engine.run(data, DicomParameters(dates=one)) for one in (DatePolicy.KEEP, DatePolicy.REMOVE))
    assert judging.leaks(kept.after, small_recording.oracle, dates_stay=True) == []
    assert judging.leaks(kept.after, small_recording.oracle) != []
    assert judging.leaks(removed.after, small_recording.oracle) == []


def test_shifted_dates_move_packet_times_along(small_recording: Recording, engine: Engine) -> None:
    outcome = engine.run(capture_of(small_recording.wire).file(), DicomParameters(dates=DatePolicy.SHIFT))
    assert judging.framing(outcome.before, outcome.after, times=False) == []
    assert judging.leaks(outcome.after, small_recording.oracle) == []
    moved = {
        int.from_bytes(old.said[:4], "little") - int.from_bytes(new.said[:4], "little")
        for old, new in zip(records_of(outcome.before), records_of(outcome.after), strict=True)
    }
    assert len(moved) == 1
    assert moved.pop() % (7 * 86400) == 0


def test_a_live_server_answers_the_new_clients_as_the_old_ones(clean_outcome: Outcome) -> None:
    old, new = replay(clean_outcome.before), replay(clean_outcome.after)
    assert (new.statuses, new.pdus, new.elements) == (old.statuses, old.pdus, old.elements)


@pytest.mark.skipif(storescp() is None, reason="storescp is not installed")
def test_another_implementation_takes_the_same_objects(clean_outcome: Outcome, tmp_path: Path) -> None:
    old, new = receive(clean_outcome.before, tmp_path / "old"), receive(clean_outcome.after, tmp_path / "new")
    assert (new.files, new.statuses, len(new.complaints)) == (old.files, old.statuses, len(old.complaints))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_the_same_structure(clean_outcome: Outcome, tmp_path: Path) -> None:
    assert dissecting.parity(clean_outcome.original, clean_outcome.output) == []
    old = dissecting.objects(clean_outcome.original, tmp_path / "old")
    assert dissecting.objects(clean_outcome.output, tmp_path / "new") == old
