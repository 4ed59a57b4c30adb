from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from gql_server.engine.verify import classes
from gql_server.engine.verify.laws import breaks_prefixes, has_doubles
from gql_server.engine.verify.tables import Pairs
from tests.engine.verify.table_pairs import pairs_of, pairs_of_words


def many(low: npt.NDArray[np.uint64], new_low: npt.NDArray[np.uint64]) -> Pairs:
    none = np.zeros(len(low), np.uint64)
    return pairs_of_words(none, low, none, new_low)


def in_pieces(pairs: Pairs, size: int) -> Iterator[Pairs]:
    names = ("high", "low", "new_high", "new_low", "mapped", "prefix")
    for first in range(0, len(pairs.low), size):
        yield Pairs(**{name: getattr(pairs, name)[first : first + size] for name in names})


def ipv4(*changes: tuple[int, int], prefix: int = -1) -> bool:
    return breaks_prefixes(classes.IPV4, lambda: in_pieces(pairs_of(list(changes), prefix), 2), len(changes))


def ipv6(*changes: tuple[int, int], prefix: int = -1) -> bool:
    return breaks_prefixes(classes.IPV6, lambda: in_pieces(pairs_of(list(changes), prefix), 2), len(changes))


@pytest.mark.parametrize("shared", range(16, 32))
def test_addresses_share_as_many_first_bits_as_their_originals(shared: int) -> None:
    base, image = 0x0A141E28, 0x2C3D4E5F
    other = base ^ (1 << (31 - shared))
    assert not ipv4((base, image), (other, image ^ (1 << (31 - shared))))
    assert ipv4((base, image), (other, image ^ (1 << (32 - shared))))
    assert ipv4((base, image), (other, image ^ (1 << (30 - shared)) if shared < 31 else image))


def test_one_that_was_left_among_others_that_moved_is_found() -> None:
    moved = [(0x0A140000 + n, 0x2C3D0000 + (n ^ 0x5A)) for n in range(200)]
    assert not ipv4(*moved)
    assert ipv4(*moved[:90], (moved[90][0], moved[90][0]), *moved[91:])


def test_below_sixteen_bits_nothing_is_said() -> None:
    assert not ipv4((0x0A140001, 0x2C3D0001), (0x0A150001, 0xB03D0001))
    assert ipv4((0x0A140001, 0x2C3D0001), (0x0A148001, 0xB03D0001))
    assert not ipv6((0x20010DB8 << 96, 0x1234 << 112), (0x20020DB8 << 96, 0xF234 << 112))
    assert ipv6((0x20010DB8 << 96, 0x1234 << 112), (0x20018DB8 << 96, 0xF234 << 112))


@pytest.mark.parametrize("shared", range(16, 64))
def test_of_ipv6_the_first_word_counts(shared: int) -> None:
    base, image = 0x20010DB8_00200002, 0x5C3D4E5F_60718293
    other, follows = base ^ (1 << (63 - shared)), image ^ (1 << (63 - shared))
    for low in (1, 0x021122FFFE334455):
        assert not ipv6((base << 64 | 1, image << 64 | 9), (other << 64 | low, follows << 64 | 7))
    assert ipv6((base << 64 | 1, image << 64 | 9), (other << 64 | 1, (image ^ 1 << (64 - shared)) << 64 | 9))


def test_one_network_has_one_image() -> None:
    base, image = 0x20010DB8_00200002, 0x5C3D4E5F_60718293
    assert not ipv6((base << 64 | 1, image << 64 | 9), (base << 64 | 2, image << 64 | 1 << 63))
    assert ipv6((base << 64 | 1, image << 64 | 9), (base << 64 | 2, (image ^ 1) << 64 | 9))


def test_special_addresses_prefixes_and_what_became_zero_do_not_count() -> None:
    moved = (0x0A141E28, 0x2C3D4E5F)
    assert not ipv4(moved, (0x0A141E29, 0))
    assert not ipv4((0xE9000001, 0xE9000001), (0xE9000002, 0xE9100002))
    assert not ipv4(moved, (0x0A141E29, 0x11111111), prefix=32)
    assert ipv4(moved, (0x0A141E29, 0x11111111))
    local = 0xFE80 << 112
    assert not ipv6((local | 1, local | 1), (local | 1 << 64, 0xFE80 << 112 | 1 << 67))


def test_of_many_addresses_each_part_is_held_to_the_laws() -> None:
    """More than are sorted at once: every network in turn is the one where the law is broken."""
    networks = np.arange(0x0A00, 0x0A00 + 6, dtype=np.uint64)
    low = (networks[:, None] << np.uint64(16) | np.arange(1 << 16, dtype=np.uint64)).reshape(-1)
    new_low = low ^ np.uint64(0x12345678)
    assert len(low) > 1 << 18
    assert not breaks_prefixes(classes.IPV4, lambda: in_pieces(many(low, new_low), 1 << 14), len(low))
    assert not has_doubles(lambda: in_pieces(many(low, new_low), 1 << 14), len(low))
    for network in range(6):
        changed = new_low.copy()
        changed[(network << 16) + 77] = low[(network << 16) + 77]
        assert breaks_prefixes(classes.IPV4, lambda new=changed: in_pieces(many(low, new), 1 << 14), len(low))  # type: ignore[misc]
        doubled = new_low.copy()
        doubled[(network << 16) + 77] = new_low[(network << 16) + 78 - 2 * (network % 2)]
        assert has_doubles(lambda new=doubled: in_pieces(many(low, new), 1 << 14), len(low))  # type: ignore[misc]


def test_nothing_breaks_no_law() -> None:
    nothing = pairs_of([])
    assert not has_doubles(lambda: iter([nothing]), 0)
    assert not breaks_prefixes(classes.IPV6, lambda: iter([nothing]), 0)
