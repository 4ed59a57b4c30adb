import numpy as np

from gql_server.engine.addresses.network_memo import NetworkMemo
from gql_server.engine.addresses.ranges import Numbers, Pairs


def rows(*networks: int) -> Pairs:
    return np.array([(network, host) for host, network in enumerate(networks)], np.uint64).reshape(-1, 2)


class Asked:
    """Computes flips, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.networks: list[int] = []

    def __call__(self, addresses: Pairs) -> Numbers:
        self.networks += addresses[:, 0].tolist()
        return addresses[:, 0] ^ np.uint64(0xABCDEF)


def test_a_network_is_computed_once() -> None:
    memo, asked = NetworkMemo(), Asked()
    first = memo.flips(rows(1, 2, 3), asked)
    again = memo.flips(rows(3, 4, 1), asked)
    assert first.tolist() == [number ^ 0xABCDEF for number in (1, 2, 3)]
    assert again.tolist() == [number ^ 0xABCDEF for number in (3, 4, 1)]
    assert asked.networks == [1, 2, 3, 4]


def test_networks_that_share_a_slot_are_not_mistaken_for_each_other() -> None:
    networks = np.random.default_rng(5).integers(1, 1 << 48, 20_000, dtype=np.uint64)
    memo, asked = NetworkMemo(), Asked()
    for _ in range(2):
        for part in np.array_split(networks, 7):
            flips = memo.flips(rows(*part.tolist()), asked)
            assert np.array_equal(flips, part ^ np.uint64(0xABCDEF))
    assert len(asked.networks) > len(networks), "some had to make way"


def test_nothing_is_asked_for_no_addresses() -> None:
    asked = Asked()
    assert not len(NetworkMemo().flips(rows(), asked))
    assert not asked.networks
