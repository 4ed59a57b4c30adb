"""Classes of addresses, told apart for the second reader.

IANA's special-purpose registries (RFC 6890), multicast (RFC 5771, RFC 4291, RFC 3306), and group MAC addresses
(RFC 1112, RFC 2464, IEEE 802.1Q table 8-1). A fixed address names no host and stays; one of another class becomes
another of its class.
"""

from typing import Final

import numpy as np

from gql_server.engine.compilation import State, U, Words, entry, kernel

FIXED: Final = 0
ORDINARY: Final = 1
LINK_LOCAL: Final = 2
RESERVED: Final = 3
GROUP: Final = 4
"""Multicast with free bits; of MAC addresses, those that stand for an IPv4 group."""
GROUP6: Final = 5
"""MAC addresses that stand for an IPv6 group."""

IPV4: Final = 0
IPV6: Final = 1
MAC: Final = 2


@kernel
def class_of_ipv4(a: np.uint64) -> int:
    """Return the class of an IPv4 address."""
    top = a >> U(24)
    if top in (U(0), U(127)) or a == U(0xFFFFFFFF):
        return FIXED
    if top < U(224):
        return LINK_LOCAL if a >> U(16) == U(0xA9FE) else ORDINARY
    if top >= U(240):
        return RESERVED
    # Local network control, internetwork control, and the scope-relative range (RFC 5771, RFC 2365): a switch sees
    # 23 bits only, so they count wherever they stand.
    low = a & U(0x7FFFFF)
    return FIXED if low < U(0x200) or low >= U(0x7FFF00) else GROUP


@kernel
def class_of_ipv6(high: np.uint64, low: np.uint64) -> int:
    """Return the class of an IPv6 address."""
    if high == U(0) and low <= U(1):
        return FIXED
    if high >> U(54) == U(0x3FA):
        return LINK_LOCAL
    if high >> U(56) != U(0xFF):
        return ORDINARY
    # Flags tell of embedded unicast bits; group ids from 0x80000000 on are made up by hosts (RFC 3307).
    flagged = (high >> U(52)) & U(15) != U(0)
    return GROUP if flagged or (low & U(0x80000000)) != U(0) else FIXED


@kernel
def class_of_mac(a: np.uint64) -> int:
    """Return the class of a MAC address."""
    organization = a >> U(24)
    if a in (U(0), U(0xFFFFFFFFFFFF)):
        return FIXED
    # Bridges and LLDP; Cisco; precision time; substations.
    if organization in (U(0x0180C2), U(0x01000C), U(0x011B19), U(0x010CCD)):
        return FIXED
    if a >> U(23) == U(0x01005E000000 >> 23):
        low = a & U(0x7FFFFF)
        return FIXED if low < U(0x200) or low >= U(0x7FFF00) else GROUP
    if a >> U(32) == U(0x3333):
        return GROUP6 if (a & U(0x80000000)) != U(0) else FIXED
    return ORDINARY


@entry
def classify(kind: int, high: Words, low: Words, classes: State) -> None:
    """Write the class of each address."""
    for i in range(low.shape[0]):
        if kind == IPV4:
            classes[i] = class_of_ipv4(low[i])
        elif kind == IPV6:
            classes[i] = class_of_ipv6(high[i], low[i])
        else:
            classes[i] = class_of_mac(low[i])
