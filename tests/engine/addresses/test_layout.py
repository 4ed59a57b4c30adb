from gql_server.engine.addresses import layout

NUMBERS = {name: value for name, value in vars(layout).items() if name.isupper()}
NO_WORDS = {"FIRST_COUNTER", "COUNTERS"}


def test_no_two_words_of_the_state_are_one() -> None:
    first = list(NUMBERS).index("NARROW_AT")
    last = list(NUMBERS).index("STACK")
    words = {name: value for name, value in list(NUMBERS.items())[first:last] if name not in NO_WORDS}
    assert len(set(words.values())) == len(words)
    assert all(value < layout.SAVED for name, value in words.items() if name != "SAVED")
    assert layout.SAVED + layout.COUNTERS <= layout.STACK


def test_the_counters_of_a_packet_stand_together() -> None:
    counters = [layout.PACKETS_OPAQUE, layout.PACKETS_CUT, layout.BYTES_ZEROED, layout.BYTES_KEPT]
    assert counters == [layout.FIRST_COUNTER + n for n in range(layout.COUNTERS)]


def test_the_parts_of_the_state_follow_each_other() -> None:
    assert layout.STACK + layout.STACK_ROOM * layout.LEVEL_COLUMNS == layout.UDP_PORTS
    assert layout.TCP_PORTS == layout.UDP_PORTS + layout.PORT_WORDS
    assert layout.TCP_PORTS + layout.PORT_WORDS == layout.NEW_AT
    assert layout.PORT_WORDS * 64 == 1 << 16
    assert layout.NEW_AT + layout.NEW_ROOM == layout.STATE_LENGTH


def test_what_the_walk_enters_is_told_apart() -> None:
    kinds = [layout.ENTER_ETHERNET, layout.ENTER_LLC, layout.ENTER_UNKNOWN]
    assert len(set(kinds)) == len(kinds)
    assert all(0xFFFF < kind < layout.ENTER_PROTOCOL for kind in kinds)


def test_keys_and_marks_leave_room_for_the_address() -> None:
    assert layout.KEY_IPV4 > (1 << 48)
    assert layout.KEY_MAC > (1 << 48)
    assert layout.KEY_IPV4 & layout.KEY_MAC == 0
