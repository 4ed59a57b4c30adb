"""Kernels that read IP and what it carries.

The outermost IP header is the one that counts for talkers and conversations: it is where the equipment on the way sent
the packet, no guess about a payload goes into it, and each packet has one. Tunnels inside are entered for the count
of protocols alone, once their structure fits.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.inspect.fields import claim, count, count_layer, device_mac, enter, malformed
from gql_server.engine.inspect.layout import (
    AUTHENTICATION,
    CLAIMED,
    CLAIMED_BY_ROUTER,
    DESTINATION_HIGH,
    DESTINATION_LOW,
    ENTER_ETHERNET,
    ENTER_PROTOCOL,
    FRAGMENT,
    GENEVE,
    GRE,
    GTP_U,
    IP_PROTOCOLS_AT,
    IPV4,
    IPV6,
    NOTHING,
    PORTS,
    PROTOCOL,
    SERVICES_AT,
    SOURCE_HIGH,
    SOURCE_LOW,
    UDP,
    VERSION,
    VXLAN,
)
from gql_server.engine.inspect.links import TYPE_IPV4, TYPE_IPV6, TYPE_MPLS, enter_ip
from gql_server.engine.memory import load8, load16, load32, load64

_IPV4_BYTES: Final = 20
_IPV6_BYTES: Final = 40
_OFFSET_MASK: Final = 0x1FFF
_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT_HEADER: Final = 44
_AUTHENTICATION: Final = 51
_DESTINATION_OPTIONS: Final = 60
_MOBILITY: Final = 135
_HOST_IDENTITY: Final = 139
_SHIM6: Final = 140
_EXTENSION_BYTES: Final = 8
_FRAGMENT_OFFSET: Final = 0xFFF8

_IPV4_IN_IP: Final = 4
_TCP: Final = 6
_UDP: Final = 17
_DCCP: Final = 33
_IPV6_IN_IP: Final = 41
_GRE: Final = 47
_ICMPV6: Final = 58
_SCTP: Final = 132
_UDP_LITE: Final = 136
_MPLS_IN_IP: Final = 137
_ETHERNET_IN_IP: Final = 143

_PORTS_BYTES: Final = 4
_UDP_BYTES: Final = 8
_AUTHENTICATION_BYTES: Final = 12
_VXLAN_PORT: Final = 4789
_VXLAN_LINUX_PORT: Final = 8472
_GENEVE_PORT: Final = 6081
_GTP_PORT: Final = 2152
_TUNNEL_BYTES: Final = 8
_ETHERNET_BYTES: Final = 14
_GTP_DATA: Final = 0xFF
_GRE_BYTES: Final = 4
_GRE_ROUTING: Final = 0x40
_GRE_VERSION: Final = 7

_ROUTER_SOLICITATION: Final = 133
_ROUTER_ADVERTISEMENT: Final = 134
_NEIGHBOR_SOLICITATION: Final = 135
_NEIGHBOR_ADVERTISEMENT: Final = 136
_SOURCE_LINK: Final = 1
_TARGET_LINK: Final = 2
_HOP_LIMIT: Final = 255
_TARGET_END: Final = 24


@kernel
def ipv4(b: Bytes, s: State, at: int, end: int) -> None:
    """An IPv4 header (RFC 791)."""
    count_layer(s, IPV4)
    if end - at < _IPV4_BYTES:
        malformed(s)
        return
    header = (load8(b, at) & 15) * 4
    total = load16(b, at + 2)
    if load8(b, at) >> 4 != 4 or header < _IPV4_BYTES or 0 < total < header:  # noqa: PLR2004  # the version
        malformed(s)
        return
    protocol = load8(b, at + 9)
    if s[VERSION] == 0:
        s[VERSION] = 4
        s[SOURCE_HIGH] = 0
        s[SOURCE_LOW] = load32(b, at + 12)
        s[DESTINATION_HIGH] = 0
        s[DESTINATION_LOW] = load32(b, at + 16)
        s[PROTOCOL] = protocol
    stop = min(end, at + total) if total > 0 else end  # 0: segmentation was left to the network card
    s[FRAGMENT] = load16(b, at + 6) & _OFFSET_MASK
    enter(s, ENTER_PROTOCOL + protocol, min(at + header, stop), stop)


@kernel
def _is_extension(kind: int) -> bool:
    if kind in (_HOP_BY_HOP, _ROUTING, _FRAGMENT_HEADER, _AUTHENTICATION):
        return True
    return kind in (_DESTINATION_OPTIONS, _MOBILITY, _HOST_IDENTITY, _SHIM6)


@kernel
def ipv6(b: Bytes, s: State, at: int, end: int) -> None:
    """An IPv6 header with its extensions (RFC 8200)."""
    count_layer(s, IPV6)
    if end - at < _IPV6_BYTES or load8(b, at) >> 4 != 6:  # noqa: PLR2004  # the version
        malformed(s)
        return
    outermost = s[VERSION] == 0
    if outermost:
        s[VERSION] = 6
        s[SOURCE_HIGH] = np.int64(load64(b, at + 8))
        s[SOURCE_LOW] = np.int64(load64(b, at + 16))
        s[DESTINATION_HIGH] = np.int64(load64(b, at + 24))
        s[DESTINATION_LOW] = np.int64(load64(b, at + 32))
    length = load16(b, at + 4)
    kind = load8(b, at + 6)
    hops = load8(b, at + 7)
    at += _IPV6_BYTES
    stop = min(end, at + length) if length > 0 else end  # 0: a jumbogram, or left to the card
    s[FRAGMENT] = 0
    while _is_extension(kind) and s[FRAGMENT] == 0 and stop - at >= _EXTENSION_BYTES:
        size = load8(b, at + 1) * 8 + _EXTENSION_BYTES
        if kind == _FRAGMENT_HEADER:
            size = _EXTENSION_BYTES
            s[FRAGMENT] = load16(b, at + 2) & _FRAGMENT_OFFSET
        elif kind == _AUTHENTICATION:
            size = load8(b, at + 1) * 4 + _EXTENSION_BYTES
            count_layer(s, AUTHENTICATION)
        kind = load8(b, at)
        at = min(at + size, stop)
    if outermost:
        s[PROTOCOL] = kind
        if kind == _ICMPV6 and s[FRAGMENT] == 0 and hops == _HOP_LIMIT:
            _neighbor(b, s, at, stop)
    enter(s, ENTER_PROTOCOL + kind, at, stop)


@kernel
def _neighbor(b: Bytes, s: State, at: int, end: int) -> None:
    """Neighbor discovery: who is where (RFC 4861); a hop limit of 255 shows that it comes from this link."""
    if end - at < _TARGET_END - 16:
        return
    message = load8(b, at)
    high, low = s[SOURCE_HIGH], s[SOURCE_LOW]
    kind, wanted = CLAIMED, _SOURCE_LINK
    if message == _ROUTER_SOLICITATION:
        at += 8
    elif message == _ROUTER_ADVERTISEMENT:
        kind = CLAIMED_BY_ROUTER
        at += 16
    elif message in (_NEIGHBOR_SOLICITATION, _NEIGHBOR_ADVERTISEMENT) and end - at >= _TARGET_END:
        if message == _NEIGHBOR_ADVERTISEMENT:
            high, low = np.int64(load64(b, at + 8)), np.int64(load64(b, at + 16))
            wanted = _TARGET_LINK
        at += _TARGET_END
    else:
        return
    while end - at >= 8:  # noqa: PLR2004  # lengths count in units of 8 bytes
        length = load8(b, at + 1) * 8
        if length == 0 or at + length > end:
            return
        if load8(b, at) == wanted and length == 8:  # noqa: PLR2004  # the same
            claim(s, kind, 6, high, low, device_mac(b, at + 2))
            return
        at += length


@kernel
def _count_protocol(s: State, protocol: int) -> None:
    """Count what IP carries: layers that may come again inside a tunnel once, the others by their number."""
    if protocol == _UDP:
        count_layer(s, UDP)
    elif protocol == _GRE:
        count_layer(s, GRE)
    elif protocol == _AUTHENTICATION:
        count_layer(s, AUTHENTICATION)
    elif protocol not in (_IPV4_IN_IP, _IPV6_IN_IP, _MPLS_IN_IP, _ETHERNET_IN_IP):
        count(s, IP_PROTOCOLS_AT + protocol)


@kernel
def carried(b: Bytes, s: State, p: Bytes, protocol: int, outermost: bool, at: int, end: int) -> None:  # noqa: FBT001  # kernels take positions
    """What IP carries."""
    _count_protocol(s, protocol)
    if s[FRAGMENT] != 0:
        return
    if protocol in (_TCP, _UDP, _SCTP, _DCCP, _UDP_LITE):
        if end - at >= _PORTS_BYTES:
            if outermost:
                s[PORTS] = load32(b, at)
            _transport(b, s, p, protocol, at, end)
    elif protocol == _GRE:
        _gre(b, s, at, end)
    elif protocol == _AUTHENTICATION:
        _authentication(b, s, outermost, at, end)
    elif protocol == _ETHERNET_IN_IP:
        enter(s, ENTER_ETHERNET, at + 2, end)
    else:
        enter(s, _inner_type(protocol), at, end)


@kernel
def _inner_type(protocol: int) -> int:
    """Return the ethertype of what an IP protocol tunnels, NOTHING for other protocols."""
    if protocol == _IPV4_IN_IP:
        return TYPE_IPV4
    if protocol == _IPV6_IN_IP:
        return TYPE_IPV6
    return TYPE_MPLS if protocol == _MPLS_IN_IP else NOTHING


@kernel
def _authentication(b: Bytes, s: State, outermost: bool, at: int, end: int) -> None:  # noqa: FBT001  # kernels take positions
    """An authentication header in IPv4 (RFC 4302); what follows it is what the packet is about."""
    if end - at < _AUTHENTICATION_BYTES:
        return
    inner = at + (load8(b, at + 1) + 2) * 4
    if inner <= end:
        protocol = load8(b, at)
        if outermost:
            s[PROTOCOL] = protocol
        enter(s, ENTER_PROTOCOL + protocol, inner, end)


@kernel
def _transport(b: Bytes, s: State, p: Bytes, protocol: int, at: int, end: int) -> None:
    """A transport header: a tunnel, or a service by its port, the destination's first."""
    if protocol == _UDP:
        length = load16(b, at + 4) if end - at >= _UDP_BYTES else 0
        stop = min(end, at + length) if length >= _UDP_BYTES else end
        if _udp_tunnel(b, s, load16(b, at + 2), at + _UDP_BYTES, stop):
            return
    elif protocol != _TCP:
        return
    service = load8(p, load16(b, at + 2))
    if service == 0:
        service = load8(p, load16(b, at))
    if service != 0:
        count(s, SERVICES_AT + service)


@kernel
def _udp_tunnel(b: Bytes, s: State, port: int, at: int, end: int) -> bool:
    """Enter a tunnel when the datagram is one."""
    if end - at < _TUNNEL_BYTES:
        return False
    first = load8(b, at)
    if port in (_VXLAN_PORT, _VXLAN_LINUX_PORT):  # RFC 7348
        if end - at < _TUNNEL_BYTES + _ETHERNET_BYTES or not first & 8:
            return False
        count_layer(s, VXLAN)
        enter(s, ENTER_ETHERNET, at + _TUNNEL_BYTES, end)
        return True
    if port == _GENEVE_PORT:  # RFC 8926
        inner = at + _TUNNEL_BYTES + (first & 0x3F) * 4
        if first >> 6 != 0 or inner > end:
            return False
        count_layer(s, GENEVE)
        enter(s, load16(b, at + 2), inner, end)
        return True
    return port == _GTP_PORT and _gtp(b, s, at, end)


@kernel
def _gtp(b: Bytes, s: State, at: int, end: int) -> bool:
    """GTP-U version 1 (3GPP TS 29.281); only user data without extension headers is entered."""
    first = load8(b, at)
    if first >> 4 != 3:  # noqa: PLR2004  # version 1, user plane
        return False
    count_layer(s, GTP_U)
    inner = at + _TUNNEL_BYTES + (4 if first & 7 else 0)
    if load8(b, at + 1) == _GTP_DATA and not first & 4 and inner <= end:
        enter_ip(b, s, inner, end)
    return True


@kernel
def _gre(b: Bytes, s: State, at: int, end: int) -> None:
    """A GRE header (RFC 2784, RFC 2890)."""
    if end - at < _GRE_BYTES or load8(b, at) & _GRE_ROUTING or load8(b, at + 1) & _GRE_VERSION:
        return
    length = _GRE_BYTES
    for flag in (0x80, 0x20, 0x10):
        if load8(b, at) & flag:
            length += 4
    if end - at >= length:
        enter(s, load16(b, at + 2), at + length, end)
