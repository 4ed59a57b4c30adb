"""Interface ids made from MAC addresses.

RFC 4291 appendix A: the six octets with FF-FE in their middle and the local bit turned around.
"""

from typing import Final

import numpy as np

from gql_server.engine.addresses.ranges import Flags, Numbers, is_unicast_mac

U = np.uint64
_MIDDLE: Final = U(0xFFFE)
_MIDDLE_AT: Final = U(24)
_VENDOR_AT: Final = U(40)
_NIC: Final = U(0xFFFFFF)
_LOCAL: Final = U(0x0200_0000_0000)


def is_eui64(ids: Numbers) -> Flags:
    """Say which interface ids are those of a station's MAC address."""
    flags = np.asarray((ids >> _MIDDLE_AT) & U(0xFFFF) == _MIDDLE)
    return flags & is_unicast_mac(mac_of_eui64(ids)) if flags.any() else flags


def mac_of_eui64(ids: Numbers) -> Numbers:
    """Return the MAC addresses that interface ids were made from."""
    return ((ids >> _VENDOR_AT << _MIDDLE_AT) | (ids & _NIC)) ^ _LOCAL


def eui64_of_mac(addresses: Numbers) -> Numbers:
    """Return the interface ids of MAC addresses."""
    turned = addresses ^ _LOCAL
    return (turned >> _MIDDLE_AT << _VENDOR_AT) | (_MIDDLE << _MIDDLE_AT) | (turned & _NIC)
