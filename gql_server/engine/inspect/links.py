"""Kernels that read what lies below IP.

Ethernet with VLAN and LLC/SNAP, MPLS, PPPoE, ARP, Linux cooked headers, BSD loopback, 802.11 with radiotap. The MAC
addresses that count are those of the header closest to the outermost IP header.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.inspect.fields import claim, count, count_layer, device_mac, enter, malformed
from gql_server.engine.inspect.layout import (
    ARP,
    CLAIMED,
    DESTINATION_MAC,
    ENTER_ETHERNET,
    ENTER_LLC,
    ETHERNET,
    ETHERTYPES_AT,
    IEEE_802_11,
    LINUX_SLL,
    LINUX_SLL2,
    LLC,
    LOOPBACK,
    MPLS,
    NO_MAC,
    NOTHING,
    OTHER_LINK,
    PPPOE,
    RADIOTAP,
    SOURCE_MAC,
    STP,
    VERSION,
    VLAN,
)
from gql_server.engine.memory import load8, load16, load16_little, load32, load32_little

TYPE_IPV4: Final = 0x0800
TYPE_ARP: Final = 0x0806
TYPE_RARP: Final = 0x8035
TYPE_BRIDGED: Final = 0x6558
TYPE_VLAN: Final = 0x8100
TYPE_PROVIDER_VLAN: Final = 0x88A8
TYPE_OLD_PROVIDER_VLAN: Final = 0x9100
TYPE_IPV6: Final = 0x86DD
TYPE_MPLS: Final = 0x8847
TYPE_MPLS_UPSTREAM: Final = 0x8848
TYPE_PPPOE: Final = 0x8864
FIRST_ETHERTYPE: Final = 0x0600

LINK_NULL: Final = 0
LINK_ETHERNET: Final = 1
LINK_RAW_DLT_12: Final = 12
LINK_RAW_DLT_14: Final = 14
LINK_RAW: Final = 101
LINK_IEEE_802_11: Final = 105
LINK_LOOP: Final = 108
LINK_LINUX_SLL: Final = 113
LINK_RADIOTAP: Final = 127
LINK_IPV4: Final = 228
LINK_IPV6: Final = 229
LINK_LINUX_SLL2: Final = 276

_ETHERNET_BYTES: Final = 14
_TAG_BYTES: Final = 4
_ARP_BYTES: Final = 28
_ARP_MAC_AND_IPV4: Final = 0x08000604
_SNAP_BYTES: Final = 8
_SNAP: Final = 0xAAAA0300
_STP: Final = 0x4242
_PPPOE_BYTES: Final = 8
_PPP_IPV4: Final = 0x21
_PPP_IPV6: Final = 0x57
_PPP_MPLS: Final = 0x281
_SLL_BYTES: Final = 16
_SLL2_BYTES: Final = 20
_MAC_BYTES: Final = 6
_LLC_FRAME: Final = 4
"""ETH_P_802_2 in a Linux cooked header."""
_RADIOTAP_BYTES: Final = 8
_WIFI_BYTES: Final = 24
_WIFI_DATA: Final = 2
_WIFI_QOS: Final = 8
_WIFI_NULL: Final = 4
_WIFI_PROTECTED: Final = 0x40
_WIFI_ORDER: Final = 0x80
_WIFI_AGGREGATE: Final = 0x80


@kernel
def version_type(b: Bytes, at: int, end: int) -> int:
    """Return the ethertype of an IP packet by its version, NOTHING for another."""
    if end > at and load8(b, at) >> 4 == 4:  # noqa: PLR2004  # the version
        return TYPE_IPV4
    if end > at and load8(b, at) >> 4 == 6:  # noqa: PLR2004  # the version
        return TYPE_IPV6
    return NOTHING


@kernel
def enter_link(b: Bytes, s: State, link: int, at: int, end: int) -> None:
    """Enter a packet by its link type."""
    if link == LINK_ETHERNET:
        enter(s, ENTER_ETHERNET, at, end)
    elif link == LINK_LINUX_SLL:
        _cooked(b, s, LINUX_SLL, _SLL_BYTES, 14, 4, 6, at, end)
    elif link == LINK_LINUX_SLL2:
        _cooked(b, s, LINUX_SLL2, _SLL2_BYTES, 0, 10, 12, at, end)
    elif link in (LINK_NULL, LINK_LOOP):
        _loopback(b, s, at, end)
    elif link in (LINK_RAW, LINK_RAW_DLT_12, LINK_RAW_DLT_14, LINK_IPV4, LINK_IPV6):
        enter_ip(b, s, at, end)
    elif link == LINK_RADIOTAP:
        _radiotap(b, s, at, end)
    elif link == LINK_IEEE_802_11:
        _wifi(b, s, at, end)
    else:
        count_layer(s, OTHER_LINK)


@kernel
def enter_ip(b: Bytes, s: State, at: int, end: int) -> None:
    """Enter an IP packet of either version."""
    kind = version_type(b, at, end)
    if kind == NOTHING:
        malformed(s)
    enter(s, kind, at, end)


@kernel
def _loopback(b: Bytes, s: State, at: int, end: int) -> None:
    """BSD loopback: an address family, in the byte order of the machine that captured."""
    count_layer(s, LOOPBACK)
    if end - at < _TAG_BYTES:
        malformed(s)
        return
    family = min(load32(b, at), load32_little(b, at))
    if family in (2, 10, 24, 28, 30):  # AF_INET; AF_INET6 on Linux, NetBSD, FreeBSD and Darwin
        enter_ip(b, s, at + _TAG_BYTES, end)


@kernel
def _cooked(
    b: Bytes, s: State, layer: int, header: int, protocol: int, length: int, address: int, at: int, end: int
) -> None:
    """LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2, which hold the sender's address alone."""
    count_layer(s, layer)
    if end - at < header:
        malformed(s)
        return
    # The low byte of a 16-bit length, or the only one: nobody's address has more than 255 bytes.
    if load8(b, at + length + 1) == _MAC_BYTES:
        s[SOURCE_MAC] = device_mac(b, at + address)
    kind = load16(b, at + protocol)
    if kind >= FIRST_ETHERTYPE:
        enter(s, kind, at + header, end)
    elif kind == _LLC_FRAME:
        enter(s, ENTER_LLC, at + header, end)


@kernel
def _radiotap(b: Bytes, s: State, at: int, end: int) -> None:
    """A radiotap header; its length is little-endian."""
    count_layer(s, RADIOTAP)
    if end - at < _RADIOTAP_BYTES:
        malformed(s)
        return
    length = load16_little(b, at + 2)
    if load8(b, at) != 0 or length < _RADIOTAP_BYTES or length > end - at:
        malformed(s)
        return
    _wifi(b, s, at + length, end)


@kernel
def _wifi(b: Bytes, s: State, at: int, end: int) -> None:
    """An 802.11 frame (IEEE 802.11-2020 section 9.3.2); only clear data frames of one MSDU hold LLC."""
    count_layer(s, IEEE_802_11)
    if end - at < _WIFI_BYTES or (load8(b, at) >> 2) & 3 != _WIFI_DATA:
        return
    subtype, flags = load8(b, at) >> 4, load8(b, at + 1)
    to_system, from_system = flags & 1, (flags >> 1) & 1
    header = _WIFI_BYTES + (_MAC_BYTES if to_system and from_system else 0)
    aggregate = False
    if subtype & _WIFI_QOS:
        if end - at < header + 2:
            return
        aggregate = load8(b, at + header) & _WIFI_AGGREGATE != 0
        header += 2 + (4 if flags & _WIFI_ORDER else 0)
    if subtype & _WIFI_NULL or flags & _WIFI_PROTECTED or aggregate or end - at < header:
        return
    source = 10
    if from_system:
        source = 24 if to_system else 16
    s[SOURCE_MAC] = device_mac(b, at + source)
    s[DESTINATION_MAC] = device_mac(b, at + (16 if to_system else 4))
    enter(s, ENTER_LLC, at + header, end)


@kernel
def _enter_type(s: State, kind: int, at: int, end: int) -> None:
    """Enter by ethertype or, below 0x0600, by the length of an LLC frame (IEEE 802.3 clause 3.2.6)."""
    if kind >= FIRST_ETHERTYPE:
        enter(s, kind, at, end)
    else:
        enter(s, ENTER_LLC, at, min(end, at + kind))


@kernel
def ethernet(b: Bytes, s: State, at: int, end: int) -> None:
    """An Ethernet frame."""
    count_layer(s, ETHERNET)
    if end - at < _ETHERNET_BYTES:
        malformed(s)
        return
    if s[VERSION] == 0:
        s[DESTINATION_MAC] = device_mac(b, at)
        s[SOURCE_MAC] = device_mac(b, at + _MAC_BYTES)
    _enter_type(s, load16(b, at + 12), at + _ETHERNET_BYTES, end)


@kernel
def llc(b: Bytes, s: State, at: int, end: int) -> None:
    """An LLC frame: SNAP with an ethertype (RFC 1042), or the spanning tree protocol."""
    count_layer(s, LLC)
    if end - at >= _SNAP_BYTES and load32(b, at) == _SNAP and load16(b, at + 4) == 0:
        enter(s, load16(b, at + 6), at + _SNAP_BYTES, end)
    elif end - at >= 3 and load16(b, at) == _STP:  # noqa: PLR2004  # an LLC header
        count_layer(s, STP)


@kernel
def vlan(b: Bytes, s: State, at: int, end: int) -> None:
    """An IEEE 802.1Q tag; tags may follow each other."""
    count_layer(s, VLAN)
    if end - at < _TAG_BYTES:
        malformed(s)
    else:
        _enter_type(s, load16(b, at + 2), at + _TAG_BYTES, end)


@kernel
def mpls(b: Bytes, s: State, at: int, end: int) -> None:
    """A label stack; below it IP, or Ethernet behind a control word (RFC 4448)."""
    count_layer(s, MPLS)
    bottom = False
    while not bottom and end - at >= _TAG_BYTES:
        bottom = load8(b, at + 2) & 1 == 1
        at += _TAG_BYTES
    if not bottom:
        malformed(s)
    elif end - at > _TAG_BYTES and load8(b, at) >> 4 == 0:
        enter(s, ENTER_ETHERNET, at + _TAG_BYTES, end)
    else:
        enter(s, version_type(b, at, end), at, end)


@kernel
def pppoe(b: Bytes, s: State, at: int, end: int) -> None:
    """A PPPoE session packet (RFC 2516)."""
    count_layer(s, PPPOE)
    if end - at < _PPPOE_BYTES:
        malformed(s)
        return
    stop = max(min(end, at + 6 + load16(b, at + 4)), at + _PPPOE_BYTES)
    protocol = load16(b, at + 6)
    at += _PPPOE_BYTES
    if protocol == _PPP_IPV4:
        enter(s, TYPE_IPV4, at, stop)
    elif protocol == _PPP_IPV6:
        enter(s, TYPE_IPV6, at, stop)
    elif protocol == _PPP_MPLS:
        enter(s, TYPE_MPLS, at, stop)


@kernel
def arp(b: Bytes, s: State, at: int, end: int) -> None:
    """ARP and RARP; who sends says where it is (RFC 826)."""
    count_layer(s, ARP)
    if end - at < _ARP_BYTES:
        malformed(s)
    elif s[VERSION] == 0 and load32(b, at + 2) == _ARP_MAC_AND_IPV4:
        claim(s, CLAIMED, 4, 0, load32(b, at + 14), device_mac(b, at + 8))


@kernel
def other_type(s: State, kind: int) -> None:
    """Count an ethertype that the walk does not enter."""
    if kind >= FIRST_ETHERTYPE:
        count(s, ETHERTYPES_AT + kind)


@kernel
def forget_macs(s: State) -> None:
    """Begin a packet without MAC addresses."""
    s[SOURCE_MAC] = NO_MAC
    s[DESTINATION_MAC] = NO_MAC
