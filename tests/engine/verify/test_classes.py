from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest

from gql_server.engine.verify import classes


def class_of(kind: int, number: int) -> int:
    high, low = np.array([number >> 64], np.uint64), np.array([number & 0xFFFFFFFFFFFFFFFF], np.uint64)
    found = np.zeros(1, np.int64)
    classes.classify(kind, high, low, found)
    return int(found[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0", classes.FIXED),
        ("0.255.255.255", classes.FIXED),
        ("1.0.0.0", classes.ORDINARY),
        ("10.1.2.3", classes.ORDINARY),
        ("126.255.255.255", classes.ORDINARY),
        ("127.0.0.1", classes.FIXED),
        ("169.253.255.255", classes.ORDINARY),
        ("169.254.1.2", classes.LINK_LOCAL),
        ("223.255.255.255", classes.ORDINARY),
        ("224.0.0.251", classes.FIXED),
        ("224.0.1.255", classes.FIXED),
        ("224.0.2.0", classes.GROUP),
        ("239.1.2.3", classes.GROUP),
        ("239.255.254.255", classes.GROUP),
        ("239.255.255.0", classes.FIXED),
        ("239.255.255.250", classes.FIXED),
        ("240.0.0.0", classes.RESERVED),
        ("255.255.255.254", classes.RESERVED),
        ("255.255.255.255", classes.FIXED),
        ("::", classes.FIXED),
        ("::1", classes.FIXED),
        ("::2", classes.ORDINARY),
        ("fc00::1", classes.ORDINARY),
        ("fe7f::1", classes.ORDINARY),
        ("fe80::1", classes.LINK_LOCAL),
        ("febf::1", classes.LINK_LOCAL),
        ("fec0::1", classes.ORDINARY),
        ("ff02::fb", classes.FIXED),
        ("ff02::1:ff00:1", classes.GROUP),
        ("ff32:40:2001:db8::1", classes.GROUP),
    ],
)
def test_an_ip_address_has_the_class_of_its_range(text: str, expected: int) -> None:
    kind = classes.IPV6 if ":" in text else classes.IPV4
    number = int(IPv6Address(text) if ":" in text else IPv4Address(text))
    assert class_of(kind, number) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("000000000000", classes.FIXED),
        ("ffffffffffff", classes.FIXED),
        ("0180c200000e", classes.FIXED),
        ("01000ccccccc", classes.FIXED),
        ("011b19000000", classes.FIXED),
        ("010ccd010001", classes.FIXED),
        ("001122334455", classes.ORDINARY),
        ("020000000001", classes.ORDINARY),
        ("010203040506", classes.ORDINARY),
        ("01005e0000fb", classes.FIXED),
        ("01005e0001ff", classes.FIXED),
        ("01005e000200", classes.GROUP),
        ("01005e7ffeff", classes.GROUP),
        ("01005e7fff00", classes.FIXED),
        ("01005e7ffffa", classes.FIXED),
        ("01005e010203", classes.GROUP),
        ("01005e800001", classes.ORDINARY),
        ("3333000000fb", classes.FIXED),
        ("3333ff000001", classes.GROUP6),
    ],
)
def test_a_mac_address_has_the_class_of_its_range(text: str, expected: int) -> None:
    assert class_of(classes.MAC, int(text, 16)) == expected
