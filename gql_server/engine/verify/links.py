"""Kernels that read what lies below IP.

Ethernet and IEEE 802.1Q tags, LLC with SNAP (RFC 1042), MPLS (RFC 3032, RFC 4448), PPPoE (RFC 2516), ARP (RFC 826),
Linux cooked captures, IEEE 802.11, raw IP and BSD loopback (the tcpdump group's list of link types).
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32, load32_little
from gql_server.engine.verify.claims import enter, remnant, same
from gql_server.engine.verify.fields import ipv4_address, mac_address
from gql_server.engine.verify.layout import READ_ETHERNET, READ_LLC
from gql_server.engine.verify.wireless import LINK_RADIOTAP, LINK_WIRELESS, read_radiotap, read_wireless

IPV4: Final = 0x0800
ARP: Final = 0x0806
RARP: Final = 0x8035
TRANSPARENT_ETHERNET: Final = 0x6558
VLAN: Final = 0x8100
PROVIDER_VLAN: Final = 0x88A8
OLD_PROVIDER_VLAN: Final = 0x9100
IPV6: Final = 0x86DD
MPLS: Final = 0x8847
MPLS_MULTICAST: Final = 0x8848
PPPOE: Final = 0x8864

LINK_NULL: Final = 0
LINK_ETHERNET: Final = 1
LINK_LOOP: Final = 108
LINK_SLL: Final = 113
LINK_SLL2: Final = 276
_ETHERTYPES: Final = 0x0600


@kernel
def read_by_version(a: Bytes, s: State, at: int, end: int) -> None:
    """Go on with an IP packet whose version tells which."""
    version = load8(a, at) >> 4 if at < end else 0
    if version == 4:  # noqa: PLR2004  # the version
        enter(s, IPV4, at, end)
    elif version == 6:  # noqa: PLR2004  # the version
        enter(s, IPV6, at, end)


@kernel
def _read_type(s: State, kind: int, at: int, end: int) -> None:
    """Go on by ethertype or by the length of an LLC frame."""
    if kind >= _ETHERTYPES:
        enter(s, kind, at, end)
    else:
        enter(s, READ_LLC, at, min(end, at + kind))


@kernel
def read_link(a: Bytes, o: Bytes, s: State, w: Words, link: int, at: int, end: int) -> None:
    """Begin a packet by its link type; one that is not known here is read by nobody."""
    if link == LINK_ETHERNET:
        enter(s, READ_ETHERNET, at, end)
    elif link in (12, 14, 101, 228, 229):  # raw IP, by its old and new numbers
        read_by_version(a, s, at, end)
    elif link in (LINK_NULL, LINK_LOOP) and end - at >= 4:  # noqa: PLR2004  # the family
        same(a, o, s, at, 4)
        # LOOP is big-endian, NULL in the order of the machine that captured.
        family = min(load32(a, at), load32_little(a, at))
        if family == 2 or family in (10, 24, 28, 30):  # noqa: PLR2004  # AF_INET, and AF_INET6 here and there
            enter(s, IPV4 if family == 2 else IPV6, at + 4, end)  # noqa: PLR2004  # AF_INET
    elif link == LINK_SLL:
        _read_cooked(a, o, s, w, at, end)
    elif link == LINK_SLL2:
        _read_cooked2(a, o, s, w, at, end)
    elif link == LINK_WIRELESS:
        read_wireless(a, o, s, w, at, end, 0)
    elif link == LINK_RADIOTAP:
        read_radiotap(a, o, s, w, at, end)


@kernel
def _read_cooked(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    if end - at < 16:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 6, end))
        return
    same(a, o, s, at, 6)
    if load16(a, at + 4) == 6:  # noqa: PLR2004  # a MAC address in eight bytes
        mac_address(a, o, s, w, at + 6)
    same(a, o, s, at + 14, 2)
    _read_cooked_type(s, load16(a, at + 14), at + 16, end)


@kernel
def _read_cooked2(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    if end - at < 20:  # noqa: PLR2004  # the header
        remnant(a, o, s, at, min(at + 12, end))
        return
    same(a, o, s, at, 12)
    if load8(a, at + 11) == 6:  # noqa: PLR2004  # a MAC address in eight bytes
        mac_address(a, o, s, w, at + 12)
    _read_cooked_type(s, load16(a, at), at + 20, end)


@kernel
def _read_cooked_type(s: State, kind: int, at: int, end: int) -> None:
    if kind >= _ETHERTYPES:
        enter(s, kind, at, end)
    elif kind == 4:  # noqa: PLR2004  # LLC
        enter(s, READ_LLC, at, end)


@kernel
def read_ethernet(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read an Ethernet header."""
    if end - at >= 14:  # noqa: PLR2004  # the header
        mac_address(a, o, s, w, at)
        mac_address(a, o, s, w, at + 6)
        same(a, o, s, at + 12, 2)
        _read_type(s, load16(a, at + 12), at + 14, end)


@kernel
def read_vlan(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read an IEEE 802.1Q tag."""
    if end - at >= 4:  # noqa: PLR2004  # the tag
        same(a, o, s, at, 4)
        _read_type(s, load16(a, at + 2), at + 4, end)


@kernel
def read_llc(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read LLC with SNAP and the organization code of ethertypes."""
    if end - at >= 8 and load32(a, at) == 0xAAAA0300 and load16(a, at + 4) == 0:  # noqa: PLR2004  # see above
        same(a, o, s, at, 8)
        enter(s, load16(a, at + 6), at + 8, end)


@kernel
def read_mpls(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read a label stack, and what its bottom must be: IP, or Ethernet behind a control word."""
    bottom = False
    while not bottom and end - at >= 4:  # noqa: PLR2004  # a label
        bottom = load8(a, at + 2) & 1 == 1
        same(a, o, s, at, 4)
        at += 4
    if bottom and end - at > 4 and load8(a, at) >> 4 == 0:  # noqa: PLR2004  # a control word
        same(a, o, s, at, 4)
        enter(s, READ_ETHERNET, at + 4, end)
    elif bottom:
        read_by_version(a, s, at, end)


@kernel
def read_pppoe(a: Bytes, o: Bytes, s: State, at: int, end: int) -> None:
    """Read a PPPoE session header and the PPP protocol."""
    if end - at < 8:  # noqa: PLR2004  # both
        return
    same(a, o, s, at, 8)
    stop = max(min(end, at + 6 + load16(a, at + 4)), at + 8)
    protocol = load16(a, at + 6)
    if protocol == 0x21:  # noqa: PLR2004  # IPv4
        enter(s, IPV4, at + 8, stop)
    elif protocol == 0x57:  # noqa: PLR2004  # IPv6
        enter(s, IPV6, at + 8, stop)
    elif protocol == 0x281:  # noqa: PLR2004  # MPLS
        enter(s, MPLS, at + 8, stop)


@kernel
def read_arp(a: Bytes, o: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Read ARP or RARP for IPv4 over addresses of six bytes."""
    if end - at < 8:  # noqa: PLR2004  # what says the lengths
        return
    if load16(a, at + 2) != IPV4 or load16(a, at + 4) != 0x0604 or end - at < 28:  # noqa: PLR2004  # 6 and 4
        remnant(a, o, s, at, at + 8)
        return
    same(a, o, s, at, 8)
    mac_address(a, o, s, w, at + 8)
    ipv4_address(a, o, s, w, at + 14)
    mac_address(a, o, s, w, at + 18)
    ipv4_address(a, o, s, w, at + 24)


@kernel
def is_ethernet(kind: int) -> bool:
    """Say whether a frame without preamble follows."""
    return kind in (READ_ETHERNET, TRANSPARENT_ETHERNET)
