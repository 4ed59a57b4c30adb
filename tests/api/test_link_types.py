"""Link types: what the numbers are called."""

from gql_server.api.link_types import LINK_TYPE_NAMES


def test_the_names_are_unique_and_bare() -> None:
    assert len(set(LINK_TYPE_NAMES.values())) == len(LINK_TYPE_NAMES)
    assert not any(name.startswith("LINKTYPE_") for name in LINK_TYPE_NAMES.values())


def test_the_numbers_are_16_bits_wide() -> None:
    assert all(0 <= number < 2**16 for number in LINK_TYPE_NAMES)
