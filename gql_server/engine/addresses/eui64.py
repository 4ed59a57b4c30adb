"""Interface ids made from MAC addresses.

RFC 4291 appendix A: the six octets with FF-FE in their middle and the local bit turned around.
"""

from typing import Final

import numpy as np

from gql_server.engine.addresses.ranges import Flags, Numbers, marked
from gql_server.engine.compilation import Bytes, Words, entry
from gql_server.engine.memory import pointer

U = np.uint64
_MIDDLE: Final = U(0xFFFE)
_MIDDLE_AT: Final = U(24)
_VENDOR_AT: Final = U(40)
_NIC: Final = U(0xFFFFFF)
_GROUP: Final = U(0x0100_0000_0000)
_LOCAL: Final = U(0x0200_0000_0000)


def is_eui64(ids: Numbers) -> Flags:
    """Say which interface ids are those of a station's MAC address."""
    return marked(mark_eui64, ids)


@entry
def mark_eui64(ids: Words, flags: Bytes) -> None:
    """Say which interface ids are those of a station's MAC address, in one go."""
    number, out = pointer(ids), pointer(flags)
    for i in range(flags.shape[0]):
        mac = ((number[i] >> _VENDOR_AT << _MIDDLE_AT) | (number[i] & _NIC)) ^ _LOCAL
        follows = (number[i] >> _MIDDLE_AT) & U(0xFFFF) == _MIDDLE and mac & _GROUP == U(0) and mac != U(0)
        out[i] = 1 if follows else 0


def mac_of_eui64(ids: Numbers) -> Numbers:
    """Return the MAC addresses that interface ids were made from."""
    return ((ids >> _VENDOR_AT << _MIDDLE_AT) | (ids & _NIC)) ^ _LOCAL


def eui64_of_mac(addresses: Numbers) -> Numbers:
    """Return the interface ids of MAC addresses."""
    turned = addresses ^ _LOCAL
    return (turned >> _MIDDLE_AT << _VENDOR_AT) | (_MIDDLE << _MIDDLE_AT) | (turned & _NIC)
