import numpy as np

from gql_server.engine.inspect import layout, matching
from tests.captures import ethernet, packets, pcap, udp4


def test_the_search_stops_behind_the_last_one_that_is_wanted() -> None:
    capture = pcap(packets(*[ethernet(udp4())] * 5))
    window = np.frombuffer(capture, np.uint8).copy()
    state, services = np.zeros(layout.STATE_LENGTH, np.int64), np.zeros(1 << 16, np.uint8)
    wanted, places = np.zeros(matching.WANT_COLUMNS, np.int64), np.zeros(2 * matching.PLACE_COLUMNS, np.int64)
    wanted[[matching.WANT_FIRST, matching.WANT_LAST]] = 1, 3
    position, reason = matching.match_records(
        window,
        state,
        wanted,
        places,
        services,
        24,
        len(window),
        1,
        1000,
        True,  # noqa: FBT003
    )
    record = 16 + len(ethernet(udp4()))
    assert (position, reason) == (24 + 3 * record, matching.FOUND_ALL)
    rows = places.reshape(2, -1)
    assert rows[:, matching.PLACE_NUMBER].tolist() == [2, 3]
    assert rows[0, matching.PLACE_BEGIN] == 24 + record + 16


def test_a_part_of_a_record_is_left_for_the_next_window() -> None:
    capture = pcap(packets(ethernet(udp4()), ethernet(udp4())))[:-1]
    window = np.frombuffer(capture, np.uint8).copy()
    state, services = np.zeros(layout.STATE_LENGTH, np.int64), np.zeros(1 << 16, np.uint8)
    wanted, places = np.zeros(matching.WANT_COLUMNS, np.int64), np.zeros(9 * matching.PLACE_COLUMNS, np.int64)
    wanted[matching.WANT_LAST] = 9
    position, reason = matching.match_records(
        window,
        state,
        wanted,
        places,
        services,
        24,
        len(window),
        1,
        1000,
        True,  # noqa: FBT003
    )
    assert (position, reason, wanted[matching.FOUND]) == (40 + len(ethernet(udp4())), matching.SHORT, 1)
