"""Clients played again: live servers answer as they did."""

from pathlib import Path

import pytest

from tests.dicom.replaying import receive, replay, storescp
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of

ODD = "W: DcmItem: Length of element (7fe0,0010) is not a multiple of 2"
STORE, FIND, ECHO = 0x8001, 0x8020, 0x8030


def test_a_live_server_answers_every_request_again(recording: Recording) -> None:
    found = replay(capture_of(recording.wire).file())
    assert found.statuses[STORE, 0] == 15
    assert found.statuses[FIND, 0] == 8
    assert found.statuses[ECHO, 0] == 2
    assert sum(found.statuses.values()) == 15 + 8 + 2 + 2 + 3
    assert {1, 2, 3} & set(found.pdus) == {2}
    assert found.elements > 2000


@pytest.mark.skipif(storescp() is None, reason="storescp is not installed")
def test_another_implementation_takes_every_object(recording: Recording, tmp_path: Path) -> None:
    found = receive(capture_of(recording.wire).file(), tmp_path / "received")
    assert found.statuses == {(STORE, 0): 15}
    assert found.files == 15
    assert {one.rpartition(" (")[0] for one in found.complaints} <= {ODD}
