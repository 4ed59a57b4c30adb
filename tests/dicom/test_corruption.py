"""Corrupted captures by the hundred: refused by name, or de-identified; never a canary.

GQL_SERVER_LONG_TESTS=1 makes it ten thousand, with other seeds each time. A failure names its seed.
"""

import importlib
import os
import time

import pytest

from gql_server.domain.dicom import DamagePolicy, DicomParameters
from gql_server.domain.errors import CaptureError, GqlServerError
from tests.dicom.canaries import Scanner
from tests.dicom.mutations import corrupted
from tests.dicom.outcomes import Engine
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of

LONG = "GQL_SERVER_LONG_TESTS" in os.environ
FIRST = time.time_ns() >> 20 if LONG else 0
SEEDS = range(FIRST, FIRST + (10_000 if LONG else 500))
REFUSALS = {DamagePolicy.ZERO: CaptureError, DamagePolicy.FAIL: GqlServerError}
"""What may be refused: damage of the file, and where damage counts, that of DICOM."""


@pytest.fixture
def _one_alphabet(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tables of letters once: they depend on nothing but Unicode, and cost more than the rest of a run."""
    replacing = importlib.import_module("gql_server.engine.dicom.replacing")
    made = replacing.Alphabets()
    monkeypatch.setattr(replacing, "Alphabets", lambda: made)


@pytest.mark.usefixtures("_one_alphabet")
@pytest.mark.timeout(0 if LONG else 300)
def test_a_corrupted_capture_shows_no_canary(small_recording: Recording, engine: Engine) -> None:
    print(f"seeds {SEEDS.start} to {SEEDS.stop - 1}")  # noqa: T201  # to find them again
    data, scanner = capture_of(small_recording.wire).file(), Scanner(small_recording.oracle)
    outputs, found = 0, []
    for seed in SEEDS:
        damage = DamagePolicy.FAIL if seed % 5 == 0 else DamagePolicy.ZERO
        broken = corrupted(data, seed)
        try:
            outcome = engine.run(broken, DicomParameters(damage=damage))
        except REFUSALS[damage]:
            continue
        outputs += 1
        assert len(outcome.after) == len(broken), seed
        found += [(seed, *hit) for hit in scanner.find(outcome.after)]
    assert found == []
    assert outputs > len(SEEDS) // 4
