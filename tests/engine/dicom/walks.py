"""Data sets read from bytes, and what must hold of any rows."""

import numpy as np

from gql_server.engine.dicom.data_sets import DataSet, DataSetReader
from gql_server.engine.dicom.elements import (
    AT,
    DEPTH,
    FRAGMENT,
    KIND,
    LENGTH,
    OFFSET_TABLE,
    OUTSIDE,
    PARENT,
    SEQUENCE,
    TAG,
    UNREADABLE,
    VALUE,
    VR,
)
from gql_server.engine.dicom.transfer_syntaxes import encodings_of
from tests.engine.dicom.byte_streams import HeldStream, held

KINDS = {VALUE: "VALUE", SEQUENCE: "SEQUENCE", FRAGMENT: "FRAGMENT", OFFSET_TABLE: "TABLE", OUTSIDE: "OUTSIDE"}
KINDS[UNREADABLE] = "UNREADABLE"


def read(data: bytes | HeldStream, syntax: str, *, whole: bool = True) -> DataSet:
    stream = data if isinstance(data, HeldStream) else held(data)
    count = len(stream.data)
    spans = np.array([(0, count)], np.int64)
    found = DataSetReader().read_data(stream, spans, count, encodings_of(syntax)[0], whole=whole)
    assert found is not None
    return found


def told(data: DataSet) -> list[tuple[str, str, str, int]]:
    """Kind, tag, VR and length of each row; the tag behind as many dots as it is deep."""
    return [
        (
            KINDS[row[KIND]],
            "." * row[DEPTH] + f"{row[TAG]:08X}",
            row[VR].to_bytes(2, "big").decode().strip("\0"),
            row[LENGTH],
        )
        for row in data.elements.tolist()
    ]


def assert_laws(data: DataSet) -> None:
    """Rows ascend and do not overlap; each is inside the bytes and inside its sequence; nothing else is said."""
    rows = data.elements.tolist()
    reached = 0
    for number, row in enumerate(rows):
        held_bytes = 0 if row[KIND] in {SEQUENCE, OUTSIDE} else row[LENGTH]
        assert row[KIND] in KINDS
        assert row[LENGTH] >= 0
        assert row[AT] >= reached
        assert row[AT] + held_bytes <= len(data.values)
        reached = row[AT] + held_bytes
        assert -1 <= row[PARENT] < number
        assert row[DEPTH] == (0 if row[PARENT] < 0 else rows[row[PARENT]][DEPTH] + 1)
        if row[PARENT] >= 0:
            parent = rows[row[PARENT]]
            assert parent[KIND] == SEQUENCE
            if not data.outside and not data.unread:
                assert parent[AT] <= row[AT]
                assert row[AT] + row[LENGTH] <= parent[AT] + parent[LENGTH]
        if row[KIND] == UNREADABLE:
            assert (row[TAG], row[VR]) == (0, 0)
    unreadable = any(row[KIND] == UNREADABLE for row in rows)
    assert not unreadable or data.problems
