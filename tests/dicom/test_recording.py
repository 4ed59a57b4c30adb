"""What was recorded: every service, every syntax, the same from the same seed."""

from collections import Counter
from pathlib import Path
from shutil import which
from ssl import TLSVersion

import pytest

from tests.dicom.canaries import Scanner, missing
from tests.dicom.datasets import FILES
from tests.dicom.encryption import ORGANIZATION, contexts
from tests.dicom.planting import Kind
from tests.dicom.programs import Clients
from tests.dicom.reading import connections_in
from tests.dicom.rereading import Association, associations_in
from tests.dicom.scenes import Recording, play_few, record, record_others
from tests.dicom.wire import capture_of

ECHO, STORE, FIND, MOVE, GET, CREATE, SET, ACTION = 0x30, 0x01, 0x20, 0x21, 0x10, 0x0140, 0x0120, 0x0130
REQUESTS = (ECHO, STORE, FIND, MOVE, GET, CREATE, SET, ACTION)
ANSWER = 0x8000


@pytest.fixture(scope="module")
def associations(recording: Recording) -> list[Association]:
    return associations_in(capture_of(recording.wire).file())


def test_every_service_is_asked_and_answered(associations: list[Association]) -> None:
    kinds = Counter(message.command.CommandField for one in associations for message in one.messages)
    assert set(kinds) == {
        kind | answer for kind in (ECHO, STORE, FIND, MOVE, GET, CREATE, SET, ACTION) for answer in (0, ANSWER)
    }
    assert kinds[STORE] == kinds[STORE | ANSWER] == len(FILES) + 4
    assert kinds[FIND] == 8


def test_objects_come_in_twelve_transfer_syntaxes(associations: list[Association]) -> None:
    stored = {
        message.syntax for one in associations for message in one.messages if message.command.CommandField == STORE
    }
    assert stored == set(FILES)
    assert len(stored) >= 11


def test_objects_come_in_five_character_sets(associations: list[Association]) -> None:
    sets = {
        bytes(element.value).strip()
        for one in associations
        for message in one.messages
        for element in message.elements
        if element.path == (0x00080005,)
    }
    assert {b"ISO_IR 100", b"\\ISO 2022 IR 87", b"ISO_IR 192", b"GB18030"} <= sets


def test_associations_are_accepted_rejected_released_and_aborted(associations: list[Association]) -> None:
    kinds = {kind for one in associations for _, kind, _ in one.pdus}
    assert kinds == {1, 2, 3, 4, 5, 6, 7}
    assert sum(one.rest for one in associations) == 0


def test_every_planted_value_is_found_in_what_was_recorded(recording: Recording) -> None:
    assert missing(capture_of(recording.wire).file(), recording.oracle) == []
    assert len(recording.oracle) > 300
    assert {one.kind for one in recording.oracle} == set(Kind)


def test_every_planted_value_is_found_in_the_small_recording(small_recording: Recording) -> None:
    capture = capture_of(small_recording.wire).file()
    found = {hit.text for hit in Scanner(small_recording.oracle).find(capture)}
    assert len(found) > 100
    assert len(capture) < 100_000


def test_the_same_seed_records_the_same_and_another_one_other_values(small_recording: Recording) -> None:
    again, other = (record(small_recording.seed + n, play_few) for n in range(2))
    assert again == small_recording
    assert {one.text for one in other.oracle} & {one.text for one in again.oracle} == set()


@pytest.mark.parametrize("version", [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3])
def test_under_tls_nothing_planted_is_readable(tmp_path: Path, version: TLSVersion) -> None:
    recorded = record(5, _echo, port=2762, tls=contexts(tmp_path, version))
    capture = capture_of(recorded.wire).file()
    assert connections_in(capture)[0][0].whole[:2] == b"\x16\x03"
    assert associations_in(capture) == []
    assert Scanner(recorded.oracle).find(capture) == []
    assert (ORGANIZATION.encode() in capture) == (version is TLSVersion.TLSv1_2)


def _echo(clients: Clients, _: object) -> None:
    clients.echo()


@pytest.mark.skipif(which("storescu") is None or which("findscu") is None, reason="DCMTK is not installed")
def test_programs_of_another_make_are_recorded_as_well(tmp_path: Path) -> None:
    recorded = record_others(7, dcmtk, tmp_path)
    capture = capture_of(recorded.wire).file()
    kinds = Counter(message.command.CommandField for one in associations_in(capture) for message in one.messages)
    assert kinds == {STORE: 1, STORE | ANSWER: 1, FIND: 1, FIND | ANSWER: 6}
    assert {"PatientID", "PatientName", "private OB"} <= {hit.place for hit in Scanner(recorded.oracle).find(capture)}


def dcmtk(path: Path, port: int) -> list[list[str]]:
    query = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=NOBODY*", "-k", "PatientID"]
    return [
        ["storescu", "-pdu", "4096", "127.0.0.1", str(port), str(path)],
        ["findscu", *query, "127.0.0.1", str(port)],
    ]
