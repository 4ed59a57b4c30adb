from gql_server.engine.addresses import layout

NUMBERS = {name: value for name, value in vars(layout).items() if name.isupper()}


def test_no_two_words_of_the_state_are_one() -> None:
    first = list(NUMBERS).index("NARROW_AT")
    last = list(NUMBERS).index("STACK")
    words = list(NUMBERS.items())[first:last]
    assert len({value for _, value in words}) == len(words)
    assert all(value < layout.STACK for _, value in words)


def test_the_stack_ends_where_the_ports_begin_and_these_where_the_list_does() -> None:
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
