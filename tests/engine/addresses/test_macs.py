import numpy as np
import pytest

from gql_server.domain.anonymization import MacMapping
from gql_server.engine.addresses.macs import MacPermutation, mac_permutation

KEY = bytes(range(16))
FLAGS = np.uint64(0x030000000000)


@pytest.fixture(params=list(MacMapping))
def permutation(request: pytest.FixtureRequest) -> MacPermutation:
    return mac_permutation(request.param, KEY)


def some_addresses() -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    addresses = np.random.default_rng(1).integers(0, 1 << 48, 50_000, dtype=np.uint64)
    return np.unique(np.concatenate([addresses, addresses ^ np.uint64(1), np.arange(5000, dtype=np.uint64)]))


def test_the_group_and_the_local_bit_stay_and_no_two_addresses_meet(permutation: MacPermutation) -> None:
    addresses = some_addresses()
    permuted = permutation.permute(addresses)
    assert np.array_equal(addresses & FLAGS, permuted & FLAGS)
    assert len(np.unique(permuted)) == len(addresses)
    assert int(permuted.max()) < 1 << 48
    assert not np.array_equal(addresses & np.uint64(0xFFFFFF), permuted & np.uint64(0xFFFFFF))


def test_vendors_stay_where_they_are_to_stay_and_nowhere_else() -> None:
    addresses = some_addresses()
    vendors = {mapping: mac_permutation(mapping, KEY).permute(addresses) >> np.uint64(24) for mapping in MacMapping}
    assert np.array_equal(vendors[MacMapping.KEEP_OUI], addresses >> np.uint64(24))
    assert (vendors[MacMapping.PERMUTATION] == addresses >> np.uint64(24)).mean() < 0.01


def test_all_devices_of_a_vendor_are_permuted_and_each_vendor_in_its_own_way() -> None:
    permutation = mac_permutation(MacMapping.KEEP_OUI, KEY)
    nics = np.arange(0, 1 << 24, 251, dtype=np.uint64)
    one, other = (
        permutation.permute(np.uint64(oui << 24) | nics) & np.uint64(0xFFFFFF) for oui in (0x001122, 0x001123)
    )
    assert len(np.unique(one)) == len(np.unique(other)) == len(nics)
    assert (one == other).mean() < 0.001
