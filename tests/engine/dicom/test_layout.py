from gql_server.engine.dicom import layout


def test_the_key_of_a_fragment_is_four_words_in_a_row() -> None:
    words = (layout.SOURCE_HIGH, layout.SOURCE_LOW, layout.DESTINATION_HIGH, layout.DESTINATION_LOW)
    assert words == tuple(range(layout.SOURCE_HIGH, layout.SOURCE_HIGH + 4))


def test_settings_and_the_packet_under_way_lie_beside_each_other() -> None:
    assert layout.SEEDS + layout.SEED_COUNT <= layout.KEY
    assert layout.KEY + layout.KEY_WORDS <= layout.SIDE
    assert layout.KEPT_ALIVE < layout.STATE_LENGTH


def test_flags_of_both_directions_are_bits_of_their_own() -> None:
    pairs = (layout.STARTED, layout.SYN_SEEN, layout.FIN_SEEN)
    flags = [flag << side for flag in pairs for side in (0, 1)] + [layout.RESET, layout.CLIENT_KNOWN, layout.CLIENT]
    assert sorted(flags) == [1 << i for i in range(9)]


def test_directions_fill_a_connection() -> None:
    assert layout.DIRECTIONS + 2 * layout.DIRECTION_COLUMNS == layout.CONNECTION_COLUMNS
    assert layout.CUTS < layout.DIRECTION_COLUMNS
    assert layout.FRAGMENT_FLAGS < layout.FRAGMENT_COLUMNS
