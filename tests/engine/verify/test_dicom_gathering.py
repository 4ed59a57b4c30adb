import numpy as np

from gql_server.engine.verify.dicom_gathering import copy_pieces


def test_pieces_are_copied_as_far_as_the_window_goes() -> None:
    window = np.arange(50, dtype=np.uint8)
    # Begin, end, place in the original, place in the output.
    pieces = np.array([[0, 12, 105, 0], [12, 15, 100, 0], [15, 20, 148, 0]], np.int64).reshape(-1)
    out = np.zeros(20, np.uint8)
    assert copy_pieces(window, 100, pieces, 2, 0, out, 0) == (2, 15)
    assert out.tolist() == [*range(5, 17), 0, 1, 2, *[0] * 5]
    assert copy_pieces(window, 140, pieces, 2, 2, out, 15) == (3, 20)
    assert out[15:].tolist() == [8, 9, 10, 11, 12]
