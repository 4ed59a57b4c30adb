"""Which addresses are special, as tests on many at once.

A special address keeps its class: what it means to a machine (this host, everyone, neighbours only) stays, and so do
the numbers that protocols are assigned. Private ranges (RFC 1918, RFC 4193) are not special: they are mapped like
any other, or their subnets would show.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.compilation import Bytes, Words, entry, kernel
from gql_server.engine.memory import pointer

U = np.uint64
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint64]
Pairs = npt.NDArray[np.uint64]

TOP_BITS: Final = 16
"""The first bits of an address tell its class: all special ranges but :: and ::1 are unions of /16s."""
TOPS: Final = 1 << TOP_BITS

ORDINARY: Final = 0
FIXED: Final = 1
LINK_LOCAL: Final = 2
GROUP: Final = 3
RESERVED: Final = 4
"""240/4, where the broadcast address lies."""

BROADCAST_IPV4: Final = U(0xFFFFFFFF)
LINK_LOCAL_IPV4_HOST: Final = U(0x0000FFFF)
RESERVED_IPV4_HOST: Final = U(0x0FFFFFFF)
GROUP_IPV4_HOST: Final = U(0x007FFFFF)
"""The bits of an IPv4 group that its MAC address carries (RFC 1112)."""

GROUP_MAC_IPV4: Final = U(0x01005E000000)
GROUP_MAC_IPV6: Final = U(0x333300000000)
BROADCAST_MAC: Final = U(0xFFFFFFFFFFFF)
_ASSIGNED_ORGANISATIONS: Final = (U(0x0180C2), U(0x01000C), U(0x011B19), U(0x010CCD))
"""Bridges and LLDP, Cisco's protocols, precision time, substations."""


def marked(mark: Callable[[Words, Bytes], None], addresses: Numbers) -> Flags:
    """Return the flags that a kernel gives to numbers, or to pairs of them."""
    flags = np.empty(len(addresses), np.bool_)
    mark(np.ascontiguousarray(addresses).reshape(-1), flags.view(np.uint8))
    return flags


def is_fixed_ipv4(a: Numbers) -> Flags:
    """This network, loopback, everyone (RFC 6890)."""
    top = a >> U(24)
    return np.asarray((top == 0) | (top == 127) | (a == BROADCAST_IPV4))  # noqa: PLR2004  # 127/8


def is_link_local_ipv4(a: Numbers) -> Flags:
    """169.254.0.0/16 (RFC 3927)."""
    return np.asarray(a >> U(16) == U(0xA9FE))


def is_group_ipv4(a: Numbers) -> Flags:
    """224.0.0.0/4."""
    return np.asarray(a >> U(28) == U(14))


def is_reserved_ipv4(a: Numbers) -> Flags:
    """240.0.0.0/4 but for the broadcast address."""
    return np.asarray((a >> U(28) == U(15)) & (a != BROADCAST_IPV4))


def _top_classes_of_ipv4() -> npt.NDArray[np.uint8]:
    tops = np.arange(TOPS, dtype=np.uint64) << U(TOP_BITS)
    classes = np.zeros(TOPS, np.uint8)
    classes[is_fixed_ipv4(tops)] = FIXED
    classes[is_link_local_ipv4(tops)] = LINK_LOCAL
    classes[is_group_ipv4(tops)] = GROUP
    classes[is_reserved_ipv4(tops)] = RESERVED
    return classes


TOP_CLASSES_IPV4: Final = _top_classes_of_ipv4()
"""The class of all IPv4 addresses by their first 16 bits."""


def is_ordinary_ipv4(a: Numbers) -> Flags:
    """Every other address."""
    return marked(mark_ordinary_ipv4, a)


@kernel
def _is_special_ipv4(a: np.uint64) -> bool:
    top = a >> U(24)
    return bool(top == U(0) or top == U(127) or top >= U(224) or a >> U(16) == U(0xA9FE))


@entry
def mark_ordinary_ipv4(addresses: Words, flags: Bytes) -> None:
    """Say which addresses are ordinary, in one go."""
    number, out = pointer(addresses), pointer(flags)
    for i in range(flags.shape[0]):
        out[i] = 0 if _is_special_ipv4(number[i]) else 1


@entry
def count_special_ipv4(addresses: Words) -> int:
    """Count the addresses that are not ordinary: in most windows there is none, and no more is asked."""
    number = pointer(addresses)
    count = 0
    for i in range(addresses.shape[0]):
        count += 1 if _is_special_ipv4(number[i]) else 0
    return count


def is_assigned_group_ipv4(a: Numbers) -> Flags:
    """Groups whose 23 bits protocols are assigned: 224.0.0.0/23 and 239.255.255.0/24 (RFC 5771, RFC 2365)."""
    low = a & GROUP_IPV4_HOST
    return np.asarray((low < U(0x200)) | (low >= U(0x7FFF00)))


def is_fixed_ipv6(a: Pairs) -> Flags:
    """The unspecified and the loopback address."""
    return marked(mark_fixed_ipv6, a)


@kernel
def _is_fixed(high: np.uint64, low: np.uint64) -> bool:
    return bool(high == U(0) and low <= U(1))


@entry
def mark_fixed_ipv6(addresses: Words, flags: Bytes) -> None:
    """Say which addresses are the unspecified or the loopback address, in one go."""
    number, out = pointer(addresses), pointer(flags)
    for i in range(flags.shape[0]):
        out[i] = 1 if _is_fixed(number[2 * i], number[2 * i + 1]) else 0


def is_link_local_ipv6(a: Pairs) -> Flags:
    """fe80::/10."""
    return np.asarray(a[:, 0] >> U(54) == U(0x3FA))


def is_group_ipv6(a: Pairs) -> Flags:
    """ff00::/8."""
    return np.asarray(a[:, 0] >> U(56) == U(0xFF))


def is_ordinary_ipv6(a: Pairs) -> Flags:
    """Every other address."""
    return marked(mark_ordinary_ipv6, a)


@kernel
def _is_ordinary(high: np.uint64, low: np.uint64) -> bool:
    top = high >> U(54)
    return bool(top < U(0x3FC) and top != U(0x3FA) and not _is_fixed(high, low))


@entry
def mark_ordinary_ipv6(addresses: Words, flags: Bytes) -> None:
    """Say which addresses are ordinary, in one go."""
    number, out = pointer(addresses), pointer(flags)
    for i in range(flags.shape[0]):
        out[i] = 1 if _is_ordinary(number[2 * i], number[2 * i + 1]) else 0


@entry
def count_special_ipv6(addresses: Words) -> int:
    """Count the addresses that are not ordinary."""
    number = pointer(addresses)
    count = 0
    for i in range(0, addresses.shape[0], 2):
        count += 0 if _is_ordinary(number[i], number[i + 1]) else 1
    return count


_TOP_PAIRS: Final = np.stack([np.arange(TOPS, dtype=np.uint64) << U(48), np.full(TOPS, 2, np.uint64)], axis=1)
ORDINARY_TOPS_IPV6: Final = is_ordinary_ipv6(_TOP_PAIRS)
"""Whether the first 16 bits are those of ordinary IPv6 addresses; :: and ::1 share theirs with such."""


def has_group_flags(a: Pairs) -> Flags:
    """Groups that were not assigned: they may carry a unicast prefix (RFC 3306) or an address (RFC 3956)."""
    return np.asarray((a[:, 0] >> U(52)) & U(15) != 0)


def is_dynamic_group_id(low: Numbers) -> Flags:
    """Group ids that hosts make up, among them those of solicited-node groups (RFC 3307, RFC 4291)."""
    return np.asarray((low & U(0xFFFFFFFF)) >= U(0x80000000))


def is_fixed_mac(a: Numbers) -> Flags:
    """Nobody, everyone, and the groups that protocols are assigned."""
    fixed = np.asarray((a == 0) | (a == BROADCAST_MAC))
    vendor = a >> U(24)
    for organisation in _ASSIGNED_ORGANISATIONS:
        fixed |= vendor == organisation
    return fixed


def is_ipv4_group_mac(a: Numbers) -> Flags:
    """01-00-5E-00-00-00 to 01-00-5E-7F-FF-FF (RFC 1112)."""
    return np.asarray(a & ~GROUP_IPV4_HOST == GROUP_MAC_IPV4)


def is_ipv6_group_mac(a: Numbers) -> Flags:
    """33-33-xx-xx-xx-xx (RFC 2464)."""
    return np.asarray(a >> U(32) == GROUP_MAC_IPV6 >> U(32))


def is_ordinary_mac(a: Numbers) -> Flags:
    """Every other address, of one station or of a group."""
    return marked(mark_ordinary_macs, a)


@kernel
def _is_special_mac(a: np.uint64) -> bool:
    fixed = a == U(0) or a == BROADCAST_MAC or a >> U(24) in _ASSIGNED_ORGANISATIONS
    return bool(fixed or a & ~GROUP_IPV4_HOST == GROUP_MAC_IPV4 or a >> U(32) == GROUP_MAC_IPV6 >> U(32))


@entry
def mark_ordinary_macs(addresses: Words, flags: Bytes) -> None:
    """Say which addresses are in no special class, in one go."""
    a, out = pointer(addresses), pointer(flags)
    for i in range(flags.shape[0]):
        out[i] = 0 if _is_special_mac(a[i]) else 1


@entry
def count_special_macs(addresses: Words) -> int:
    """Count the addresses that are in a special class: each image is asked."""
    a = pointer(addresses)
    count = 0
    for i in range(addresses.shape[0]):
        count += 1 if _is_special_mac(a[i]) else 0
    return count


def is_unicast_mac(a: Numbers) -> Flags:
    """Addresses of one station."""
    return np.asarray(((a >> U(40)) & U(1) == 0) & (a != 0))
