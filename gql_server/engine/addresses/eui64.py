"""Interface ids made from MAC addresses.

RFC 4291 appendix A: the six octets with FF-FE in their middle and the local bit turned around.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gql_server.engine.addresses.ranges import Flags, Numbers, Pairs, marked
from gql_server.engine.compilation import Bytes, State, Words, entry, kernel
from gql_server.engine.memory import pointer

U = np.uint64
_MIDDLE: Final = U(0xFFFE)
_MIDDLE_AT: Final = U(24)
_VENDOR_AT: Final = U(40)
_NIC: Final = U(0xFFFFFF)
_GROUP: Final = U(0x0100_0000_0000)
_LOCAL: Final = U(0x0200_0000_0000)


@kernel
def _mac_of(identifier: np.uint64) -> np.uint64:
    """Return the MAC address that an interface id was made from, 0 if from none of a station."""
    mac = U(((identifier >> _VENDOR_AT << _MIDDLE_AT) | (identifier & _NIC)) ^ _LOCAL)
    follows = (identifier >> _MIDDLE_AT) & U(0xFFFF) == _MIDDLE and mac & _GROUP == U(0)
    return mac if follows else U(0)


def is_eui64(ids: Numbers) -> Flags:
    """Say which interface ids are those of a station's MAC address."""
    return marked(mark_eui64, ids)


@entry
def mark_eui64(ids: Words, flags: Bytes) -> None:
    """Say which interface ids are those of a station's MAC address, in one go."""
    number, out = pointer(ids), pointer(flags)
    for i in range(flags.shape[0]):
        out[i] = 0 if _mac_of(number[i]) == U(0) else 1


@entry
def count_eui64(ids: Words) -> int:
    """Count the interface ids that are those of a station's MAC address."""
    number = pointer(ids)
    count = 0
    for i in range(ids.shape[0]):
        count += 0 if _mac_of(number[i]) == U(0) else 1
    return count


class Parted(NamedTuple):
    """Addresses, those apart whose interface ids were made from MAC addresses."""

    macs: Numbers
    """What the ids were made from."""
    mac_places: npt.NDArray[np.int64]
    others: Pairs
    other_places: npt.NDArray[np.int64]


def part_by_id(addresses: Pairs) -> Parted:
    """Part IPv6 addresses by their interface ids."""
    count = len(addresses)
    rows, places = np.empty(3 * count, np.uint64), np.empty(2 * count, np.int64)
    made = part_ids(np.ascontiguousarray(addresses).reshape(-1), rows, places)
    others = rows[count : 3 * count - 2 * made].reshape(-1, 2)
    return Parted(rows[:made], places[:made], others, places[count : 2 * count - made])


@entry
def part_ids(addresses: Words, rows: Words, places: State) -> int:
    """Write first the MAC addresses that ids were made from, and behind room for all of them the other addresses.

    So are the places of both. Returns how many MAC addresses there are.
    """
    address, out, place = pointer(addresses), pointer(rows), pointer(places)
    count = addresses.shape[0] // 2
    macs, others = 0, 0
    for i in range(count):
        mac = _mac_of(address[2 * i + 1])
        if mac != U(0):
            out[macs] = mac
            place[macs] = i
            macs += 1
        else:
            out[count + 2 * others] = address[2 * i]
            out[count + 2 * others + 1] = address[2 * i + 1]
            place[count + others] = i
            others += 1
    return macs


def eui64_of_mac(addresses: Numbers) -> Numbers:
    """Return the interface ids of MAC addresses."""
    ids = np.empty(len(addresses), np.uint64)
    write_eui64(np.ascontiguousarray(addresses), ids)
    return ids


@entry
def write_eui64(addresses: Words, ids: Words) -> None:
    """Write the interface ids of MAC addresses, in one go."""
    address, out = pointer(addresses), pointer(ids)
    for i in range(ids.shape[0]):
        turned = address[i] ^ _LOCAL
        out[i] = (turned >> _MIDDLE_AT << _VENDOR_AT) | (_MIDDLE << _MIDDLE_AT) | (turned & _NIC)
