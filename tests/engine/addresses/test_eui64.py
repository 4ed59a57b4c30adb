from ipaddress import IPv6Address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses.eui64 import count_eui64, eui64_of_mac, is_eui64, part_by_id

# RFC 4291 appendix A gives 34-56-78-9A-BC-DE as its example.
EXAMPLE = (0x3456789ABCDE, 0x365678FFFE9ABCDE)


def interface_id(text: str) -> int:
    return int(IPv6Address(text)) & (1 << 64) - 1


def test_the_example_of_the_standard() -> None:
    mac, identifier = EXAMPLE
    assert eui64_of_mac(np.array([mac], np.uint64)).tolist() == [identifier]
    assert part_by_id(np.array([[5, identifier]], np.uint64)).macs.tolist() == [mac]


@given(st.integers(1, (1 << 48) - 1))
def test_ids_of_stations_are_known_and_lead_back(mac: int) -> None:
    made = eui64_of_mac(np.array([mac], np.uint64))
    of_a_station = mac >> 40 & 1 == 0
    assert bool(is_eui64(made)[0]) == of_a_station
    assert part_by_id(np.array([[5, made[0]]], np.uint64)).macs.tolist() == [mac] * of_a_station


def test_other_ids_are_not_taken_for_such() -> None:
    texts = ["::1", "::211:22ff:ff33:4455", "::211:22fe:fe33:4455", "::311:22ff:fe33:4455", "::200:ff:fe00:0"]
    assert not is_eui64(np.array([interface_id(text) for text in texts], np.uint64)).any()
    # One address of a group and nobody's: both have the form, neither is a station's.
    mixed = np.array([interface_id("::311:22ff:fe33:4455"), EXAMPLE[1]], np.uint64)
    assert is_eui64(mixed).tolist() == [False, True]
    assert count_eui64(mixed) == 1


@given(st.lists(st.booleans(), max_size=40))
def test_parting_loses_and_moves_no_address(made: list[bool]) -> None:
    rows = np.array([(7 + i, EXAMPLE[1] ^ i if follows else i) for i, follows in enumerate(made)], np.uint64)
    parted = part_by_id(rows.reshape(-1, 2))
    again = np.zeros((len(made), 2), np.uint64)
    again[parted.mac_places, 1] = eui64_of_mac(parted.macs)
    again[parted.mac_places, 0] = 7 + parted.mac_places
    again[parted.other_places] = parted.others
    assert again.tolist() == rows.reshape(-1, 2).tolist()
    assert len(parted.macs) == sum(made)
