from gql_server.engine.verify import layout

NUMBERS = {name: value for name, value in vars(layout).items() if name.isupper()}


def test_no_two_words_of_the_state_are_one() -> None:
    names = list(NUMBERS)
    policies = {"PAYLOAD_KEEP", "PAYLOAD_ZERO", "PAYLOAD_TRUNCATE"}
    classes = {name for name in names if name.startswith("CLASS_")}
    words = [name for name in names[: names.index("STATE_LENGTH")] if name not in policies | classes]
    values = [NUMBERS[name] for name in words]
    assert len(set(values)) == len(values)
    assert max(values) < layout.STATE_LENGTH
    # Each of these takes three.
    for first in (layout.SAME_IPV4, layout.SAME_IPV6, layout.SAME_MAC):
        assert {first + 1, first + 2} & set(values) == set()


def test_classes_are_bits() -> None:
    bits = [value for name, value in NUMBERS.items() if name.startswith("CLASS_")]
    assert sum(bits) == (1 << len(bits)) - 1


def test_marks_of_a_slot_leave_room_for_an_address() -> None:
    marks = [layout.KEY_IPV4, layout.KEY_MAC, layout.IN_USE, layout.MAPPED, layout.SEARCHED]
    assert len(set(marks)) == len(marks)
    assert min(marks) > 1 << 48


def test_what_is_read_next_is_told_apart() -> None:
    kinds = [0xFFFF, layout.READ_ETHERNET, layout.READ_LLC, layout.READ_PROTOCOL]
    assert kinds == sorted(set(kinds))
