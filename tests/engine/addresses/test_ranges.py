from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.ranges import Flags, Numbers

V4 = {
    ranges.is_fixed_ipv4: ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "255.255.255.255"],
    ranges.is_link_local_ipv4: ["169.254.0.0", "169.254.255.255"],
    ranges.is_group_ipv4: ["224.0.0.0", "239.255.255.255"],
    ranges.is_reserved_ipv4: ["240.0.0.0", "255.255.255.254"],
    ranges.is_ordinary_ipv4: ["1.0.0.0", "10.1.2.3", "126.255.255.255", "128.0.0.0", "192.168.0.1", "223.255.255.255"],
}
V6 = {
    ranges.is_fixed_ipv6: ["::", "::1"],
    ranges.is_link_local_ipv6: ["fe80::", "febf:ffff::1"],
    ranges.is_group_ipv6: ["ff00::", "ff02::1", "ffff::"],
    ranges.is_ordinary_ipv6: ["::2", "2001:db8::1", "fc00::1", "fe7f::", "fec0::", "feff::", "::ffff:1.2.3.4"],
}
MACS = {
    ranges.is_fixed_mac: [0, 0xFFFFFFFFFFFF, 0x0180C200000E, 0x01000CCCCCCC],
    ranges.is_ipv4_group_mac: [0x01005E000000, 0x01005E7FFFFF],
    ranges.is_ipv6_group_mac: [0x333300000001, 0x3333FFFFFFFF],
    ranges.is_ordinary_mac: [1, 0x001122334455, 0x01005E800000, 0x03BF01020304, 0x010203040506],
}


def pairs(numbers: list[int]) -> Numbers:
    return np.array([(number >> 64, number & (1 << 64) - 1) for number in numbers], np.uint64).reshape(-1, 2)


@pytest.mark.parametrize("belongs", V4)
def test_ipv4_examples_belong_to_one_class(belongs: Callable[[Numbers], Flags]) -> None:
    for other, texts in V4.items():
        numbers = np.array([int(IPv4Address(text)) for text in texts], np.uint64)
        assert belongs(numbers).tolist() == [other is belongs] * len(texts)


@pytest.mark.parametrize("belongs", V6)
def test_ipv6_examples_belong_to_one_class(belongs: Callable[[Numbers], Flags]) -> None:
    for other, texts in V6.items():
        assert belongs(pairs([int(IPv6Address(text)) for text in texts])).tolist() == [other is belongs] * len(texts)


@pytest.mark.parametrize("belongs", MACS)
def test_mac_examples_belong_to_one_class(belongs: Callable[[Numbers], Flags]) -> None:
    for other, numbers in MACS.items():
        assert belongs(np.array(numbers, np.uint64)).tolist() == [other is belongs] * len(numbers)


def test_special_examples_are_counted() -> None:
    four = [int(IPv4Address(text)) for texts in V4.values() for text in texts]
    six = [int(IPv6Address(text)) for texts in V6.values() for text in texts]
    macs = [number for numbers in MACS.values() for number in numbers]
    assert ranges.count_special_ipv4(np.array(four, np.uint64)) == len(four) - len(V4[ranges.is_ordinary_ipv4])
    assert ranges.count_special_ipv6(pairs(six).reshape(-1)) == len(six) - len(V6[ranges.is_ordinary_ipv6])
    assert ranges.count_special_macs(np.array(macs, np.uint64)) == len(macs) - len(MACS[ranges.is_ordinary_mac])


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 48) - 1))
def test_every_address_belongs_to_exactly_one_class(ipv4: int, ipv6: int, mac: int) -> None:
    assert sum(bool(belongs(np.array([ipv4], np.uint64))[0]) for belongs in V4) == 1
    assert sum(bool(belongs(pairs([ipv6]))[0]) for belongs in V6) == 1
    assert sum(bool(belongs(np.array([mac], np.uint64))[0]) for belongs in MACS) == 1
