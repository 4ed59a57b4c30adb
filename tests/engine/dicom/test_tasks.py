from dataclasses import FrozenInstanceError, asdict
from pathlib import Path

import pytest

from gql_server.domain.dicom import DicomOverride, DicomParameters, OverrideAction
from gql_server.engine.dicom.tasks import DeidentifyTask, ExtractDicomTask, PreviewDicomTask

KEY = b"key of the engagement, 32 bytes."
OVERRIDE = DicomOverride(element="00100010", action=OverrideAction.REPLACE, value="HAWTHORNE")


def deidentify_task() -> DeidentifyTask:
    return DeidentifyTask(
        source=Path("source"),
        output_directory=Path("output"),
        dicom=DicomParameters(),
        overrides=(OVERRIDE,),
        rules=(("192.0.2.1", "192.0.2.2"),),
        key=KEY,
        memory_bytes=1,
    )


def preview_task() -> PreviewDicomTask:
    return PreviewDicomTask(
        source=Path("source"), dicom=DicomParameters(), overrides=(OVERRIDE,), key=KEY, first=10, memory_bytes=1
    )


@pytest.mark.parametrize("task", [deidentify_task(), preview_task()])
def test_no_key_no_override_and_no_address_is_shown_of_a_task(task: DeidentifyTask | PreviewDicomTask) -> None:
    """Tasks stand in logs and error texts."""
    shown = repr(task)
    assert asdict(task)["key"] == KEY
    for secret in ("engagement", "HAWTHORNE", "00100010", "192.0.2"):
        assert secret not in shown
    assert "DicomParameters" in shown


def test_what_is_not_asked_for_is_not_done() -> None:
    task = DeidentifyTask(
        source=Path("source"), output_directory=Path("output"), dicom=DicomParameters(), key=KEY, memory_bytes=1
    )
    assert (task.addresses, task.rules, task.overrides) == (None, (), ())
    assert preview_task().skip == 0


def test_a_task_stays_as_it_was_asked() -> None:
    task = ExtractDicomTask(source=Path("source"), output_directory=Path("output"), memory_bytes=1)
    with pytest.raises(FrozenInstanceError):
        task.memory_bytes = 2  # type: ignore[misc]  # that is what is tried
    assert not hasattr(task, "__dict__")
