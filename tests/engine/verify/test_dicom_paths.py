import numpy as np
import pytest

from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_paths import path_digests
from tests.engine.verify.dicom_walked import element, item, walked


def test_a_path_is_what_the_walk_makes_of_it() -> None:
    inner = element(0x00400007, b"LO", b"head scan ")
    data = element(0x00400275, b"SQ", item(inner))
    _, free = walked(data, data, overridden=("00400275.00400007",))
    assert free == []
    _, shown = walked(data, data, overridden=("00400007", "00400275"))
    assert [(row[d.ROW_TAG], row[d.ROW_OUTCOME]) for row in shown] == [(0x00400007, d.KEPT)]


def test_paths_differ_by_order() -> None:
    one, other = path_digests(("00080050.00100010", "00100010.00080050"))
    assert one != other
    assert np.array_equal(path_digests(()), [0])


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(ValueError, match="PatientName"):
        path_digests(("PatientName",))
