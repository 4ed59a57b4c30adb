import pytest

from gql_server.engine.capture.headers import Interface
from gql_server.engine.inspect.faces import face_of


@pytest.mark.parametrize(
    ("ticks", "offset", "numbers"),
    [
        (10**6, 0, [1000, 1, 0, 0]),
        (10**9, 3, [1, 1, 0, 3 * 10**9]),
        (1, 0, [10**9, 1, 0, 0]),
        (10**12, 0, [1, 1000, 0, 0]),
        (1 << 20, 0, [10**9, 1, 20, 0]),
        (1 << 63, 0, [10**9, 1, 63, 0]),
        (1 << 64, 0, [0, 1, 0, 0]),
        (10**28, 0, [0, 1, 0, 0]),
        (10**6, 1 << 40, [0, 1, 0, 0]),
    ],
)
def test_an_interface_tells_how_its_ticks_become_nanoseconds(ticks: int, offset: int, numbers: list[int]) -> None:
    face = face_of(Interface(link_type=113, snap_length=96, ticks_per_second=ticks, offset_seconds=offset, block=b""))
    assert face.tolist() == [113, *numbers, 96]
