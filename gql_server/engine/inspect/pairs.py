"""Which IP address stands at which MAC address.

What a router forwards carries its MAC address, so an IP address beside it says nothing about where that address is.
A MAC address is a router's when one of these holds:

- it sent a router advertisement (RFC 4861 section 4.2);
- it is a virtual router's, 00-00-5E-00-01-XX or 00-00-5E-00-02-XX (RFC 9568 section 7.3);
- packets carry it with addresses of ROUTER_SUBNETS or more subnets (/24, /64) that nobody claimed for it by ARP or
  neighbor discovery. Link-local addresses do not count: they are not forwarded.

The addresses behind a router become one row; those claimed for it keep rows of their own.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.inspect import layout
from gql_server.engine.inspect.findings import Findings
from gql_server.engine.inspect.rows import PAIR, address_bytes

ROUTER_SUBNETS: Final = 4
_VIRTUAL_ROUTERS: Final = (0x00005E0001, 0x00005E0002)
_U = np.uint64
_MAC = _U(layout.META_MAC)
_HAS_MAC = _U(layout.META_HAS_MAC)
_IPV6 = _U(layout.META_IPV6)

Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]


def list_pairs(findings: Findings) -> npt.NDArray[np.void]:
    """Return the pairs, those with most packets first, in an order that is the same each time."""
    talker, mac, counts, advertised = _merged(findings)
    # The address alone: whole rows of all talkers would double what the survey takes.
    addresses = findings.talkers[:, : layout.TALKER_META + 1][talker]
    named = _is_host(addresses)
    addresses, mac, counts, advertised = addresses[named], mac[named], counts[named], advertised[named]
    router = _is_router(addresses, mac, counts, advertised)
    behind = router & (counts[:, 2] == 0)
    rows = np.concatenate(
        [
            _address_rows(addresses[~behind], mac[~behind], counts[~behind], router[~behind]),
            _router_rows(mac[behind], counts[behind]),
        ]
    )
    packets = rows["packets_sent"] + rows["packets_received"]
    return rows[np.lexsort((-packets.astype(np.int64),))]


def _merged(findings: Findings) -> tuple[npt.NDArray[np.int64], Words, npt.NDArray[np.int64], Bools]:
    """Return talker, MAC address, counts (sent, received, claims) and whether a router said so, each pair once."""
    talkers, pairs = findings.talkers, findings.pairs
    at = np.flatnonzero(talkers[:, layout.TALKER_META] & _HAS_MAC)
    extra = pairs[(pairs[:, layout.PAIR_MAC] & _HAS_MAC) != 0]
    talker = np.concatenate([at.astype(np.int64), extra[:, layout.PAIR_TALKER].astype(np.int64)])
    mac = np.concatenate([talkers[at, layout.TALKER_META] & _MAC, extra[:, layout.PAIR_MAC] & _MAC])
    own = talkers[at][:, [layout.TALKER_MAC_SENT, layout.TALKER_MAC_RECEIVED]]
    claims = extra[:, layout.PAIR_CLAIMS]
    counts = np.zeros((len(talker), 3), np.int64)
    counts[: len(at), :2] = own
    counts[len(at) :, :2] = extra[:, [layout.PAIR_SENT, layout.PAIR_RECEIVED]]
    counts[len(at) :, 2] = claims & ~_U(layout.PAIR_ROUTER)
    advertised = np.concatenate([np.zeros(len(at), bool), (claims & _U(layout.PAIR_ROUTER)) != 0])
    order, starts = _groups(talker.astype(np.uint64), mac)
    first = order[starts]
    merged = np.add.reduceat(counts[order], starts, axis=0)
    said = np.logical_or.reduceat(advertised[order], starts)
    return talker[first], mac[first], merged, said


def _groups(one: Words, other: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return an order in which equal pairs of words stand together, and where in it each group of them begins."""
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    new = np.ones(len(order), bool)
    new[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return order, np.flatnonzero(new)


def _is_host(talkers: Words) -> Bools:
    """Say which addresses can be one host's: not unspecified, multicast or broadcast."""
    high, low = talkers[:, layout.TALKER_HIGH], talkers[:, layout.TALKER_LOW]
    ipv6 = (talkers[:, layout.TALKER_META] & _IPV6) != 0
    multicast = np.where(ipv6, high >> _U(56) == _U(0xFF), low >= _U(0xE0000000))
    group = multicast & (ipv6 | (low < _U(0xF0000000)) | (low == _U(0xFFFFFFFF)))
    named: Bools = ~group & ((high | low) != 0)
    return named


def _is_router(talkers: Words, mac: Words, counts: npt.NDArray[np.int64], advertised: Bools) -> Bools:
    high, low = talkers[:, layout.TALKER_HIGH], talkers[:, layout.TALKER_LOW]
    ipv6 = (talkers[:, layout.TALKER_META] & _IPV6) != 0
    link_local = np.where(ipv6, high >> _U(54) == _U(0xFE80 >> 6), low >> _U(16) == _U(0xA9FE))
    subnet = np.where(ipv6, high, (low >> _U(8)) | _U(1 << 63))
    forwarded = (counts[:, 2] == 0) & ~link_local
    order, starts = _groups(mac[forwarded], subnet[forwarded])
    macs, subnets = np.unique(mac[forwarded][order[starts]], return_counts=True)
    routers = np.concatenate([macs[subnets >= ROUTER_SUBNETS], mac[advertised]])
    virtual = np.isin(mac >> _U(8), np.array(_VIRTUAL_ROUTERS, np.uint64))
    return np.isin(mac, routers) | virtual


def _address_rows(addresses: Words, mac: Words, counts: npt.NDArray[np.int64], router: Bools) -> npt.NDArray[np.void]:
    rows = np.zeros(len(addresses), PAIR)
    rows["version"], rows["address"] = address_bytes(addresses)
    rows["addresses"] = 1
    rows["is_router"] = router
    _fill(rows, mac, counts)
    return rows


def _router_rows(mac: Words, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
    macs, place, addresses = np.unique(mac, return_inverse=True, return_counts=True)
    totals = np.zeros((len(macs), 3), np.int64)
    np.add.at(totals, place.reshape(-1), counts)
    rows = np.zeros(len(macs), PAIR)
    rows["addresses"] = addresses
    rows["is_router"] = 1
    _fill(rows, macs, totals)
    return rows


def _fill(rows: npt.NDArray[np.void], mac: Words, counts: npt.NDArray[np.int64]) -> None:
    rows["mac"] = mac.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    rows["packets_sent"], rows["packets_received"], rows["claims"] = counts.T
