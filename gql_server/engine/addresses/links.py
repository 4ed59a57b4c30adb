"""Kernels for what lies below IP.

Ethernet with VLAN and LLC/SNAP, MPLS, PPPoE, ARP, the Linux cooked headers, raw IP and the BSD loopback header;
IEEE 802.11 has files of its own. A
kind that is not named here is not understood, and zeroed.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, cut, enter, rewrite_ipv4, rewrite_mac
from gql_server.engine.addresses.layout import ENTER_ETHERNET, ENTER_LLC, ENTER_UNKNOWN, OPAQUE
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16, load32, load32_little

LINK_NULL: Final = 0
LINK_ETHERNET: Final = 1
LINK_RAW_DLT_12: Final = 12
LINK_RAW_DLT_14: Final = 14
LINK_RAW: Final = 101
LINK_WIRELESS: Final = 105
LINK_LOOP: Final = 108
LINK_LINUX_SLL: Final = 113
LINK_RADIOTAP: Final = 127
LINK_IPV4: Final = 228
LINK_IPV6: Final = 229
LINK_LINUX_SLL2: Final = 276

IPV4: Final = 0x0800
ARP: Final = 0x0806
RARP: Final = 0x8035
BRIDGED_ETHERNET: Final = 0x6558
VLAN: Final = 0x8100
PROVIDER_VLAN: Final = 0x88A8
OLD_PROVIDER_VLAN: Final = 0x9100
IPV6: Final = 0x86DD
MPLS: Final = 0x8847
MPLS_UPSTREAM: Final = 0x8848
PPPOE_SESSION: Final = 0x8864
FIRST_ETHERTYPE: Final = 0x0600

MAC_BYTES: Final = 6
_ETHERNET_HEADER: Final = 14
_TAG_BYTES: Final = 4
_ARP_FIXED: Final = 8
_ARP_BYTES: Final = 28
_ARP_MAC_AND_IPV4: Final = 0x0604
_SNAP_HEADER: Final = 8
_SNAP_START: Final = 0xAAAA0300
_PPPOE_HEADER: Final = 6
_PPP_IPV4: Final = 0x21
_PPP_IPV6: Final = 0x57
_PPP_MPLS: Final = 0x281
_SLL_HEADER: Final = 16
_SLL_LLC: Final = 4
_SLL2_HEADER: Final = 20
_AF_INET: Final = 2
_BYTE: Final = 0xFF


@kernel
def version_type(b: Bytes, at: int, end: int) -> int:
    """Return the ethertype of an IP packet by its version."""
    if end > at and load8(b, at) >> 4 == 4:  # noqa: PLR2004  # the version
        return IPV4
    if end > at and load8(b, at) >> 4 == 6:  # noqa: PLR2004  # the version
        return IPV6
    return ENTER_UNKNOWN


@kernel
def loopback(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """BSD loopback: an address family, in the byte order of the machine that captured."""
    if end - at < _TAG_BYTES:
        cut(b, s, at, end, wet)
        return
    family = min(load32(b, at), load32_little(b, at))
    kind = ENTER_UNKNOWN
    if family == _AF_INET:
        kind = IPV4
    elif family in (10, 24, 28, 30):  # AF_INET6 on Linux, NetBSD, FreeBSD and Darwin
        kind = IPV6
    enter(s, kind, at + _TAG_BYTES, end)


@kernel
def _cooked_address(b: Bytes, s: State, w: Words, at: int, length: int, wet: bool) -> None:
    """Eight bytes of room for a link-layer address."""
    if length == MAC_BYTES:
        rewrite_mac(b, s, w, at, wet)
        blank(b, s, at + MAC_BYTES, at + 8, OPAQUE, wet)
    else:
        blank(b, s, at, at + 8, OPAQUE, wet)


@kernel
def cooked(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """LINKTYPE_LINUX_SLL."""
    if end - at < _SLL_HEADER:
        cut(b, s, min(at + 6, end), end, wet)
        return
    _cooked_address(b, s, w, at + 6, load16(b, at + 4), wet)
    kind = load16(b, at + 14)
    if kind < FIRST_ETHERTYPE:
        kind = ENTER_LLC if kind == _SLL_LLC else ENTER_UNKNOWN
    enter(s, kind, at + _SLL_HEADER, end)


@kernel
def cooked2(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """LINKTYPE_LINUX_SLL2."""
    if end - at < _SLL2_HEADER:
        cut(b, s, min(at + 12, end), end, wet)
        return
    _cooked_address(b, s, w, at + 12, load8(b, at + 11), wet)
    kind = load16(b, at)
    if kind < FIRST_ETHERTYPE:
        kind = ENTER_LLC if kind == _SLL_LLC else ENTER_UNKNOWN
    enter(s, kind, at + _SLL2_HEADER, end)


@kernel
def _enter_type(b: Bytes, s: State, kind: int, at: int, end: int, wet: bool) -> None:
    """Enter by ethertype or, below 0x0600, by the length of an LLC frame (IEEE 802.3 clause 3.2.6)."""
    if kind >= FIRST_ETHERTYPE:
        enter(s, kind, at, end)
    else:
        stop = min(end, at + kind)
        blank(b, s, stop, end, OPAQUE, wet)
        enter(s, ENTER_LLC, at, stop)


@kernel
def ethernet(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """An Ethernet frame without preamble."""
    if end - at < _ETHERNET_HEADER:
        cut(b, s, at, end, wet)
        return
    rewrite_mac(b, s, w, at, wet)
    rewrite_mac(b, s, w, at + MAC_BYTES, wet)
    _enter_type(b, s, load16(b, at + 12), at + _ETHERNET_HEADER, end, wet)


@kernel
def is_snap(b: Bytes, at: int, end: int) -> bool:
    """Say whether an LLC frame is SNAP with an ethertype: three bytes, then the organisation code 00-00-00."""
    return end - at >= _SNAP_HEADER and load32(b, at) == _SNAP_START and load16(b, at + 4) == 0


@kernel
def llc(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """An LLC frame; only SNAP with an ethertype is understood (RFC 1042)."""
    if is_snap(b, at, end):
        enter(s, load16(b, at + 6), at + _SNAP_HEADER, end)
    else:
        blank(b, s, at, end, OPAQUE, wet)


@kernel
def vlan(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """An IEEE 802.1Q tag; tags may follow each other."""
    if end - at < _TAG_BYTES:
        cut(b, s, at, end, wet)
    else:
        _enter_type(b, s, load16(b, at + 2), at + _TAG_BYTES, end, wet)


@kernel
def mpls(b: Bytes, s: State, at: int, end: int) -> None:
    """A label stack; below it IP, or Ethernet behind a control word (RFC 4448)."""
    bottom = False
    while not bottom and end - at >= _TAG_BYTES:
        bottom = load8(b, at + 2) & 1 == 1
        at += _TAG_BYTES
    kind = version_type(b, at, end) if bottom else ENTER_UNKNOWN
    if bottom and end - at > _TAG_BYTES and load8(b, at) >> 4 == 0:
        kind = ENTER_ETHERNET
        at += _TAG_BYTES
    enter(s, kind, at, end)


@kernel
def pppoe(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """A PPPoE session packet (RFC 2516)."""
    if end - at < _PPPOE_HEADER + 2:
        cut(b, s, at, end, wet)
        return
    stop = min(end, at + _PPPOE_HEADER + load16(b, at + 4))
    protocol = load16(b, at + _PPPOE_HEADER)
    kind = ENTER_UNKNOWN
    if protocol == _PPP_IPV4:
        kind = IPV4
    elif protocol == _PPP_IPV6:
        kind = IPV6
    elif protocol == _PPP_MPLS:
        kind = MPLS
    at += _PPPOE_HEADER + 2
    stop = max(stop, at)
    blank(b, s, stop, end, OPAQUE, wet)
    enter(s, kind, at, stop)


@kernel
def arp(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """ARP and RARP for IPv4 over 6-byte hardware addresses (RFC 826)."""
    if end - at < _ARP_FIXED:
        cut(b, s, at, end, wet)
    elif load16(b, at + 2) != IPV4 or load16(b, at + 4) != _ARP_MAC_AND_IPV4:
        blank(b, s, at + _ARP_FIXED, end, OPAQUE, wet)
    elif end - at < _ARP_BYTES:
        cut(b, s, at + _ARP_FIXED, end, wet)
    else:
        rewrite_mac(b, s, w, at + 8, wet)
        rewrite_ipv4(b, s, w, at + 14, wet)
        rewrite_mac(b, s, w, at + 18, wet)
        rewrite_ipv4(b, s, w, at + 24, wet)
        blank(b, s, at + _ARP_BYTES, end, OPAQUE, wet)
