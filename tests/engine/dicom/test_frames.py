import numpy as np
import pytest

from gql_server.engine.compilation import State, entry
from gql_server.engine.dicom import frames
from gql_server.engine.dicom.frames import begin, enter, is_torn, leave
from gql_server.engine.memory import pointer


@entry
def torn(missing: State, state: State, at: int, end: int) -> bool:
    """Ask for a range."""
    return is_torn(pointer(missing), pointer(state), at, end)


@entry
def depth_of(rows: State, state: State, most: int) -> int:
    """Enter frames until one is refused or `most` are entered, then leave them all; return how many there were."""
    r, s = pointer(rows), pointer(state)
    begin(s, 100, 100, 10, 0, False, False)  # noqa: FBT003  # kernels take their arguments by position
    entered = 0
    while entered < most and enter(s, frames.DATA_SET, 0, 100, -1, 0, 0, False):  # noqa: FBT003  # the same
        entered += 1
    for _ in range(entered):
        leave(r, s, 100)
    return entered if leave(r, s, 100) == frames.DONE else -1


@pytest.mark.parametrize("holes", [[], [(3, 5)], [(0, 1), (3, 5), (9, 10)]])
def test_a_range_is_torn_if_one_of_its_bytes_is_missing(holes: list[tuple[int, int]]) -> None:
    state = np.zeros(frames.STATE_LENGTH, np.int64)
    state[frames.MISSING] = len(holes)
    missing = np.array(holes or [(0, 0)], np.int64).reshape(-1)
    lost = {place for first, last in holes for place in range(first, last)}
    for at in range(12):
        for end in range(at + 1, 13):
            assert torn(missing, state, at, end) == bool(lost & set(range(at, end)))


def test_there_is_room_for_so_many_frames_and_no_more() -> None:
    rows, state = np.zeros(80, np.int64), np.zeros(frames.STATE_LENGTH, np.int64)
    assert depth_of(rows, state, 10) == 10
    assert depth_of(rows, state, 10_000) == 2 * frames.MAX_DEPTH
