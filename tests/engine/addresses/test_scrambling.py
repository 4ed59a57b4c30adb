import json
from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.ranges import Pairs
from gql_server.engine.addresses.scrambling import Scrambling
from tests.engine.addresses.test_ff1 import reference
from tests.engine.corpora import corpora

KEYS = (bytes(range(16)), bytes(range(16, 32)))
SCRAMBLING = Scrambling(*KEYS)
# draft-denis-ipcrypt, appendix "Test Vectors", ipcrypt-deterministic.
DETERMINISTIC = [
    ("0123456789abcdeffedcba9876543210", "0.0.0.0", "bde9:6789:d353:824c:d7c6:f58a:6bd2:26eb"),
    ("2b7e151628aed2a6abf7158809cf4f3c", "192.0.2.1", "1dbd:c1b9:fff1:7586:7d0b:67b4:e76e:4777"),
    ("1032547698badcfeefcdab8967452301", "192.0.2.1", "7fde:a680:9546:ef2:d3c:7abb:1b38:2659"),
]


def pairs(*numbers: int) -> Pairs:
    return np.array([(number >> 64, number & (1 << 64) - 1) for number in numbers], np.uint64).reshape(-1, 2)


def encrypted(key: str, text: str) -> IPv6Address:
    address = ip_address(text)
    number = int(address) | (0xFFFF << 32 if isinstance(address, IPv4Address) else 0)
    high, low = Scrambling(bytes(16), bytes.fromhex(key)).whole(pairs(number))[0].tolist()
    return IPv6Address((high << 64) | low)


@pytest.mark.parametrize(("key", "original", "expected"), DETERMINISTIC)
def test_ipcrypt_deterministic_gives_the_published_vectors(key: str, original: str, expected: str) -> None:
    assert str(encrypted(key, original)) == expected


def test_all_shared_vectors_hold() -> None:
    published = json.loads((corpora("vectors") / "ipcrypt.json").read_text())
    mine = [one for one in published if one["variant"] == "ipcrypt-deterministic"]
    assert len(mine) >= len(DETERMINISTIC)
    assert [one for one in mine if encrypted(one["key"], one["ip"]) != ip_address(one["encrypted_ip"])] == []


@given(st.integers(0, (1 << 32) - 1))
def test_ipv4_addresses_go_through_ff1(number: int) -> None:
    start = np.array([number], np.uint64)
    if ranges.is_ordinary_ipv4(start)[0]:
        image = reference(KEYS[0], number, 32)
        while not ranges.is_ordinary_ipv4(np.array([image], np.uint64))[0]:
            image = reference(KEYS[0], image, 32)
        assert SCRAMBLING.ordinary_ipv4(start).tolist() == [image]
    assert SCRAMBLING.hosts_ipv4(start, 16).tolist() == [number >> 16 << 16 | reference(KEYS[0], number & 0xFFFF, 16)]


@given(st.integers(0, (1 << 128) - 1))
def test_ids_and_groups_go_through_ff1_on_their_bits(number: int) -> None:
    pair = pairs(number)
    low = number & (1 << 64) - 1
    assert SCRAMBLING.interface_ids(pair).tolist() == [reference(KEYS[0], low, 64)]
    group_id = np.array([low & 0xFFFFFFFF], np.uint64)
    assert SCRAMBLING.group_ids(group_id).tolist() == [
        (low & 0xFF000000) | reference(KEYS[0], low & 0xFFFFFF, 24),
    ]
    middle = reference(KEYS[0], number >> 32 & (1 << 80) - 1, 80)
    expected = number >> 112 << 112 | middle << 32 | number & 0xFFFFFFFF
    assert np.array_equal(SCRAMBLING.group_prefixes(pair), pairs(expected))


def test_neighbours_have_nothing_in_common() -> None:
    numbers = np.arange(10 << 24, (10 << 24) + 4096, dtype=np.uint64)
    images = SCRAMBLING.ordinary_ipv4(numbers)
    assert len(np.unique(images >> np.uint64(16))) > 3000
    wide = SCRAMBLING.ordinary_ipv6(pairs(*range(0x2001 << 112, (0x2001 << 112) + 4096)), lambda a: a[:, 1])
    assert len(np.unique(wide[:, 0])) == 4096
    assert bool(ranges.is_ordinary_ipv6(wide).all())
