"""The second reader passes what becomes of every rearranged and of every degraded capture."""

import random
from pathlib import Path

import pytest

from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.dicom import DamagePolicy, DicomParameters
from gql_server.domain.verification import VerificationReason
from gql_server.engine.dicom.tasks import DeidentifyTask
from gql_server.services.verification import verify_task
from tests.dicom.conftest import Operation
from tests.dicom.mutations import MUTATIONS
from tests.dicom.outcomes import KEY
from tests.dicom.scenes import Recording

MEMORY_BYTES = 512 << 20


@pytest.mark.parametrize("addresses", [None, AnonymizationParameters()], ids=["dicom", "both"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_every_output_is_proven(
    recording: Recording, operation: Operation, name: str, addresses: AnonymizationParameters | None, tmp_path: Path
) -> None:
    source, directory = tmp_path / "source", tmp_path / "output"
    source.write_bytes(MUTATIONS[name](recording.wire, random.Random(1)).file())
    directory.mkdir()
    task = DeidentifyTask(
        source=source,
        output_directory=directory,
        dicom=DicomParameters(damage=DamagePolicy.ZERO),
        addresses=addresses,
        key=KEY,
        memory_bytes=MEMORY_BYTES,
    )
    done = operation("deidentify")(task, lambda _: None)
    proof = verify_task(task, directory / done.summary.format.file_name, done.overridden)
    verification = operation("verify")(proof, lambda _: None).verification
    kept = () if addresses else (VerificationReason.ADDRESSES_KEPT_BY_RULE,)
    assert verification.reasons == kept
    assert verification.dicom.streams > 0
